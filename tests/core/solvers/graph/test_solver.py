"""What all solvers on graphs share: the order of edges, shapes, types, batches, floors, errors."""

import itertools
import pickle
import re

import networkx as nx
import numpy as np
import pytest
import torch

from imle_core import ArgumentError
from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree

SQUARE = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a", "c")]
SOLVERS = {
    "path": lambda graph: ShortestPath(graph, "a", "c"),
    "tree": SpanningTree,
    "forest": lambda graph: SpanningTree(graph, forest=True),
    "matching": Matching,
    "perfect": lambda graph: Matching(graph, perfect=True),
    "cut": lambda graph: MinCut(graph, "a", "c"),
}
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INF, NAN = torch.inf, torch.nan


def gains(*shape):
    return -torch.rand(*shape, generator=torch.Generator().manual_seed(0)).mul(4).ceil()


def test_edges_have_the_order_of_the_graph():
    graph = nx.Graph()
    graph.add_nodes_from("dcba")
    graph.add_edges_from(SQUARE)
    assert SpanningTree(graph).edges == list(graph.edges())
    assert SpanningTree(graph).nodes == list("dcba")
    assert SpanningTree(iter(SQUARE)).edges == SQUARE
    assert SpanningTree(iter(SQUARE)).nodes == ["a", "b", "c", "d"]
    assert SpanningTree(nx.MultiGraph(SQUARE)).edges == list(nx.MultiGraph(SQUARE).edges())


def test_the_remedy_for_a_directed_graph_keeps_every_edge():
    graph = nx.MultiDiGraph([(0, 1), (1, 0), (1, 2), (0, 1)])
    assert SpanningTree(graph.edges()).edges == list(graph.edges())
    assert SpanningTree(graph.edges())(torch.tensor([[1.0, 2.0, 3.0, 0.0]])).sum() == 2


def test_later_changes_of_the_graph_have_no_effect():
    graph = nx.Graph(SQUARE)
    solver = SpanningTree(graph)
    graph.clear()
    assert solver(gains(1, 5)).sum() == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVERS)
def test_batched_equals_one_by_one(name):
    theta = gains(300, 5)
    solver = SOLVERS[name](SQUARE)
    assert torch.equal(torch.cat([solver(row[None]) for row in theta]), solver(theta))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["path", "tree", "cut", "matching"])
def test_threads_do_not_matter(name):
    graph = nx.Graph([("a", "c"), *nx.relabel_nodes(nx.path_graph(3), {0: "a", 1: "b", 2: "c"}).edges()])
    theta, solver = gains(2**16, 3), SOLVERS[name](graph)
    alone = 128 if name == "matching" else 4096  # rows that one thread solves
    assert torch.equal(solver(theta), torch.cat([solver(part) for part in theta.split(alone)]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SOLVERS)
def test_types_and_input_untouched(name, dtype):
    theta = gains(5, 3).to(dtype).T.requires_grad_()
    solver = SOLVERS[name](SQUARE)
    before = theta.detach().clone()
    z = solver(theta)
    assert (z.dtype, z.shape, z.requires_grad) == (dtype, (3, 5), False)
    assert torch.equal(z, solver(before.contiguous().double()).to(dtype))
    assert torch.equal(theta, before)
    assert ((z == 0) | (z == 1)).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_no_rows(name):
    assert SOLVERS[name](SQUARE)(torch.zeros(0, 5)).shape == (0, 5)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_can_be_pickled(name):
    solver = SOLVERS[name](SQUARE)
    assert torch.equal(pickle.loads(pickle.dumps(solver))(gains(9, 5)), solver(gains(9, 5)))


@pytest.mark.parametrize(
    "solver", [lambda floor: ShortestPath(SQUARE, "a", "c", floor), lambda floor: MinCut(SQUARE, "a", "c", floor)]
)
def test_a_floor_clamps_costs_and_counts(solver):
    floored = solver(0.5)
    theta = torch.tensor([[-1.0, 2.0, -0.5, -INF, -0.25], [INF, -1.0, -1.0, -1.0, -1.0]])
    z = floored(theta)
    assert (floored.clamped, floored.seen) == (3, 9)
    assert torch.equal(z, solver(None)(theta.clamp(max=-0.5)))
    assert floored(theta) is not None
    assert (floored.clamped, floored.seen) == (6, 18)


def test_representations():
    assert repr(ShortestPath(SQUARE, "a", "c")) == "ShortestPath(nodes=4, edges=5, start='a', goal='c')"
    assert repr(SpanningTree(SQUARE)) == "SpanningTree(nodes=4, edges=5, forest=False)"
    assert repr(Matching(SQUARE)) == "Matching(nodes=4, edges=5, perfect=False)"
    assert repr(MinCut(SQUARE, "a", "c")) == "MinCut(nodes=4, edges=5, s='a', t='c')"


ERRORS = {
    "graph: got no edges; a solver on edges needs at least one; add an edge": [
        lambda: SpanningTree([]),
        lambda: Matching(nx.empty_graph(3)),
    ],
    "graph: got 'ab' as an edge; an edge is a pair of nodes; give pairs (u, v)": [lambda: SpanningTree(["ab"])],
    "graph: got ('a', 'b', 2.0) as an edge; an edge is a pair of nodes; give pairs (u, v)": [
        lambda: SpanningTree([("a", "b", 2.0)])
    ],
    "graph: got no edges but self-loops; a solver on edges needs at least one; add an edge": [
        lambda: MinCut([("a", "a"), ("a", "a")], "a", "a"),
        lambda: Matching(nx.MultiGraph([("a", "a")])),
    ],
    "graph: got a directed graph; a spanning tree needs an undirected one; give graph.edges(), pairs without direction": [
        lambda: SpanningTree(nx.DiGraph(SQUARE))
    ],
    "graph: got a directed graph; a matching needs an undirected one; give graph.edges(), pairs without direction": [
        lambda: Matching(nx.DiGraph(SQUARE))
    ],
    "start: got 'x'; it is no node of the graph; the nodes are 'a', 'b', 'c', 'd'": [lambda: ShortestPath(SQUARE, "x", "a")],
    "goal: got 9; it is no node of the graph; the nodes are 0, 1, 2, 3, 4, ...": [
        lambda: ShortestPath(nx.path_graph(8), 0, 9)
    ],
    "s: got 'x'; it is no node of the graph; the nodes are 'a', 'b', 'c', 'd'": [lambda: MinCut(SQUARE, "x", "a")],
    "t: got 'x'; it is no node of the graph; the nodes are 'a', 'b', 'c', 'd'": [lambda: MinCut(SQUARE, "a", "x")],
    "goal: got 'a'; it is the start as well; choose another node": [lambda: ShortestPath(SQUARE, "a", "a")],
    "t: got 'a'; it is s as well; choose another node": [lambda: MinCut(SQUARE, "a", "a")],
    "goal: got 'a'; no path leads to it from 'c'; add edges, or choose another node": [
        lambda: ShortestPath(nx.DiGraph(SQUARE), "c", "a")
    ],
    "t: got 'y'; no path leads to it from 'a'; add edges, or choose another node": [
        lambda: MinCut([*SQUARE, ("x", "y")], "a", "y")
    ],
    "graph: got no path between 'a' and 'x'; a spanning tree needs a connected graph; add edges, or use forest=True": [
        lambda: SpanningTree([*SQUARE, ("x", "y")])
    ],
    "graph: got no perfect matching of its 3 nodes; perfect=True needs one; add edges, or use perfect=False": [
        lambda: Matching(SQUARE[:2], perfect=True)
    ],
    "floor: got -1; it must be >= 0 and finite; use None to take costs as they are": [
        lambda: ShortestPath(SQUARE, "a", "c", floor=-1),
        lambda: MinCut(SQUARE, "a", "c", floor=-1),
    ],
    "floor: got nan; it must be >= 0 and finite; use None to take costs as they are": [
        lambda: MinCut(SQUARE, "a", "c", floor=NAN)
    ],
    "theta: got shape (5,); a graph of 5 edges needs (N, 5); give one entry an edge, in the order of solver.edges": [
        lambda: SpanningTree(SQUARE)(torch.zeros(5))
    ],
    "theta: got shape (2, 4); a graph of 5 edges needs (N, 5); give one entry an edge, in the order of solver.edges": [
        lambda: Matching(SQUARE)(torch.zeros(2, 4))
    ],
    "theta: got 1 NaN; an edge needs a number; use -inf for never": [
        lambda solver=solver: solver(SQUARE)(torch.tensor([[-1.0, -1.0, NAN, -1.0, -1.0]])) for solver in SOLVERS.values()
    ],
    "theta: got 1 +inf; sums over edges must be finite; use a large number, or give floor": [
        lambda: ShortestPath(SQUARE, "a", "c", None)(torch.tensor([[-1.0, -1.0, INF, -1.0, -1.0]])),
        lambda: MinCut(SQUARE, "a", "c", None)(torch.tensor([[-1.0, -1.0, INF, -1.0, -1.0]])),
    ],
    "theta: got 1 +inf; sums over edges must be finite; use a large number": [
        lambda: Matching(SQUARE)(torch.tensor([[-1.0, -1.0, INF, -1.0, -1.0]]))
    ],
    "theta: got 2 positive entries in row 1 of 2; a shortest path in an undirected graph needs costs -theta >= 0; "
    "make theta <= 0, also after noise and in targets, or leave floor out, so that costs are clamped": [
        lambda: ShortestPath(SQUARE, "a", "c", None)(torch.tensor([[0.0] * 5, [0.0, 1.0, -1.0, 2.0, 0.0]]))
    ],
    "theta: got 1 positive entries; a minimum cut needs costs -theta >= 0; "
    "make theta <= 0, also after noise and in targets, or leave floor out, so that costs are clamped": [
        lambda: MinCut(SQUARE, "a", "c", None)(torch.tensor([[0.0, 1.0, -1.0, 0.0, 0.0]]))
    ],
    "goal: got 'c'; edges of -inf cut it off from start 'a' in row 1 of 2; open a way or choose another node": [
        lambda graph=graph: ShortestPath(graph, "a", "c")(torch.tensor([[0.0] * 3, [-INF] * 3]))
        for graph in (SQUARE[:2] + SQUARE[4:], nx.DiGraph({"a": ["b", "c"], "b": ["c"]}))
    ]
    + [
        lambda value=value: ShortestPath(nx.DiGraph({"a": ["b"], "b": ["c"], "c": ["a"]}), "a", "c")(
            torch.tensor([[0.0] * 3, [0.0, -INF, value]])
        )
        for value in (-1.0, 1.0)
    ],
    "theta: got -inf on edges without which the graph is disconnected in row 1 of 2; "
    "a spanning tree needs a connected graph; raise one of them, or use forest=True": [
        lambda: SpanningTree(SQUARE[:2])(torch.tensor([[0.0, 0.0], [-INF, 0.0]]))
    ],
    "theta: got -inf on edges without which no matching is perfect in row 1 of 2; "
    "perfect=True needs one; raise one of them, or use perfect=False": [
        lambda: Matching(SQUARE[:3], perfect=True)(torch.tensor([[0.0] * 3, [-INF, 0.0, 0.0]]))
    ],
    "theta: got -inf on every edge of a path from 'a' to 'c'; "
    "a cut needs an edge there that may be cut; raise one of them": [
        lambda value=value: MinCut(SQUARE, "a", "c")(torch.tensor([[-INF, -INF, -1.0, value, -1.0]], dtype=torch.float64))
        for value in (-1.0, -1e300)
    ],
    "theta: got a cycle of negative cost 'b' -> 'c' -> 'd' -> 'b' in row 1 of 2; costs -theta must sum to >= 0 on every "
    "cycle; lower theta on its edges, or give floor=0 to clamp costs": [
        lambda: ShortestPath(nx.DiGraph({"a": ["b"], "b": ["c", "e"], "c": ["d"], "d": ["b"]}), "a", "e")(
            torch.tensor([[0.0] * 5, [0.0, 1.0, 0.0, 1.0, -1.0]])
        )
    ],
}


@pytest.mark.parametrize(("message", "case"), [(message, case) for message, cases in ERRORS.items() for case in cases])
def test_errors(message, case):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        case()


def test_huge_and_tiny_numbers():
    theta = torch.tensor([[-1e308, -1e308, -1.7e308, -1e308, -1.6e308]], dtype=torch.float64)
    assert ShortestPath(SQUARE, "a", "c")(theta).tolist() == [[0, 0, 0, 0, 1]]
    assert MinCut(SQUARE, "a", "c")(theta).tolist() == [[1, 0, 0, 1, 1]]
    tiny = np.nextafter(0, 1)
    theta = torch.tensor([[-tiny, -2 * tiny, -1e308, -1.0, -tiny]], dtype=torch.float64)
    assert MinCut(SQUARE, "a", "c")(theta).tolist() == [[1, 0, 0, 1, 1]]
    assert Matching(SQUARE)(-theta).tolist() == [[1, 0, 1, 0, 0]]


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_nodes_of_a_path_are_in_order(kind):
    graph = kind(nx.gnp_random_graph(12, 0.5, seed=4, directed=kind is nx.DiGraph))
    solver = ShortestPath(graph, 3, 7)
    for mask, row in zip(
        solver(theta := -torch.rand(40, len(solver.edges), generator=torch.Generator().manual_seed(0))), theta, strict=True
    ):
        nodes = solver.path_nodes(mask)
        assert (nodes[0], nodes[-1]) == (3, 7)
        weights = dict(zip(solver.edges, (-row).tolist(), strict=True))
        weights |= {} if solver.directed else {(v, u): weight for (u, v), weight in weights.items()}
        assert sum(weights[step] for step in itertools.pairwise(nodes)) == pytest.approx(-float(mask @ row))


@pytest.mark.parametrize(
    ("solver", "domain"),
    [
        (MinCut([(0, 1)], 0, 1), (-np.inf, 0.0)),
        (MinCut([(0, 1)], 0, 1, floor=0.5), (-np.inf, -0.5)),
        (ShortestPath([(0, 1)], 0, 1), (-np.inf, 0.0)),
        (ShortestPath([(0, 1)], 0, 1, floor=2.0), (-np.inf, -2.0)),
        (ShortestPath(nx.DiGraph([(0, 1)]), 0, 1), (-np.inf, np.inf)),
        (ShortestPath(nx.DiGraph([(0, 1)]), 0, 1, floor=2.0), (-np.inf, -2.0)),
        (ShortestPath(nx.DiGraph([(0, 1), (1, 0)]), 0, 1), (-np.inf, 0.0)),
    ],
)
def test_the_domain_is_declared(solver, domain):
    assert solver.domain == domain


def test_directed_edges_in_a_list_keep_their_order():
    edges = [("c", "d"), ("a", "b"), ("b", "d"), ("a", "c"), ("d", "a")]
    solver = ShortestPath(edges[:4], "a", "d", directed=True)
    assert (solver.edges, solver.directed) == (edges[:4], True)
    costs = torch.tensor([[1.0, -4.0, 2.0, 3.0], [-3.0, 1.0, 1.0, 2.0]])  # of either sign, without a cycle
    assert solver(-costs).tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]
    assert ShortestPath(edges, "d", "c", directed=True)(-torch.ones(1, 5)).tolist() == [[0, 0, 0, 1, 1]]
    assert not ShortestPath(edges, "a", "d").directed
    with pytest.raises(ArgumentError, match=r"^directed: got True with an undirected graph"):
        ShortestPath(nx.Graph(edges), "a", "d", directed=True)
