"""Portfolios: conditions of the optimum, the limit, what is refused, and a missing library."""

import sys

import numpy as np
import pytest
import torch

from draws import normal
from imle_core import ArgumentError, imle
from imle_core.decisions import portfolio_data
from imle_core.solvers import Portfolio


class TestWithClarabel:
    @pytest.fixture(autouse=True)
    def clarabel(self):
        pytest.importorskip("clarabel")

    @pytest.mark.parametrize("risk", [1.2, 2.25, 50.0])
    def test_conditions_of_the_optimum(self, risk):
        """Returns less multiples of the risk's gradient are equal on what is bought, and no larger elsewhere."""
        _, returns, covariance = portfolio_data(3, assets=12, degree=4, seed=1)
        solver = Portfolio(covariance, risk)
        theta = returns.double()
        z = solver(theta)
        assert (z >= 0).all()
        torch.testing.assert_close(z.sum(dim=1), torch.ones(3, dtype=torch.float64))
        slope = 2 * z @ covariance
        variance = (z * slope).sum(dim=1) / 2
        assert (variance <= solver.limit * (1 + 1e-8)).all()
        for row in range(3):
            bought = z[row] > 1e-4
            binds = bool(variance[row] > solver.limit * (1 - 1e-6))
            system = torch.stack([torch.ones(12).double(), slope[row] * binds], dim=1)
            multipliers = torch.linalg.lstsq(system[bought], theta[row, bought, None], driver="gelsd").solution
            excess = (theta[row, :, None] - system @ multipliers).squeeze(1)
            assert multipliers[1] >= -1e-9
            assert excess[bought].abs().max() < 1e-5 * theta[row].abs().max()
            assert excess.max() < 1e-5 * theta[row].abs().max()

    def test_scale_batches_and_senses(self):
        solver, theta = Portfolio(np.diag([1.0, 2.0, 3.0]), 1.5), normal(4, 3).double()
        z = solver(theta)
        torch.testing.assert_close(solver(1e-6 * theta - 1.0), z, rtol=0, atol=1e-7)
        assert torch.equal(torch.cat([solver(row[None]) for row in theta]), z)
        assert torch.equal(imle(solver, sense="min")(-theta), z)
        assert solver(theta[:0].float()).shape == (0, 3)
        assert solver.typical_ones((3,)) == 1

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: Portfolio(np.eye(3), 0.5), "^risk: got 0.5, a variance of 0.167; no portfolio has less than 0.333"),
            (lambda: Portfolio(np.eye(3), 0.0), "^risk: got 0.0; it must be a finite number > 0"),
            (lambda: Portfolio(np.ones((2, 3))), r"^covariance: got shape \(2, 3\); it must be \(n, n\)"),
            (lambda: Portfolio([[1, 2], [0, 1]]), "^covariance: got a matrix that is not symmetric"),
            (lambda: Portfolio([[1, 2], [2, 1]]), "^covariance: got an eigenvalue of -1; no variance is negative"),
            (lambda: Portfolio([[np.nan]]), "^covariance: got entries that are no finite numbers"),
            (lambda: Portfolio(np.eye(2))(torch.zeros(1, 3)), r"^theta: got shape \(1, 3\); 2 assets need \(N, 2\)"),
            (lambda: Portfolio(np.eye(2))(torch.full((1, 2), torch.inf)), "^theta: got 2 NaN or infinite"),
        ],
    )
    def test_errors(self, call, message):
        with pytest.raises(ArgumentError, match=message):
            call()


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "clarabel", None)
    with pytest.raises(ArgumentError, match=r"^Portfolio: got no solver of convex programs; it needs Clarabel; pip install"):
        Portfolio(np.eye(2))
