"""Maximum spanning trees and forests."""

import numpy as np

from imle_core.checks import ArgumentError
from imle_core.solvers.graph.best_first import best_first
from imle_core.solvers.graph.padding import rows_of
from imle_core.solvers.graph.reading import of_graph
from imle_core.solvers.graph.solver import Graph, GraphSolver, Masks, NumNodes, Offsets, in_parts
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
        graph: undirected networkx graph or multigraph, an iterable of edges ``(u, v)``, with ``num_nodes`` an edge index
            ``(2, E)``, or a list of graphs, one for each instance, as :class:`GraphSolver` takes it.
        forest: whether a graph in several parts is allowed.
        num_nodes: number of nodes of an edge index; a list has one for each graph.
        ptr: where the nodes of each graph of a batch begin, in place of ``num_nodes``.

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

    def __init__(self, graph: Graph, forest: bool = False, *, num_nodes: NumNodes = None, ptr: Offsets = None) -> None:
        super().__init__(graph, num_nodes, ptr=ptr)
        self._check_undirected("a spanning tree")
        self.forest = bool(forest)
        if not forest:
            self._check_connected()

    def _check_connected(self) -> None:
        starts = self._graphs.node_starts
        apart = self._graphs.connected() != np.repeat(starts[:-1], self._graphs.sizes)
        if not apart.any():
            return
        node = int(apart.argmax())
        graph = int(np.searchsorted(starts, node, side="right")) - 1
        names = self._graphs.nodes[graph]
        raise ArgumentError(
            "graph",
            f"no path between {names[0]!r} and {names[node - starts[graph]]!r}{of_graph(graph, self._count)}",
            "a spanning tree needs a connected graph",
            "add edges, or use forest=True",
        )

    def __repr__(self) -> str:
        return f"SpanningTree({self._size}, forest={self.forest})"

    def _solve(self, rows: Rows) -> Masks:
        from imle_core.solvers.graph.kernels.spanning_tree import (
            spanning_trees_of,  # here, since numba takes half a second to import
        )

        masks, sizes, owners = np.zeros(rows.shape, np.uint8), np.zeros(len(rows), np.int64), self._owners(rows)
        graphs = self._graphs

        def solve(first: int, last: int) -> None:
            chunk = rows[first:last]
            starts = rows_of(owners[first:last], len(graphs)), graphs.edge_starts, graphs.node_starts
            spanning_trees_of(chunk, best_first(chunk), masks[first:last], sizes[first:last], graphs.ends, *starts)

        in_parts(solve, rows)
        if not self.forest and (short := sizes < self._graphs.sizes[owners] - 1).any():
            raise ArgumentError(
                "theta",
                f"-inf on edges without which the graph is disconnected{self._where(int(short.argmax()), rows)}",
                "a spanning tree needs a connected graph",
                "raise one of them, or use forest=True",
            )
        return masks
