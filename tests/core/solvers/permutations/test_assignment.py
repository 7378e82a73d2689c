"""Assignments: brute force, forbidden pairs, partial ones, types, errors."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import Assignment
from seeded import tables

SCORES = [-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 2.0**30, -(2.0**30), -float("inf")]


def best_sum(scores, partial):
    """Largest sum over all ways to pair rows with columns; -inf if there is none."""
    rows, columns = scores.shape
    pairs = [list(zip(range(rows), some, strict=True)) for some in itertools.permutations(range(columns), rows)]
    if rows > columns:
        pairs = [list(zip(some, range(columns), strict=True)) for some in itertools.permutations(range(rows), columns)]
    return max(sum(max(scores[pair], 0.0) if partial else scores[pair] for pair in way) for way in pairs)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    tables(SCORES, 4),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_the_best_sum_of_a_matrix_with_single_ones(scores, partial, dtype):
    solver, theta, best = Assignment(partial), torch.from_numpy(scores)[None].to(dtype), best_sum(scores, partial)
    if best == -np.inf:
        with pytest.raises(ValueError, match=r"got so many forbidden \(-inf\) pairs in instance 0"):
            solver(theta)
        return
    z = solver(theta)[0]
    assert z.dtype == dtype
    chosen = z.numpy() == 1
    assert set(z.flatten().tolist()) <= {0.0, 1.0}
    assert chosen.sum(axis=0).max() <= 1
    assert chosen.sum(axis=1).max() <= 1
    assert scores[chosen].sum() == best
    assert (scores[chosen] > 0).all() if partial else chosen.sum() == min(scores.shape)


def test_batched_equals_one_by_one_also_on_ties():
    theta = torch.randn(40, 5, 5, generator=torch.Generator().manual_seed(0)).mul(2).round()
    assert torch.equal(torch.cat([Assignment()(matrix[None]) for matrix in theta]), Assignment()(theta))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types_and_shapes(dtype):
    theta = torch.tensor([[[1.0, 5.0], [2.0, 3.0]]], dtype=dtype, requires_grad=True)
    z = Assignment()(theta)
    assert (z.dtype, z.tolist(), z.requires_grad) == (dtype, [[[0, 1], [1, 0]]], False)
    assert torch.equal(Assignment()(theta.transpose(1, 2)), z.transpose(1, 2))
    for shape in ((0, 2, 3), (2, 0, 3), (2, 3, 0)):
        assert Assignment()(torch.zeros(shape, dtype=dtype)).shape == shape


FORBIDDEN = (
    "that no complete assignment is left; each row or each column needs a pair; allow more, or take Assignment(partial=True)"
)
ERRORS = {
    "theta: got shape (2, 2); an assignment needs (N, R, C); use theta.unsqueeze(0) for one": [[0.0, 1.0]] * 2,
    "theta: got 1 NaN and 1 inf; scores must be finite; use -inf for never": [[[torch.nan, torch.inf]]],
    f"theta: got so many forbidden (-inf) pairs in instance 1 {FORBIDDEN}": [[[0.0, 0.0]], [[-torch.inf, -torch.inf]]],
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Assignment()(torch.tensor(ERRORS[message]))
