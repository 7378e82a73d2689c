"""Nodes and edges of a batch of graphs, each with offsets of their own, through every estimator."""

from itertools import pairwise

import pytest
import torch

from draws import generator, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.estimators import ESTIMATORS, StepSizeWarning, differentiable
from imle_core.solvers import BlackBox, TopK

BEST = TopK(2, at_most=True)
OFFSETS = {"nodes": torch.tensor([0, 3, 3, 4, 9]), "edges": [0, 1, 3, 3, 8]}

pytestmark = pytest.mark.filterwarnings(f"ignore::{StepSizeWarning.__module__}.StepSizeWarning")


def each(theta):
    return {name: BEST(rows) for name, rows in theta.items()}


def values_of(seed=0):
    return {"nodes": normal(9, 2, seed=seed, dtype=torch.float32), "edges": normal(8, seed=seed + 1, dtype=torch.float32)}


def cut(structure, first, last):
    """Instances of a structure, and their offsets."""
    spans = {name: (int(starts[first]), int(starts[last])) for name, starts in OFFSETS.items()}
    offsets = {name: [int(start) - spans[name][0] for start in OFFSETS[name][first : last + 1]] for name in OFFSETS}
    return {
        name: structure[name][..., a:b, :] if name == "nodes" else structure[name][..., a:b]
        for name, (a, b) in spans.items()
    }, offsets


def made(name, source, solver=each, **settings):
    target = AdaptiveTargetDistribution(beta=2.0, step=0.0) if ESTIMATORS[name].adaptive else TargetDistribution(1.0, 2.0)
    return differentiable(name, solver, target, NormalNoiseDistribution(), 3, 0.7, 0.7, generator=source, **settings)


def passed(layer, name, values, offsets, weights):
    values = {key: value.clone().requires_grad_() for key, value in values.items()}
    if ESTIMATORS[name].needs == "loss values":
        bounds = {key: [*pairwise(map(int, starts))] for key, starts in offsets.items()}

        def loss(z):
            sums = [[(z[key] * weights[key])[:, a:b].flatten(1).sum(dim=1) for a, b in bounds[key]] for key in z]
            return (sum(torch.stack(column, dim=1) for column in sums)) ** 2

        output, states = layer.estimate_ragged(values, offsets, loss, return_states=True)
        total = output.sum()
    else:
        states = layer.ragged(values, offsets)
        total = sum((states[key] * weights[key]).sum() for key in states)
    gradients = torch.autograd.grad(total, [*values.values()])
    return states, dict(zip(values, gradients, strict=True))


NAMES = [name for name, entry in ESTIMATORS.items() if entry.needs != "gold solutions" and not entry.exact]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_instance_is_the_same_alone_and_in_any_batch(name):
    layer = made(name, source := generator(3))
    values, weights = values_of(), {key: value.expand(3, *value.shape).clone() for key, value in values_of(5).items()}
    states, gradients = passed(layer, name, values, OFFSETS, weights)
    assert {key: value.shape for key, value in states.items()} == {"nodes": (3, 9, 2), "edges": (3, 8)}
    source.manual_seed(3)
    for b in range(4):
        some, offsets = cut(values, b, b + 1)
        alone, slopes = passed(layer, name, some, offsets, cut(weights, b, b + 1)[0])
        for found, whole in ((alone, states), (slopes, gradients)):
            part, _ = cut(whole, b, b + 1)
            assert all(torch.equal(found[key], part[key]) for key in part)
    assert all(gradient.abs().sum() > 0 for gradient in gradients.values())


@pytest.mark.parametrize("solver", [BlackBox(each), None, "sized"], ids=["black box", "padding", "by instance"])
def test_without_noise_each_tensor_is_as_alone(solver):
    class Sized:
        takes_padding = False

        def __call__(self, theta):
            assert all(rows.isfinite().all() for rows in theta.values())
            return each(theta)

    def one(theta):
        return {name: BEST(rows[None])[0] for name, rows in theta.items()}

    chosen = Sized() if solver == "sized" else BlackBox(one) if solver is not None else each
    layer = imle(chosen, TargetDistribution(1.0, 2.0), nb_samples=2)
    values, weights = values_of(), {"nodes": normal(2, 9, 2, seed=7), "edges": normal(2, 8, seed=8)}
    states, gradients = passed(layer.estimator, "imle", values, OFFSETS, weights)
    for name, value in values.items():
        alone = value.clone().requires_grad_()
        z = imle(BEST, TargetDistribution(1.0, 2.0), nb_samples=2).ragged(alone, OFFSETS[name])
        assert torch.equal(states[name], z)
        assert torch.equal(torch.autograd.grad((z * weights[name]).sum(), alone)[0], gradients[name])


def test_costs_further_outputs_known_targets_means_and_modules():
    seen = []

    def least(costs):
        seen.append({name: rows.clone() for name, rows in costs.items()})
        return {name: BEST(-rows) for name, rows in costs.items()}, costs["nodes"].shape[0]

    layer = IMLE(least, KnownTargetDistribution(values_of(9)), nb_samples=2, sense="min", reduction="mean")
    values = {name: value.requires_grad_() for name, value in values_of().items()}
    states, rows = layer.ragged(values, OFFSETS)
    assert rows == 8
    assert states["nodes"].shape == (9, 2)
    assert seen[0]["nodes"][2].tolist() == [[1.0, 1.0]] * 5  # an instance without nodes
    assert seen[0]["edges"][0, 1:].tolist() == [torch.inf] * 4
    sum(value.sum() for value in states.values()).backward()
    best = imle(each).ragged(values_of(9), OFFSETS)
    for name in values:
        assert torch.equal(values[name].grad, best[name][0] - states[name].detach())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in ESTIMATORS.items() if entry.needs == "gold solutions"])
def test_losses_of_gold_solutions(name):
    values = {key: value.requires_grad_() for key, value in values_of().items()}
    gold = {key: value.detach() for key, value in imle(each).ragged(values_of(9), OFFSETS).items()}
    gold = {key: value[0] for key, value in gold.items()}
    losses = differentiable(name, each).ragged(values, OFFSETS, gold)
    parts = [differentiable(name, BEST).ragged(values[key], OFFSETS[key], gold[key]) for key in values]
    torch.testing.assert_close(losses, sum(parts))
    losses.sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in values.values())
    with pytest.raises(ArgumentError, match=r"^gold\['edges'\]: got shape \(7,\); it must be that of the values, \(8,\)"):
        differentiable(name, each).ragged(values, OFFSETS, {**gold, "edges": gold["edges"][1:]})
    with pytest.raises(ArgumentTypeError, match=r"^gold: got a dict with 'nodes'; it must have the structure of the values"):
        differentiable(name, each).ragged(values, OFFSETS, {"nodes": gold["nodes"]})


@pytest.mark.parametrize("offsets", [{"nodes": [0], "edges": [0]}, {"nodes": [0, 0, 0], "edges": [0, 0, 0]}])
def test_nothing_has_nothing(offsets):
    values = {"nodes": torch.zeros(0, 2, requires_grad=True), "edges": torch.zeros(0)}
    states = made("imle", generator()).ragged(values, offsets)
    assert (states["nodes"].shape, states["edges"].shape) == ((3, 0, 2), (3, 0))
    assert torch.autograd.grad(states["nodes"].sum(), values["nodes"])[0].shape == (0, 2)


NODES = torch.zeros(5)
ERRORS = {
    r"^offsets: got a dict with 'nodes'; it must have the structure of the values, a dict with 'nodes', 'edges'": (
        {"nodes": NODES, "edges": NODES},
        {"nodes": [0, 5]},
    ),
    r"^offsets: got a list of 2; it must have the structure of the values, a dict": (
        {"nodes": NODES},
        [0, 5],
    ),
    r"^offsets\['edges'\]: got 2 instances; all tensors must have as many, 1": (
        {"nodes": NODES, "edges": NODES},
        {"nodes": [0, 5], "edges": [0, 2, 5]},
    ),
    r"^offsets\[1\]: got 4 as the last for values of 5 entries": ((NODES, NODES), ([0, 5], [0, 4])),
    r"^values\[1\]: got torch.float64 on cpu; all tensors must be torch.float32 on cpu": (
        (NODES, NODES.double()),
        ([0, 5], [0, 5]),
    ),
    r"^values\['nodes'\]: got torch.int64; it must have a floating type": ({"nodes": NODES.long()}, {"nodes": [0, 5]}),
    r"^values: got a dict with nothing; it must have a tensor or more": ({}, {}),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ArgumentError, match=message):
        imle(each).ragged(*ERRORS[message])


def test_solvers_that_give_something_else():
    values = values_of()
    with pytest.raises(ArgumentTypeError, match=r"^solver: gave a dict with 'nodes'; it must have the structure of theta"):
        imle(lambda theta: {"nodes": theta["nodes"]}).ragged(values, OFFSETS)
    with pytest.raises(
        ArgumentError, match=r"^solver: gave, at \['edges'\], shape \(4, 4\) for parameters of shape \(4, 5\)"
    ):
        imle(lambda theta: {**theta, "edges": theta["edges"][:, 1:]}).ragged(values, OFFSETS)
    with pytest.raises(
        ArgumentTypeError, match=r"^solver: gave further outputs; structures of several sizes are solved one"
    ):
        imle(BlackBox(lambda theta: (theta, 1))).ragged(values, OFFSETS)
    for name in ("simple", "score-function-exact"):
        with pytest.raises(ArgumentTypeError, match=r"^function: got TopK\(k=1\) of several tensors"):
            made(name, generator(), TopK(1)).ragged(values, OFFSETS)
