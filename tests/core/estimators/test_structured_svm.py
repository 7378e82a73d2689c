"""The loss of a structured support vector machine: its definition, by enumeration; margins, senses, walls."""

from itertools import combinations

import pytest
import torch

from draws import Recorded, generator, normal
from imle_core import ArgumentError, GumbelNoiseDistribution, hamming
from imle_core.estimators import ALIASES, ESTIMATORS, StructuredSVM, differentiable
from imle_core.solvers import TopK

SUBSETS = torch.stack([torch.zeros(6).index_fill(0, torch.tensor(pair), 1.0) for pair in combinations(range(6), 2)]).double()
GOLD = torch.zeros(3, 6).double().scatter(1, normal(3, 6, seed=2).topk(2).indices, 1.0)  # of top 2, which compiles nothing


def loss_and_gradient(layer, theta, gold):
    theta = theta.detach().clone().requires_grad_()
    value = layer(theta, gold)
    (gradient,) = torch.autograd.grad(value.sum(), theta)
    return value.detach(), gradient


def by_definition(theta, gold, margin):
    """The largest of all subsets of 2, and the subset, for each instance."""
    distances = torch.stack([hamming(SUBSETS, y) for y in gold])  # (B, subsets)
    best, at = (theta @ SUBSETS.T + margin * distances).max(dim=1)
    return best - (theta * gold).sum(dim=1), SUBSETS[at]


@pytest.mark.parametrize("margin", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("sense", ["max", "min"])
def test_it_is_the_largest_violation_of_the_margin(margin, sense):
    theta = 2 * normal(3, 6)
    layer = differentiable("structured-svm", TopK(2), margin=margin, sense=sense)
    value, gradient = loss_and_gradient(layer, theta if sense == "max" else -theta, GOLD)
    expected, worst = by_definition(theta, GOLD, margin)
    torch.testing.assert_close(value, expected)
    assert torch.equal(gradient, (worst - GOLD) * (1 if sense == "max" else -1))
    assert (value >= margin * hamming(TopK(2)(theta), GOLD)).all()


def test_it_is_0_beyond_the_margin_only():
    layer, gold = differentiable("structured-svm", TopK(2)), GOLD[:1]
    assert layer(2.01 * gold, gold).item() == 0  # another entry in place of one makes two that differ
    assert layer(1.99 * gold, gold).item() == pytest.approx(4 - 2 * 1.99)


def test_noise_averages_it_over_samples():
    theta, eps = normal(3, 6), normal(3, 4, 6, seed=1)
    layer = StructuredSVM(TopK(2), noise=Recorded(eps), nb_samples=4, input_temperature=0.7)
    expected = torch.stack([by_definition(theta + 0.7 * eps[:, s], GOLD, 1.0)[0] for s in range(4)]).mean(dim=0)
    shift = (0.7 * eps * GOLD[:, None]).sum(dim=2).mean(dim=1)  # the gold solution's value has no noise
    torch.testing.assert_close(loss_and_gradient(layer, theta, GOLD)[0], expected + shift)


def test_walls_and_fractions():
    theta, gold = torch.tensor([[1.0, -torch.inf, 0.5]]), torch.tensor([0, 0, 1])
    value, gradient = loss_and_gradient(differentiable("structured-svm", TopK(1)), theta, gold)
    assert (value.tolist(), gradient.tolist()) == ([0.5 + 2], [[1.0, 0.0, -1.0]])
    half = torch.tensor([[0.5, 0.5, 0.0]])
    value, _ = loss_and_gradient(differentiable("structured-svm", TopK(1)), torch.zeros(1, 3), half)
    assert value.item() == max(hamming(torch.eye(3), half[0])).item()


def test_parameters_in_a_structure():
    theta, gold = normal(2, 6), torch.cat([TopK(2)(normal(2, 4)), TopK(1)(normal(2, 2))], dim=1)

    def solver(parts):
        return {"nodes": TopK(2)(parts["nodes"]), "edges": TopK(1)(parts["edges"])}

    def parts(rows):
        return {"nodes": rows[:, :4], "edges": rows[:, 4:]}

    value = differentiable("structured-svm", solver)(parts(theta), parts(gold))
    alone = [
        differentiable("structured-svm", TopK(k))(parts(theta)[name], parts(gold)[name])
        for name, k in (("nodes", 2), ("edges", 1))
    ]
    torch.testing.assert_close(value, sum(alone))


def test_errors_are_its_own():
    layer = differentiable("structured-svm", TopK(2))
    with pytest.raises(ArgumentError, match=r"^structured-svm: got a loss; it has a loss of its own"):
        layer.estimate(normal(3, 6), lambda z: z[:, 0])
    with pytest.raises(ArgumentError, match=r"^margin: got -1.0; it must be a finite number >= 0"):
        differentiable("structured-svm", TopK(2), margin=-1.0)
    with pytest.raises(ArgumentError, match=r"^gold: got shape \(5,\)"):
        layer(normal(3, 6), torch.zeros(5))
    with pytest.raises(ArgumentError, match=r"^theta: got 1 NaN"):
        layer(torch.full((1, 6), torch.nan).masked_fill(torch.arange(6) > 0, 0.0), torch.zeros(6))


class TestAliases:
    def test_each_is_an_estimator(self):
        assert not set(ALIASES) & set(ESTIMATORS)
        assert {key for key, _ in ALIASES.values()} <= set(ESTIMATORS)

    def test_the_score_function_of_subsets(self):
        theta = normal(3, 6).requires_grad_()
        results = [
            torch.autograd.grad(
                differentiable(name, TopK(2), None, GumbelNoiseDistribution(), 5, generator=generator())
                .estimate(theta, lambda z: z[:, 0] ** 3)
                .sum(),
                theta,
            )[0]
            for name in ("sfess", "score-function-exact")
        ]
        assert torch.equal(*results)
        assert results[0].abs().sum() > 0

    def test_spo_plus_is_a_fenchel_young_loss_elsewhere(self):
        costs, truth = normal(3, 6).requires_grad_(), normal(3, 6, seed=4)
        gold = TopK(2)(-truth)
        value = differentiable("fenchel-young", TopK(2), sense="min")(2 * costs - truth, gold)
        (gradient,) = torch.autograd.grad(value.sum(), costs)
        worst = TopK(2)(truth - 2 * costs.detach())
        expected = ((truth - 2 * costs) * worst).sum(dim=1) + 2 * (costs * gold).sum(dim=1) - (truth * gold).sum(dim=1)
        torch.testing.assert_close(value, expected)
        assert torch.equal(gradient, 2 * (gold - worst))
