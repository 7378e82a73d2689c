"""Where estimators must agree: with each other, and with the upstream gradient through the identity."""

import pytest
import torch

from draws import Recorded, generator, gradient, normal
from imle_core import (
    AdaptiveTargetDistribution,
    GumbelNoiseDistribution,
    NormalNoiseDistribution,
    TargetDistribution,
    hamming,
    imle,
)
from imle_core.estimators import differentiable
from imle_core.solvers import AcyclicGridPath, Knapsack, SpanningTree, TopK

SOLVERS = {
    "top-k": (TopK(3), (8,)),
    "path": (AcyclicGridPath(), (4, 5)),
    "tree": (SpanningTree([(u, v) for v in range(5) for u in range(v)]), (10,)),
    "knapsack": (Knapsack([3, 1, 4, 1, 5, 9], 11), (6,)),
}


@pytest.mark.parametrize("name", SOLVERS)
class TestAgainstIMLE:
    @pytest.mark.parametrize("lambda_", [0.5, 2.0, 16.0])
    def test_blackbox_times_lambda_without_noise(self, name, lambda_):
        solver, event = SOLVERS[name]
        theta, dy, target = normal(9, *event), normal(9, *event, seed=1), TargetDistribution(1.0, lambda_)
        result = gradient(imle(solver, target), theta, dy)
        assert result.abs().sum() > 0
        assert torch.equal(result, lambda_ * gradient(differentiable("blackbox", solver, target), theta, dy))

    def test_blackbox_is_scaled_imle_with_equal_temperatures(self, name):
        solver, event = SOLVERS[name]
        theta, dy, eps = normal(5, *event), normal(5, 3, *event, seed=1), Recorded(normal(5, 3, *event, seed=2))
        target = TargetDistribution(1.0, 2.0)
        blackbox = differentiable("blackbox", solver, target, eps, 3, 0.7)
        scaled = imle(solver, target, eps, 3, 0.7, 0.7, scale_gradient=True)
        result = gradient(blackbox, theta, dy)
        assert result.abs().sum() > 0
        torch.testing.assert_close(result, gradient(scaled, theta, dy))

    @pytest.mark.parametrize("samples", [1, 4])
    def test_fenchel_young_with_a_hamming_loss_and_a_target_of_the_gradient_alone(self, name, samples):
        solver, event = SOLVERS[name]
        theta, gold = normal(5, *event), solver(normal(5, *event, seed=1))
        noise, results = NormalNoiseDistribution(), []
        rows = gold.repeat_interleave(samples, dim=0)
        for estimator in ("imle", "fenchel-young"):
            layer = differentiable(
                estimator, solver, TargetDistribution(0.0, 1.0), noise, samples, 0.8, 0.0, generator=generator(4)
            )
            leaf = theta.clone().requires_grad_()
            if estimator == "imle":
                z = layer(leaf)
                hamming(z, rows).sum().backward()
            else:
                layer(leaf, gold).sum().backward()
            results.append(leaf.grad)
        mean = z.detach().view(5, samples, *event).mean(dim=1)
        assert results[0].abs().sum() > 0
        for result in results:
            torch.testing.assert_close(result, mean - gold, rtol=0, atol=1e-12)

    def test_central_differences_are_the_mean_of_the_two_one_sided_ones(self, name):
        solver, event = SOLVERS[name]
        theta, dy, eps = normal(5, *event), normal(5, 3, *event, seed=1), Recorded(normal(5, 3, *event, seed=2))
        central = gradient(differentiable("central-imle", solver, TargetDistribution(1.0, 2.0), eps, 3), theta, dy)
        ahead = gradient(differentiable("imle", solver, TargetDistribution(1.0, 2.0), eps, 3), theta, dy)
        mirrored = -gradient(differentiable("imle", solver, TargetDistribution(1.0, 2.0), eps, 3), theta, -dy)
        assert not torch.equal(ahead, mirrored)
        torch.testing.assert_close(central, (ahead + mirrored) / 2)

    @pytest.mark.parametrize("estimator", ["adaptive-imle", "adaptive-central-imle"])
    def test_adaptive_with_beta_held_is_imle_over_that_lambda(self, name, estimator):
        solver, event = SOLVERS[name]
        theta, dy, eps = normal(1, *event), normal(1, *event, seed=1), Recorded(normal(1, 1, *event, seed=2))
        lambda_ = float(3.0 * theta.norm() / dy.norm())
        adaptive = differentiable(estimator, solver, AdaptiveTargetDistribution(beta=3.0, step=0.0), eps)
        fixed = differentiable(estimator.removeprefix("adaptive-"), solver, TargetDistribution(1.0, lambda_), eps)
        result = gradient(adaptive, theta, dy)
        assert result.abs().sum() > 0
        torch.testing.assert_close(result, gradient(fixed, theta, dy) / lambda_)


IDENTITY = {
    "imle": {"target_distribution": TargetDistribution(1.0, 3.0), "scale_gradient": True},
    "central-imle": {"target_distribution": TargetDistribution(1.0, 3.0), "scale_gradient": True},
    "adaptive-imle": {"target_distribution": AdaptiveTargetDistribution(beta=0.7)},
    "adaptive-central-imle": {"target_distribution": AdaptiveTargetDistribution(beta=0.7)},
    "blackbox": {"target_distribution": TargetDistribution(1.0, 3.0)},
    "straight-through": {},
    "identity": {"projection": "none"},
}


@pytest.mark.slow
@pytest.mark.parametrize("estimator", IDENTITY)
@pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
@pytest.mark.parametrize("noise", [None, GumbelNoiseDistribution()], ids=str)
def test_the_identity_as_solver_gives_the_upstream_gradient(estimator, reduction, noise):
    layer = differentiable(
        estimator, lambda rows: rows, noise_distribution=noise, nb_samples=4, reduction=reduction, **IDENTITY[estimator]
    )
    theta, dy = normal(3, 2, 5), normal(3, 2, 5, seed=1) if reduction == "mean" else normal(3, 4, 2, 5, seed=1)
    result = gradient(layer, theta, dy)
    torch.testing.assert_close(result, dy if reduction == "mean" else dy.mean(dim=1))
