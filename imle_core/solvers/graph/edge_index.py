"""Graphs as the two rows of an edge index, in either of the forms that libraries of graph networks use."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole
from imle_core.solvers.rows import Rows


class EdgePairs(NamedTuple):
    """Entries of undirected graphs that list each edge in both directions, and the edges that they are.

    Attributes:
        first: entry of each edge that is listed first, ``(K,)``.
        second: its entry in the other direction, ``(K,)``; the same for a self-loop.
        edge: edge of each entry, ``(T,)``.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    edge: NDArray[np.int64]


def shared(first: Rows, second: Rows, single: NDArray[np.bool_]) -> Rows:
    """Parameters of edges, sums of those of both of their entries, in float64; -inf where either is.

    Args:
        first: parameters of the entries that are listed first.
        second: those of the others, in the same shape.
        single: where both are the same entry, which then counts once; in a shape that can be broadcast.

    Raises:
        ArgumentError: two finite ones whose sum is not.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    never = (first == -np.inf) | (second == -np.inf)
    second[never | single] = 0.0
    with np.errstate(over="ignore"):
        sums: Rows = np.where(never, -np.inf, first + second)
    if (np.isinf(sums) & np.isfinite(first) & np.isfinite(second) & ~never).any():
        raise ArgumentError("theta", "entries whose sum is infinite", "both directions of an edge add up", "scale it down")
    return sums


def ends_of_index(edge_index: Any, num_nodes: Any) -> NDArray[np.int64]:
    """Pairs of nodes ``(E, 2)`` of an edge index ``(2, E)``, whose nodes are 0 to ``num_nodes - 1``.

    Args:
        edge_index: tensor, array or nested list of whole numbers.
        num_nodes: number of nodes, those without edges included.

    Raises:
        ArgumentError: no whole numbers ``(2, E)``, or a node beyond the number of nodes.
    """
    check_whole("num_nodes", num_nodes, 1, "count nodes without edges, too")
    try:
        index = edge_index.numpy(force=True) if isinstance(edge_index, Tensor) else np.asarray(edge_index)
    except ValueError:  # rows of different lengths
        index = np.zeros(0)
    if index.ndim != 2 or len(index) != 2 or (index.size and index.dtype.kind not in "iu"):
        got = f"shape {index.shape}, {index.dtype}" if index.size else "no edges"
        raise ArgumentError(
            "graph", got, "with num_nodes it is an edge_index (2, E) of whole numbers", "give two rows of nodes"
        )
    outside = (index < 0) | (index >= num_nodes)
    if outside.any():
        raise ArgumentError(
            "graph", f"node {index[outside][0]}", f"nodes are numbers from 0 to {num_nodes - 1}", "raise num_nodes"
        )
    return np.ascontiguousarray(index.T, np.int64)


def pairs_of(ends: NDArray[np.int64], graph: NDArray[np.int64], wanted: NDArray[np.bool_]) -> EdgePairs | None:
    """Pairs of entries of graphs that list each edge as often in one direction as in the other; None if there are none.

    Of parallel edges the first one in one direction belongs to the first one in the other. Entries of other graphs, like
    self-loops, are edges of their own.

    Args:
        ends: nodes of each entry, numbered through all graphs, ``(T, 2)``.
        graph: number of the graph of each entry, ``(T,)``, rising.
        wanted: graphs of which pairs are looked for, ``(B,)``.
    """
    tails, heads = ends.T
    onward, back = np.flatnonzero(tails < heads), np.flatnonzero(tails > heads)
    counts = np.bincount(graph[onward], minlength=len(wanted))
    paired = wanted & (counts > 0) & (counts == np.bincount(graph[back], minlength=len(wanted)))
    onward, back = (entries[paired[graph[entries]]] for entries in (onward, back))
    onward, back = (entries[np.lexsort(np.sort(ends[entries], axis=1).T[::-1])] for entries in (onward, back))
    paired[graph[onward[(ends[onward] != ends[back][:, ::-1]).any(axis=1)]]] = False
    if not paired.any():
        return None
    onward, back = (entries[paired[graph[entries]]] for entries in (onward, back))
    alone = np.flatnonzero((tails == heads) | ~paired[graph])
    first = np.concatenate([np.minimum(onward, back), alone])
    second = np.concatenate([np.maximum(onward, back), alone])
    order = np.argsort(first)
    edge = np.zeros(len(ends), np.int64)
    edge[first[order]] = edge[second[order]] = np.arange(len(first))
    return EdgePairs(first[order], second[order], edge)
