"""A watched solver: it declares what the solver does, and every row that is solved counts."""

import pytest
import torch

from imle_core import ArgumentError
from imle_core.contracts import declared, protocols, solver_protocols
from imle_core.estimators import differentiable
from imle_core.noise import NormalNoiseDistribution
from imle_core.solvers import GridPath, ShortestPath, TopK
from imle_core.training import Clock, WatchedSolver
from imle_core.training.clock import _DECLARED


def test_it_knows_every_optional_member_of_a_solver():
    kinds = [kind for name, kind in vars(solver_protocols).items() if name.endswith("Solver")]
    members = {
        name
        for kind in [*kinds, solver_protocols.CountingEach, solver_protocols.GrowingPool, protocols.Pure]
        for name in {*vars(kind), *kind.__annotations__}
        if not name.startswith("_")
    }
    assert members == {*_DECLARED, "perturb_and_map"}


@pytest.mark.parametrize(
    "solver",
    [GridPath(), TopK(2), ShortestPath([("a", "b"), ("b", "c")], "a", "c"), torch.relu],
    ids=["map", "subset", "graph", "function"],
)
def test_it_declares_what_its_solver_does(solver):
    watched = WatchedSolver(solver, Clock())
    for name in _DECLARED:
        mine, own = declared(watched, name), declared(solver, name)
        assert (mine is own) or mine == own, name
    assert (declared(watched, "perturb_and_map") is None) == (declared(solver, "perturb_and_map") is None)


@pytest.mark.parametrize(("name", "a_call"), [("imle", 4 * 3 * 2), ("fenchel-young", 4 * 3), ("blackbox", 4 * 3 * 2)])
def test_rows_are_counted(name, a_call):
    clock = Clock()
    noise = NormalNoiseDistribution()
    layer = differentiable(name, WatchedSolver(TopK(2), clock), None, noise, 3, sense="min", generator=torch.Generator())
    theta = torch.rand(4, 5, requires_grad=True)
    for times in (1, 2):
        layer.loss(theta, gold=TopK(2)(torch.rand(4, 5))).sum().backward()
        assert clock.solves == times * a_call
    assert clock.solver > 0


def test_fused_rows_are_counted():
    clock = Clock()
    watched = WatchedSolver(GridPath(), clock)
    theta = -torch.rand(3, 1, 4, 4)
    z = watched.perturb_and_map(theta, torch.zeros(3, 5, 4, 4), 1.0)
    assert z.shape == (3, 5, 4, 4)
    assert clock.solves == 15
    assert watched.perturb_and_map(theta, None, 0.0).shape == (3, 1, 4, 4)
    assert clock.solves == 18


def test_failures_reach_the_caller():
    with pytest.raises(ArgumentError, match="k"):
        WatchedSolver(TopK(7), Clock())(torch.zeros(1, 3))
