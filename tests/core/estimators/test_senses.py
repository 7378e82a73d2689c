"""Both senses of every estimator and loss: costs are gains with another sign, whoever the solver is."""

from typing import get_args

import pytest
import torch

from draws import generator, normal
from imle_core import AdaptiveTargetDistribution, NormalNoiseDistribution, TargetDistribution
from imle_core.estimators import DECISION_LOSSES, ESTIMATORS, differentiable
from imle_core.estimators.supervision import LossName
from imle_core.solvers import TopK

ALL = ESTIMATORS | DECISION_LOSSES
OF_SAMPLES = [(name, loss) for name in ALL for loss in get_args(LossName) if ALL[name].needs.startswith(("loss", "exact"))]
OF_THEIR_OWN = [(name, None) for name in ALL if not ALL[name].needs.startswith(("loss", "exact"))]


class Cheapest:
    """A user's function of costs, which declares what it does."""

    sense = "min"

    def __call__(self, costs):
        return TopK(2)(-costs)


def made(name, sense, solver):
    entry = ALL[name]
    options = {"pool": TopK(2)(normal(5, 6, seed=7))} if entry.needs.endswith("pool") else {}
    target = AdaptiveTargetDistribution() if entry.adaptive else TargetDistribution(1.0, 2.0)
    noise = {"noise_distribution": NormalNoiseDistribution(), "generator": generator()}
    return differentiable(name, solver, target, nb_samples=4, sense=sense, **noise, **options)


def learned(name, sense, solver, loss):
    """Losses and their gradient for gains, or for the costs that are minus them."""
    sign = 1 if sense == "max" else -1
    theta, truth = (sign * normal(3, 6, seed=seed) for seed in (1, 2))
    theta.requires_grad_()
    losses = made(name, sense, solver).loss(theta, truth=truth, gold=TopK(2)(sign * truth), loss=loss)
    losses.sum().backward()
    return losses.detach(), sign * theta.grad


@pytest.mark.slow
@pytest.mark.parametrize(("name", "loss"), [*OF_SAMPLES, *OF_THEIR_OWN])
def test_costs_of_a_solver_of_gains_are_gains_with_another_sign(name, loss):
    gains = learned(name, "max", TopK(2), loss)
    costs = learned(name, "min", TopK(2), loss)
    assert gains[1].any()
    torch.testing.assert_close(costs, gains)


BY_ANY_SOLVER = [name for name in ALL if not ALL[name].exact and not ALL[name].needs.endswith("normals")]


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_ANY_SOLVER)
def test_a_solver_of_costs_gets_costs(name):
    gains = learned(name, "max", TopK(2), None)
    costs = learned(name, "min", Cheapest(), None)
    torch.testing.assert_close(costs, gains)


@pytest.mark.slow
def test_gradient_steps_improve_the_regret_in_both_senses():
    for sense, sign in (("max", 1), ("min", -1)):
        truth = sign * normal(20, 6, seed=2)
        for name in ALL.keys() - {"perturbation-gradient"}:  # one-sided, it only strengthens what is chosen at this theta
            theta = (sign * normal(20, 6, seed=1)).requires_grad_()
            layer, gold = made(name, sense, TopK(2)), TopK(2)(sign * truth)
            before = missed(theta, truth, sign)
            for _ in range(30):
                (slope,) = torch.autograd.grad(layer.loss(theta, truth=truth, gold=gold).sum(), theta)
                theta = (theta - 0.1 * torch.nn.functional.normalize(slope)).detach().requires_grad_()
            assert missed(theta, truth, sign) < 0.9 * before, (name, sense)


def missed(theta, truth, sign):
    """Gain that decisions by theta miss in truth."""
    best, taken = (sign * (TopK(2)(sign * values) * truth).sum() for values in (truth, theta.detach()))
    return float(best - taken)
