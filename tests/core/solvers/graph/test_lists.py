"""Lists of graphs, one an instance: each exactly as it is alone, in every form of lists, and refusals."""

import copy
import pickle
import re
from functools import partial

import networkx as nx
import numpy as np
import pytest
import torch

from draws import normal
from imle_core import NormalNoiseDistribution, TargetDistribution, distinct_solutions, imle, marginals, perturb_and_map
from imle_core.checks import ArgumentError
from imle_core.estimators import ESTIMATORS, differentiable
from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree
from imle_core.solvers.graph.solver import in_parts

INF = torch.inf
KINDS = {
    "tree": lambda graph, _, **settings: SpanningTree(graph, **settings),
    "forest": lambda graph, _, **settings: SpanningTree(graph, forest=True, **settings),
    "matching": lambda graph, _, **settings: Matching(graph, **settings),
    "perfect": lambda graph, _, **settings: Matching(graph, perfect=True, **settings),
    "path": lambda graph, goal, **settings: ShortestPath(graph, 0, goal, **settings),
    "path with a floor": lambda graph, goal, **settings: ShortestPath(graph, 0, goal, floor=0.1, **settings),
    "cut": lambda graph, goal, **settings: MinCut(graph, 0, goal, **settings),
    "directed path": lambda graph, goal, **settings: ShortestPath(graph, 0, goal, directed=True, **settings),
    "directed cut": lambda graph, goal, **settings: MinCut(graph, 0, goal, directed=True, **settings),
}


def graphs_of(kind):
    """Connected graphs of a few nodes as pairs (edge_index, num_nodes), of several forms unless they are directed."""
    pairs = []
    for seed, size in enumerate([6, 2, 4, 8] if kind == "perfect" else [2, 6, 4, 9]):
        generator = torch.Generator().manual_seed(seed)
        path = torch.stack([torch.arange(size - 1), torch.arange(1, size)])
        index = torch.cat([path, torch.randint(size, (2, 2 * size - 2), generator=generator)], dim=1)
        if seed == 1 and "directed" not in kind:
            index = torch.cat([index, index[:, index[0] != index[1]].flip(0)], dim=1)
        if kind == "directed path" and seed != 2:  # the others have no cycles
            index = index.sort(dim=0).values
        pairs.append((index[:, torch.randperm(index.shape[1], generator=generator)], size))
    return pairs


def ragged(pairs, samples, whole=False):
    """Parameters for samples of each graph, padded with -inf."""
    rows = torch.full((len(pairs) * samples, max(index.shape[1] for index, _ in pairs)), -INF)
    for graph, (index, _) in enumerate(pairs):
        edges = normal(samples, index.shape[1], seed=graph).sub(0.5)
        rows[graph * samples : (graph + 1) * samples, : index.shape[1]] = (2 * edges).round() if whole else edges
    return rows


def alone(solve, pairs, theta):
    """Solutions of the rows of each graph by a solver of its own."""
    z, samples = torch.zeros_like(theta), len(theta) // len(pairs)
    for graph, (index, size) in enumerate(pairs):
        rows = slice(graph * samples, (graph + 1) * samples)
        z[rows, : index.shape[1]] = solve(index, size - 1, num_nodes=size)(theta[rows, : index.shape[1]])
    return z


@pytest.mark.parametrize("kind", KINDS)
class TestKinds:
    @pytest.mark.slow
    @pytest.mark.parametrize("whole", [False, True])
    def test_each_graph_is_solved_as_it_is_alone(self, kind, whole):
        solve, pairs = KINDS[kind], graphs_of(kind)
        theta = ragged(pairs, 7, whole)
        if kind == "directed path":
            theta = theta.where(theta < 0, 0.0 if whole else -0.25)
        solver = solve(pairs, [size - 1 for _, size in pairs])
        z = solver(theta)
        assert torch.equal(z, alone(solve, pairs, theta))
        assert torch.equal(solver(theta.double()), z.double())
        for graph, (index, _) in enumerate(pairs):
            single = solver.graph(graph)
            rows = slice(7 * graph, 7 * graph + 7)
            assert torch.equal(single(theta[rows, : index.shape[1]]), z[rows, : index.shape[1]])
            assert (single.offsets, single.edges) == (None, solver.edges[graph])

    def test_all_forms_of_lists_are_the_same(self, kind):
        solve, pairs = KINDS[kind], graphs_of(kind)
        indices, sizes = [index for index, _ in pairs], [size for _, size in pairs]
        starts = [0, *np.cumsum(sizes).tolist()]
        through = torch.cat([index + start for index, start in zip(indices, starts[:-1], strict=True)], dim=1)
        goals = [size - 1 for size in sizes]
        theta = ragged(pairs, 2).clamp(max=0)
        expected = solve(pairs, goals)(theta)
        for graph, settings in (
            ([index.numpy() for index in indices], {"num_nodes": sizes}),
            (tuple(index.tolist() for index in indices), {"num_nodes": torch.tensor(sizes)}),
            ([(index.tolist(), size) for index, size in pairs], {}),
        ):
            assert torch.equal(solve(graph, torch.tensor(goals), **settings)(theta), expected)
        if kind in ("path", "path with a floor", "cut", "directed path", "directed cut"):
            return  # their ends are numbered through as well, which has a test of its own
        for settings in ({"num_nodes": sizes}, {"ptr": torch.tensor(starts)}, {"ptr": starts, "num_nodes": starts[-1]}):
            assert torch.equal(solve(through, goals, **settings)(theta), expected)
            assert torch.equal(solve(through.tolist(), goals, **settings)(theta), expected)

    def test_copies_and_pickles(self, kind):
        pairs = graphs_of(kind)
        solver, theta = KINDS[kind](pairs, [size - 1 for _, size in pairs]), ragged(pairs, 3).clamp(max=0)
        for again in (pickle.loads(pickle.dumps(solver)), copy.deepcopy(solver)):
            assert torch.equal(again(theta), solver(theta))
        assert solver.typical_ones((9,)) == pytest.approx(sum(solver.graph(b).typical_ones((9,)) for b in range(4)) / 4)


def test_networkx_graphs_and_edge_indices_in_one_list():
    graphs = [nx.Graph([("a", "b"), ("b", "c"), ("a", "c")]), ([[0, 1], [1, 0]], 2)]
    solver = SpanningTree(graphs)
    assert solver.nodes == [["a", "b", "c"], [0, 1]]
    assert solver.edges == [[("a", "b"), ("a", "c"), ("b", "c")], [(0, 1), (1, 0)]]
    assert solver.offsets.tolist() == [0, 3, 5]
    assert solver(torch.tensor([[1.0, 3.0, 2.0], [5.0, 5.0, -INF]])).tolist() == [[0, 1, 1], [1, 1, 0]]
    assert len(SpanningTree(iter(graphs)).nodes) == 2
    assert repr(solver) == "SpanningTree(graphs=2, nodes=5, edges=5, forest=False)"


def test_nodes_that_are_numbered_through_keep_their_numbers():
    index = torch.tensor([[0, 1, 2, 3, 4, 2], [1, 0, 3, 4, 2, 4]])
    solver = ShortestPath(index, [0, 3], [1, 2], ptr=[0, 2, 5], directed=True)
    assert (solver.nodes, solver.edges) == ([[0, 1], [2, 3, 4]], [[(0, 1), (1, 0)], [(2, 3), (3, 4), (4, 2), (2, 4)]])
    z = solver(torch.tensor([[-1.0, -1.0, -INF, -INF], [-1.0, -1.0, -1.0, -1.0]]))
    assert z.tolist() == [[1, 0, 0, 0], [0, 1, 1, 0]]
    assert solver.path_nodes(z) == [[0, 1], [3, 4, 2]]
    assert repr(solver) == "ShortestPath(graphs=2, nodes=5, edges=6, start=[0, 3], goal=[1, 2])"


def test_a_node_that_all_graphs_have():
    graphs = [nx.path_graph(3), nx.cycle_graph(5)]
    z = MinCut(graphs, 0, 2)(torch.tensor([[-1.0, -2.0, -INF, -INF, -INF], [-1.0, -3.0, -3.0, -3.0, -3.0]]))
    assert z.sum(dim=1).tolist() == [1, 2]


def test_graphs_without_edges_have_empty_solutions():
    graphs = [(torch.zeros(2, 0, dtype=torch.int64), 1), ([[0], [1]], 2), ([[], []], 1)]
    for solver in (SpanningTree(graphs), SpanningTree(graphs, forest=True), Matching(graphs)):
        assert solver(torch.tensor([[-INF], [1.0], [-1.0]])).tolist() == [[0], [1], [0]]  # as padding of nothing may be
        assert solver(torch.ones(0, 1)).shape == (0, 1)
    assert Matching([nx.empty_graph(2)])(torch.zeros(1, 0)).shape == (1, 0)
    assert SpanningTree([nx.MultiGraph([(0, 0)]), nx.path_graph(2)])(torch.ones(2, 1)).tolist() == [[0], [1]]


def test_rows_may_be_wider_than_the_largest_graph():
    solver = SpanningTree([nx.path_graph(2), nx.path_graph(3)])
    theta = torch.tensor([[1.0, -INF, -INF, -INF], [1.0, 1.0, -INF, -INF]])
    assert solver(theta).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0]]


CYCLE, PATH = nx.cycle_graph(3), nx.path_graph(3)
INDEX = [[0, 1], [1, 2]]
THROUGH = [[0, 1, 2], [1, 0, 3]]
ERRORS = {
    "graph: got a list, graph 1 of 2; a list of graphs has networkx graphs or pairs (edge_index, num_nodes); "
    "give all of them in these forms": lambda: SpanningTree([CYCLE, [(0, 1)]]),
    "graph: got a tuple, graph 0 of 2; a list of graphs has networkx graphs or pairs (edge_index, num_nodes); "
    "give all of them in these forms": lambda: SpanningTree([(0, 1), CYCLE]),
    "graph: got 2 edge indices; a list of graphs has networkx graphs or pairs (edge_index, num_nodes); "
    "give num_nodes=[...], a number for each, too": lambda: SpanningTree([torch.tensor(INDEX), torch.tensor(INDEX)]),
    "graph: got an empty list; a batch has a graph at least; give one": lambda: SpanningTree([], num_nodes=[]),
    "graph: got node 2, graph 1 of 2; nodes are numbers from 0 to 1; raise num_nodes": lambda: SpanningTree(
        [INDEX, INDEX], num_nodes=[3, 2]
    ),
    "graph: got no path between 0 and 3, graph 1 of 2; a spanning tree needs a connected graph; "
    "add edges, or use forest=True": lambda: SpanningTree([(INDEX, 3), (INDEX, 4)]),
    "graph: got no perfect matching of its 3 nodes, graph 1 of 2; perfect=True needs one; "
    "add edges, or use perfect=False": lambda: Matching([nx.path_graph(2), CYCLE], perfect=True),
    "graph: got a directed graph, graph 1 of 2, an undirected graph before it; edges have a direction in all graphs of a "
    "list or in none; convert some": lambda: ShortestPath([CYCLE, nx.DiGraph(CYCLE)], 0, 1),
    "directed: got True with an undirected graph, graph 1 of 2; its edges have no order from node to node; "
    "give a DiGraph, or a list of edges": lambda: MinCut([nx.DiGraph(CYCLE), CYCLE], 0, 1, directed=True),
    "graph: got a directed graph; a matching needs an undirected one; give graph.edges(), pairs without direction": lambda: (
        Matching([nx.DiGraph(CYCLE)])
    ),
    "num_nodes: got 1 numbers for 2 graphs; each has its own; give as many as graphs": lambda: SpanningTree(
        [INDEX, INDEX], num_nodes=[3]
    ),
    "num_nodes: got 0, graph 1 of 2; it must be a whole number >= 1; count nodes without edges, too": lambda: SpanningTree(
        INDEX, num_nodes=[3, 0]
    ),
    "num_nodes: got 3; ptr ends at 4; leave num_nodes out": lambda: SpanningTree(THROUGH, num_nodes=3, ptr=[0, 2, 4]),
    "ptr: got [0, 3] for a list of graphs; it is for one edge_index (2, E); leave it out, or give num_nodes=[...]": lambda: (
        SpanningTree([CYCLE, PATH], ptr=[0, 3])
    ),
    "num_nodes: got 3 for a list of graphs; it is for one edge_index (2, E); "
    "leave it out, or give num_nodes=[...]": lambda: SpanningTree([CYCLE, PATH], num_nodes=3),
    "ptr: got 1 at 0; it rises from 0 to the number of nodes; every graph has a node at least": lambda: SpanningTree(
        THROUGH, ptr=[1, 2, 4]
    ),
    "ptr: got 2 at 2; it rises from 0 to the number of nodes; every graph has a node at least": lambda: SpanningTree(
        THROUGH, ptr=[0, 2, 2, 4]
    ),
    "ptr: got a list; it has whole numbers (B + 1,); give where each graph's nodes begin": lambda: SpanningTree(
        THROUGH, ptr=[0.0, 4.0]
    ),
    "graph: got an edge from node 1 of graph 0 to node 2 of graph 1; an edge has both nodes in one graph; "
    "look at ptr or num_nodes": lambda: SpanningTree([[0, 1, 2], [1, 2, 3]], ptr=[0, 2, 4]),
    "graph: got an edge of graph 0 after one of graph 1; edges come graph by graph; "
    "sort them by graph, and theta with them": lambda: SpanningTree([[2, 0], [3, 1]], ptr=[0, 2, 4]),
    "graph: got node 4; nodes are numbers from 0 to 3; raise num_nodes": lambda: SpanningTree(
        [[0, 2], [1, 4]], num_nodes=[2, 2]
    ),
    "start: got 3 nodes for 2 graphs; it is a node of each graph; give a list of nodes, or a node that all have": lambda: (
        ShortestPath([CYCLE, PATH], [0, 1, 2], 2)
    ),
    "goal: got 7, graph 1 of 2; it is no node of the graph; the nodes are 0, 1, 2": lambda: ShortestPath(
        [CYCLE, PATH], 0, [1, 7]
    ),
    "goal: got 0, graph 1 of 2; it is the start as well; choose another node": lambda: ShortestPath(
        [CYCLE, PATH], 0, [1, 0]
    ),
    "t: got 0, graph 1 of 2; no path leads to it from 2; add edges, or choose another node": lambda: MinCut(
        [(INDEX, 3), (INDEX, 3)], [0, 2], [2, 0], directed=True
    ),
    "theta: got 3 rows for 2 graphs; each graph has as many rows, next to each other; "
    "give a row for each graph in the list, and for each sample": lambda: SpanningTree([CYCLE, PATH])(torch.ones(3, 3)),
    "theta: got shape (2, 2); 2 graphs of up to 3 edges need (N, 3); give one entry an edge, in the order of solver.edges, "
    "and -inf after those of smaller graphs": lambda: SpanningTree([CYCLE, PATH])(torch.ones(2, 2)),
    "theta: got entries after the 2 edges in row 1 of 2, graph 1 of 2; padding is -inf; pad rows with -inf, and give them "
    "in the order of the graphs": lambda: SpanningTree([CYCLE, PATH])(torch.ones(2, 3)),
    "theta: got entries after the 3 edges in row 0 of 2, graph 0 of 1; padding is -inf; pad rows with -inf, and give them "
    "in the order of the graphs": lambda: SpanningTree([CYCLE])(torch.ones(2, 4)),
    "theta: got -inf on edges without which the graph is disconnected in row 1 of 2, graph 1 of 2; a spanning tree needs a "
    "connected graph; raise one of them, or use forest=True": lambda: SpanningTree([CYCLE, PATH])(
        torch.tensor([[1.0, 1.0, 1.0], [1.0, -INF, -INF]])
    ),
    "goal: got 2; edges of -inf cut it off from start 0 in row 1 of 2, graph 1 of 2; "
    "open a way or choose another node": lambda: ShortestPath([CYCLE, PATH], 0, 2)(
        torch.tensor([[-1.0, -1.0, -1.0], [-1.0, -INF, -INF]])
    ),
    "number: got 2; graphs have numbers from 0 to 1; give one of these": lambda: SpanningTree([CYCLE, PATH]).graph(2),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()


LAYERS = {name for name, entry in ESTIMATORS.items() if entry.needs != "gold solutions" and not entry.exact}


class Slices:
    """Noise that has values for each instance, ``(B, S, E)``."""

    def __init__(self, values):
        self.values = values

    def sample(self, shape):
        return self.values.reshape(shape).clone()

    def score(self, x):
        return -x


@pytest.mark.slow
@pytest.mark.parametrize("estimator", sorted(LAYERS - {"perturbed-multiplicative"}))
def test_every_estimator_gives_each_graph_the_gradient_that_it_has_alone(estimator):
    pairs, samples = graphs_of("tree"), 4
    theta = ragged(pairs, 1)
    eps, targets = normal(len(pairs), samples, theta.shape[1]).float(), normal(*theta.shape, seed=1).float()

    def gradient(solver, theta, eps, targets):
        layer = differentiable(estimator, solver, TargetDistribution(1.0, 2.0), Slices(eps), nb_samples=samples)
        theta = theta.clone().requires_grad_()
        weights = targets.repeat_interleave(samples, dim=0)
        layer.estimate(theta, lambda z: ((z - weights[: len(z)]) * z).sum(dim=1)).sum().backward()
        return theta.grad

    together = gradient(SpanningTree(pairs), theta, eps, targets)
    for graph, (index, size) in enumerate(pairs):
        edges, rows = index.shape[1], slice(graph, graph + 1)
        alone = SpanningTree(index, num_nodes=size)
        single = gradient(alone, theta[rows, :edges], eps[rows, :, :edges], targets[rows, :edges])
        assert together[graph, :edges] == pytest.approx(single[0], abs=1e-5)
        assert not together[graph, edges:].any()


@pytest.mark.parametrize("estimator", [name for name, entry in ESTIMATORS.items() if entry.exact])
def test_estimators_by_exact_families_refuse_a_list_without_one_by_its_name(estimator):
    with pytest.raises(ArgumentError, match=r"^function: got SpanningTree\(graphs=1, .* exact marginals"):
        differentiable(estimator, SpanningTree([CYCLE], forest=True))


def test_sampling_of_a_list():
    solver, theta = SpanningTree([CYCLE, PATH]), torch.tensor([[0.0, 1.0, 0.5], [0.0, 0.0, -INF]])
    noise = NormalNoiseDistribution()
    z = perturb_and_map(solver, theta, noise, nb_samples=20, generator=torch.Generator().manual_seed(0))
    assert z.sum(dim=2).unique().tolist() == [2]
    shares = marginals(solver, theta, noise, nb_samples=50).mean
    assert (shares[1].tolist(), float(shares[0].sum())) == ([1, 1, 0], pytest.approx(2))
    assert [len(record.shares) for record in distinct_solutions(solver, theta, noise, nb_samples=50)] == [3, 1]


def test_a_layer_has_an_instance_for_each_graph():
    solver, theta = SpanningTree([CYCLE, nx.complete_graph(3)]), normal(4, 3)
    layer = imle(solver, nb_samples=2)
    assert layer(theta[:2]).shape == (4, 3)
    message = r"^theta: got 4 instances for 2 graphs; SpanningTree\(.*\) has a row for each; give as many as graphs$"
    for refused in (layer, partial(perturb_and_map, solver), partial(marginals, solver)):
        with pytest.raises(ArgumentError, match=message):
            refused(theta)


def test_transforms_map_whole_batches():
    pairs = graphs_of("tree")
    layer = imle(SpanningTree(pairs), TargetDistribution(1.0, 2.0))
    theta = ragged(pairs, 3).view(4, 3, -1).transpose(0, 1)
    weights = normal(*theta.shape[1:]).float()

    def loss(theta):
        return (layer(theta) * weights).sum()

    assert torch.equal(torch.func.vmap(layer)(theta), torch.stack([layer(batch) for batch in theta]))
    gradients = torch.func.vmap(torch.func.grad(loss))(theta)
    assert torch.equal(gradients, torch.stack([torch.func.grad(loss)(batch) for batch in theta]))


@pytest.mark.parametrize("kind", ["tree", "directed path", "cut", "matching"])
def test_threads_do_not_matter(kind, monkeypatch):
    pairs = graphs_of(kind)
    theta = ragged(pairs, 30).clamp(max=0) if kind != "matching" else ragged(pairs, 30)
    solver = KINDS[kind](pairs, [size - 1 for _, size in pairs])
    expected = solver(theta)
    monkeypatch.setattr("imle_core.solvers.graph.matching._EDGES_A_THREAD", 8)
    monkeypatch.setattr(in_parts, "__defaults__", (8,))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(solver(theta), expected)
