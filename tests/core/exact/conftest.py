"""What tests of exact families share: one small family of each kind, with its structures found by brute force."""

from functools import cache
from itertools import pairwise, product

import networkx as nx
import pytest
import torch

from imle_core.exact import (
    AcyclicGridPaths,
    Categorical,
    Chain,
    Enumeration,
    Hypercube,
    KnapsackSets,
    KSubset,
    SpanningTrees,
)

EDGES = [("a", "b"), ("c", "b"), ("a", "c"), ("d", "b"), ("c", "d"), ("d", "e"), ("e", "a")]
TRANSITIONS = torch.tensor([[0.5, -1.0, -torch.inf], [2.0, 0.0, 0.3], [-0.7, 1.0, 0.0]])
REAL = torch.tensor([[0.5, 0.0, 2.0], [3.0, 0.0, -1.0], [0.0, -0.25, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])


def is_tree(z):
    graph = nx.Graph([edge for edge, bit in zip(EDGES, z.tolist(), strict=True) if bit])
    return len(graph) == 5 and nx.is_tree(graph)


def is_path(z, diagonal):
    if not z[0, 0] == z[-1, -1] == 1:
        return False
    tiles = z.nonzero().tolist()
    steps = {(0, 1), (1, 0)} | ({(1, 1)} if diagonal else set())
    moves = {(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(tiles)}
    return moves <= steps


def is_sequence(z):
    labels = z.argmax(dim=1).tolist()
    return bool((z.sum(dim=1) == 1).all()) and (0, 2) not in pairwise(labels)


KINDS = {
    "subset": (KSubset(2, 5), lambda z: z.sum() == 2),
    "subset of a table": (KSubset(4, (2, 3)), lambda z: z.sum() == 4),
    "whole subset": (KSubset(3, 3), lambda z: z.sum() == 3),
    "only subset": (KSubset(1, 1), lambda z: z.sum() == 1),
    "categorical": (Categorical((2, 3)), lambda z: (z.sum(dim=-1) == 1).all()),
    "one categorical": (Categorical(3), lambda z: z.sum() == 1),
    "hypercube": (Hypercube((2, 2)), lambda _: True),
    "trees": (SpanningTrees(EDGES), is_tree),
    "only tree": (SpanningTrees([(0, 1)]), lambda z: z.sum() == 1),
    "paths": (AcyclicGridPaths((3, 4)), lambda z: is_path(z, True)),
    "paths without diagonals": (AcyclicGridPaths((4, 3), diagonal=False), lambda z: is_path(z, False)),
    "paths in a row": (AcyclicGridPaths((1, 3)), lambda z: is_path(z, True)),
    "paths in a column": (AcyclicGridPaths((3, 1)), lambda z: is_path(z, True)),
    "only path": (AcyclicGridPaths((1, 1)), lambda z: is_path(z, True)),
    "chain": (Chain(TRANSITIONS, 4), is_sequence),
    "one label": (Chain(TRANSITIONS, 1), is_sequence),
    "knapsack": (KnapsackSets([2, 0, 3, 4, 9, 1], 6), lambda z: z @ torch.tensor([2.0, 0, 3, 4, 9, 1]).double() <= 6),
    "knapsack of a table": (
        KnapsackSets([[4, 6], [2, 2]], 9),
        lambda z: (z * torch.tensor([[4, 6], [2, 2]])).sum() <= 9,
    ),
    "no room": (KnapsackSets([1, 0, 2], 0), lambda z: z[0] == z[2] == 0),
    "enumeration": (Enumeration(REAL), None),
}


class Problem:
    """A family, its structures, and some parameters."""

    def __init__(self, family, valid):
        self.family = family
        size = torch.Size(family.event).numel()
        every = REAL.double() if valid is None else torch.tensor(list(product((0.0, 1.0), repeat=size))).double()
        rows = [z for z in every.view(-1, *family.event) if valid is None or valid(z)]
        self.states = torch.stack(rows)
        self.base = torch.zeros(len(rows), dtype=torch.float64)
        if isinstance(family, Chain):
            labels = self.states.argmax(dim=2)
            self.base = TRANSITIONS.double()[labels[:, :-1], labels[:, 1:]].sum(dim=1)
        self.theta = 2 * torch.randn(3, *family.event, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def scores(self, theta):
        """``<z, theta> + log h(z)`` of all structures, ``(N, M)``, without products of 0 and infinity."""
        products = torch.where(self.states == 0, 0.0, theta.unsqueeze(1) * self.states)
        return products.flatten(2).sum(dim=2) + self.base


@cache
def _problem(name):
    return Problem(*KINDS[name])


@pytest.fixture(params=KINDS)
def problem(request):
    return _problem(request.param)


@pytest.fixture(params=[name for name in KINDS if name != "enumeration"])
def masks(request):
    return _problem(request.param)
