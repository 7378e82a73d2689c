"""Acyclic grid paths: brute force, ties, walls, types, errors."""

import re
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import AcyclicGridPath
from seeded import tables
from threads import torch_threads

GAINS = [-3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 2.0**30, -(2.0**30), -float("inf")]


@lru_cache
def paths(height, width, diagonal):
    """All paths between the corners, each from the goal back to the start."""

    def back(row, column):
        if (row, column) == (0, 0):
            return [[(0, 0)]]
        before = [(row - 1, column - 1)] * diagonal + [(row - 1, column), (row, column - 1)]
        return [[(row, column), *rest] for r, c in before if r >= 0 and c >= 0 for rest in back(r, c)]

    return back(height - 1, width - 1)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(tables(GAINS, 4), st.booleans(), st.sampled_from([torch.float32, torch.float64]))
def test_the_best_path_and_among_equals_the_smallest_predecessors(gains, diagonal, dtype):
    # All sums of these gains are exact, so that ties are ties; the first of the best goes back to the smallest tiles.
    every = paths(*gains.shape, diagonal)
    sums = [sum(gains[tile] for tile in path) for path in every]
    solver, theta = AcyclicGridPath(diagonal), torch.from_numpy(gains)[None].to(dtype)
    if max(sums) == -np.inf:
        with pytest.raises(ValueError, match="separate the corners of map 0"):
            solver(theta)
        return
    best = every[int(np.argmax(sums))]
    assert sorted(map(tuple, solver(theta)[0].nonzero().tolist())) == sorted(best)


def test_batched_equals_one_by_one_on_any_number_of_threads():
    theta = torch.randn(300, 16, 17, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([AcyclicGridPath()(gains[None]) for gains in theta])
    for count in (1, 2, 5):
        with torch_threads(count):
            assert torch.equal(AcyclicGridPath()(theta), alone)


def test_a_large_map_whose_gains_are_all_negative():
    theta = -torch.rand(1, 300, 400, generator=torch.Generator().manual_seed(0)) - 1
    assert int(AcyclicGridPath(diagonal=False)(theta).sum()) == 699
    assert 400 <= int(AcyclicGridPath()(theta).sum()) < 699


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types_and_shapes(dtype):
    theta = torch.tensor([[[1.0, 2.0], [-3.0, -4.0]]], dtype=dtype, requires_grad=True)
    z = AcyclicGridPath()(theta)
    assert (z.dtype, z.tolist(), z.requires_grad) == (dtype, [[[1, 1], [0, 1]]], False)
    assert torch.equal(AcyclicGridPath()(theta.transpose(1, 2)), z.transpose(1, 2))
    assert AcyclicGridPath()(torch.zeros(0, 2, 3, dtype=dtype)).shape == (0, 2, 3)


def solve(rows):
    return AcyclicGridPath()(torch.tensor(rows))


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1)])
def test_maps_with_one_way(diagonal, shape):
    theta = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(AcyclicGridPath(diagonal)(theta), torch.ones(3, *shape))


ERRORS = {
    "theta: got shape (2, 2); a grid path needs (N, H, W); use theta.unsqueeze(0) for one map": lambda: solve(
        [[0.0, 1.0]] * 2
    ),
    "theta: got 1 NaN and 1 inf; gains must be finite; use -inf for never": lambda: solve([[[torch.nan, torch.inf]]]),
    "theta: got walls (-inf) that separate the corners of map 1; a path leads right and down from corner to corner; "
    "open a way": lambda: solve([[[0.0, 0.0]], [[0.0, -torch.inf]]]),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()
