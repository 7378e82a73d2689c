"""Graphs as edge indices: each edge once or in both directions, against the same graph of networkx, and refusals."""

import re

import networkx as nx
import numpy as np
import pytest
import torch

from draws import normal
from imle_core.exact import family_of
from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree

GRAPH = nx.MultiGraph(
    [(0, 3), (1, 0), (1, 2), (2, 2), (3, 4), (4, 2), (1, 4), (0, 5), (5, 3), (0, 3), (2, 5)]
)  # one loop, and two edges between 0 and 3
ONCE = torch.tensor(list(GRAPH.edges())).T
KINDS = {
    "tree": (lambda graph, **settings: SpanningTree(graph, **settings), 1),
    "matching": (lambda graph, **settings: Matching(graph, **settings), 1),
    "path": (lambda graph, **settings: ShortestPath(graph, 0, 2, **settings), -1),
    "cut": (lambda graph, **settings: MinCut(graph, 0, 2, **settings), -1),
}


def both_ways(order):
    """The graph with each edge in both directions, loops once, in some order; and which edge each entry is."""
    edges = torch.arange(ONCE.shape[1])
    loops = ONCE[0] == ONCE[1]
    index, edge = torch.cat([ONCE, ONCE[:, ~loops].flip(0)], dim=1), torch.cat([edges, edges[~loops]])
    return index[:, order], edge[order]


@pytest.mark.parametrize("kind", KINDS)
class TestKinds:
    def test_each_edge_once_is_the_graph_itself(self, kind):
        make, sign = KINDS[kind]
        theta = sign * normal(20, 11).abs()
        expected = make(list(GRAPH.edges()))(theta)
        for form in (ONCE, ONCE.int(), ONCE.numpy(), ONCE.tolist()):
            solver = make(form, num_nodes=6)
            assert torch.equal(solver(theta), expected)
            assert (solver.nodes, len(solver.edges), solver.directed) == (list(range(6)), 11, False)

    @pytest.mark.parametrize("seed", [None, 0, 1])
    def test_both_directions_share_a_parameter_and_a_solution(self, kind, seed):
        make, sign = KINDS[kind]
        total = 21
        order = torch.arange(total) if seed is None else torch.randperm(total, generator=torch.Generator().manual_seed(seed))
        index, edge = both_ways(order)
        if seed is not None:  # the first entries of parallel edges belong together, whatever the order
            edge = paired_in_order(index)
        theta = sign * normal(20, total).abs()
        theta[3, (edge == 6).nonzero()[0]] = -torch.inf
        sums = torch.zeros(20, int(edge.max()) + 1, dtype=torch.float64).index_add_(1, edge, theta.double())
        ends = [tuple(index[:, (edge == number).nonzero()[0, 0]].tolist()) for number in range(sums.shape[1])]
        expected = make(ends)(sums)
        assert torch.equal(make(index, num_nodes=6)(theta), expected[:, edge].to(theta))


def paired_in_order(index):
    """Number of the edge of each entry, in the order of appearance."""
    numbers, waiting = [], {}
    count = 0
    for u, v in index.T.tolist():
        if u != v and waiting.get((v, u)):
            numbers.append(waiting[v, u].pop(0))
            continue
        numbers.append(count)
        if u != v:
            waiting.setdefault((u, v), []).append(count)
        count += 1
    return torch.tensor(numbers)


def test_a_path_s_nodes_from_a_mask_over_both_directions():
    solver = ShortestPath([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]], 0, 3, num_nodes=4)
    mask = solver(-torch.ones(1, 6))[0]
    assert (mask.tolist(), solver.path_nodes(mask)) == ([1] * 6, [0, 1, 2, 3])


def test_directed_edges_lead_one_way():
    index = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 2]])
    assert ShortestPath(index, 2, 1, num_nodes=3, directed=True)(-torch.ones(1, 4)).tolist() == [[1, 0, 1, 0]]
    both = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    assert ShortestPath(both, 0, 2, num_nodes=3, directed=True)(-torch.ones(1, 4)).tolist() == [[1, 0, 1, 0]]


def test_a_graph_with_an_edge_in_one_direction_only_lists_each_edge_once():
    index = torch.tensor([[0, 1, 1], [1, 0, 2]])
    assert SpanningTree(index, num_nodes=3)(torch.tensor([[1.0, 2.0, 0.0]])).tolist() == [[0, 1, 1]]


def test_nodes_without_edges_count():
    with pytest.raises(ValueError, match=r"^graph: got no path between 0 and 2; a spanning tree needs a connected graph;"):
        SpanningTree([[0, 1], [1, 0]], num_nodes=3)
    assert SpanningTree([[0, 1], [1, 0]], forest=True, num_nodes=3)(torch.ones(1, 2)).tolist() == [[1, 1]]


def test_the_exact_distribution_is_not_that_of_separate_edges():
    assert family_of(SpanningTree([[0, 1], [1, 0]], num_nodes=2), (2,)) is None
    assert family_of(SpanningTree([[0], [1]], num_nodes=2), (1,)) is not None


ERRORS = {
    "graph: got node 3; nodes are numbers from 0 to 2; raise num_nodes": ([[0, 3], [1, 0]], 3),
    "graph: got node -1; nodes are numbers from 0 to 2; raise num_nodes": (torch.tensor([[0, -1], [1, 0]]), 3),
    "graph: got shape (3, 2), int64; with num_nodes it is an edge_index (2, E) of whole numbers; give two rows of nodes": (
        np.zeros((3, 2), np.int64),
        3,
    ),
    "graph: got shape (2, 1), float32; with num_nodes it is an edge_index (2, E) of whole numbers; give two rows of nodes": (
        torch.zeros(2, 1),
        3,
    ),
    "graph: got no edges; with num_nodes it is an edge_index (2, E) of whole numbers; give two rows of nodes": (
        [[0], []],
        3,
    ),
    "graph: got no edges; a solver on edges needs at least one; add an edge": (torch.zeros(2, 0, dtype=torch.int64), 3),
    "num_nodes: got 0; it must be a whole number >= 1; count nodes without edges, too": ([[0], [1]], 0),
    "num_nodes: got 2.0; it must be a whole number >= 1; count nodes without edges, too": ([[0], [1]], 2.0),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    graph, num_nodes = ERRORS[message]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SpanningTree(graph, num_nodes=num_nodes)


def test_parameters_that_disagree_with_the_graph():
    solver = SpanningTree([[0, 1, 1, 2], [1, 0, 2, 1]], num_nodes=3)
    with pytest.raises(ValueError, match=r"^theta: got shape \(1, 2\); a graph of 4 edges needs \(N, 4\);"):
        solver(torch.zeros(1, 2))
    huge = torch.full((1, 4), 1.5e308, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"^theta: got entries whose sum is infinite; both directions of an edge add up;"):
        solver(huge)
    assert solver(huge.clamp(max=3e38).float()).tolist() == [[1, 1, 1, 1]]


def test_without_the_number_of_nodes_a_tensor_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"of an edge_index \(2, E\) say its number of nodes, num_nodes=\.\.\."):
        SpanningTree(ONCE)
