"""Steps that are kept: all at first, then fewer, never far apart."""

import pytest

from imle_cli.runs.cadence import gap, is_kept


def test_every_step_at_first_then_round_ones():
    kept = [step for step in range(1101) if is_kept(step)]
    assert kept[:24] == list(range(24))
    assert kept[24:30] == [24, 26, 28, 30, 32, 34]
    assert {50, 60, 100, 120, 240, 600, 1000, 1050, 1100} <= set(kept)
    assert len(kept) == 95


@pytest.mark.slow
def test_the_number_grows_with_the_logarithm():
    counts = [sum(is_kept(step) for step in range(10**power)) for power in (3, 4, 5)]
    assert counts[1] - counts[0] == counts[2] - counts[1] < 45


@pytest.mark.parametrize("step", [30, 59, 60, 119, 120, 599, 600, 1199, 12_345, 10**9])
def test_gaps_are_at_most_a_twelfth(step):
    assert 1 / 30 < gap(step) / step <= 1 / 12 + 1e-9


def test_an_even_distance():
    assert [step for step in range(10) if is_kept(step, 3)] == [0, 3, 6, 9]
