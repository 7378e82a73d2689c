"""Identities that hold sample by sample, and closed forms of expectations."""

import math

import pytest
import torch

from draws import generator, gradient, normal
from imle_core import (
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    imle,
    perturb_and_map,
)
from imle_core.solvers import GridPath, TopK

NOISE = [
    None,
    GumbelNoiseDistribution(),
    NormalNoiseDistribution(),
    LogisticNoiseDistribution(0.3, 2.0),
    SumOfGammaNoiseDistribution(5.0, 10),
]


class Chain:
    """A solver for a row of switches that cost to turn: theta weighs each, neighbours want to agree; by enumeration."""

    def __init__(self, length):
        states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * length)
        self.states, self.agreement = states, -0.5 * (states[:, 1:] - states[:, :-1]).abs().sum(dim=1)

    def __call__(self, theta):
        return self.states[(theta @ self.states.T + self.agreement).argmax(dim=1)]


@pytest.mark.parametrize("noise", NOISE, ids=str)
class TestForAnyNoise:
    @pytest.mark.parametrize("solver", [TopK(3), Chain(8)], ids=["top-k", "chain"])
    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_monotonicity(self, noise, solver, difference):
        theta, dy = normal(40, 8), normal(40, 8, seed=1)
        layer = imle(solver, TargetDistribution(1.0, 2.0), noise, 1, 0.6, 0.6, difference=difference, generator=generator())
        products = (gradient(layer, theta, dy) * dy).sum(dim=1)
        assert (products >= 0).all()
        assert (products > 0).any()

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    @pytest.mark.parametrize("scaled", [False, True])
    def test_the_identity_as_solver_gives_lambda_times_the_upstream_gradient(self, noise, reduction, scaled):
        samples = 1 if reduction == "none" else 4
        layer = imle(
            lambda rows: rows,
            TargetDistribution(1.0, 7.0),
            noise,
            samples,
            1.5,
            1.5,
            reduction=reduction,
            scale_gradient=scaled,
            generator=generator(),
        )
        dy = normal(3, 5, seed=1)
        torch.testing.assert_close(gradient(layer, normal(3, 5), dy), dy if scaled else 7 * dy)

    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_a_linear_solver_gives_its_transpose_times_the_upstream_gradient(self, noise, difference):
        matrix = normal(5, 5, seed=3)
        symmetric = matrix + matrix.T
        layer = imle(
            lambda rows: rows @ symmetric,
            TargetDistribution(1.0, 0.3),
            noise,
            4,
            reduction="mean",
            difference=difference,
            scale_gradient=True,
            generator=generator(),
        )
        dy = normal(3, 5, seed=1)
        torch.testing.assert_close(gradient(layer, normal(3, 5), dy), dy @ symmetric)

    def test_gradients_of_fixed_cardinality_sum_to_zero(self, noise):
        layer = imle(TopK(3), TargetDistribution(0.5, 9.0), noise, 5, 1.0, 2.0, generator=generator())
        result = gradient(layer, normal(4, 8), normal(20, 8, seed=1))
        assert result.abs().sum() > 0
        torch.testing.assert_close(result.sum(dim=1), torch.zeros(4, dtype=torch.float64))

    def test_scaling_parameters_temperatures_and_lambda_together_changes_nothing(self, noise):
        theta, dy = normal(4, 8), normal(20, 8, seed=1)
        results = [
            gradient(
                imle(TopK(3), TargetDistribution(0.5, 3.0 * c), noise, 5, c, 2.0 * c, generator=generator()), c * theta, dy
            )
            for c in (1.0, 4.0)
        ]
        assert torch.equal(*results)


class TestBatches:
    class Recorded:
        def __init__(self, values):
            self.values = values

        def sample(self, shape):
            return self.values.view(shape).clone()

    def layer(self, eps, reduction="stacked"):
        return imle(TopK(2), TargetDistribution(1.0, 4.0), self.Recorded(eps), eps.shape[1], reduction=reduction)

    @pytest.mark.parametrize("reduction", ["stacked", "mean"])
    def test_a_row_s_gradient_does_not_depend_on_its_batch_mates(self, reduction):
        theta, eps = normal(4, 7), normal(4, 3, 7, seed=1)
        dy = normal(4, 3, 7, seed=2) if reduction == "stacked" else normal(4, 7, seed=2)
        together = gradient(self.layer(eps, reduction), theta, dy)
        for b in range(4):
            alone = gradient(self.layer(eps[b : b + 1], reduction), theta[b : b + 1], dy[b : b + 1])
            assert torch.equal(alone[0], together[b])

    def test_permuting_entries_permutes_the_gradient(self):
        theta, eps, dy = normal(2, 7), normal(2, 3, 7, seed=1), normal(2, 3, 7, seed=2)
        order = torch.randperm(7, generator=generator())
        direct = gradient(self.layer(eps), theta, dy)
        permuted = gradient(self.layer(eps[..., order]), theta[..., order], dy[..., order])
        assert torch.equal(permuted, direct[..., order])


class TestOtherEstimators:
    def test_without_noise_it_is_lambda_times_blackbox_interpolation(self):
        # Vlastelica et al. 2020: -1/lambda [y(w) - y(w + lambda dy)] for a solver y that minimises over costs w.
        costs, dy, lambda_ = normal(5, 4, 6).abs() + 0.1, normal(5, 4, 6, seed=1), 3.0
        cheapest = GridPath()
        moved = (costs + lambda_ * dy).clamp(min=1e-4)
        interpolated = -(cheapest(-costs) - cheapest(-moved)) / lambda_
        layer = imle(lambda rows: cheapest(-rows), TargetDistribution(1.0, lambda_), sense="min")
        result = gradient(layer, costs, dy)
        assert result.abs().sum() > 0
        torch.testing.assert_close(result, lambda_ * interpolated)

    def test_gradients_alone_give_the_perceptron(self):
        # alpha = 0, no target noise, Hamming loss: dy = 1 - 2 y, whose minimum over z is y itself.
        theta = normal(6, 8)
        gold = TopK(3)(normal(6, 8, seed=1))
        theta.requires_grad_()
        z = imle(TopK(3), TargetDistribution(0.0, 1.0), NormalNoiseDistribution(), 1, 0.5, 0.0, generator=generator())(theta)
        (z * (1 - gold) + (1 - z) * gold).sum().backward()
        assert torch.equal(theta.grad, z.detach() - gold)


class TestClosedForms:
    samples = 40_000

    def mean_gradient(self, theta, dy, lambda_, difference="forward"):
        layer = imle(
            TopK(1),
            TargetDistribution(1.0, lambda_),
            GumbelNoiseDistribution(),
            self.samples,
            scale_gradient=True,
            difference=difference,
            generator=generator(11),
        )
        return gradient(layer, theta, dy.expand(self.samples, -1))[0]

    def test_gumbel_noise_on_one_of_n_samples_the_softmax(self):
        theta = torch.tensor([[0.3, -0.5, 1.0, 0.0]], dtype=torch.float64)
        for temperature in (0.5, 2.0):
            z = perturb_and_map(
                TopK(1),
                theta,
                GumbelNoiseDistribution(),
                nb_samples=self.samples,
                temperature=temperature,
                generator=generator(),
            )
            exact = (theta[0] / temperature).softmax(0)
            error = (exact * (1 - exact) / self.samples).sqrt()
            assert ((z[0].mean(dim=0) - exact).abs() < 4.5 * error).all()

    def test_logistic_noise_on_switches_samples_the_sigmoid(self):
        theta = torch.tensor([[-2.0, 0.0, 0.7, 3.0]], dtype=torch.float64)
        z = perturb_and_map(
            lambda rows: rows > 0, theta, LogisticNoiseDistribution(), nb_samples=self.samples, generator=generator()
        )
        exact = theta[0].sigmoid()
        assert ((z[0].mean(dim=0) - exact).abs() < 4.5 * (exact * (1 - exact) / self.samples).sqrt()).all()

    @pytest.mark.parametrize("lambda_", [0.5, 2.0])
    def test_expectation_at_finite_lambda(self, lambda_):
        theta = torch.tensor([[0.3, -0.5, 1.0, 0.0]], dtype=torch.float64)
        dy = torch.tensor([1.0, -0.5, 0.2, 0.0], dtype=torch.float64)
        before, after = theta[0].softmax(0), (theta[0] - lambda_ * dy).softmax(0)
        error = ((before + after) / self.samples).sqrt() / lambda_  # a bound: states that differ have either entry set
        assert ((self.mean_gradient(theta, dy, lambda_) - (before - after) / lambda_).abs() < 4.5 * error).all()

    def test_expectation_of_the_central_difference_at_finite_lambda(self):
        theta = torch.tensor([[0.3, -0.5, 1.0, 0.0]], dtype=torch.float64)
        dy, lambda_ = torch.tensor([1.0, -0.5, 0.2, 0.0], dtype=torch.float64), 1.5
        up, down = ((theta[0] + sign * lambda_ * dy).softmax(0) for sign in (1, -1))
        error = ((up + down) / self.samples).sqrt() / (2 * lambda_)
        result = self.mean_gradient(theta, dy, lambda_, "central")
        assert ((result - (up - down) / (2 * lambda_)).abs() < 4.5 * error).all()
        forward = (theta[0].softmax(0) - down) / lambda_
        assert ((forward - (up - down) / (2 * lambda_)).abs() > 9 * error).any()

    @pytest.mark.parametrize(("difference", "order"), [("forward", 1), ("central", 2)])
    def test_order_of_the_bias(self, difference, order):
        # A smooth solver without noise: the softmax, the very expectation of Gumbel top-1.
        theta = torch.tensor([[0.3, -0.5, 1.0, 0.0]], dtype=torch.float64)
        dy = torch.tensor([[1.0, -0.5, 0.2, 0.0]], dtype=torch.float64)
        p = theta[0].softmax(0)
        exact = p * (dy[0] - p @ dy[0])
        errors = []
        for lambda_ in (0.02, 0.01):
            target = TargetDistribution(1.0, lambda_)
            layer = imle(lambda rows: rows.softmax(1), target, scale_gradient=True, difference=difference)
            errors.append((gradient(layer, theta, dy)[0] - exact).norm().item())
        assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.05)
