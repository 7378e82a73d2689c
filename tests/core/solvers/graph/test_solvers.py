"""Solvers on graphs against enumeration of all solutions on small random graphs, with the tie rules; and at size."""

import itertools
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree
from seeded import lists, seeded, table

COSTS = [0.0, 0.0, 1.0, 1.0, 2.0, 0.5, 3.0, 1e30, 1e-30, 0.1, 0.2, np.inf]
EXACT = [0.0, 1.0, 1.0, 2.0, 0.5, 3.0, 1024.0, np.inf]
DTYPES = [torch.float32, torch.float64]


def problems(values, directed=None, acyclic=False, most=5):
    """A graph, two of its nodes, and rows of values of its edges."""

    def make(rng):
        count = rng.randint(2, most)
        leads = rng.random() < 0.5 if directed is None else directed
        pairs = list(itertools.permutations(range(count), 2) if leads else itertools.combinations(range(count), 2))
        if acyclic:
            pairs = [(u, v) for u, v in pairs if u < v]
        pairs = rng.sample(pairs, rng.randint(1, min(9, len(pairs))))
        graph = nx.DiGraph() if leads else nx.Graph()
        graph.add_nodes_from(range(count))
        graph.add_edges_from(pairs)
        rows = torch.from_numpy(table(rng, values, rng.randint(1, 3), len(pairs))).to(rng.choice(DTYPES))
        return graph, *rng.sample(range(count), 2), rows

    return seeded(make)


def total(row, chosen):
    return sum((Fraction(row[edge]) for edge in chosen), Fraction(0))


def chosen_edges(z):
    return sorted(z.nonzero().flatten().tolist())


def all_paths(solver, start, goal):
    """Edges, in order, of all simple paths."""
    number = {}
    for edge, (u, v) in enumerate(solver.edges):
        number[u, v] = edge
        if not solver.directed:
            number[v, u] = edge
    stack = [([start], [])]
    while stack:
        nodes, path = stack.pop()
        if nodes[-1] == goal:
            yield path
            continue
        stack += [([*nodes, v], [*path, edge]) for (u, v), edge in number.items() if u == nodes[-1] and v not in nodes]


def check_paths(graph, start, goal, costs):
    if not nx.has_path(graph, start, goal):
        with pytest.raises(ValueError, match="no path leads to it"):
            ShortestPath(graph, start, goal)
        return
    solver = ShortestPath(graph, start, goal)
    paths = list(all_paths(solver, start, goal))
    for row in costs:
        possible = [path for path in paths if all(row[edge] < np.inf for edge in path)]
        theta = -row[None]
        if not possible:
            with pytest.raises(ValueError, match="cut it off"):
                solver(theta)
            continue
        best = min(possible, key=lambda path: (total(row.tolist(), path), len(path), path[::-1]))
        assert chosen_edges(solver(theta)[0]) == sorted(best)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems(EXACT))
def test_paths_of_costs_that_are_not_negative(problem):
    check_paths(*problem)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems([*EXACT, -1.0, -1.0, -2.0, -0.5, -1024.0], directed=True, acyclic=True))
def test_acyclic_paths_of_any_costs(problem):
    check_paths(*problem)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems(EXACT, directed=True), lists([-2.0, 0.0, 0.0, 1.0, 3.0], 5, 5))
def test_paths_of_negative_costs_without_a_negative_cycle(problem, potentials):
    graph, start, goal, costs = problem
    shift = torch.tensor([potentials[u] - potentials[v] for u, v in graph.edges()], dtype=costs.dtype)
    check_paths(graph, start, goal, costs + shift)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems([*EXACT, -1.0, -1.0, -2.0, -0.5], directed=True))
def test_a_negative_cycle_on_the_way_is_an_error_and_no_other(problem):
    graph, start, goal, costs = problem
    if not nx.has_path(graph, start, goal):
        return
    solver = ShortestPath(graph, start, goal)
    for row in costs:
        left = nx.DiGraph()
        left.add_nodes_from(graph)
        left.add_weighted_edges_from(
            (u, v, cost) for (u, v), cost in zip(solver.edges, row.tolist(), strict=True) if cost < np.inf
        )
        on_way = (nx.descendants(left, start) | {start}) & (nx.ancestors(left, goal) | {goal})
        if nx.has_path(left, start, goal) and nx.negative_edge_cycle(left.subgraph(on_way).copy()):
            with pytest.raises(ValueError, match="theta: got a cycle of negative cost") as caught:
                solver(-row[None])
            cycle = [int(node) for node in str(caught.value).split("cost ")[1].split(";")[0].split(" -> ")]
            assert cycle[0] == cycle[-1] == min(cycle)
            assert sum(left.edges[edge]["weight"] for edge in itertools.pairwise(cycle)) < 0
        else:
            check_paths(graph, start, goal, row[None])


def test_a_cycle_that_is_negative_by_rounding_only_is_no_error():
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "d"), ("d", "b"), ("d", "e")])
    costs = {("a", "b"): 0.0, ("b", "c"): 1e16, ("c", "d"): 1.0, ("d", "b"): -1e16, ("d", "e"): 0.0}
    solver = ShortestPath(graph, "a", "e")
    row = torch.tensor([[-costs[edge] for edge in solver.edges]], dtype=torch.float64)
    assert solver(row).tolist() == [[float(edge != ("d", "b")) for edge in solver.edges]]
    costs |= {("a", "b"): 2.0**53, ("b", "c"): 1.0, ("c", "d"): 1.0, ("d", "b"): -1.5}
    row = torch.tensor([[-costs[edge] for edge in solver.edges]], dtype=torch.float64)
    assert solver(row).tolist() == [[float(edge != ("d", "b")) for edge in solver.edges]]


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems(COSTS, most=6))
def test_paths_with_rounding_are_best_up_to_it(problem):
    graph, start, goal, costs = problem
    if not nx.has_path(graph, start, goal):
        return
    solver = ShortestPath(graph, start, goal)
    for row in costs:
        possible = [path for path in all_paths(solver, start, goal) if all(row[edge] < np.inf for edge in path)]
        if possible:
            best = min(float(total(row.tolist(), path)) for path in possible)
            path = chosen_edges(solver(-row[None])[0])
            assert path in [sorted(other) for other in possible]
            assert float(total(row.tolist(), path)) <= best * (1 + 1e-15 * len(path))


def is_forest(solver, edges):
    graph = nx.Graph([solver.edges[edge] for edge in edges])
    return not edges or nx.is_forest(graph)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems([*COSTS, -1.0, -1e30, -0.1], directed=False), st.booleans())
def test_trees(problem, forest):
    graph, _, _, costs = problem
    if not nx.is_connected(graph) and not forest:
        with pytest.raises(ValueError, match="a spanning tree needs a connected graph"):
            SpanningTree(graph)
        return
    solver = SpanningTree(graph, forest)
    for row in costs:
        possible = [edge for edge in range(len(solver.edges)) if row[edge] < np.inf]
        parts = nx.Graph([solver.edges[edge] for edge in possible])
        parts.add_nodes_from(graph)
        size = len(graph) - nx.number_connected_components(parts)
        if size < len(graph) - 1 and not forest:
            with pytest.raises(ValueError, match="the graph is disconnected"):
                solver(-row[None])
            continue
        every = [edges for edges in itertools.combinations(possible, size) if is_forest(solver, edges)]
        rank = {edge: i for i, edge in enumerate(sorted(possible, key=lambda edge: (row[edge].item(), edge)))}
        best = min(every, key=lambda edges: (total(row.tolist(), edges), sorted(rank[edge] for edge in edges)))
        assert chosen_edges(solver(-row[None])[0]) == sorted(best)


def test_a_tree_takes_infinite_gain():
    assert SpanningTree(nx.cycle_graph(3))(torch.tensor([[1.0, 0.0, torch.inf]])).tolist() == [[1, 0, 1]]


def all_matchings(solver):
    for size in range(len(solver.nodes) // 2 + 1):
        for edges in itertools.combinations(range(len(solver.edges)), size):
            covered = [node for edge in edges for node in solver.edges[edge]]
            if len(set(covered)) == len(covered):
                yield edges


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems([*COSTS, -1.0, -1.0, -0.1, -0.2, -1e30, -2.0], directed=False, most=6), st.booleans())
def test_matchings(problem, perfect):
    graph, _, _, costs = problem
    every = [edges for edges in all_matchings(Matching(graph)) if len(edges) * 2 == len(graph) or not perfect]
    if not every:
        with pytest.raises(ValueError, match="got no perfect matching"):
            Matching(graph, perfect)
        return
    solver = Matching(graph, perfect)
    for row in costs:
        possible = [edges for edges in every if all(row[edge] < np.inf for edge in edges)]
        if not possible:
            with pytest.raises(ValueError, match="no matching is perfect"):
                solver(-row[None])
            continue
        best = min(possible, key=lambda edges: (total(row.tolist(), edges), len(edges), edges))
        assert chosen_edges(solver(-row[None])[0]) == sorted(best)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(problems([*COSTS, 5e-324, 2.0**-60, 2.0**60, 1e300, 1 - 2.0**-53]))
def test_cuts(problem):
    graph, s, t, costs = problem
    if not nx.has_path(graph, s, t):
        with pytest.raises(ValueError, match="no path leads to it"):
            MinCut(graph, s, t)
        return
    solver = MinCut(graph, s, t)
    others = [node for node in graph if node not in (s, t)]
    sides = [{s, *side} for size in range(len(others) + 1) for side in itertools.combinations(others, size)]

    def cut(side):
        return [
            edge
            for edge, (u, v) in enumerate(solver.edges)
            if (u in side and v not in side) or (not solver.directed and v in side and u not in side)
        ]

    for row in costs:
        possible = [side for side in sides if all(row[edge] < np.inf for edge in cut(side))]
        if not possible:
            with pytest.raises(ValueError, match="a cut needs an edge there that may be cut"):
                solver(-row[None])
            continue
        best = min(possible, key=lambda side: (total(row.tolist(), cut(side)), len(side)))
        assert chosen_edges(solver(-row[None])[0]) == cut(best)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_large_graphs_have_the_values_of_networkx(seed):
    graph = nx.gnm_random_graph(60, 200, seed=seed)
    nx.add_path(graph, range(60))
    costs = torch.rand(2, graph.number_of_edges(), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    path, tree, cut = ShortestPath(graph, 0, 59), SpanningTree(graph), MinCut(graph, 0, 59)
    values = [(solver(-costs) * costs).sum(dim=1) for solver in (path, tree, cut)]
    values.append((Matching(graph)(costs) * costs).sum(dim=1))
    for n, row in enumerate(costs.tolist()):
        for edge, cost in zip(path.edges, row, strict=True):
            graph.edges[edge]["weight"] = cost
        expected = [
            nx.dijkstra_path_length(graph, 0, 59),
            nx.minimum_spanning_tree(graph).size("weight"),
            nx.minimum_cut_value(graph, 0, 59, "weight"),
            sum(graph.edges[edge]["weight"] for edge in nx.max_weight_matching(graph)),
        ]
        assert [value[n].item() for value in values] == pytest.approx(expected, rel=1e-12)
    whole = (costs * 1000).round()
    assert torch.equal(cut(-whole), cut(-whole * (1 + 2.0**-52)))


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(problems([0.0, 0.1, 0.2, 0.3, 1e16, 3.7], directed=True), lists([-1e16, 0.1, 0.7, 1e8], 5, 5))
def test_negative_costs_with_rounding_end_in_a_path_or_name_a_cycle(problem, potentials):
    graph, start, goal, costs = problem
    if not nx.has_path(graph, start, goal):
        return
    solver = ShortestPath(graph, start, goal)
    shift = torch.tensor([potentials[u] - potentials[v] for u, v in graph.edges()], dtype=torch.float64)
    for row in costs.double() + shift:
        cost = dict(zip(solver.edges, map(Fraction, row.tolist()), strict=True))
        cycles = [[*cycle, cycle[0]] for cycle in nx.simple_cycles(graph)]
        negative = any(sum(cost[edge] for edge in itertools.pairwise(cycle)) < 0 for cycle in cycles)
        try:
            path = chosen_edges(solver(-row[None])[0])
        except ValueError:
            assert negative
            continue
        paths = list(all_paths(solver, start, goal))
        assert path in [sorted(other) for other in paths]
        best = min(total(row.tolist(), other) for other in paths)
        assert negative or float(total(row.tolist(), path) - best) <= 1e-15 * 40 * row.abs().max().item()
