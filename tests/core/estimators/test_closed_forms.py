"""Closed forms of the estimator's variance and bias with Gumbel noise on one of n, where both states' joint law is known."""

import math

import numpy as np
import pytest
import torch

from draws import generator
from imle_core import GumbelNoiseDistribution, TargetDistribution, imle, perturb_and_map
from imle_core.estimators import differentiable
from imle_core.solvers import TopK

COUNT = 60_000
THETA = torch.tensor([0.3, -0.5, 1.0, 0.0], dtype=torch.float64)
DY = torch.tensor([1.0, -0.5, 0.2, 0.0], dtype=torch.float64)
WEIGHTS = torch.tensor([1.2, -0.9, 0.5, -1.4], dtype=torch.float64)
LOSSES = {
    "quadratic": lambda z: (z - WEIGHTS).square().sum(dim=1),
    "cubic": lambda z: (z @ WEIGHTS) ** 3,
    "exponential": lambda z: torch.exp(2 * (z @ WEIGHTS)),
}
STATES = torch.eye(4, dtype=torch.float64)
NODES, SHARES = (torch.from_numpy(values) for values in np.polynomial.legendre.leggauss(100))


def joint_law(theta, moved):
    """``P(z = i, z' = j)`` for ``z = MAP(theta + eps)`` and ``z' = MAP(moved + eps)`` with the same Gumbel noise.

    For i = j, noise k may be at most ``eps_i + min(theta_i - theta_k, moved_i - moved_k)``, which gives
    ``1 / sum_k exp(-min(...))``. For i != j, with ``eps_j = eps_i + d`` and eps_i integrated out, it is the integral of
    ``exp(-d) / A(d)^2`` over d from ``moved_i - moved_j`` to ``theta_i - theta_j``, where ``A = 1 + exp(-d) +
    sum_k exp(-min(theta_i - theta_k, d + moved_j - moved_k))``.
    """
    n, law = len(theta), torch.zeros(len(theta), len(theta), dtype=torch.float64)
    for i in range(n):
        law[i, i] = 1 / torch.exp(-torch.minimum(theta[i] - theta, moved[i] - moved)).sum()
        for j in set(range(n)) - {i}:
            low, high = moved[i] - moved[j], theta[i] - theta[j]
            if low < high:
                d = low + (high - low) * (NODES + 1) / 2
                others = [k for k in range(n) if k not in (i, j)]
                bounds = torch.minimum(theta[i] - theta[others], d[:, None] + moved[j] - moved[others])
                a = 1 + torch.exp(-d) + torch.exp(-bounds).sum(dim=1)
                law[i, j] = (high - low) / 2 * (SHARES * torch.exp(-d) / a**2).sum()
    return law


def exact_expectation(loss, lambda_, difference):
    """``E g / lambda`` of I-MLE, whose upstream gradient is that of the loss at the sampled state."""
    z = STATES.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(loss(z).sum(), z)
    total = torch.zeros(4, dtype=torch.float64)
    for i, dy in enumerate(slopes):
        down = joint_law(THETA, THETA - lambda_ * dy)[i]
        if difference == "central":
            total += (joint_law(THETA, THETA + lambda_ * dy)[i] - down) / (2 * lambda_)
        else:
            total += (joint_law(THETA, THETA)[i] - down) / lambda_
    return total


def limit(theta, loss, difference):
    """Of that expectation as lambda -> 0: from i to j goes ``p_i p_j <grad f(e_i), e_i - e_j>`` where that is positive.

    The central form is half the difference of both directions, hence the trapezoid rule for ``f(e_i) - f(e_j)``.
    """
    z = STATES.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(loss(z).sum(), z)
    gains = slopes.diagonal()[:, None] - slopes
    rates = gains / 2 if difference == "central" else gains.clamp(min=0)
    flow = theta.softmax(0)[:, None] * theta.softmax(0) * rates
    return flow.sum(dim=1) - flow.sum(dim=0)


def exact_gradient(loss, theta=THETA):
    """Of ``E f(z)``."""
    p, values = theta.softmax(0), loss(STATES)
    return p * (values - p @ values)


def relative_error(loss, lambda_, difference):
    exact = exact_gradient(loss)
    return float((exact_expectation(loss, lambda_, difference) - exact).norm() / exact.norm())


def slope(lambdas, values):
    return float(np.polyfit(np.log(lambdas), np.log(values), 1)[0])


def test_the_joint_law_has_the_softmax_as_its_marginals():
    law = joint_law(THETA, THETA - 1.7 * DY)
    torch.testing.assert_close(law.sum(dim=1), THETA.softmax(0), rtol=1e-4, atol=0)
    torch.testing.assert_close(law.sum(dim=0), (THETA - 1.7 * DY).softmax(0), rtol=1e-4, atol=0)


class TestVariance:
    lambdas = (0.05, 0.1, 0.2, 0.4)

    def shared(self, lambda_):
        layer = imle(
            TopK(1), TargetDistribution(1.0, lambda_), GumbelNoiseDistribution(), scale_gradient=True, generator=generator(3)
        )
        theta = THETA.repeat(COUNT, 1).requires_grad_()
        (rows,) = torch.autograd.grad(layer(theta), theta, DY.expand(COUNT, 4))
        return rows

    def independent(self, lambda_):
        noise = GumbelNoiseDistribution()
        z, moved = (
            perturb_and_map(TopK(1), theta.expand(COUNT, 4), noise, generator=generator(seed))[:, 0]
            for seed, theta in ((5, THETA), (6, THETA - lambda_ * DY))
        )
        return (z - moved) / lambda_

    @pytest.mark.slow
    def test_with_shared_noise_it_goes_as_one_over_lambda(self):
        totals = []
        for lambda_ in self.lambdas:
            rows = self.shared(lambda_)
            same = joint_law(THETA, THETA - lambda_ * DY).diagonal()
            before, after = THETA.softmax(0), (THETA - lambda_ * DY).softmax(0)
            second = (before + after - 2 * same) / lambda_**2  # E g_i^2: one of the two states has entry i
            error = rows.square().std(dim=0) / math.sqrt(COUNT)
            assert ((rows.square().mean(dim=0) - second).abs() < 4.5 * error).all()
            totals.append(float(rows.var(dim=0).sum()))
        assert 4.5 * error[0] < 0.1 * second[0]
        assert slope(self.lambdas, totals) == pytest.approx(-1, abs=0.15)

    def test_with_independent_noise_it_goes_as_one_over_lambda_squared(self):
        totals = []
        for lambda_ in self.lambdas:
            rows = self.independent(lambda_)
            before, after = THETA.softmax(0), (THETA - lambda_ * DY).softmax(0)
            exact = (before * (1 - before) + after * (1 - after)) / lambda_**2
            torch.testing.assert_close(rows.var(dim=0), exact, rtol=0.05, atol=0)
            totals.append(float(rows.var(dim=0).sum()))
        assert slope(self.lambdas, totals) == pytest.approx(-2, abs=0.15)
        assert totals[0] > 10 * float(self.shared(self.lambdas[0]).var(dim=0).sum())


class TestBias:
    @pytest.mark.slow
    @pytest.mark.parametrize("difference", ["forward", "central"])
    @pytest.mark.parametrize("name", LOSSES)
    def test_the_mean_gradient_of_a_loss_is_that_of_the_joint_law_at_finite_lambda(self, name, difference):
        loss, lambda_ = LOSSES[name], 0.4
        estimator = "imle" if difference == "forward" else "central-imle"
        layer = differentiable(
            estimator,
            TopK(1),
            TargetDistribution(1.0, lambda_),
            GumbelNoiseDistribution(),
            scale_gradient=True,
            generator=generator(7),
        )
        theta = THETA.repeat(COUNT, 1).requires_grad_()
        (rows,) = torch.autograd.grad(layer.estimate(theta, loss).sum(), theta)
        exact, error = exact_expectation(loss, lambda_, difference), rows.std(dim=0) / math.sqrt(COUNT)
        assert ((rows.mean(dim=0) - exact).abs() < 4.5 * error).all()
        largest = int(exact.abs().argmax())
        assert 4.5 * error[largest] < 0.1 * exact[largest].abs()

    @pytest.mark.parametrize("difference", ["forward", "central"])
    @pytest.mark.parametrize("name", LOSSES)
    def test_in_the_limit_states_change_at_known_rates(self, name, difference):
        expected = limit(THETA, LOSSES[name], difference)
        result = exact_expectation(LOSSES[name], 1e-3, difference)
        assert (result - expected).norm() < 0.01 * expected.norm()

    @pytest.mark.slow
    def test_the_central_limit_is_right_for_quadratic_losses_and_no_limit_is_for_others(self):
        # Of 200 random problems each: the median error of the central and of the forward form.
        makers = {
            "quadratic": lambda w: lambda z: (z - w).square().sum(dim=1) + (z @ w.flip(0)) ** 2,
            "cubic": lambda w: lambda z: (z @ w) ** 3,
            "exponential": lambda w: lambda z: torch.exp(2 * (z @ w)),
        }
        problems = torch.randn(200, 2, 4, generator=generator(1), dtype=torch.float64)
        medians = {}
        for name, maker in makers.items():
            errors = []
            for theta, w in problems:
                exact = exact_gradient(maker(w), theta)
                errors.append(
                    [float((limit(theta, maker(w), form) - exact).norm() / exact.norm()) for form in ("central", "forward")]
                )
            medians[name] = np.median(errors, axis=0)
            if name == "quadratic":
                assert np.max(errors, axis=0)[0] < 1e-9
        assert medians["quadratic"][1] > 0.5
        assert 0.5 < medians["cubic"][0] < medians["cubic"][1]
        assert 0.5 < medians["exponential"][0] < 0.5 * medians["exponential"][1]

    def test_the_bias_for_a_gradient_that_does_not_depend_on_the_state_is_of_order_one_and_two(self):
        def linear(z):
            return z @ DY

        lambdas = (0.2, 0.1, 0.05)
        for difference, order in (("forward", 1), ("central", 2)):
            errors = [relative_error(linear, lambda_, difference) for lambda_ in lambdas]
            assert slope(lambdas, errors) == pytest.approx(order, abs=0.1)
