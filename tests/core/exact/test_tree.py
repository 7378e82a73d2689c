"""Exact spanning trees: Cayley's formula, determinants, wide ranges of weights, sizes, errors."""

import re
from fractions import Fraction
from itertools import combinations

import networkx as nx
import pytest
import torch

from imle_core.exact import SpanningTrees
from imle_core.solvers import SpanningTree


def complete(nodes):
    return SpanningTrees(combinations(range(nodes), 2))


def theta_of(family, rows=2, seed=0):
    return torch.randn(rows, *family.event, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def z_scores(counts, probabilities, nb_samples):
    return (counts - nb_samples * probabilities) / (nb_samples * probabilities * (1 - probabilities)).sqrt()


@pytest.mark.parametrize("nodes", [2, 3, 4, 7, 40])
def test_cayleys_formula(nodes):
    family = complete(nodes)
    assert family.count() == nodes ** (nodes - 2)
    theta = torch.zeros(1, *family.event)
    assert family.log_partition(theta).item() == pytest.approx(
        torch.tensor(float(nodes)).log().item() * (nodes - 2), rel=1e-6
    )
    torch.testing.assert_close(family.marginals(theta), torch.full_like(theta, 2 / nodes, dtype=torch.float64))


def test_log_partition_is_the_determinant_of_a_laplacian():
    family = complete(20)
    theta = theta_of(family)
    for row, found in zip(theta, family.log_partition(theta), strict=True):
        weights = torch.zeros(20, 20, dtype=torch.float64)
        for (u, v), value in zip(family.edges, row, strict=True):
            weights[u, v] = weights[v, u] = value.exp()
        torch.testing.assert_close(found, (weights.sum(dim=1).diag() - weights)[1:, 1:].logdet(), rtol=1e-12, atol=0)


def exact_marginals(family, theta):
    """Sums over all trees in whole numbers of two to the power of theta, which is whole and in units of log 2."""
    powers = [Fraction(2) ** int(value) for value in theta]
    total, sums = Fraction(0), [Fraction(0)] * len(powers)
    for z in family.states().bool().tolist():
        weight = Fraction(1)
        for power, bit in zip(powers, z, strict=True):
            weight *= power if bit else 1
        total += weight
        sums = [have + weight if bit else have for have, bit in zip(sums, z, strict=True)]
    return torch.tensor([float(have / total) for have in sums], dtype=torch.float64)


@pytest.mark.parametrize("seed", range(6))
def test_weights_that_span_e_to_the_800_both_ways(seed):
    family = complete(5)
    powers = torch.randint(-1154, 1155, (1, 10), generator=torch.Generator().manual_seed(seed)).double()
    if seed % 2:
        powers = (powers / 577).round() * 577  # many ties
    marginals = family.marginals(powers * torch.tensor(2.0, dtype=torch.float64).log())
    assert marginals.sum().item() == pytest.approx(4, rel=1e-12)
    torch.testing.assert_close(marginals[0], exact_marginals(family, powers[0]), rtol=1e-9, atol=1e-12)


def test_marginals_approach_the_solver():
    family = SpanningTrees(nx.grid_2d_graph(4, 5).edges)
    best = SpanningTree(nx.grid_2d_graph(4, 5))
    assert family.edges == best.edges
    theta = theta_of(family, rows=5)
    torch.testing.assert_close(family.marginals(theta * 1e6), best(theta), rtol=0, atol=1e-9)


def test_marginals_do_not_depend_on_the_order_of_nodes_and_edges():
    family = complete(8)
    theta = theta_of(family)
    order = torch.randperm(28, generator=torch.Generator().manual_seed(1))
    edges = [family.edges[i][:: 1 if i % 2 else -1] for i in order]
    torch.testing.assert_close(SpanningTrees(edges).marginals(theta[:, order]), family.marginals(theta)[:, order])


def test_states_are_all_trees():
    for graph in (nx.complete_graph(6), nx.cycle_graph(9), nx.path_graph(4), nx.grid_2d_graph(3, 3), nx.petersen_graph()):
        family = SpanningTrees(graph.edges)
        states = family.states()
        assert len(states.unique(dim=0)) == len(states) == family.count()
        for z in states[:: max(1, len(states) // 50)].bool().tolist():
            tree = nx.Graph([edge for edge, bit in zip(family.edges, z, strict=True) if bit])
            assert len(tree) == len(graph)
            assert nx.is_tree(tree)


def test_samples_at_size_are_trees_with_the_exact_marginals_of_single_edges_and_of_pairs():
    family, nb_samples = complete(12), 4000
    theta = 2 * theta_of(family, rows=1)
    z = family.sample(theta, nb_samples, torch.Generator().manual_seed(2))[0]
    graphs = [nx.Graph([edge for edge, bit in zip(family.edges, row, strict=True) if bit]) for row in z[:100].tolist()]
    assert all(len(graph) == 12 and nx.is_tree(graph) for graph in graphs)
    means = family.marginals(theta)[0]
    pairs = family.covariance(theta)[0] + means[:, None] * means
    likely = (nb_samples * pairs > 20) & (pairs < 1 - 1e-9)
    assert likely.sum() > 100
    assert (z_scores(z.T @ z, pairs, nb_samples)[likely].abs() < 4.5).all()


def test_samples_where_random_walks_would_not_end():
    # Two clusters of strong edges, joined by edges whose weights are e^-800 of theirs.
    family = SpanningTrees([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (0, 3), (1, 4)])
    theta = torch.tensor([[800.0, 800.0, 800.0, 800.0, 800.0, 800.0, 0.0, 0.0]])
    z = family.sample(theta, 3000, torch.Generator().manual_seed(3))[0]
    assert (z[:, 6:].sum(dim=1) == 1).all()
    expected = torch.tensor([2 / 3] * 6 + [1 / 2] * 2)
    assert (z_scores(z.sum(dim=0), expected, 3000).abs() < 4.5).all()


JOINED = "a spanning tree needs a connected graph; add edges"
ERRORS = {
    "edges: got none; a spanning tree needs at least one; add an edge": [],
    "edges: got 'ab' as an edge; an edge is a pair of nodes; give pairs (u, v)": ["ab"],
    "edges: got (0, 1, 2) as an edge; an edge is a pair of nodes; give pairs (u, v)": [(0, 1, 2)],
    "edges: got a self-loop at 1; an edge must join two nodes; take it away": [(0, 1), (1, 1)],
    "edges: got parallel edges between 1 and 0; two nodes may have one edge; make them one, with the logaddexp of their "
    "parameters": [(0, 1), (1, 0)],
    f"edges: got no path between 'a' and 'c'; {JOINED}": [("a", "b"), ("c", "d")],
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SpanningTrees(ERRORS[message])


def test_closed_edges_that_separate_nodes_are_refused():
    family = SpanningTrees([(0, 1), (1, 2), (0, 2), (2, 3)])
    theta = torch.zeros(2, 4)
    theta[0, 0] = -torch.inf
    assert family.marginals(theta)[0].tolist() == [0, 1, 1, 1]
    theta[1, 3] = -torch.inf
    message = "theta: -inf leaves no structure in row 1 of 2; a structure needs finite entries; open some"
    with pytest.raises(ValueError, match=f"^{message}$"):
        family.marginals(theta)
