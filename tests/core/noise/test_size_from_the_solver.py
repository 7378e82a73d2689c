"""Sum-of-Gamma noise without a k takes it from the solver that it is drawn for."""

from functools import partial

import numpy as np
import pytest
import torch

from draws import generator, gradient, normal
from imle_core import ArgumentError, SumOfGammaNoiseDistribution, TargetDistribution, imle, marginals, perturb_and_map
from imle_core.checks import in_short
from imle_core.contracts import typical_ones
from imle_core.estimators import differentiable
from imle_core.solvers import (
    AcyclicGridPath,
    ArgMax,
    Assignment,
    GridPath,
    IntegerProgram,
    Knapsack,
    Matching,
    MinCut,
    Ranking,
    ShortestPath,
    SpanningTree,
    TopK,
)

EDGES = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]


def perfect_matching():
    """A solver that solves, and compiles, when it is made: in a test, not while tests are collected."""
    return Matching(EDGES, perfect=True)


def made(solver):
    return solver() if solver is perfect_matching else solver


@pytest.mark.parametrize(
    ("solver", "event", "ones"),
    [
        (GridPath(), (16, 12), 20.8),
        (AcyclicGridPath(), (10, 12), 13.0),
        (TopK(3), (7,), 3),
        (TopK(3), (2, 7), 3),
        (TopK(3, dim=-1), (2, 7), 6),
        (TopK(9, at_most=True), (7,), 7),
        (TopK(0), (7,), 1),
        (TopK(), (7,), None),
        (ArgMax(), (7,), 1),
        (ArgMax(), (3, 7), 3),
        (Assignment(), (4, 6), 4),
        (Assignment(partial=True), (4, 6), 4),
        (Knapsack([5, 1, 2, 4], capacity=7), (4,), 3),
        (Knapsack([5, 6], capacity=3), (2,), 1),
        (ShortestPath(EDGES, "a", "d"), (4,), 2),
        (MinCut(EDGES, "a", "d"), (4,), 1),
        (MinCut(EDGES, "a", "c"), (4,), 2),
        (SpanningTree(EDGES), (4,), 3),
        (Matching(EDGES), (4,), 2),
        (perfect_matching, (4,), 2),
        (Ranking(), (4,), None),
        (IntegerProgram(A=[[1.0, 1.0]], b=[1.0]), (2,), None),
        (lambda theta: theta, (4,), None),
        (partial(TopK(3)), (7,), 3),
        (TopK(3).__call__, (7,), 3),
    ],
    ids=in_short,
)
def test_number_of_ones_of_a_typical_solution(solver, event, ones):
    assert typical_ones(made(solver), event) == (None if ones is None else pytest.approx(ones))


@pytest.mark.parametrize(
    ("solver", "theta"),
    [
        (TopK(3), normal(5, 7)),
        (TopK(2, dim=-1), normal(5, 3, 7)),
        (ArgMax(), normal(5, 3, 7)),
        (Assignment(), normal(5, 4, 6)),
        (SpanningTree(EDGES), normal(5, 4)),
        (perfect_matching, normal(5, 4)),
    ],
    ids=in_short,
)
def test_it_is_exact_where_all_solutions_have_as_many(solver, theta):
    solver = made(solver)
    assert set(solver(theta).flatten(1).sum(dim=1).tolist()) == {typical_ones(solver, theta.shape[1:])}


def test_a_solver_s_counts_are_left_alone():
    solver = ShortestPath(EDGES, "a", "d", floor=0.5)
    typical_ones(solver, (4,))
    assert (solver.clamped, solver.seen) == (0, 0)


def test_a_subclass_that_solves_otherwise_does_not_inherit_the_number():
    class Others(TopK):
        def __call__(self, theta, k=None):
            return 1 - super().__call__(theta, k)

    assert typical_ones(Others(3), (7,)) is None


def layer_with(noise, solver=None, **settings):
    return imle(solver or TopK(3), TargetDistribution(1.0, 3.0), noise, 4, generator=generator(), **settings)


def test_a_layer_draws_what_it_draws_with_that_k():
    theta, dy = normal(5, 7), normal(20, 7, seed=1)
    without, given = SumOfGammaNoiseDistribution(nb_iterations=20), SumOfGammaNoiseDistribution(3.0, 20)
    assert torch.equal(layer_with(without)(theta), layer_with(given)(theta))
    assert torch.equal(gradient(layer_with(without), theta, dy), gradient(layer_with(given), theta, dy))


def test_layers_of_other_solvers_and_shapes_may_share_it():
    noise = SumOfGammaNoiseDistribution()
    for solver, theta, k in (
        (TopK(3), normal(2, 7), 3.0),
        (TopK(2), normal(2, 7), 2.0),
        (GridPath(), -normal(2, 5, 5).abs(), 6.5),
    ):
        expected = layer_with(SumOfGammaNoiseDistribution(k), solver)(theta)
        assert torch.equal(layer_with(noise, solver)(theta), expected)


@pytest.mark.parametrize("draw", [perturb_and_map, lambda *given: marginals(*given, nb_samples=3).mean])
def test_samples_take_it_from_the_solver_too(draw):
    torch.manual_seed(0)
    result = draw(TopK(3), normal(5, 7), SumOfGammaNoiseDistribution())
    torch.manual_seed(0)
    assert torch.equal(result, draw(TopK(3), normal(5, 7), SumOfGammaNoiseDistribution(3.0)))


def own(theta):
    return (theta > 0).to(theta)


def sample(theta):
    return perturb_and_map(own, theta, SumOfGammaNoiseDistribution())


@pytest.mark.parametrize("call", [layer_with(SumOfGammaNoiseDistribution(), own), sample])
def test_a_solver_that_does_not_say_it_needs_a_k(call):
    message = (
        "^k: got None; it is the number of ones of a typical solution, and own has no typical_ones that says it; give k: "
        "that of top-k, the nodes of a tree, 1.3 times the height of a map for a path across it$"
    )
    with pytest.raises(ArgumentError, match=message):
        call(normal(2, 4))


def test_a_solver_of_the_user_may_say_it():
    class Own:
        def __call__(self, theta):
            return (theta > 0).to(theta)

        def typical_ones(self, event):
            return event[0] / 2

    theta = normal(2, 4)
    assert torch.equal(
        layer_with(SumOfGammaNoiseDistribution(), Own())(theta), layer_with(SumOfGammaNoiseDistribution(2.0), own)(theta)
    )


def test_alone_it_needs_a_k():
    noise = SumOfGammaNoiseDistribution()
    message = (
        "^k: got None; only a layer around a solver that knows its solutions can choose it; give the number of ones of a"
    )
    for call in (lambda: noise.sample((2, 3)), lambda: noise.k, lambda: noise.cdf([0.0])):
        with pytest.raises(ArgumentError, match=message):
            call()
    assert np.isnan([noise.mean, noise.variance]).all()
    assert repr(noise) == "SumOfGammaNoiseDistribution(nb_iterations=10)"


def test_estimators_by_the_density_say_that_they_cannot_do_without():
    with pytest.raises(ArgumentError, match="its k is not known yet"):
        differentiable("perturbed", TopK(1), None, SumOfGammaNoiseDistribution())
