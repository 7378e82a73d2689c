"""The quick sort against the plain one, on numbers with and without ties."""

import numpy as np
import pytest

from imle_core.solvers.graph.best_first import best_first

EXTREMES = [0.0, -0.0, np.inf, 1.0, -1.0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 7, 150])
def test_the_order_is_that_of_a_stable_sort(dtype, width):
    random = np.random.default_rng(width)
    rows = random.standard_normal((90, width)).astype(dtype)
    rows[::3] = np.round(rows[::3])
    rows[1::3] = random.choice(EXTREMES, (30, width))
    assert (best_first(rows) == np.argsort(-rows, axis=1, kind="stable")).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entries_that_are_never_chosen_come_last(dtype):
    rows = np.random.default_rng(0).standard_normal((20, 60)).astype(dtype)
    rows[:, 20:50] = -np.inf
    order = best_first(rows)
    assert (order[:, :30] == np.argsort(-rows, axis=1, kind="stable")[:, :30]).all()
    assert (np.sort(order, axis=1) == np.arange(60)).all()
