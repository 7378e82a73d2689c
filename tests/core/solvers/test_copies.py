"""Every solver can be copied and sent to another process."""

import copy
import pickle

import pytest
import torch

from all_solvers import BATCHES, EDGES
from imle_core.solvers import BlackBox, ShortestPath

MAPS = -torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
SOLVERS = [BATCHES[name][0] for name in ("acyclic path", "arg max", "assignment")] + [BlackBox(torch.sign)]
SOLVERS += [BATCHES[name][0] for name in ("path", "ranking", "top 3", "program", "knapsack")]
GRAPHS = [BATCHES[name][0] for name in ("matching", "cut")]
GRAPHS += [ShortestPath(EDGES, 0, 3, floor=0.1), BATCHES["tree"][0]]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda solver: pickle.loads(pickle.dumps(solver))])
@pytest.mark.parametrize("solver", SOLVERS + GRAPHS, ids=lambda solver: type(solver).__name__)
def test_a_copy_gives_the_same(solver, duplicate):
    theta = MAPS[:, 0] if solver in GRAPHS else MAPS
    assert torch.equal(duplicate(solver)(theta), solver(theta))
