"""Exact k-subsets: elementary symmetric polynomials at size, shapes, errors."""

import re
from math import comb, log

import numpy as np
import pytest
import torch

from imle_core.exact import KSubset
from imle_core.solvers import TopK


def theta_of(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("k", "size"), [(1, 300), (7, 300), (150, 300), (299, 300), (300, 300), (5, 257), (5, 256)])
def test_log_partition_at_size(k, size):
    theta = theta_of(1, size)
    # Coefficients of prod (1 + x exp theta), all positive, by products of polynomials one entry at a time.
    polynomial = np.ones(1, dtype=np.longdouble)
    for weight in np.exp(theta[0].numpy().astype(np.longdouble)):
        polynomial = np.convolve(polynomial, np.array([1, weight], dtype=np.longdouble))
    found = KSubset(k, size).log_partition(theta).item()
    assert found == pytest.approx(float(np.log(polynomial[k])), rel=1e-13)


def test_equal_parameters_at_size():
    family = KSubset(100, 1000)
    theta = torch.zeros(2, 1000)
    torch.testing.assert_close(family.marginals(theta), torch.full_like(theta, 0.1, dtype=torch.float64), rtol=1e-12, atol=0)
    assert family.log_partition(theta)[0].item() == pytest.approx(log(comb(1000, 100)), rel=1e-13)
    assert family.count() == comb(1000, 100)


def test_marginals_sum_to_k_and_shift_nothing_at_any_size_of_parameters():
    theta = theta_of(3, 50) * torch.tensor([[1.0], [1e4], [1e9]])
    marginals = KSubset(20, 50).marginals(theta)
    torch.testing.assert_close(marginals.sum(dim=1), torch.full((3,), 20.0).double(), rtol=1e-12, atol=0)
    torch.testing.assert_close(KSubset(20, 50).marginals(theta + 2.0**12), marginals, rtol=1e-7, atol=1e-7)
    assert torch.equal(marginals[1:].round(), TopK(20)(theta[1:]))


def test_tiny_marginals_are_right_relatively():
    theta = torch.tensor([[0.0, -700.0, 0.0, -650.0]])
    marginals = KSubset(2, 4).marginals(theta)[0].log()
    expected = torch.tensor([0.0, log(2) - 700, 0.0, log(2) - 650], dtype=torch.float64)
    torch.testing.assert_close(marginals, expected, rtol=1e-9, atol=1e-9)


def test_events_of_any_shape_are_one_set():
    theta = theta_of(2, 2, 3, 2)
    table, flat = KSubset(5, (2, 3, 2)), KSubset(5, 12)
    assert torch.equal(table.marginals(theta).flatten(1), flat.marginals(theta.flatten(1)))
    assert table.sample(theta, 3).flatten(2).sum(dim=2).tolist() == [[5] * 3] * 2
    assert table.states().shape == (comb(12, 5), 2, 3, 2)


ERRORS = {f"k: got {k}; an instance has 6 entries; k must be a whole number from 1 to 6": k for k in (0, 7, 2.0, True, None)}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KSubset(ERRORS[message], (2, 3))
