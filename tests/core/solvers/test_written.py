"""Solvers as text: what is read solves as what was written, and a text is no code."""

import json

import pytest
import torch
from scipy import sparse

from draws import normal
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.solvers import (
    ArgMax,
    Assignment,
    BlackBox,
    GridPath,
    IntegerProgram,
    Knapsack,
    Matching,
    MinCut,
    ShortestPath,
    SpanningTree,
    TopK,
    Tour,
)
from imle_core.solvers.written import read, written

EDGES = [("a", 1), (1, (2, 0)), ((2, 0), 3), ("a", (2, 0)), (1, 3)]
INDEX = torch.tensor([[0, 1, 2, 0, 1], [1, 2, 3, 2, 3]])
SOLVERS = {
    "top-k": (TopK(2, at_most=True, dim=-1), (5,)),
    "argmax": (ArgMax(), (5,)),
    "assignment": (Assignment(partial=True), (3, 3)),
    "grid": (GridPath(moves=4, goal=(2, 3), engine="networkx"), (4, 4)),
    "knapsack": (Knapsack([3, 1, 2], 4), (3,)),
    "path": (ShortestPath(EDGES, "a", 3), (5,)),
    "cut": (MinCut(EDGES, "a", 3), (5,)),
    "tree": (SpanningTree(INDEX, num_nodes=4), (5,)),
    "matching": (Matching(INDEX, num_nodes=4), (5,)),
    "program": (IntegerProgram(A=sparse.csr_array([[1.0, 1.0, 1.0]]), b=[2.0], upper=[1.0, 2.0, float("inf")]), (3,)),
    "tour": (Tour(4), (6,)),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_the_same_solutions(name):
    solver, event = SOLVERS[name]
    theta = -normal(4, *event).abs()
    again = read(written(solver))
    assert type(again) is type(solver)
    assert repr(again) == repr(solver)
    assert torch.equal(again(theta), solver(theta))


class Own(TopK):
    pass


@pytest.mark.parametrize("solver", [Own(2), torch.sign, BlackBox(torch.sign)], ids=["subclass", "function", "black box"])
def test_solvers_of_users_are_refused(solver):
    with pytest.raises(ArgumentTypeError, match=r"^solver: got .*; only solvers of imle.solvers, BlackBox aside"):
        written(solver)


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"object": ["os:system", {}]},
        {"object": ["imle_core.solvers.selections.top_k:math", {}]},
        {"object": ["imle_core.solvers.nowhere:TopK", {}]},
        {"object": ["imle_core.solvers.selections.top_k:Tensor", {}]},
        {"named": ["builtins:tuple", []]},
        {"sparse": ["eye", 1, 1, 1, 1]},
        {"call": []},
        {"array": ["|O", [1], ""]},
    ],
    ids=str,
)
def test_other_texts_are_refused(value):
    with pytest.raises(ArgumentError, match="it must be what this version of imle writes; export the module again"):
        read(json.dumps(value))
