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
    Ranking,
    TopK,
)

MAPS = -torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
SOLVERS = [AcyclicGridPath(), ArgMax(), Assignment(), BlackBox(torch.sign), GridPath(), Ranking(), TopK(3)]
SOLVERS += [IntegerProgram(A=torch.ones(1, 16).numpy(), b=[3]), Knapsack(torch.arange(16).view(4, 4), 9)]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda solver: pickle.loads(pickle.dumps(solver))])
@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: type(solver).__name__)
def test_a_copy_gives_the_same(solver, duplicate):
    assert torch.equal(duplicate(solver)(MAPS), solver(MAPS))
