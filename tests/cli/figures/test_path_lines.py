"""Paths as lines between tiles."""

import numpy as np

from imle_cli.figures.path_lines import segments


def ends(mask):
    return [tuple(map(tuple, line.tolist())) for line in segments(np.array(mask))]


def test_a_path_is_its_steps_as_columns_and_rows():
    assert ends([[1, 1, 0], [0, 0, 1]]) == [((0, 0), (1, 0)), ((1, 0), (2, 1))]


def test_steps_down_to_the_left_and_straight_down():
    assert ends([[0, 1], [1, 0], [1, 0]]) == [((1, 0), (0, 1)), ((0, 1), (0, 2))]


def test_what_is_no_path_has_all_lines_between_neighbours():
    assert len(ends([[1, 1], [1, 1]])) == 6


def test_a_single_tile_has_none():
    assert ends([[0, 1, 0]]) == []
