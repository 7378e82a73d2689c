"""Words of problems for a reader."""

import pytest

from imle_cli.problems.problem import enumerated


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_list_that_is_read_at_a_glance_is_whole(count):
    names = [str(number) for number in range(count)]
    assert enumerated(names) == " ".join(names)


def test_of_a_long_one_the_first_are_shown_and_the_rest_counted():
    names = [f"{number}" for number in range(785)]
    assert enumerated(names) == " ".join(names[:20]) + " ... 765 more (--json)"
    assert enumerated(names, ", ") == ", ".join(names[:20]) + ", ... 765 more (--json)"
