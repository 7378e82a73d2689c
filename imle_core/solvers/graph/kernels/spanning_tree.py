"""Compiled spanning trees and forests of greatest weight, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def spanning_trees(values, order, out, sizes, ends, nodes):
    """Kruskal's algorithm, with sets of nodes that are merged by size.

    Args:
        values: ``(N, E)`` float32 or float64; -inf is an edge that is never taken.
        order: ``(N, E)`` edges, the best first.
        out: ``(N, E)`` zeros, set to 1 on the tree.
        sizes: ``(N,)``, set to the number of edges taken.
        ends: ``(E, 2)`` numbers of the nodes of each edge.
        nodes: V.
    """
    above = np.empty(nodes, np.int64)
    for n in range(len(values)):
        above[:] = -1  # the node above; at the first node of a set, minus the set's size
        taken = 0
        for edge in order[n]:
            if taken == nodes - 1 or values[n, edge] == -np.inf:
                break
            u, v = ends[edge, 0], ends[edge, 1]
            while above[u] >= 0:
                if above[above[u]] >= 0:
                    above[u] = above[above[u]]
                u = above[u]
            while above[v] >= 0:
                if above[above[v]] >= 0:
                    above[v] = above[above[v]]
                v = above[v]
            if u != v:
                if above[u] > above[v]:
                    u, v = v, u
                above[u] += above[v]
                above[v] = u
                out[n, edge] = 1
                taken += 1
        sizes[n] = taken


@compiled
def spanning_trees_of(values, order, out, sizes, ends, row_starts, edge_starts, node_starts):
    """:func:`spanning_trees` of rows of several graphs.

    Args:
        values: ``(N, E)``, E that of the graph with the most edges, -inf where others have none.
        order: ``(N, E)`` edges, the best first.
        out: ``(N, E)`` zeros, set to 1 on the tree.
        sizes: ``(N,)``, set to the number of edges taken.
        ends: ``(K, 2)`` those of all graphs.
        row_starts: ``(B + 1,)`` where the rows of each graph begin.
        edge_starts: likewise its edges.
        node_starts: likewise its nodes.
    """
    for graph in range(len(row_starts) - 1):
        row, last = row_starts[graph], row_starts[graph + 1]
        if last > row:
            edges = ends[edge_starts[graph] : edge_starts[graph + 1]]
            nodes = node_starts[graph + 1] - node_starts[graph]
            spanning_trees(values[row:last], order[row:last], out[row:last], sizes[row:last], edges, nodes)
