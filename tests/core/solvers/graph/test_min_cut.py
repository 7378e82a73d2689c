"""Minimum cuts against networkx on whole numbers of any size, with the tie rule."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import torch

from imle_core.solvers import MinCut


def chosen_edges(z):
    return sorted(z.nonzero().flatten().tolist())


def smallest_cut(solver, costs):
    """Edges of the minimum cut with the smallest side of s, by networkx on Python's whole numbers; None if there is none."""
    graph = nx.DiGraph()
    graph.add_nodes_from(solver.nodes)
    scale = max(Fraction(cost).denominator for cost in costs if cost < np.inf)
    for (u, v), cost in zip(solver.edges, costs, strict=True):
        capacity = {"capacity": int(Fraction(cost) * scale)} if cost < np.inf else {}
        graph.add_edge(u, v, **capacity)
        if not solver.directed:
            graph.add_edge(v, u, **capacity)
    try:
        left = nx.algorithms.flow.edmonds_karp(graph, solver.s, solver.t)
    except nx.NetworkXUnbounded:
        return None
    left.remove_edges_from([(u, v) for u, v, arc in left.edges(data=True) if arc["flow"] == arc["capacity"]])
    side = {solver.s} | nx.descendants(left, solver.s)
    ends = [(u in side, v in side) for u, v in solver.edges]
    return [edge for edge, (u, v) in enumerate(ends) if (u and not v) or (not solver.directed and v and not u)]


CAPACITIES = {
    "uniform": lambda rng, size: rng.random(size),
    "ties": lambda rng, size: rng.integers(0, 4, size) * (1 + 2.0**-52),
    "spread": lambda rng, size: rng.random(size) * 2.0 ** rng.integers(-40, 40, size),
    "huge spread": lambda rng, size: rng.random(size) * 2.0 ** rng.integers(-1000, 1000, size),
    "sums that differ in the last bit": lambda rng, size: 2.0 ** rng.choice([-70, 0, 70], size) * rng.integers(1, 3, size),
    "never": lambda rng, size: np.where(rng.random(size) < 0.3, np.inf, rng.random(size)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPACITIES)
@pytest.mark.parametrize("directed", [False, True])
def test_cuts_in_any_number_of_limbs_are_those_in_whole_numbers(directed, name):
    graph = nx.gnm_random_graph(20, 70, seed=1, directed=directed)
    nx.add_path(graph, range(20))
    solver, rng = MinCut(graph, 0, 19), np.random.default_rng(0)
    for row in CAPACITIES[name](rng, (20, len(solver.edges))):
        expected = smallest_cut(solver, row.tolist())
        theta = -torch.from_numpy(row)[None]
        if expected is None:
            with pytest.raises(ValueError, match="a cut needs an edge there that may be cut"):
                solver(theta)
        else:
            assert chosen_edges(solver(theta)[0]) == expected


def test_rows_of_one_and_of_many_limbs_in_a_batch():
    graph = nx.gnm_random_graph(30, 120, seed=1)
    nx.add_path(graph, range(30))
    solver = MinCut(graph, 0, 29)
    theta = -torch.rand(20, graph.number_of_edges(), generator=torch.Generator().manual_seed(0)).mul(9).round().double()
    first, last = solver.edges.index((0, 1)), solver.edges.index((28, 29))
    theta[:, [first, last]] = -(2.0**20)
    wide = theta.clone()
    wide[:, first] -= 2.0**-32
    wide[::2, last], wide[::3, last] = -(2.0**50), -(2.0**500)
    assert torch.equal(solver(theta), solver(wide))
