"""Compiled kernels on graphs, for a batch in one call: cheapest paths, spanning trees, minimum cuts.

The label of a node is the pair ``(d, h)`` of cost and number of edges of the best path to it, compared as a pair, with d in
float64: ``(d, h)(v) = min over edges (u, v) of (d(u) + c(u, v), h(u) + 1)``. Since h grows along each edge, edges that fit
their labels make no cycle, not even where costs are zero or lost by rounding. Where costs are >= 0 or there is no cycle,
the equation has one solution, also with rounded sums.
"""

import numpy as np

from imle_core.kernels.compiled import compiled, compiled_borrowing

REACHED, CUT_OFF, UNSETTLED = 0, 1, 2


@compiled
def dijkstra_paths(costs, out, status, first, heads, edges, start, goal):
    """Dijkstra's algorithm with a binary heap that keeps outdated entries.

    Args:
        costs: ``(N, E)`` float64, >= 0; +inf is an edge that is never taken.
        out: ``(N, E)`` zeros, set to 1 on the path.
        status: ``(N,)`` zeros, set to REACHED or CUT_OFF.
        first: ``(V + 1,)`` where in ``heads`` and ``edges`` the arcs of each node begin.
        heads: ``(A,)`` where an arc leads.
        edges: ``(A,)`` whose edge it is.
        start: number of the first node.
        goal: number of the last node.
    """
    nodes = len(first) - 1
    labels, hops = np.empty(nodes), np.empty(nodes, np.int64)
    before, entry = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    keys, steps = np.empty(len(heads) + 1), np.empty(len(heads) + 1, np.int64)
    queue = np.empty(len(heads) + 1, np.int64)
    for n in range(len(costs)):
        labels[:] = np.inf
        labels[start], hops[start] = 0.0, 0
        keys[0], steps[0], queue[0], size = 0.0, 0, start, 1
        while size > 0:
            label, step, node = keys[0], steps[0], queue[0]
            size -= 1
            _pop(keys, steps, queue, size)
            if label != labels[node] or step != hops[node]:
                continue
            if node == goal:
                break
            step += 1
            for arc in range(first[node], first[node + 1]):
                edge, head = edges[arc], heads[arc]
                key = label + costs[n, edge]
                if key > labels[head] or key == np.inf:
                    continue
                if key == labels[head] and step >= hops[head]:
                    if step == hops[head] and edge < entry[head]:
                        entry[head], before[head] = edge, node
                    continue
                labels[head], hops[head], entry[head], before[head] = key, step, edge, node
                _push(keys, steps, queue, size, key, step, head)
                size += 1
        if labels[goal] == np.inf:
            status[n] = CUT_OFF
            continue
        _walk_back(out[n], entry, before, start, goal)


@compiled_borrowing
def _push(keys, steps, queue, size, key, step, node):
    """Adds an entry to a heap of ``size`` entries, whose least label ``(key, step)`` comes first."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if keys[parent] < key or (keys[parent] == key and steps[parent] <= step):
            break
        keys[hole], steps[hole], queue[hole] = keys[parent], steps[parent], queue[parent]
        hole = parent
    keys[hole], steps[hole], queue[hole] = key, step, node


@compiled_borrowing
def _pop(keys, steps, queue, size):
    """Takes the first entry off a heap, which leaves it ``size`` entries."""
    key, step, node = keys[size], steps[size], queue[size]
    hole, child = 0, 1
    while child < size:
        right = child + 1
        if right < size and (keys[right] < keys[child] or (keys[right] == keys[child] and steps[right] < steps[child])):
            child = right
        if key < keys[child] or (key == keys[child] and step <= steps[child]):
            break
        keys[hole], steps[hole], queue[hole] = keys[child], steps[child], queue[child]
        hole, child = child, 2 * child + 1
    keys[hole], steps[hole], queue[hole] = key, step, node


@compiled
def acyclic_paths(costs, out, status, first, heads, edges, order, start, goal):
    """One pass in topological order; arguments as for :func:`dijkstra_paths`, but costs may be negative.

    ``order`` ``(V,)`` has the nodes, each before those to which its arcs lead.
    """
    nodes = len(first) - 1
    labels, hops = np.empty(nodes), np.empty(nodes, np.int64)
    before, entry = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    for n in range(len(costs)):
        labels[:] = np.inf
        labels[start], hops[start] = 0.0, 0
        for node in order:
            if node == goal:
                break
            label, step = labels[node], hops[node] + 1
            if label == np.inf:
                continue
            for arc in range(first[node], first[node + 1]):
                edge, head = edges[arc], heads[arc]
                key = label + costs[n, edge]
                if key > labels[head] or key == np.inf:
                    continue
                if key < labels[head] or step < hops[head] or (step == hops[head] and edge < entry[head]):
                    labels[head], hops[head], entry[head], before[head] = key, step, edge, node
        if labels[goal] == np.inf:
            status[n] = CUT_OFF
            continue
        _walk_back(out[n], entry, before, start, goal)


@compiled_borrowing
def _walk_back(mask, entry, before, start, goal):
    node = goal
    while node != start:
        mask[entry[node]] = 1
        node = before[node]


@compiled
def bellman_ford_paths(costs, out, status, ends, nodes, start, goal):
    """Bellman and Ford's algorithm over the directed edges from which the goal can be reached.

    Args:
        costs: ``(N, E)`` float64; +inf is an edge that is never taken.
        out: ``(N, E)`` zeros, set to 1 on the path.
        status: ``(N,)`` zeros, set to REACHED, CUT_OFF, or UNSETTLED where labels still fall after V rounds
            or, since d was rounded, no edge fits a label.
        ends: ``(E, 2)`` numbers of the nodes that each edge leads from and to.
        nodes: V.
        start: number of the first node.
        goal: number of the last node.
    """
    labels, hops = np.empty(nodes), np.empty(nodes, np.int64)
    before, entry = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    leads, useful = np.empty(nodes, np.bool_), np.empty(len(ends), np.int64)
    for n in range(len(costs)):
        count = _find_useful(costs[n], ends, goal, leads, useful)
        if not leads[start]:
            status[n] = CUT_OFF
            continue
        labels[:] = np.inf
        labels[start], hops[start] = 0.0, 0
        settled = _settle(costs[n], ends, useful[:count], labels, hops)
        if settled and _enter(costs[n], ends, useful[:count], labels, hops, entry, before, start, goal):
            _walk_back(out[n], entry, before, start, goal)
        else:
            status[n] = UNSETTLED


@compiled_borrowing
def _find_useful(costs, ends, goal, leads, useful):
    """Writes which nodes lead to the goal, and the edges to these; returns how many edges."""
    leads[:] = False
    leads[goal] = True
    changed = True
    while changed:
        changed = False
        for edge in range(len(ends)):
            if leads[ends[edge, 1]] and not leads[ends[edge, 0]] and costs[edge] < np.inf:
                leads[ends[edge, 0]] = changed = True
    count = 0
    for edge in range(len(ends)):
        if leads[ends[edge, 1]] and costs[edge] < np.inf:
            useful[count] = edge
            count += 1
    return count


@compiled_borrowing
def _settle(costs, ends, useful, labels, hops):
    """Lowers labels in rounds over the useful edges until none falls; False if that takes more than V rounds."""
    for _ in range(len(labels) + 1):
        changed = False
        for edge in useful:
            tail, head = ends[edge, 0], ends[edge, 1]
            if labels[tail] < np.inf:
                key, step = labels[tail] + costs[edge], hops[tail] + 1
                if key < labels[head] or (key == labels[head] and step < hops[head]):
                    labels[head], hops[head], changed = key, step, True
        if not changed:
            return True
    return False


@compiled_borrowing
def _enter(costs, ends, useful, labels, hops, entry, before, start, goal):
    """Writes the first edge that fits the label of each node, and the node before; False if none leads back to the start."""
    entry[:] = -1
    for edge in useful:
        tail, head = ends[edge, 0], ends[edge, 1]
        fits = labels[tail] + costs[edge] == labels[head] and hops[tail] + 1 == hops[head]
        if fits and entry[head] < 0:
            entry[head], before[head] = edge, tail
    node = goal
    while node != start and entry[node] >= 0:
        node = before[node]
    return node == start


@compiled
def dijkstra_paths_of(costs, out, status, first, heads, edges, arcs, starts, goals, row_starts, node_starts):
    """:func:`dijkstra_paths` of rows of several graphs.

    Args:
        costs: ``(N, E)``, E that of the graph with the most edges.
        out: ``(N, E)`` zeros, set to 1 on the path.
        status: ``(N,)`` zeros, set to REACHED or CUT_OFF.
        first: those of all graphs, of each an entry more than it has nodes.
        heads: those of all graphs.
        edges: likewise.
        arcs: ``(B + 1,)`` where in these the arcs of each graph begin.
        starts: ``(B,)`` the first node of each graph.
        goals: ``(B,)`` the last node of each graph.
        row_starts: ``(B + 1,)`` where the rows of each graph begin.
        node_starts: likewise its nodes.
    """
    for graph in range(len(starts)):
        row, last = row_starts[graph], row_starts[graph + 1]
        if last > row:
            dijkstra_paths(
                costs[row:last],
                out[row:last],
                status[row:last],
                first[node_starts[graph] + graph : node_starts[graph + 1] + graph + 1],
                heads[arcs[graph] : arcs[graph + 1]],
                edges[arcs[graph] : arcs[graph + 1]],
                starts[graph],
                goals[graph],
            )


@compiled
def acyclic_paths_of(costs, out, status, first, heads, edges, arcs, order, starts, goals, row_starts, node_starts):
    """:func:`acyclic_paths` of rows of several graphs; arguments as for :func:`dijkstra_paths_of`.

    ``order`` has the nodes of each graph, one graph after the other.
    """
    for graph in range(len(starts)):
        row, last = row_starts[graph], row_starts[graph + 1]
        if last > row:
            acyclic_paths(
                costs[row:last],
                out[row:last],
                status[row:last],
                first[node_starts[graph] + graph : node_starts[graph + 1] + graph + 1],
                heads[arcs[graph] : arcs[graph + 1]],
                edges[arcs[graph] : arcs[graph + 1]],
                order[node_starts[graph] : node_starts[graph + 1]],
                starts[graph],
                goals[graph],
            )


@compiled
def bellman_ford_paths_of(costs, out, status, ends, edge_starts, starts, goals, row_starts, node_starts):
    """:func:`bellman_ford_paths` of rows of several graphs; arguments as for :func:`dijkstra_paths_of`.

    ``ends`` ``(K, 2)`` has the edges of all graphs, which begin at ``edge_starts`` ``(B + 1,)``.
    """
    for graph in range(len(starts)):
        row, last = row_starts[graph], row_starts[graph + 1]
        if last > row:
            bellman_ford_paths(
                costs[row:last],
                out[row:last],
                status[row:last],
                ends[edge_starts[graph] : edge_starts[graph + 1]],
                node_starts[graph + 1] - node_starts[graph],
                starts[graph],
                goals[graph],
            )
