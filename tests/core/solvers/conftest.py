"""Every solver of ours, with the shape of a batch that it solves."""

import pytest
import torch

from imle_core.solvers import (
    AcyclicGridPath,
    ArgMax,
    Assignment,
    BlackBox,
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

EDGES = [(0, 1), (1, 2), (2, 3), (0, 2)]
MAPS = (3, 4, 4)
SOLVERS = {
    "acyclic path": (AcyclicGridPath(), MAPS),
    "arg max": (ArgMax(), MAPS),
    "assignment": (Assignment(), MAPS),
    "partial assignment": (Assignment(partial=True), MAPS),
    "wide assignment": (Assignment(), (3, 2, 4)),
    "identity": (BlackBox(lambda theta: theta), MAPS),
    "identity, repeated": (BlackBox(lambda theta: theta, cache=9), MAPS),
    "identity of arrays": (BlackBox(lambda theta: theta, arrays=True, repeats=False), MAPS),
    "in place, in threads": (BlackBox(lambda theta: theta.zero_(), executor="threads"), MAPS),
    "path": (GridPath(), MAPS),
    "path by torch": (GridPath(engine="torch"), MAPS),
    "path by networkx": (GridPath(engine="networkx"), MAPS),
    "large path": (GridPath(), (2, 100, 100)),
    "program": (IntegerProgram(A=torch.ones(1, 16).numpy(), b=[3]), MAPS),
    "continuous program": (IntegerProgram(A=torch.ones(1, 16).numpy(), b=[3], integrality=False), MAPS),
    "knapsack": (Knapsack(torch.arange(16).view(4, 4), 9), MAPS),
    "ranking": (Ranking(), MAPS),
    "top 3": (TopK(3), MAPS),
    "top 40": (TopK(40), (3, 50)),
    "matching": (Matching(EDGES), (3, 4)),
    "perfect matching": (Matching(EDGES, perfect=True), (3, 4)),
    "cut": (MinCut(EDGES, 0, 3), (3, 4)),
    "cut with a floor": (MinCut(EDGES, 0, 3, floor=0.5), (3, 4)),
    "shortest path": (ShortestPath(EDGES, 0, 3), (3, 4)),
    "shortest path with a floor": (ShortestPath(EDGES, 0, 3, floor=0.5), (3, 4)),
    "tree": (SpanningTree(EDGES), (3, 4)),
}


@pytest.fixture(params=SOLVERS.values(), ids=SOLVERS)
def solver_and_shape(request):
    return request.param
