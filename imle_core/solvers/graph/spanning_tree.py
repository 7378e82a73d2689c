"""Maximum spanning trees and forests."""

import numpy as np

from imle_core.checks import ArgumentError
from imle_core.solvers.graph.solver import Graph, GraphSolver, Masks, in_parts, where
from imle_core.solvers.rows import Rows


class SpanningTree(GraphSolver):
    """``argmax_z <z, theta>`` over spanning trees, or with ``forest=True`` over spanning forests, of an undirected graph.

    z is 1 on the edges of the tree, ``edges`` has their order. A spanning tree joins all nodes without a cycle; a spanning
    forest is a spanning tree of each connected part. Of parallel edges it has at most one. Edges are chosen whatever the
    sign of theta.

    Domain of theta: any numbers, +inf included; theta = -inf is an edge that is never chosen, and with ``forest=True``
    one that joins no parts. Kruskal's algorithm, O(E log E) a row. Edges are tried by falling theta and, where equal, in the
    order of ``edges``: that is the tie rule. It only compares entries, so nothing is rounded.

    Args:
        graph: undirected networkx graph or multigraph, an iterable of edges ``(u, v)``, or with ``num_nodes`` an edge index
            ``(2, E)``, as :class:`GraphSolver` takes it.
        forest: whether a graph in several parts is allowed.
        num_nodes: number of nodes of an edge index.

    Raises:
        ArgumentError: a directed graph, one without edges, or in several parts without ``forest=True``; when called,
            parameters that are not ``(N, E)``, NaN, a graph in several parts without its edges of -inf unless
            ``forest=True``.

    >>> import torch
    >>> SpanningTree([("a", "b"), ("b", "c"), ("a", "c")])(torch.tensor([[1.0, 3.0, 2.0]]))
    tensor([[0., 1., 1.]])
    >>> SpanningTree([[0, 1, 1, 2, 0, 2], [1, 0, 2, 1, 2, 0]], num_nodes=3)(torch.tensor([[1.0, 1.0, 3.0, 1.0, 1.0, 2.0]]))
    tensor([[0., 0., 1., 1., 1., 1.]])
    """

    def __init__(self, graph: Graph, forest: bool = False, *, num_nodes: int | None = None) -> None:
        super().__init__(graph, num_nodes)
        self._check_undirected("a spanning tree")
        self.forest = bool(forest)
        apart = set(range(len(self.nodes))) - self._reached(0)
        if apart and not forest:
            raise ArgumentError(
                "graph",
                f"no path between {self.nodes[0]!r} and {self.nodes[min(apart)]!r}",
                "a spanning tree needs a connected graph",
                "add edges, or use forest=True",
            )

    def __repr__(self) -> str:
        return f"SpanningTree(nodes={len(self.nodes)}, edges={len(self.edges)}, forest={self.forest})"

    def _solve(self, rows: Rows) -> Masks:
        from imle_core.solvers.graph.kernels.spanning_tree import (
            spanning_trees,  # here, since numba takes half a second to import
        )

        masks = np.zeros(rows.shape, np.uint8)
        sizes = np.zeros(len(rows), np.int64)

        def solve(first: int, last: int) -> None:
            chunk = rows[first:last]
            order = np.argsort(-chunk, axis=1, kind="stable")
            spanning_trees(chunk, order, masks[first:last], sizes[first:last], self._ends, len(self.nodes))

        in_parts(solve, rows)
        short = sizes < len(self.nodes) - 1
        if short.any() and not self.forest:
            row = int(short.argmax())
            raise ArgumentError(
                "theta",
                f"-inf on edges without which the graph is disconnected{where(row, rows)}",
                "a spanning tree needs a connected graph",
                "raise one of them, or use forest=True",
            )
        return masks
