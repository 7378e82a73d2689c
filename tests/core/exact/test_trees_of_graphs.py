"""Spanning trees of several graphs: each instance as its graph alone."""

from itertools import pairwise

import networkx as nx
import pytest
import torch

from draws import generator, normal
from imle_core.checks import ArgumentError
from imle_core.estimators import differentiable
from imle_core.exact import SpanningTreesOfGraphs
from imle_core.solvers import SpanningTree

GRAPHS = [nx.cycle_graph(4), nx.empty_graph(1), nx.complete_graph(5), nx.path_graph(3)]
EDGES = [list(graph.edges()) for graph in GRAPHS]


def padded(values, sizes):
    rows = torch.full((len(sizes), max(sizes)), -torch.inf, dtype=values.dtype)
    for row, part in zip(rows, values.split(sizes), strict=True):
        row[: len(part)] = part
    return rows


@pytest.mark.parametrize("fill", [-torch.inf, 3.0])
def test_answers_are_those_of_each_graph_alone(fill):
    family, sizes = SpanningTreesOfGraphs(EDGES), list(map(len, EDGES))
    theta = padded(normal(sum(sizes)), sizes)
    theta = torch.where(theta.isinf(), fill, theta).repeat_interleave(2, dim=0)
    theta[1::2] *= 0.5
    for number, (alone, size) in enumerate(zip(family.graphs, sizes, strict=True)):
        rows = slice(2 * number, 2 * number + 2)
        if alone is None:
            assert family.log_partition(theta)[rows].tolist() == [0, 0]
            continue
        for ask in ("log_partition", "entropy"):
            torch.testing.assert_close(getattr(family, ask)(theta)[rows], getattr(alone, ask)(theta[rows, :size]))
        means = family.marginals(theta)[rows]
        torch.testing.assert_close(means[:, :size], alone.marginals(theta[rows, :size]))
        assert not means[:, size:].any()
    torch.testing.assert_close(family.kl(theta, theta), torch.zeros(8).double())


def test_samples_are_trees_of_their_graphs_with_the_right_frequencies():
    family, solver = SpanningTreesOfGraphs(EDGES), SpanningTree(GRAPHS)
    theta = torch.zeros(4, 10).double()
    theta[:, 0] = 1.0
    z = family.sample(theta, 4000, generator())
    assert z.sum(dim=2).unique(dim=1).flatten().tolist() == [3, 0, 4, 2]
    assert float((z.mean(dim=1) - family.marginals(theta)).abs().max()) < 5 * 0.5 / 4000**0.5
    few = z[:, :5].flatten(0, 1)
    rows = torch.where(few > 0, 1.0, -1.0)
    for b, size in enumerate(map(len, EDGES)):
        rows[5 * b : 5 * b + 5, size:] = -torch.inf
    assert torch.equal(solver(rows), few)


@pytest.mark.parametrize("name", ["simple", "score-function-exact"])
def test_estimators_with_exact_samples_take_lists_of_graphs(name):
    solver, source = SpanningTree(GRAPHS), generator(1)
    layer = differentiable(name, solver, nb_samples=3, generator=source)
    values, offsets = normal(16, dtype=torch.float32), solver.offsets.tolist()
    weights = normal(3, 16, seed=1, dtype=torch.float32)

    def loss(states):
        return torch.stack([(states * weights)[:, a:b].sum(dim=1) for a, b in pairwise(offsets)], dim=1)

    theta = values.clone().requires_grad_()
    layer.estimate_ragged(theta, offsets, loss).sum().backward()
    assert theta.grad[:14].abs().sum() > 0
    assert theta.grad[14:].abs().max() < 1e-6  # a graph that is a tree has no other
    rows = padded(values, [4, 0, 10, 2]).requires_grad_()
    layer.estimate(rows, lambda z: (z * z[:, :1]).sum(dim=1)).sum().backward()
    assert rows.grad.isfinite().all()


def test_what_is_refused():
    family = SpanningTreesOfGraphs(EDGES)
    for work in (family.count, family.states, lambda: family.expectation(torch.zeros(4, 10), torch.sum)):
        with pytest.raises(
            ArgumentError, match=r"^states: there are 4 graphs; instances of different graphs have different"
        ):
            work()
    with pytest.raises(ArgumentError, match=r"^theta: got 3 rows for 4 graphs; each graph has as many rows as the others"):
        family.marginals(torch.zeros(3, 10))
    with pytest.raises(ArgumentError, match=r"^edges: got none; a spanning tree needs at least one"):
        SpanningTreesOfGraphs([[], []])
