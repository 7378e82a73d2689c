"""Paths over each other on a map: told apart, in lanes beside each other, on the tiles that they enter."""

import numpy as np
import pytest

from imle_cli.figures.lanes import distances, lane
from imle_cli.figures.overlaid_paths import OVERLAID, paths_figure
from imle_cli.figures.percentages import percentages, with_error

STRAIGHT, CORNER = np.array([[0, 0], [1, 0], [2, 0]]), np.array([[0, 0], [1, 0], [1, 1]])


def lines(figure):
    return [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]


def test_a_lane_is_as_far_from_every_side_of_its_path():
    np.testing.assert_allclose(lane(STRAIGHT, 0.2), STRAIGHT + np.array([0, 0.2]))
    np.testing.assert_allclose(lane(CORNER, 0.2), [[0, 0.2], [0.8, 0.2], [0.8, 1.0]])
    back = np.array([[0, 0], [1, 0], [0, 0]])
    assert np.abs(lane(back, 0.2) - back).max() <= 0.2 * 2
    np.testing.assert_array_equal(lane(STRAIGHT[:1], 0.2), STRAIGHT[:1])


@pytest.mark.parametrize("count", [1, 2, 12])
def test_lanes_have_their_middle_on_the_path(count):
    found = distances(count, 0.1)
    assert found.mean() == pytest.approx(0)
    np.testing.assert_allclose(np.diff(found), 0.1)


def test_twelve_paths_look_different_and_stay_near_their_tiles():
    path = np.array([[0, 0], [1, 1], [2, 1], [3, 2]])
    figure = paths_figure(np.ones((4, 3)), [path] * 15, [f"{number}%" for number in range(15)], title="t")
    drawn = lines(figure)
    assert len(drawn) == OVERLAID == 12
    assert len({(line.get_color(), line.is_dashed()) for line in drawn}) == 12
    for line in drawn:
        moved = np.stack([line.get_ydata(), line.get_xdata()], axis=1)
        np.testing.assert_array_equal(moved[[0, -1]], path[[0, -1]])
        assert np.abs(moved - path).max() < 0.5
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [*(f"{number + 1}: {number}%" for number in range(12)), "start", "goal"]


def test_walls_keep_their_colour_and_costs_are_pale():
    costs = np.array([[1.0, np.inf], [1.0, 9.0]])
    figure = paths_figure(costs, [np.array([[0, 0], [1, 0], [1, 1]])], ["1%"], title="t")
    pixels = np.asarray(figure.axes[0].images[0].get_array())
    assert pixels[0, 1].tolist() == [0x56, 0xB4, 0xE9]
    assert pixels[1, 1, 0] > 180
    assert figure.legends[0].get_texts()[-1].get_text() == "wall"


@pytest.mark.parametrize(
    ("shares", "errors", "expected"),
    [
        ([0.8, 0.2], [0.0123, 0.0123], ["80.0% ± 1.2%", "20.0% ± 1.2%"]),
        ([3e-6], [1.7e-6], ["0.00030% ± 0.00017%"]),
        ([1.0], [0.0], ["100%"]),
        ([1.0], [float("nan")], ["100%"]),
    ],
)
def test_shares_in_per_cent(shares, errors, expected):
    assert list(map(with_error, *percentages(shares, errors, 2))) == expected
