"""Plots: axes with round numbers, a curve that grows evenly with the frames."""

from itertools import pairwise

import numpy as np
import pytest

from imle_cli.films.frames import CURVE
from imle_cli.films.plot import Plot, ticks


def plot(values, frames=None, size=(120, 400)):
    steps = range(len(values))
    return Plot(np.array(values, dtype=float), steps, list(steps) if frames is None else frames, size, 12)


def end(picture):
    """Column of the curve's last point."""
    return int(np.argwhere(picture == CURVE)[:, 1].max())


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 12.0, [0, 5, 10]),
        (0.0, 1.0, [0, 0.5, 1]),
        (-1.0, 5.0, [0, 2, 4]),
        (0.0, 0.0, [0, 0.5, 1]),
        (0.0, 3.7e-5, [0, 1e-5, 2e-5, 3e-5]),
        (-30.0, 0.0, [-30, -20, -10, 0]),
    ],
)
def test_ticks_are_round_and_have_zero_among_them(low, high, expected):
    assert ticks(low, high) == expected


def test_the_curve_moves_on_by_the_same_length_from_frame_to_frame():
    frames = [0, 1, 2, 3, 10, 100, 1000]
    made = plot(np.linspace(5, 1, 1001), frames)
    ends = [end(made.draw(step)) for step in frames]
    gaps = np.diff(ends)
    assert gaps.min() > 40
    assert gaps.max() - gaps.min() <= 2
    assert ends[-1] > 380


def test_it_starts_at_the_first_value_and_low_values_are_low():
    made = plot([8.0, 4.0, 0.0])
    rows = [np.argwhere(made.draw(step) == CURVE)[:, 0] for step in range(3)]
    assert rows[0].max() - rows[0].min() <= 8  # a dot
    assert rows[2].max() - rows[2].min() > 60


@pytest.mark.parametrize("values", [[0.0], [0.0] * 50, [3.0, 1.0], [np.nan, 2.0, np.inf], [-5.0, 5.0]])
def test_any_values_give_a_picture_of_the_size_that_is_asked_for(values):
    picture = plot(values).draw(len(values) - 1)
    assert picture.shape == (120, 400)
    assert CURVE in picture


def test_names_of_steps_do_not_touch():
    made = plot(np.ones(1101), [*range(30), *range(30, 1101, 50), 1100])
    spans = sorted((x - label.shape[1] / 2, x + label.shape[1] / 2) for x, label in made._marks())
    assert len(spans) > 4
    assert all(after[0] - before[1] > 6 for before, after in pairwise(spans))
