"""Exact grid paths: counts, the solver as the limit, size, errors."""

import re
from math import comb, log

import pytest
import torch

from imle_core.exact import AcyclicGridPaths
from imle_core.solvers import AcyclicGridPath


def delannoy(m, n):
    return sum(comb(m, k) * comb(n, k) * 2**k for k in range(min(m, n) + 1))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 7), (16, 16), (60, 80)])
def test_counts_and_equal_parameters(shape):
    m, n = shape[0] - 1, shape[1] - 1
    for diagonal, count in ((True, delannoy(m, n)), (False, comb(m + n, n))):
        family = AcyclicGridPaths(shape, diagonal)
        assert family.count() == count
        assert family.log_partition(torch.zeros(1, *shape)).item() == pytest.approx(log(count), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("diagonal", [True, False])
def test_marginals_approach_the_solver_and_cross_every_diagonal_once(diagonal):
    theta = torch.randn(5, 12, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    family = AcyclicGridPaths((12, 9), diagonal)
    torch.testing.assert_close(family.marginals(theta * 1e6), AcyclicGridPath(diagonal)(theta), rtol=0, atol=1e-12)
    marginals = family.marginals(theta)
    crossed = torch.stack([marginals.flip(2).diagonal(place, 1, 2).sum(dim=1) for place in range(8, -12, -1)])
    if diagonal:
        assert (crossed[1:] + crossed[:-1] > 1 - 1e-12).all()
        assert (crossed < 1 + 1e-12).all()
    else:
        torch.testing.assert_close(crossed, torch.ones_like(crossed), rtol=1e-12, atol=0)


def test_walls_are_avoided_by_samples_and_states_have_no_others():
    theta = torch.zeros(1, 3, 3)
    theta[0, 1, 1] = theta[0, 0, 2] = -torch.inf
    z = AcyclicGridPaths((3, 3)).sample(theta, 200, torch.Generator().manual_seed(0))
    assert len(z[0].unique(dim=0)) == 3
    assert z[..., 1, 1].sum() == z[..., 0, 2].sum() == 0


def test_states_of_the_largest_grid_that_is_enumerated():
    states = AcyclicGridPaths((7, 8)).states()
    assert len(states.flatten(1).unique(dim=0)) == len(states) == delannoy(6, 7)


def test_walls_that_separate_the_corners_are_refused():
    theta = torch.zeros(3, 2, 2)
    theta[1, 0, 0] = -torch.inf
    message = "theta: -inf leaves no structure in row 1 of 3; a structure needs finite entries; open some"
    with pytest.raises(ValueError, match=f"^{message}$"):
        AcyclicGridPaths((2, 2)).sample(theta, 1)


@pytest.mark.parametrize("shape", [5, (2, 2, 2)])
def test_errors(shape):
    with pytest.raises(ValueError, match=f"^{re.escape(f'shape: got {shape}; a grid has two axes; give (H, W)')}$"):
        AcyclicGridPaths(shape)
