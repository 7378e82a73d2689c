"""Graphs of other libraries are refused in one line that says how to convert them."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch

from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree

SOLVERS = [lambda graph: ShortestPath(graph, 0, 2), lambda graph: MinCut(graph, 0, 2), Matching, SpanningTree]
INDEX = torch.tensor([[0, 1, 0], [1, 2, 2]])
RULE = "; edges are those of a networkx graph, or pairs (u, v); "


def of_library(module, name, **attributes):
    """An object of a class of that name in that module."""
    return type(name, (), {"__module__": module, **attributes})()


GRAPHS = {
    "a torch.Tensor of shape (2, 3)": (INDEX, "of an edge_index (2, E) say its number of nodes, num_nodes=..."),
    "a numpy.ndarray of shape (2, 3)": (
        INDEX.numpy(),
        "of an edge_index (2, E) say its number of nodes, num_nodes=...",
    ),
    "a scipy.csr_array of shape (3, 3)": (scipy.sparse.csr_array(np.eye(3)), "convert it with networkx.from_scipy_sparse"),
    "a torch_geometric.Data": (of_library("torch_geometric.data.data", "Data"), "torch_geometric.utils.to_networkx(data)"),
    "a dgl.DGLGraph": (
        of_library("dgl.heterograph", "DGLGraph", nodes=1, edges=1, adj=1, is_directed=1),
        "convert it with graph.to_networkx()",
    ),
    "a igraph.Graph": (of_library("igraph", "Graph", is_directed=bool), "convert it with graph.to_networkx()"),
    "a rustworkx.PyGraph": (of_library("rustworkx", "PyGraph"), "pairs = graph.edge_list()"),
    "a pandas.DataFrame": (of_library("pandas", "DataFrame"), "networkx.from_pandas_edgelist"),
    "the class MultiGraph in place of an object": (nx.MultiGraph, "give one of these"),
    "a str": ("city.graphml", "give one of these"),
    "a int": (5, "give one of these"),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("got", GRAPHS)
def test_other_graphs_are_refused_with_the_way_out(solver, got):
    graph, remedy = GRAPHS[got]
    with pytest.raises(ValueError, match=r"^graph: got ") as caught:
        solver(graph)
    message = str(caught.value)
    assert message.startswith(f"graph: got {got}{RULE}")
    assert remedy in message
    assert len(message) <= 300


def test_an_edge_of_tensors_is_refused():
    with pytest.raises(ValueError, match=r"tensors are no nodes.* edge_index\.T\.tolist"):
        SpanningTree(zip(*INDEX, strict=True))


def test_the_remedy_for_an_edge_index_works():
    pairs = INDEX.T.tolist()
    theta = -torch.tensor([[1.0, 1.0, 5.0]])
    assert ShortestPath(pairs, 0, 2)(theta).tolist() == [[1, 1, 0]]
    solver = ShortestPath(nx.MultiDiGraph(pairs), 0, 2)
    assert sorted(solver.edges) == sorted(map(tuple, pairs))
    assert solver.directed


def test_the_remedy_for_a_sparse_matrix_works():
    graph = nx.from_scipy_sparse_array(scipy.sparse.csr_array(np.ones((3, 3)) - np.eye(3)))
    assert SpanningTree(graph)(torch.ones(1, 3)).sum() == 2


def test_an_array_of_pairs_is_taken():
    assert SpanningTree(INDEX.T.numpy()).edges == [(0, 1), (1, 2), (0, 2)]


def test_a_long_edge_is_shortened():
    with pytest.raises(ValueError, match="as an edge; an edge is a pair of nodes") as caught:
        SpanningTree([tuple(range(1000))])
    assert len(str(caught.value)) < 200
