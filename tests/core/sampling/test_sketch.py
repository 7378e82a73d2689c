"""Bounds of counts in fixed memory."""

import numpy as np

from imle_core.sampling.sketch import Sketch


def test_bounds_are_never_below_the_counts_and_mostly_equal_them():
    rng = np.random.default_rng(0)
    rows = rng.integers(256, size=(2000, 11), dtype=np.uint8)
    times = rng.integers(1, 50, size=2000)
    sketch = Sketch(200)
    sketch.add(rows, times)
    sketch.add(rows[:5])
    times[:5] += 1
    over = sketch.bounds(rows) - times
    assert over.min() == 0
    assert (over == 0).mean() > 0.8


def test_rows_of_any_length_are_told_apart_by_all_of_their_bytes():
    for length in (1, 8, 9):
        row = np.zeros((1, length), np.uint8)
        sketch = Sketch(1000)
        sketch.add(row)
        others = np.eye(length, dtype=np.uint8)
        assert (sketch.bounds(row).tolist(), sketch.bounds(others).tolist()) == ([1], [0] * length)
