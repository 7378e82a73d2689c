"""Problems of the lab: their names in pictures."""

import pytest

from imle_cli.problems.lab import problem_title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("top-k 10,5", "top-5 of 10"),
        ("path 8x8", "paths on 8x8 tiles"),
        ("spanning-tree 6", "spanning trees of 6 nodes"),
        ("knapsack 12", "a knapsack of 12 items"),
        ("top-k of a file.csv", "top-k of a file.csv"),
        ("map.png", "map.png"),
    ],
)
def test_titles_of_random_problems(name, title):
    assert problem_title(name) == title
