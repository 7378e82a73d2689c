"""Graphs of other libraries, each with what makes a networkx graph of it."""

from typing import Any

from imle_core.checks import ArgumentError

_PAIRS = "give them, or where edges have a direction networkx.MultiDiGraph(pairs); theta has the order of solver.edges"
_INDEX = "of an edge_index (2, E) say its number of nodes, num_nodes=..., and directed=True where edges have a direction"
_REMEDIES = {
    "torch": _INDEX,
    "numpy": _INDEX,
    "scipy": "convert it with networkx.from_scipy_sparse_array(matrix), and create_using=networkx.DiGraph if directed",
    "torch_geometric": "convert it with torch_geometric.utils.to_networkx(data), and to_undirected=True if it has none",
    "torch_sparse": "convert matrix.to_scipy() with networkx.from_scipy_sparse_array",
    "dgl": "convert it with graph.to_networkx(), and if it has no direction with .to_undirected() after that",
    "igraph": "convert it with graph.to_networkx()",
    "graph_tool": f"its edges are pairs = graph.get_edges().tolist(): {_PAIRS}",
    "networkit": "convert it with networkit.nxadapter.nk2nx(graph)",
    "rustworkx": f"its edges are pairs = graph.edge_list(): {_PAIRS}",
    "pandas": "convert it with networkx.from_pandas_edgelist(table, 'source', 'target')",
    "polars": "convert table.to_pandas() with networkx.from_pandas_edgelist",
}


def is_networkx(graph: Any) -> bool:
    """True where a graph is one of networkx, rather than an iterable of edges.

    Raises:
        ArgumentError: a graph, matrix or tensor of another library, a class, a text, or an object that is no iterable.
    """
    library = "" if isinstance(graph, type) else type(graph).__module__.split(".")[0]
    pairs = library == "numpy" and graph.ndim == 2 and graph.shape[1] == 2
    if isinstance(graph, (type, str, bytes)) or (library in _REMEDIES and not pairs):
        raise _refusal(graph, library)
    if has_graph_members(graph):
        return True
    if not hasattr(graph, "__iter__"):
        raise _refusal(graph, library)
    return False


def has_graph_members(graph: Any) -> bool:
    """True of an object with the members of a networkx graph."""
    return not isinstance(graph, type) and all(hasattr(graph, name) for name in ("is_directed", "nodes", "edges", "adj"))


def is_of_graph_library(item: Any) -> bool:
    """True of an object of a library of graphs other than networkx, rather than of arrays."""
    library = type(item).__module__.split(".")[0]
    return library in _REMEDIES and library not in ("torch", "numpy")


def _refusal(graph: Any, library: str) -> ArgumentError:
    rule = "edges are those of a networkx graph, or pairs (u, v)"
    return ArgumentError("graph", kind_shown(graph), rule, _REMEDIES.get(library, "give one of these"))


def kind_shown(graph: Any) -> str:
    """Kind of a graph, without its contents."""
    if isinstance(graph, type):
        return f"the class {graph.__name__} in place of an object"
    kind = type(graph)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__.split('.')[0]}.{kind.__qualname__}"
    shape = getattr(graph, "shape", None)
    return f"a {name} of shape {tuple(shape)}" if isinstance(shape, tuple) else f"a {name}"
