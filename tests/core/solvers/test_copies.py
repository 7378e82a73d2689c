"""Every solver can be copied and sent to another process."""

import copy
import pickle

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

MAPS = -torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
SOLVERS = [AcyclicGridPath(), ArgMax(), Assignment(), BlackBox(torch.sign), GridPath(), Ranking(), TopK(3)]
SOLVERS += [IntegerProgram(A=torch.ones(1, 16).numpy(), b=[3]), Knapsack(torch.arange(16).view(4, 4), 9)]

EDGES = [(0, 1), (1, 2), (2, 3), (0, 2)]
GRAPHS = [Matching(EDGES), MinCut(EDGES, 0, 3), ShortestPath(EDGES, 0, 3, floor=0.1), SpanningTree(EDGES)]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda solver: pickle.loads(pickle.dumps(solver))])
@pytest.mark.parametrize("solver", SOLVERS + GRAPHS, ids=lambda solver: type(solver).__name__)
def test_a_copy_gives_the_same(solver, duplicate):
    theta = MAPS[:, 0] if solver in GRAPHS else MAPS
    assert torch.equal(duplicate(solver)(theta), solver(theta))
