"""Compiled minimum cuts, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled
from imle_core.solvers.graph.exact_numbers import LIMB


@compiled
def smallest_sides(capacities, sides, first, arcs, heads, source, sink):
    """Dinic's algorithm in whole numbers, and the nodes that the source still reaches when the flow is maximal.

    Args:
        capacities: ``(N, 2 E, L)`` of each arc in limbs, the first worth the most; arc ``a ^ 1`` leads back. No capacity
            there and back together reaches ``2**63`` in the first limb. Changed to what the flow leaves.
        sides: ``(N, V)`` zeros, set to 1 on the side of the source.
        first: ``(V + 1,)`` where in ``arcs`` those of each node begin.
        arcs: ``(2 E,)`` arcs that leave a node, node by node.
        heads: ``(2 E,)`` where each arc leads.
        source: number of the node s.
        sink: number of the node t.
    """
    nodes, limbs = len(first) - 1, capacities.shape[2]
    levels, following = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    queue, path = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    free, flow = np.empty(len(heads), np.bool_), np.empty(limbs, capacities.dtype)
    for n in range(len(capacities)):
        left = capacities[n]
        for arc in range(len(heads)):
            free[arc] = False
            for limb in range(limbs):
                free[arc] |= left[arc, limb] > 0
        while True:
            _write_levels(free, first, arcs, heads, source, levels, queue)
            if levels[sink] < 0:
                break
            following[:] = first[:-1]
            node, depth = source, 0
            while True:
                if node == sink:
                    _push(left, free, flow, path, depth)
                    for i in range(depth):
                        if not free[path[i]]:
                            node, depth = heads[path[i] ^ 1], i
                            break
                elif following[node] == first[node + 1]:
                    if depth == 0:
                        break
                    depth -= 1
                    node = heads[path[depth] ^ 1]
                    following[node] += 1
                else:
                    arc = arcs[following[node]]
                    if free[arc] and levels[heads[arc]] == levels[node] + 1:
                        path[depth], node = arc, heads[arc]
                        depth += 1
                    else:
                        following[node] += 1
        for node in range(nodes):
            sides[n, node] = levels[node] >= 0


@compiled
def smallest_sides_of(capacities, sides, first, arcs, heads, sources, sinks, row_starts, edge_starts, node_starts):
    """:func:`smallest_sides` of rows of several graphs.

    Args:
        capacities: ``(N, 2 E, L)``, E that of the graph with the most edges.
        sides: ``(N, V)`` zeros, V that of the graph with the most nodes, set to 1 on the side of the source.
        first: those of all graphs, of each an entry more than it has nodes.
        arcs: those of all graphs.
        heads: likewise.
        sources: ``(B,)`` the node s of each graph.
        sinks: ``(B,)`` the node t of each graph.
        row_starts: ``(B + 1,)`` where the rows of each graph begin.
        edge_starts: likewise its edges.
        node_starts: likewise its nodes.
    """
    for graph in range(len(row_starts) - 1):
        row, last = row_starts[graph], row_starts[graph + 1]
        if last > row:
            share = slice(2 * edge_starts[graph], 2 * edge_starts[graph + 1])
            smallest_sides(
                capacities[row:last],
                sides[row:last],
                first[node_starts[graph] + graph : node_starts[graph + 1] + graph + 1],
                arcs[share],
                heads[share],
                sources[graph],
                sinks[graph],
            )


@compiled
def _write_levels(free, first, arcs, heads, source, levels, queue):
    """Writes how many free arcs lead from the source to each node, -1 where none do."""
    levels[:] = -1
    levels[source], queue[0], done, size = 0, source, 0, 1
    while done < size:
        node = queue[done]
        done += 1
        for i in range(first[node], first[node + 1]):
            head = heads[arcs[i]]
            if levels[head] < 0 and free[arcs[i]]:
                levels[head], queue[size] = levels[node] + 1, head
                size += 1


@compiled
def _push(left, free, flow, path, depth):
    """Sends as much as a path of free arcs lets through, and finds which of them and of those back are free then."""
    limbs, tightest = len(flow), path[0]
    for i in range(1, depth):
        limb = 0
        while limb < limbs - 1 and left[path[i], limb] == left[tightest, limb]:
            limb += 1
        if left[path[i], limb] < left[tightest, limb]:
            tightest = path[i]
    flow[:] = left[tightest]
    for i in range(depth):
        arc, back = path[i], path[i] ^ 1
        borrowed, carried, rest = 0, 0, 0
        for limb in range(limbs - 1, 0, -1):
            lowered, raised = left[arc, limb] - flow[limb] + borrowed, left[back, limb] + flow[limb] + carried
            left[arc, limb], left[back, limb] = lowered & (2**LIMB - 1), raised & (2**LIMB - 1)
            borrowed, carried, rest = lowered >> LIMB, raised >> LIMB, rest | left[arc, limb]
        left[arc, 0] += borrowed - flow[0]
        left[back, 0] += carried + flow[0]
        free[arc], free[back] = (left[arc, 0] | rest) != 0, True
