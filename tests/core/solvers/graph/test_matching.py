"""Matchings against networkx on whole numbers of any size, with the tie rule."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import torch

from imle_core.solvers import Matching


def chosen_edges(z):
    return sorted(z.nonzero().flatten().tolist())


def best_matching(solver, row):
    """Edges of the best matching by networkx, with the tie rule in the lowest bits of whole weights, or None."""
    allowed = [edge for edge, value in enumerate(row) if value > (-np.inf if solver.perfect else 0)]
    scale = max((Fraction(row[edge]).denominator for edge in allowed), default=1)
    count = len(allowed)
    shift = count + count.bit_length() + 1
    graph = nx.Graph()
    for place, edge in enumerate(allowed):
        weight = (int(Fraction(row[edge]) * scale) << shift) - (1 << count) + (1 << (count - 1 - place))
        graph.add_edge(*solver.edges[edge], weight=weight)
    pairs = {frozenset(pair) for pair in nx.max_weight_matching(graph, maxcardinality=solver.perfect)}
    if solver.perfect and 2 * len(pairs) < len(solver.nodes):
        return None
    return [edge for edge, ends in enumerate(solver.edges) if frozenset(ends) in pairs]


GAINS = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "ties": lambda rng, size: rng.integers(-2, 5, size) * 1.0,
    "nearly ties": lambda rng, size: rng.integers(90, 101, size) * (1 + 2.0**-52),
    "all ties": lambda _, size: np.ones(size),
    "huge spread": lambda rng, size: rng.standard_normal(size) * 2.0 ** rng.integers(-500, 500, size),
    "sums that differ in the last bit": lambda rng, size: rng.integers(-2, 5, size) * 2.0 ** rng.choice([-70, 0, 70], size),
    "never": lambda rng, size: np.where(rng.random(size) < 0.3, -np.inf, rng.random(size)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GAINS)
@pytest.mark.parametrize("perfect", [False, True])
def test_matchings_are_those_of_networkx_in_whole_numbers(perfect, name):
    rng = np.random.default_rng(0)
    for seed in range(12):
        graph = nx.gnm_random_graph(30, 45 + 20 * (seed % 3), seed=seed)
        nx.add_path(graph, range(30)) if perfect else None
        solver = Matching(graph, perfect)
        for row in GAINS[name](rng, (3, len(solver.edges))):
            expected = best_matching(solver, row.tolist())
            theta = torch.from_numpy(row)[None]
            if expected is None:
                with pytest.raises(ValueError, match="no matching is perfect"):
                    solver(theta)
            else:
                assert chosen_edges(solver(theta)[0]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("perfect", [False, True])
@pytest.mark.parametrize("cycles", [(3, 5, 3), (5, 7, 9), (3, 3, 3)])
def test_matchings_with_blossoms_in_blossoms(cycles, perfect):
    graph = nx.Graph()
    for size in cycles:
        first = len(graph)
        nx.add_cycle(graph, range(first, first + size))
        graph.add_edges_from((first + i, i) for i in range(min(first, size)))
    graph.add_edge(0, len(graph))
    if len(graph) % 2:
        graph.add_edge(1, len(graph))
    solver, rng = Matching(graph, perfect), np.random.default_rng(0)
    rows = rng.integers(1, 30, (100, len(solver.edges))) * 1.0
    for row, z in zip(rows.tolist(), solver(torch.from_numpy(rows)), strict=True):
        assert chosen_edges(z) == best_matching(solver, row)


def test_matchings_in_batches_of_many_kinds_of_rows():
    solver, rng = Matching(nx.gnm_random_graph(20, 60, seed=0)), np.random.default_rng(0)
    theta = torch.from_numpy(np.concatenate([make(rng, (4, 60)) for make in GAINS.values()]))
    theta = torch.cat([theta, -theta.abs(), torch.zeros(1, 60)])
    theta = theta[torch.randperm(len(theta), generator=torch.Generator().manual_seed(0))]
    assert torch.equal(solver(theta), torch.cat([solver(row[None]) for row in theta]))
