"""Graphs side by side: their nodes, edges and arcs as arrays, those of all graphs one after the other."""

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers.graph.edge_index import EdgePairs, pairs_of

Node: TypeAlias = Hashable
Edge: TypeAlias = tuple[Node, Node]
Whole: TypeAlias = NDArray[np.int64]


class Graphs:
    """B graphs side by side.

    Entries are what theta has, edges are what is solved: fewer, where a graph lists each edge in both directions. Nodes are
    numbered from 0 in each graph, and so are its edges.

    Attributes:
        nodes: those of each graph, in order.
        ends: numbers of the nodes of each edge, ``(K, 2)``.
        loops: whether an edge is a self-loop, ``(K,)``.
        offsets: where the entries of each graph begin, ``(B + 1,)``.
        edge_starts: where its edges begin, likewise.
        node_starts: where its nodes begin, likewise.
        pairs: entries of the edges; None where each entry is an edge of its own.

    Args:
        nodes: as above.
        entries: numbers of the nodes of each entry, ``(T, 2)``.
        offsets: as above.
        may_pair: whether a graph that lists each edge as often in both directions has an edge for two entries, ``(B,)``.
    """

    def __init__(self, nodes: Sequence[Sequence[Node]], entries: Whole, offsets: Whole, may_pair: NDArray[np.bool_]) -> None:
        self.nodes, self.offsets, self._entries = nodes, offsets, entries
        self.node_starts = starts_of([len(names) for names in nodes])
        graph = np.repeat(np.arange(len(nodes)), np.diff(offsets))
        numbered_through = entries + self.node_starts[graph, None]
        self.pairs: EdgePairs | None = pairs_of(numbered_through, graph, may_pair) if may_pair.any() else None
        self.ends, self.edge_starts = entries, offsets
        if self.pairs is not None:
            self.ends = entries[self.pairs.first]
            self.edge_starts = starts_of(np.bincount(graph[self.pairs.first], minlength=len(nodes)))
        self.loops: NDArray[np.bool_] = self.ends[:, 0] == self.ends[:, 1]

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def names(self) -> list[list[Node]]:
        """Nodes of each graph as a list."""
        return [list(names) for names in self.nodes]

    @cached_property
    def edges(self) -> list[list[Edge]]:
        """Pairs of nodes of each entry of theta, a list for each graph."""
        return [
            [(names[u], names[v]) for u, v in self._entries[first:last].tolist()]
            for names, first, last in zip(self.nodes, self.offsets[:-1], self.offsets[1:], strict=True)
        ]

    @cached_property
    def graph_of_edge(self) -> Whole:
        """Number of the graph of each edge, ``(K,)``."""
        return np.repeat(np.arange(len(self)), np.diff(self.edge_starts))

    @cached_property
    def sizes(self) -> Whole:
        """Number of nodes of each graph, ``(B,)``."""
        return np.diff(self.node_starts)

    @cached_property
    def paired(self) -> NDArray[np.bool_]:
        """Whether a graph lists each edge in both directions, ``(B,)``."""
        return np.diff(self.edge_starts) < np.diff(self.offsets)

    def only(self, graph: int) -> "Graphs":
        """A graph alone."""
        entries = self._entries[self.offsets[graph] : self.offsets[graph + 1]]
        offsets, paired = np.array([0, len(entries)]), self.paired[graph : graph + 1]
        return Graphs(self.nodes[graph : graph + 1], entries, offsets, paired)

    @property
    def numbered_through(self) -> Whole:
        """Nodes of each edge ``(K, 2)``, numbered through all graphs."""
        return self.ends + self.node_starts[self.graph_of_edge, None]

    def connected(self) -> Whole:
        """The first node of the connected part that each node is in, ``(V,)``, numbered through all graphs.

        Directions of edges are not looked at.
        """
        tails, heads = self.numbered_through.T
        labels = np.arange(self.node_starts[-1])
        while True:
            least = np.minimum(labels[tails], labels[heads])
            lower = labels.copy()
            for end in (tails, heads):
                np.minimum.at(lower, end, least)
                np.minimum.at(lower, labels[end], least)
            lower = lower[lower]
            if np.array_equal(lower, labels):
                return labels
            labels = lower

    def out_arcs(self, directed: bool) -> tuple[Whole, Whole, Whole, Whole]:
        """Compressed rows ``(first, heads, edges, starts)``: arcs ``first[i]..first[i + 1] - 1`` leave node i of a graph.

        Self-loops are left out. All numbers are those within a graph, whose arcs begin at ``starts`` ``(B + 1,)``, and whose
        ``first`` has an entry more than it has nodes.
        """
        numbers = np.flatnonzero(~self.loops)
        tails, heads = self.numbered_through[numbers].T
        if not directed:
            numbers, tails, heads = np.tile(numbers, 2), np.append(tails, heads), np.append(heads, tails)
        order = np.lexsort((numbers, tails))
        first, starts = self._first(tails)
        numbers, heads = numbers[order], heads[order]
        graph = self.graph_of_edge[numbers]
        return first, heads - self.node_starts[graph], numbers - self.edge_starts[graph], starts

    def two_way_arcs(self) -> tuple[Whole, Whole, Whole]:
        """Compressed rows ``(first, arcs, heads)``: arcs ``2 e`` and ``2 e + 1`` are edge e there and back.

        Arcs ``arcs[first[i] : first[i + 1]]`` leave node i; ``heads[a]`` is where arc a leads. All numbers are those within
        a graph, whose arcs begin at twice its ``edge_starts``, and whose ``first`` has an entry more than it has nodes.
        """
        tails = self.numbered_through.ravel()
        first, starts = self._first(tails)
        arcs = np.argsort(tails, kind="stable") - np.repeat(starts[:-1], np.diff(starts))
        return first, arcs, np.ascontiguousarray(self.ends[:, ::-1]).ravel()

    def _first(self, tails: Whole) -> tuple[Whole, Whole]:
        """Where, among sorted arcs, those of each node begin, counted in each graph; and where those of each graph do."""
        first = starts_of(np.bincount(tails, minlength=int(self.node_starts[-1])))
        starts = first[self.node_starts]
        graph = np.repeat(np.arange(len(self)), self.sizes + 1)
        return first[np.arange(len(graph)) - graph] - starts[graph], starts


def starts_of(counts: Any) -> Whole:
    """Where each of several runs of such lengths begins, and where the last one ends, ``(B + 1,)``."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
