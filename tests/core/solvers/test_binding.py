"""Normals of binding constraints: of the reference, valid for all solutions, and complete where the constraints are."""

import networkx
import numpy as np
import pytest
import torch

from draws import normal
from imle_core import ArgumentError
from imle_core.estimators import differentiable
from imle_core.estimators.projections import nearest_in_cone
from imle_core.solvers import (
    ArgMax,
    Assignment,
    GridEdgePath,
    IntegerProgram,
    Knapsack,
    ShortestPath,
    SolutionPool,
    TopK,
    Tour,
)
from reference import CASES

ARCS = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (1, 3), (3, 3)]
# Solvers with an event shape, and whether their constraints are all that their solutions' convex hull needs.
SOLVERS = {
    "path over edges": (GridEdgePath((3, 4)), (17,), True),
    "path": (ShortestPath(ARCS, 0, 4, directed=True), (9,), True),
    "path beside cycles": (ShortestPath([*ARCS, (3, 0), (4, 2)], 0, 4, directed=True, floor=0.0), (11,), False),
    "top-k": (TopK(2), (2, 3), True),
    "top-k of lines": (TopK(2, dim=1), (3, 2), True),
    "choice": (ArgMax(), (2, 3), True),
    "assignment": (Assignment(), (3, 3), True),
    "wide assignment": (Assignment(), (2, 3), True),
    "high assignment": (Assignment(), (3, 2), True),
    "partial assignment": (Assignment(partial=True), (2, 3), True),
    "knapsack": (Knapsack([2, 3, 4, 2], 6), (4,), False),
    "knapsack without a limit": (Knapsack([2.5, 3, 4], 99), (3,), True),
    "knapsack of two constraints": (Knapsack([[0.1, 0.2, 0.4], [3, 1, 2]], [0.3, 4]), (3,), False),
    "program": (IntegerProgram(A=[[1, 1, 0], [0, 1, 1]], b=[1, np.inf], A_eq=[[1, 0, 1]], b_eq=[1]), (3,), True),
    "program of wider bounds": (IntegerProgram(A=[[2, 1]], b=[7], lower=[-1, 2], upper=[3, 2]), (2,), False),
    "linear program": (IntegerProgram(A=[[2, 1, 1]], b=[2.5], upper=np.inf, integrality=False), (1, 3), True),
    "tour": (Tour(6), (15,), False),
    "tour of four": (Tour(4), (6,), True),
}


def rows_of(normals):
    """Rows that are not 0, in one order."""
    kept = np.asarray(normals, np.float64)
    return sorted(map(tuple, (kept[np.abs(kept).any(axis=1)].round(5) + 0.0).tolist()))


@pytest.mark.parametrize(
    ("kind", "solver"),
    [("path", GridEdgePath((4, 4))), ("knapsack", Knapsack(CASES["knapsack/weights"], CASES["knapsack/capacity"]))],
)
def test_the_reference_has_the_same_and_the_same_losses(kind, solver):
    gold, theta = (torch.from_numpy(CASES[f"{kind}/{name}"]) for name in ("sol", "pred"))
    for ours, theirs in zip(solver.normals(gold), CASES[f"{kind}/normals"], strict=True):
        assert rows_of(ours) == rows_of(theirs)
    sign = -1 if kind == "path" else 1
    points = nearest_in_cone(sign * theta.double(), solver.normals(gold))
    torch.testing.assert_close(points, torch.from_numpy(CASES[f"{kind}/cave_exact/projection"]), rtol=0, atol=1e-6)
    values = differentiable("cone", solver, sense="min" if kind == "path" else "max").loss(theta, gold=gold)
    torch.testing.assert_close(values.double(), torch.from_numpy(CASES[f"{kind}/cave_exact/value"]), rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVERS)
def test_they_bind_and_no_solution_is_beyond(name):
    solver, event, _ = SOLVERS[name]
    states = solver(normal(300, *event)).unique(dim=0)
    normals = solver.normals(states).flatten(2)
    assert normals.dtype == torch.float64
    values = normals @ states.flatten(1).T  # of each normal of each solution at each solution
    own = values.diagonal(dim1=0, dim2=2).T
    assert (values - own.unsqueeze(2)).max() < 1e-9
    assert len(states) > 1
    assert len(normals) == len(states)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in SOLVERS.items() if entry[2]])
def test_the_cone_has_all_theta_for_which_the_solution_is_best(name):
    solver, event, _ = SOLVERS[name]
    theta = normal(40, *event, seed=1) - (2 if name == "linear program" else 0)
    z = solver(theta)
    torch.testing.assert_close(nearest_in_cone(theta, solver.normals(z)), theta, rtol=0, atol=1e-8)
    others = z.flip(0)
    wrong = (others != z).flatten(1).any(dim=1)
    for sense, sign in (("max", 1), ("min", -1)):
        losses = differentiable("cone", solver, sense=sense).loss(sign * theta, gold=others)
        assert torch.equal(losses > 1e-6, wrong)


def test_normals_as_they_are_written():
    found = Knapsack([[0.1, 0.2, 0.4], [3, 1, 2]], [0.3, 5]).normals(torch.tensor([[1.0, 1, 0]]))
    assert rows_of(found[0]) == [(0, 0, -1), (0, 1, 0), (0.1, 0.2, 0.4), (1, 0, 0)]
    found = IntegerProgram(A_eq=[[1, 2]], b_eq=[4], lower=[0, -3], upper=[2, 5]).normals(torch.tensor([[2, 1], [0, 2]]))
    assert found.tolist() == [[[1, 2], [-1, -2], [1, 0], [0, 0]], [[1, 2], [-1, -2], [-1, 0], [0, 0]]]
    two = TopK(1).normals(torch.tensor([[[1, 0]]], dtype=torch.int32))
    assert two.tolist() == [[[[1, 1]], [[-1, -1]], [[1, 0]], [[0, -1]]]]
    assert TopK(1).normals(torch.zeros(0, 3)).shape == (0, 5, 3)
    tour = Tour(5)
    around = tour.normals(tour(-torch.tensor([[1.0, 5, 5, 1, 1, 5, 5, 1, 5, 1]])))[0, 10:-10]  # 0, 1, 2, 3, 4 in turn
    crossing = [{edge for edge, a in zip(tour.edges, row, strict=True) if a == -1} for row in around.tolist()]
    leaving = [{1, 2}, {1, 2, 3}, {2, 3}, {2, 3, 4}, {3, 4}]
    assert crossing == [{(u, v) for u, v in tour.edges if (u in nodes) != (v in nodes)} for nodes in leaving]


def test_a_pool_has_those_of_its_solver_and_others_none():
    solver = GridEdgePath((2, 3))
    gold = solver(normal(3, 7))
    assert torch.equal(SolutionPool(solver).normals(gold), solver.normals(gold))
    undirected = ShortestPath(networkx.path_graph(3), 0, 2)
    listed = ShortestPath([networkx.DiGraph([(0, 1)]), networkx.DiGraph([(0, 1), (1, 2)])], 0, 1)
    for without in (undirected, listed):
        assert without.normals is None
        with pytest.raises(ArgumentError, match=r"^normals: missing; cone learns from the constraints"):
            differentiable("cone", without)


def test_large_instances_are_projected_a_few_at_a_time(monkeypatch):
    solver, theta = GridEdgePath((3, 3)), normal(7, 12).requires_grad_()
    gold = solver(normal(7, 12, seed=1))
    counts = []

    def counted(rows):
        counts.append(len(rows))
        return solver.normals(rows)

    losses = differentiable("cone", solver, normals=counted).loss(theta, gold=gold)
    monkeypatch.setattr("imle_core.estimators.decisions.cone_alignment._ENTRIES", 2 * 12**2)
    torch.testing.assert_close(differentiable("cone", solver, normals=counted).loss(theta, gold=gold), losses)
    assert counts == [7, 2, 2, 2, 1]


@pytest.mark.parametrize(
    ("find", "message"),
    [
        (lambda: GridEdgePath((2, 2)).normals(torch.zeros(1, 5)), r"^gold: got shape \(1, 5\); an instance has 4 entries"),
        (lambda: Knapsack([1, 2], 3).normals(torch.zeros(2)), r"^gold: got shape \(2,\); an instance has 2 entries"),
        (lambda: TopK(1).normals([[1]]), "^gold: got list; it must be a dense tensor"),
        (lambda: Assignment().normals(torch.zeros(2, 3)), r"^gold: got shape \(2, 3\); an assignment needs \(B, R, C\)"),
        (lambda: Tour(4).normals(torch.ones(2, 6)), "^gold: got no tour in row 0; a tour joins all nodes"),
        (lambda: Tour(6).normals(torch.tensor([TRIANGLES])), "^gold: got no tour in row 0; a tour joins all nodes"),
    ],
)
def test_what_is_no_solution_is_refused(find, message):
    with pytest.raises(ArgumentError, match=message):
        find()


TRIANGLES = [float((u < 3) == (v < 3)) for u, v in Tour(6).edges]
