"""The perturbed Fenchel-Young loss as a layer: value, gradient, senses, walls, calls, errors."""

import re

import pytest
import torch

from draws import Recorded, generator, normal
from imle_core import GumbelNoiseDistribution, NormalNoiseDistribution, fenchel_young
from imle_core.estimators import FenchelYoung, StructuredSVM, differentiable
from imle_core.solvers import TopK


def loss_and_gradient(layer, theta, gold):
    theta = theta.detach().clone().requires_grad_()
    value = layer(theta, gold)
    (result,) = torch.autograd.grad(value.sum(), theta)
    return value.detach(), result


@pytest.mark.parametrize("one_gold", [False, True])
def test_value_and_gradient_for_parameters(one_gold):
    theta, eps, gold = normal(3, 6), normal(3, 4, 6, seed=1), TopK(2)(normal(3, 6, seed=2))
    gold = gold[0] if one_gold else gold
    layer = FenchelYoung(TopK(2), noise=Recorded(eps), nb_samples=4, input_temperature=0.7)
    value, result = loss_and_gradient(layer, theta, gold)
    perturbed = theta[:, None] + 0.7 * eps
    best = perturbed.topk(2, dim=2).values.sum(dim=2).mean(dim=1)  # the value of the best solution
    torch.testing.assert_close(value, best - (theta * gold).sum(dim=1))
    torch.testing.assert_close(result, TopK(2)(perturbed.flatten(0, 1)).view(3, 4, 6).mean(dim=1) - gold)
    assert result.abs().sum() > 0


@pytest.mark.parametrize("gold_type", [torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.bool])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_loss_and_gradient_have_the_type_of_theta_whatever_the_gold_solutions_have(dtype, gold_type, shape):
    theta = torch.tensor([[2.0, 1.0, 0.5], [-1.0, 4.0, 0.25]], dtype=dtype)
    gold = torch.tensor([0, 1, 0]).to(gold_type).expand(shape)
    value, result = loss_and_gradient(FenchelYoung(TopK(1)), theta, gold)
    assert (value.dtype, result.dtype) == (dtype, dtype)
    assert value.tolist() == [1.0, 0.0]
    assert result.tolist() == [[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]


def test_fractions_in_gold_solutions_are_rounded_to_the_type_of_theta():
    theta, gold = torch.tensor([[2.0, 1.0]]), torch.tensor([0.1, 0.9], dtype=torch.float64)
    value, result = loss_and_gradient(FenchelYoung(TopK(1)), theta, gold)
    assert value.item() == 2 - (2 * gold[0].float() + gold[1].float()).item()
    assert torch.equal(result, torch.tensor([[1.0, 0.0]]) - gold.float())


def test_under_min_it_takes_costs():
    costs, eps, gold = normal(3, 6).abs(), normal(3, 4, 6, seed=1), TopK(2)(normal(3, 6, seed=2))
    cheapest = lambda rows: TopK(2)(-rows)  # noqa: E731
    layer = FenchelYoung(cheapest, noise=Recorded(eps), nb_samples=4, input_temperature=0.7, sense="min")
    value, result = loss_and_gradient(layer, costs, gold)
    perturbed = costs[:, None] - 0.7 * eps
    least = (-perturbed).topk(2, dim=2).values.neg().sum(dim=2).mean(dim=1)
    torch.testing.assert_close(value, (costs * gold).sum(dim=1) - least)
    torch.testing.assert_close(result, gold - cheapest(perturbed.flatten(0, 1)).view(3, 4, 6).mean(dim=1))


def test_without_noise_it_is_the_structured_perceptron():
    theta, gold = normal(3, 6), TopK(2)(normal(3, 6, seed=2))
    value, result = loss_and_gradient(differentiable("fenchel-young", TopK(2)), theta, gold)
    assert torch.equal(result, TopK(2)(theta) - gold)
    torch.testing.assert_close(value, (theta * result).sum(dim=1))
    assert (value >= 0).all()


def test_it_is_convex_along_a_line_for_fixed_noise():
    theta, line, eps, gold = normal(1, 6), normal(1, 6, seed=3), normal(1, 9, 6, seed=1), TopK(2)(normal(1, 6, seed=2))[0]
    points = torch.linspace(-3, 3, 61, dtype=torch.float64)
    layer = FenchelYoung(TopK(2), noise=Recorded(eps.expand(61, 9, 6).contiguous()), nb_samples=9)
    values = layer(theta + points[:, None] * line, gold)
    bends = values[2:] - 2 * values[1:-1] + values[:-2]
    assert (bends > -1e-12).all()
    assert (bends > 1e-3).sum() > 5


def test_it_is_the_loss_of_the_same_name():
    theta, noise, gold = normal(3, 6), GumbelNoiseDistribution(), TopK(2)(normal(1, 6, seed=2))[0]
    layer = FenchelYoung(TopK(2), noise=noise, nb_samples=4, generator=generator(1))
    perturbed = theta[:, None] + noise.sample((3, 4, 6), dtype=torch.float64, generator=generator(1))
    z = TopK(2)(perturbed.flatten(0, 1)).view(3, 4, 6)
    assert torch.equal(layer(theta, gold), fenchel_young(perturbed, z, theta, gold))


@pytest.mark.parametrize(("sense", "sign"), [("max", 1), ("min", -1)])
def test_walls_get_no_gradient_and_a_finite_loss(sense, sign):
    theta = torch.tensor([[1.0, -torch.inf, 0.5]]) * sign
    solver = TopK(1) if sense == "max" else (lambda rows: TopK(1)(-rows))
    value, result = loss_and_gradient(differentiable("fenchel-young", solver, sense=sense), theta, torch.tensor([0, 0, 1]))
    assert value.tolist() == [0.5]
    assert (sign * result).tolist() == [[1.0, 0.0, -1.0]]


def test_one_solve_and_arguments_without_gradients():
    calls = []

    def solver(rows, scale, *, flag):
        assert not rows.requires_grad
        assert not scale.requires_grad
        calls.append((len(rows), flag))
        return TopK(1)(rows * scale)

    layer = FenchelYoung(solver, noise=NormalNoiseDistribution(), nb_samples=3)
    theta = normal(2, 4).requires_grad_()
    layer(theta, torch.eye(4)[0].bool(), torch.ones(4, requires_grad=True), flag="on").sum().backward()
    assert calls == [(6, "on")]
    assert theta.grad.abs().sum() > 0


@pytest.mark.parametrize("shape", [(5,), (2, 4), (1, 6), (3, 6, 1), ()])
def test_gold_solutions_of_a_wrong_shape(shape):
    message = (
        f"gold: got shape {shape} for theta of shape (3, 6); it must be (*event) or (B, *event); give one gold solution for "
        "all instances, or one for each"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        FenchelYoung(TopK(2))(normal(3, 6), torch.zeros(shape))


def test_gold_solutions_that_are_no_tensor():
    with pytest.raises(TypeError, match=r"^gold: got list; it must be a tensor; use torch.as_tensor$"):
        FenchelYoung(TopK(1))(normal(1, 3), [[1.0, 0.0, 0.0]])


def test_another_loss_is_refused():
    message = "fenchel-young: got a loss; it has a loss of its own and cannot take another; call layer(theta, gold)"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        FenchelYoung(TopK(2)).estimate(normal(3, 6), lambda z: z.sum(dim=1))


@pytest.mark.parametrize("layer", [FenchelYoung, StructuredSVM])
def test_half_precision_has_gradients_without_a_warning(layer):
    theta = normal(3, 6).half().requires_grad_()
    layer(TopK(2), noise=NormalNoiseDistribution())(theta, torch.zeros(6)).sum().backward()
    assert (theta.grad.sum(dim=1) == 2).all()
