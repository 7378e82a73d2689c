"""Graphs as the two rows of an edge index, in either of the forms that libraries of graph networks use."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole
from imle_core.solvers.rows import Rows


class EdgePairs(NamedTuple):
    """Entries of an undirected graph that lists each edge in both directions, and the edges that they are.

    Attributes:
        first: entry of each edge that is listed first, ``(K,)``.
        second: its entry in the other direction, ``(K,)``; the same for a self-loop.
        edge: edge of each entry, ``(E,)``.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    edge: NDArray[np.int64]

    def shared(self, rows: Rows) -> Rows:
        """Parameters of the edges ``(N, K)``: sums of those of both entries ``(N, E)`` in float64, -inf where either is.

        Raises:
            ArgumentError: two finite ones whose sum is not.
        """
        first, second = rows[:, self.first].astype(np.float64), rows[:, self.second].astype(np.float64)
        never = (first == -np.inf) | (second == -np.inf)
        second[never | (self.first == self.second)] = 0.0
        with np.errstate(over="ignore"):
            sums = np.where(never, -np.inf, first + second)
        if (np.isinf(sums) & np.isfinite(first) & np.isfinite(second) & ~never).any():
            raise ArgumentError(
                "theta", "entries whose sum is infinite", "both directions of an edge add up", "scale it down"
            )
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
    if index.ndim != 2 or len(index) != 2 or index.dtype.kind not in "iu":
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


def pairs_of(ends: NDArray[np.int64]) -> EdgePairs | None:
    """Pairs of entries where ``ends`` ``(E, 2)`` lists each edge as often in one direction as in the other, else None.

    Of parallel edges the first one in one direction belongs to the first one in the other.
    """
    tails, heads = ends.T
    loops, onward, back = (np.flatnonzero(kind) for kind in (tails == heads, tails < heads, tails > heads))
    onward, back = (entries[np.lexsort(np.sort(ends[entries], axis=1).T[::-1])] for entries in (onward, back))
    if len(onward) == 0 or not np.array_equal(ends[onward], ends[back][:, ::-1]):
        return None
    first = np.concatenate([np.minimum(onward, back), loops])
    second = np.concatenate([np.maximum(onward, back), loops])
    order = np.argsort(first)
    edge = np.zeros(len(ends), np.int64)
    edge[first[order]] = edge[second[order]] = np.arange(len(first))
    return EdgePairs(first[order], second[order], edge)
