"""Parallel edges and self-loops: an entry of theta each, against enumeration of all solutions, with the tie rules."""

import itertools

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imle_core.exact import family_of
from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree
from seeded import seeded, table

STREETS = [("a", "b"), ("a", "b"), ("b", "a"), ("b", "b"), ("b", "c"), ("b", "c")]


def problems(directed=None):
    """A multigraph, costs of its edges, and theta in which those of self-loops are the best there could be, or not."""

    def make(rng):
        count = rng.randint(2, 5)
        graph = nx.MultiDiGraph() if (rng.random() < 0.5 if directed is None else directed) else nx.MultiGraph()
        graph.add_nodes_from(range(count))
        graph.add_edges_from([[rng.randrange(count), rng.randrange(count)] for _ in range(rng.randint(1, 9))])
        edges = list(graph.edges())
        assume(any(u != v for u, v in edges))
        costs = table(rng, [0.0, 0.5, 1.0, 1.0, 2.0, 3.0], len(edges))
        row = torch.tensor([rng.choice([-7.0, 7.0, torch.inf]) if u == v else np.nan for u, v in edges])
        return graph, edges, costs, row[None].double()

    return seeded(make)


def theta_of(values, loops):
    return torch.where(loops.isnan(), torch.from_numpy(values)[None], loops)


def chosen_edges(z):
    return z[0].nonzero().flatten().tolist()


def all_paths(graph, edges, start, goal):
    stack = [([start], [])]
    while stack:
        nodes, path = stack.pop()
        if nodes[-1] == goal:
            yield path
            continue
        for number, (u, v) in enumerate(edges):
            for tail, head in [(u, v)] if graph.is_directed() else [(u, v), (v, u)]:
                if tail == nodes[-1] and head not in nodes:
                    stack.append(([*nodes, head], [*path, number]))


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems())
def test_paths(problem):
    graph, edges, costs, loops = problem
    assume(nx.has_path(graph, 0, 1))
    solver = ShortestPath(graph, 0, 1)
    best = min(all_paths(graph, edges, 0, 1), key=lambda path: (costs[path].sum(), len(path), path[::-1]))
    z = solver(theta_of(-costs, loops))
    assert chosen_edges(z) == sorted(best)
    assert len(solver.path_nodes(z[0])) == len(best) + 1


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems())
def test_cuts_take_all_parallel_edges(problem):
    graph, edges, costs, loops = problem
    assume(nx.has_path(graph, 0, 1))
    merged = nx.DiGraph() if graph.is_directed() else nx.Graph()
    for (u, v), cost in zip(edges, costs, strict=True):
        merged.add_edge(u, v, capacity=merged.get_edge_data(u, v, {"capacity": 0})["capacity"] + cost)
    chosen = chosen_edges(MinCut(graph, 0, 1)(theta_of(-costs, loops)))
    assert costs[chosen].sum() == nx.minimum_cut_value(merged, 0, 1)
    left = type(graph)([edge for number, edge in enumerate(edges) if number not in chosen])
    left.add_nodes_from(graph)
    assert not nx.has_path(left, 0, 1)
    assert all(edges[number][0] != edges[number][1] for number in chosen)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems(directed=False), st.booleans())
def test_matchings_take_one_of_parallel_edges(problem, perfect):
    graph, edges, gains, loops = problem
    every = []
    for size in range(len(graph) // 2 + 1):
        for chosen in itertools.combinations(range(len(edges)), size):
            covered = {node for number in chosen for node in edges[number]}
            if len(covered) == 2 * size and (2 * size == len(graph) or not perfect):
                every.append(chosen)
    if not every:
        with pytest.raises(ValueError, match="got no perfect matching"):
            Matching(graph, perfect)
        return
    best = min(every, key=lambda chosen: (-gains[list(chosen)].sum(), len(chosen), chosen))
    assert chosen_edges(Matching(graph, perfect)(theta_of(gains, loops))) == list(best)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems(directed=False))
def test_trees_take_one_of_parallel_edges(problem):
    graph, edges, gains, loops = problem
    solver = SpanningTree(graph, forest=True)
    rank = sorted(range(len(edges)), key=lambda number: (-gains[number], number))
    parts, best = nx.utils.UnionFind(graph), []
    for number in rank:
        u, v = edges[number]
        if parts[u] != parts[v]:
            parts.union(u, v)
            best.append(number)
    assert chosen_edges(solver(theta_of(gains, loops))) == sorted(best)


def test_the_order_is_that_of_edges_with_keys():
    graph = nx.MultiDiGraph([("c", "a"), *STREETS])
    solver = ShortestPath(graph, "a", "c")
    assert solver.edges == [(u, v) for u, v, _ in graph.edges(keys=True)]
    theta = -torch.tensor([[{("a", "b", 1): 2.0, ("b", "c", 1): 3.0}.get(edge, 9.0) for edge in graph.edges(keys=True)]])
    chosen = [edge for edge, one in zip(graph.edges(keys=True), solver(theta)[0], strict=True) if one]
    assert chosen == [("a", "b", 1), ("b", "c", 1)]


def test_the_first_of_equal_parallel_edges_is_taken():
    assert ShortestPath(STREETS, "a", "c")(-torch.ones(1, 6)).tolist() == [[1, 0, 0, 0, 1, 0]]
    assert SpanningTree(STREETS)(torch.ones(1, 6)).tolist() == [[1, 0, 0, 0, 1, 0]]
    assert MinCut(STREETS, "a", "c")(-torch.ones(1, 6)).tolist() == [[0, 0, 0, 0, 1, 1]]


def test_a_self_loop_is_no_cycle_and_not_counted():
    graph = nx.MultiDiGraph([("a", "a"), ("a", "b")])
    solver = ShortestPath(graph, "a", "b")
    assert solver.domain == (-np.inf, np.inf)
    assert solver(torch.tensor([[5.0, 3.0]])).tolist() == [[0, 1]]
    floored = ShortestPath(graph, "a", "b", floor=0.0)
    floored(torch.tensor([[5.0, 3.0]]))
    assert (floored.clamped, floored.seen) == (1, 1)


def test_theta_of_a_self_loop_stays_as_it_is():
    theta = torch.tensor([[-1.0, -2.0]])
    ShortestPath(nx.MultiDiGraph([("a", "a"), ("a", "b")]), "a", "b")(theta)
    assert theta.tolist() == [[-1.0, -2.0]]


def test_exact_trees_are_known_of_simple_graphs_only():
    square = [("a", "b"), ("b", "c"), ("c", "a")]
    assert family_of(SpanningTree(square), (3,)) is not None
    for graph in ([*square, ("b", "a")], [*square, ("b", "b")]):
        assert family_of(SpanningTree(graph), (4,)) is None
