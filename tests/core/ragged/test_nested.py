"""Jagged nested tensors: ragged batches in another form, which come back as they came."""

import warnings
from itertools import pairwise

import pytest
import torch

from draws import generator, normal
from imle_core import IMLE, ArgumentError, GumbelNoiseDistribution, TargetDistribution, imle
from imle_core.checks import ArgumentTypeError
from imle_core.estimators import differentiable
from imle_core.solvers import TopK

SIZES = [3, 0, 5, 2]
OFFSETS = [0, 3, 3, 8, 10]


def jagged(values):
    return torch.nested.nested_tensor_from_jagged(values, torch.tensor(OFFSETS))


def layer(reduction="none", samples=1):
    target = TargetDistribution(1.0, 2.0)
    noise = GumbelNoiseDistribution()
    return imle(TopK(2, at_most=True), target, noise, samples, reduction=reduction, generator=generator())


@pytest.mark.parametrize("rest", [(), (2,)])
@pytest.mark.parametrize(("reduction", "samples"), [("none", 1), ("mean", 3), ("mean", 1)])
def test_one_state_an_instance_has_the_shape_of_theta(reduction, samples, rest):
    values = normal(10, *rest).requires_grad_()
    theta = jagged(values)
    states = layer(reduction, samples)(theta)
    assert states.shape == theta.shape
    assert (states * theta).shape == theta.shape  # the axis of several sizes is the same
    expected = layer(reduction, samples).ragged(values, OFFSETS)
    assert torch.equal(states.values(), expected.view(10, *rest))
    weights = normal(10, *rest, seed=1)
    (gradient,) = torch.autograd.grad((states.values() * weights).sum(), values)
    assert torch.equal(gradient, torch.autograd.grad((expected * weights).sum(), values)[0])


def test_samples_are_instances_or_have_an_axis_of_their_own():
    theta, expected = jagged(normal(10, 2)), layer(samples=3).ragged(normal(10, 2), OFFSETS)
    flat = layer("none", 3)(theta)
    assert [tuple(piece.shape) for piece in flat.unbind()] == [(size, 2) for size in SIZES for _ in range(3)]
    stacked = layer("stacked", 3)(theta)
    assert (stacked.shape[:2], stacked.shape[3:]) == ((4, 3), (2,))
    for b, (first, last) in enumerate(pairwise(OFFSETS)):
        for s in range(3):
            assert torch.equal(flat[3 * b + s], expected[s, first:last])
            assert torch.equal(stacked[b][s], expected[s, first:last])


def test_a_leaf_gets_a_gradient_of_its_own_kind():
    pieces = [normal(size) for size in SIZES]
    theta = torch.nested.nested_tensor(pieces, layout=torch.jagged, requires_grad=True)
    module = IMLE(TopK(2, at_most=True), TargetDistribution(1.0, 9.0), GumbelNoiseDistribution(), generator=generator())
    (module(theta).values() * normal(10)).sum().backward()
    assert theta.grad.shape == theta.shape
    assert theta.grad.values().count_nonzero()
    assert torch.equal(module.eval()(theta).values(), module.ragged(theta.values(), theta.offsets())[0])


def test_a_part_of_each_instance_is_read_as_such():
    theta = torch.nested.narrow(normal(2, 5), 1, torch.tensor([1, 0]), torch.tensor([2, 4]), layout=torch.jagged)
    states = layer()(theta)
    assert [piece.sum().item() for piece in states.unbind()] == [2, 2]
    assert [len(piece) for piece in states.unbind()] == [2, 4]


def test_golden_solutions_may_be_nested_too():
    loss = differentiable("fenchel-young", TopK(2, at_most=True))
    values, gold = normal(10), normal(10, seed=1)
    expected = loss.ragged(values, OFFSETS, gold)
    assert torch.equal(loss(jagged(values), jagged(gold)), expected)
    assert torch.equal(loss(jagged(values), gold), expected)


def test_other_nested_tensors_are_refused():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The PyTorch API of nested tensors is in prototype")  # said once in a process
        strided = torch.nested.nested_tensor([normal(2), normal(3)])
    with pytest.raises(ArgumentTypeError, match=r"^theta: got a nested tensor of layout torch.strided; .*=torch.jagged$"):
        layer()(strided)
    with pytest.raises(ArgumentError, match=r"^theta: got a nested tensor whose axis 2 has several sizes; that must be"):
        layer()(jagged(normal(10, 2)).transpose(1, 2))


def test_states_of_two_layers_have_the_same_sizes_to_torch():
    from torch.utils.checkpoint import checkpoint

    values = normal(5).requires_grad_()
    theta = torch.nested.nested_tensor_from_jagged(values, torch.tensor([0, 2, 5]))
    one, other = (imle(TopK(1), noise_distribution=GumbelNoiseDistribution(), nb_samples=3) for _ in range(2))
    total = one(theta) + other(theta)
    assert total.values().shape == (15,)
    again = checkpoint(lambda theta: one(theta) ** 2, theta, use_reentrant=False)
    again.values().sum().backward()
    assert values.grad.shape == (5,)
