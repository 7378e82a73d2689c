"""Colours of entries: tiles, strips, edges."""

import numpy as np
import pytest

from imle_cli.films.drawn import DrawnEdges, DrawnTiles, as_tiles
from imle_cli.films.frames import DARK, MISSED, PALE, PATH, WHITE, greys, hues

NODES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 5.0]])
LINES = NODES[np.array([[0, 1], [0, 2]])]


@pytest.mark.parametrize(
    ("shape", "tiles"), [((8,), (2, 8)), ((3,), (1, 3)), ((4, 5), (4, 5)), ((2, 3, 4), (6, 4)), ((), (1, 1))]
)
def test_any_shape_becomes_tiles(shape, tiles):
    assert as_tiles(np.zeros(shape)).shape == tiles


def test_tiles():
    drawn = DrawnTiles((2, 2), np.array([[1.0, 9.0], [9.0, 1.0]]))
    assert drawn.solution(np.array([[1, 0], [0, 0]]), np.array([[1, 1], [0, 0]])).tolist() == [[PATH, MISSED], [DARK, WHITE]]
    assert drawn.weights(np.array([[0.0, 1], [1, 0]]), 0, 1).tolist() == [[WHITE, DARK], [DARK, WHITE]]
    np.testing.assert_array_equal(drawn.means(np.eye(2), 1.0), hues(np.eye(2), 0, 1))


class TestEdges:
    def test_a_graph_keeps_its_proportions_and_y_points_up(self):
        drawn = DrawnEdges(LINES, NODES, 200)
        assert drawn.shape == (110, 200)
        shown = drawn.solution(np.array([1, 0]), None)
        rows, columns = np.nonzero(shown == PATH)
        assert rows.min() > 90  # the edge from left to right, at the bottom
        assert columns.max() - columns.min() > 160
        assert PALE in shown

    def test_a_missed_edge_lies_below_a_chosen_one(self):
        shown = DrawnEdges(LINES, NODES, 200).solution(np.array([0, 1]), np.array([1, 1]))
        assert (shown == MISSED).sum() > 300
        assert (shown == PATH).sum() > 150

    def test_means_lie_on_the_colour_of_0(self):
        shown = DrawnEdges(LINES, NODES, 200).means(np.array([0.0, 1.0]), 1.0)
        assert shown[5, 150] == hues(np.zeros(1), 0, 1)[0]
        assert (shown == hues(np.ones(1), 0, 1)[0]).sum() > 150

    def test_white_edges_have_a_rim(self):
        shown = DrawnEdges(LINES, NODES, 200).weights(np.array([0.0, 0.5]), 0.0, 1.0)
        assert (shown == DARK).sum() > 300
        assert greys(np.array([0.5]), 0, 1)[0] in shown

    def test_nodes_in_one_place(self):
        assert DrawnEdges(np.zeros((1, 2, 2)), np.zeros((2, 2)), 100).solution(np.ones(1), None).shape == (25, 25)
