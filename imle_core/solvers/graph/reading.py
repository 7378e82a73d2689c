"""Graphs as users have them, one or a list of them, read into arrays."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, is_whole, shown
from imle_core.solvers.graph.edge_index import ends_of_index
from imle_core.solvers.graph.graphs import Edge, Graphs, Node, Whole, starts_of
from imle_core.solvers.graph.kinds import has_graph_members, is_networkx, is_of_graph_library, kind_shown

_SHOWN = 60  # letters of what is no edge
_ITEMS = "a list of graphs has networkx graphs or pairs (edge_index, num_nodes)"
_ARRAYS = (Tensor, np.ndarray)


class Read(NamedTuple):
    """Graphs that were read.

    Attributes:
        graphs: as arrays.
        directed: whether edges lead from their first node to their second only.
        is_list: whether they were given as several, of which each has rows of its own.
    """

    graphs: Graphs
    directed: bool
    is_list: bool


class _Single(NamedTuple):
    """A graph that was read.

    Attributes:
        nodes: in order.
        ends: numbers of the nodes of each entry, ``(E, 2)``.
        directed: whether edges lead one way.
        may_pair: whether two entries may be an edge.
    """

    nodes: Sequence[Node]
    ends: Whole
    directed: bool
    may_pair: bool


def read_graphs(graph: Any, num_nodes: Any, directed: bool, ptr: Any) -> Read:
    """Graphs of the arguments of :class:`.GraphSolver`, which documents them and the errors."""
    counts = _counts(num_nodes)
    if counts is None:
        _check_indices(graph, num_nodes, ptr)
    if ptr is not None:
        return _numbered_through(graph, _offsets(ptr, num_nodes), directed)
    if counts is not None and _is_index(graph):
        return _numbered_through(graph, starts_of(_sizes(counts)), directed)
    if counts is not None:
        return _read_list(list(graph) if hasattr(graph, "__iter__") else [graph], counts, directed)
    if num_nodes is not None:
        return _together([_read_index(graph, num_nodes, directed)], False)
    if is_networkx(graph):
        return _together([_read_networkx(graph, directed)], False)
    items = list(graph)
    if any(map(_is_graph, items)):
        return _read_list(items, [None] * len(items), directed)
    if items and all(isinstance(item, _ARRAYS) and item.ndim == 2 for item in items):
        raise ArgumentError("graph", f"{len(items)} edge indices", _ITEMS, "give num_nodes=[...], a number for each, too")
    return _together([_read_edges(items)._replace(directed=bool(directed))], False)


@contextmanager
def naming(graph: int, count: int | None) -> Iterator[None]:
    """Adds the number of a graph to the errors about it, where there are several: ``count`` of them, else None."""
    try:
        yield
    except ArgumentError as error:
        if count is None:
            raise
        raise type(error)(error.name, error.got + of_graph(graph, count), error.rule, error.remedy, error.verb) from None


def of_graph(graph: int, count: int | None) -> str:
    """Words for the graph that an error is about, where there are several."""
    return "" if count is None else f", graph {graph} of {count}"


def _counts(num_nodes: Any) -> list[Any] | None:
    """Numbers of nodes of several graphs; None where ``num_nodes`` is that of one, or missing."""
    if isinstance(num_nodes, _ARRAYS):
        return list(num_nodes.tolist()) if num_nodes.ndim == 1 else None
    return list(num_nodes) if isinstance(num_nodes, (list, tuple)) else None


def _check_indices(graph: Any, num_nodes: Any, ptr: Any) -> None:
    """Numbers of nodes are for edge indices: a list of networkx graphs could be read as an array of their nodes."""
    if isinstance(graph, (list, tuple)) and any(map(_is_graph, graph)):
        for name, value in (("ptr", ptr), ("num_nodes", num_nodes)):
            if value is not None:
                got = f"{shown(value)} for a list of graphs"
                raise ArgumentError(name, got, "it is for one edge_index (2, E)", "leave it out, or give num_nodes=[...]")


def _sizes(counts: list[Any]) -> list[int]:
    """Numbers of nodes, checked."""
    for graph, count in enumerate(counts):
        if not is_whole(count, 1):
            got = f"{shown(count)}{of_graph(graph, len(counts))}"
            raise ArgumentError("num_nodes", got, "it must be a whole number >= 1", "count nodes without edges, too")
    return counts


def _offsets(ptr: Any, num_nodes: Any) -> Whole:
    """Where the nodes of each graph begin, checked."""
    offsets = ptr.numpy(force=True) if isinstance(ptr, Tensor) else np.asarray(ptr)
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or len(offsets) == 0:
        raise ArgumentError("ptr", kind_shown(ptr), "it has whole numbers (B + 1,)", "give where each graph's nodes begin")
    offsets = offsets.astype(np.int64)
    if (wrong := np.diff(offsets, prepend=-1) < 1).any() or offsets[0] != 0:
        got = f"{offsets[int(wrong.argmax())]} at {int(wrong.argmax())}"
        raise ArgumentError("ptr", got, "it rises from 0 to the number of nodes", "every graph has a node at least")
    if num_nodes is not None and not np.array_equal(num_nodes, offsets[-1]):
        raise ArgumentError("num_nodes", shown(num_nodes), f"ptr ends at {offsets[-1]}", "leave num_nodes out")
    return offsets


def _is_index(graph: Any) -> bool:
    """True of an edge index, rather than several."""
    if isinstance(graph, _ARRAYS):
        return graph.ndim == 2
    rows = graph if isinstance(graph, (list, tuple)) and len(graph) == 2 else [None]
    return all(isinstance(row, (list, tuple)) and all(is_whole(node, -(2**63)) for node in row) for row in rows)


def _is_graph(item: Any) -> bool:
    """True of a graph of a library, or of a pair of an edge index and a number of nodes."""
    if has_graph_members(item) or is_of_graph_library(item):
        return True
    is_pair = isinstance(item, tuple) and len(item) == 2 and is_whole(item[1], 0)
    return is_pair and isinstance(item[0], (*_ARRAYS, list))


def _read_list(items: list[Any], counts: list[Any], directed: bool) -> Read:
    if not items:
        raise ArgumentError("graph", "an empty list", "a batch has a graph at least", "give one")
    if len(counts) != len(items):
        raise ArgumentError(
            "num_nodes", f"{len(counts)} numbers for {len(items)} graphs", "each has its own", "give as many as graphs"
        )
    singles = []
    for number, (item, count) in enumerate(zip(items, counts, strict=True)):
        with naming(number, len(items)):
            singles.append(_read_item(item, count, directed))
    return _together(singles, True)


def _read_item(item: Any, count: Any, directed: bool) -> _Single:
    if has_graph_members(item) or is_of_graph_library(item):
        is_networkx(item)  # or it says how to make it such
        return _read_networkx(item, directed)
    if count is not None:
        return _read_index(item, count, directed)
    if not _is_graph(item):
        raise ArgumentError("graph", kind_shown(item), _ITEMS, "give all of them in these forms")
    edge_index, count = item
    return _read_index(edge_index, count, directed)


def _read_networkx(graph: Any, directed: bool) -> _Single:
    if directed and not graph.is_directed():
        rule = "its edges have no order from node to node"
        raise ArgumentError("directed", "True with an undirected graph", rule, "give a DiGraph, or a list of edges")
    single = _read_edges(list(graph.edges()), graph.nodes())
    return single._replace(directed=bool(graph.is_directed()))


def _read_edges(pairs: Sequence[Any], nodes: Any = ()) -> _Single:
    """A graph of edges, and of nodes that are first in their order."""
    edges = list(map(_pair, pairs))
    names = list(dict.fromkeys([*nodes, *(node for edge in edges for node in edge)]))
    number = {node: i for i, node in enumerate(names)}
    ends = np.array([(number[u], number[v]) for u, v in edges], dtype=np.int64).reshape(-1, 2)
    return _Single(names, ends, False, False)


def _read_index(edge_index: Any, num_nodes: Any, directed: bool) -> _Single:
    ends = ends_of_index(edge_index, num_nodes)
    return _Single(range(int(num_nodes)), ends, bool(directed), not directed)


def _together(singles: list[_Single], is_list: bool) -> Read:
    directed = singles[0].directed
    for number, single in enumerate(singles):
        if single.directed != directed:
            kinds = ["an undirected graph", "a directed graph"]
            got = f"{kinds[single.directed]}{of_graph(number, len(singles))}, {kinds[directed]} before it"
            raise ArgumentError("graph", got, "edges have a direction in all graphs of a list or in none", "convert some")
    ends = singles[0].ends if len(singles) == 1 else np.concatenate([single.ends for single in singles])
    offsets = starts_of([len(single.ends) for single in singles])
    may_pair = np.array([single.may_pair for single in singles])
    return Read(Graphs([single.nodes for single in singles], ends, offsets, may_pair), directed, is_list)


def _numbered_through(edge_index: Any, starts: Whole, directed: bool) -> Read:
    """Graphs of a batch of a graph library: nodes numbered through, and edges graph by graph."""
    count = len(starts) - 1
    if count == 0:
        raise ArgumentError("graph", "an empty list", "a batch has a graph at least", "give one")
    ends = ends_of_index(edge_index, int(starts[-1]))
    graphs: NDArray[np.int64] = np.searchsorted(starts, ends, side="right") - 1
    graph = graphs[:, 0]
    if (across := graph != graphs[:, 1]).any():
        u, v = ends[across][0].tolist()
        got = f"an edge from node {u} of graph {graph[across][0]} to node {v} of graph {graphs[across][0, 1]}"
        raise ArgumentError("graph", got, "an edge has both nodes in one graph", "look at ptr or num_nodes")
    if (np.diff(graph) < 0).any():
        later = int(np.argmax(np.diff(graph) < 0))
        got = f"an edge of graph {graph[later + 1]} after one of graph {graph[later]}"
        raise ArgumentError("graph", got, "edges come graph by graph", "sort them by graph, and theta with them")
    nodes = [range(first, last) for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)]
    offsets = starts_of(np.bincount(graph, minlength=count))
    may_pair = np.full(count, not directed)
    return Read(Graphs(nodes, ends - starts[graph, None], offsets, may_pair), bool(directed), True)


def _pair(edge: Any) -> Edge:
    if isinstance(edge, str) or not hasattr(edge, "__len__") or len(edge) != 2:
        got = repr(edge)
        raise ArgumentError(
            "graph",
            f"{got if len(got) <= _SHOWN else got[:_SHOWN] + '...'} as an edge",
            "an edge is a pair of nodes",
            "give pairs (u, v)",
        )
    u, v = edge
    if isinstance(u, Tensor) or isinstance(v, Tensor):
        raise ArgumentError(
            "graph",
            f"{edge!r} as an edge",
            "tensors are no nodes, since two of them are never the same",
            "give pairs of numbers, with edge_index.T.tolist() for instance",
        )
    return u, v
