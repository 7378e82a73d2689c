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


class TestNumbersForEachInstance:
    K = (3, 0, 7, 1)

    def test_each_is_as_alone(self):
        theta = theta_of(4, 7)
        family = KSubset(self.K, 7)
        z = family.sample(theta, 5, torch.Generator().manual_seed(1))
        assert z.sum(dim=2).tolist() == [[k] * 5 for k in self.K]
        for row, k in enumerate(self.K):
            alone, only = KSubset(k, 7), theta[row : row + 1]
            for ask in ("log_partition", "marginals", "covariance", "entropy"):
                found = getattr(family, ask)(theta)[row : row + 1]
                torch.testing.assert_close(found, getattr(alone, ask)(only), rtol=1e-12, atol=1e-12)
            probability = family.log_probability(z[:, 0], theta)[row : row + 1]
            torch.testing.assert_close(probability, alone.log_probability(z[row : row + 1, 0], only), rtol=1e-12, atol=1e-12)

    def test_samples_of_an_instance_share_its_number(self):
        theta = theta_of(8, 7)
        assert torch.equal(KSubset(self.K, 7).marginals(theta), KSubset(np.repeat(self.K, 2), 7).marginals(theta))

    def test_their_structures_are_not_listed(self):
        with pytest.raises(
            ValueError, match=r"^states: there are k=\(3, 0, 7, 1\); instances of different k have different"
        ):
            KSubset(self.K, 7).states()

    def test_a_wrong_number_of_rows_is_refused(self):
        with pytest.raises(ValueError, match=r"^k: got shape \(4,\), torch.int64, for 3 rows; it must have a whole number"):
            KSubset(self.K, 7).marginals(theta_of(3, 7))


class TestAtMost:
    def test_rows_with_fewer_open_entries_are_those_of_a_smaller_k(self):
        theta = theta_of(3, 6)
        theta[1, [0, 2, 3, 5]] = -torch.inf
        theta[2] = -torch.inf
        family = KSubset(4, 6, at_most=True)
        expected = torch.cat([KSubset(4, 6).marginals(theta[:1]), (theta[1:] > -torch.inf).double()])
        torch.testing.assert_close(family.marginals(theta), expected)
        assert family.log_partition(theta)[2] == 0
        assert torch.equal(family.sample(theta, 2)[1:, 0], expected[1:].float().to(theta))
        count = torch.ones(family.count())
        assert family.expectation(theta, lambda z: z.flatten(1).sum(dim=1)).tolist() == pytest.approx([4, 2, 0])
        assert family.expectation(theta, lambda _: count.double()).tolist() == pytest.approx([1, 1, 1])

    def test_more_than_there_are(self):
        assert torch.equal(KSubset(9, 3, at_most=True).marginals(theta_of(2, 3)), torch.ones(2, 3).double())


@pytest.mark.parametrize("dim", [1, 2, -1, 3])
def test_sets_along_an_axis_are_independent(dim):
    theta, family = theta_of(2, 2, 3, 2), KSubset(1, (2, 3, 2), dim=dim)
    softmax = theta.softmax(dim=dim)
    torch.testing.assert_close(family.marginals(theta), softmax)
    torch.testing.assert_close(family.log_partition(theta), theta.logsumexp(dim=dim).flatten(1).sum(dim=1))
    sampled = family.sample(theta, 4000, torch.Generator().manual_seed(0))
    assert (sampled.sum(dim=dim + 1 if dim > 0 else dim) == 1).all()
    assert (sampled.double().mean(dim=1) - softmax).abs().max() < 5 * 0.5 / 4000**0.5
    states = family.states()
    assert len(states.unique(dim=0)) == len(states) == family.count()
    scores = (states.flatten(1) @ theta.flatten(1).T).T
    torch.testing.assert_close(scores.logsumexp(dim=1), family.log_partition(theta))
    assert torch.equal(TopK(1, dim=dim)(1e9 * theta), family.marginals(1e9 * theta).round())


ERRORS = {
    f"k: got {k}; an instance has 6 entries; k must be a whole number from 0 to 6": k for k in (-1, 7, 2.0, True, None)
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KSubset(ERRORS[message], (2, 3))
