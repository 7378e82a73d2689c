"""Compiled kernel for maximum-weight matchings in general graphs, in exact whole numbers of any size.

Edmonds' primal-dual method (Maximum matching and a polyhedron with 0,1-vertices, 1965; Galil, Efficient algorithms for
finding maximum matching in graphs, 1986). A node v has a dual y(v), an odd set B of nodes that is held together, a blossom,
a dual z(B) >= 0. The gap of an edge (u, v) of weight w, ``y(u) + y(v) - 2 w``, plus 2 z(B) for each blossom that has both
ends, is never below 0. A matching is best when its edges have gap 0 and fill each blossom of z(B) > 0 but for one node, its
base, and when nodes that it leaves alone have dual 0 (where it must be perfect there are none, and duals may have any sign).

Each search grows one tree of alternating paths from a node that is alone. Blossoms an even number of edges away from the
root are outer, those an odd number away inner, those not in the tree free. As time goes by, duals of outer nodes fall and
those of inner ones rise, z the other way round, all by as much, until something happens: an edge of gap 0 leads from an
outer node to a free one, and the tree grows, or ends where that is alone; one joins outer blossoms, which become one; z of
an inner blossom is 0, and it opens; or y of an outer node is 0, so that it may be alone in place of the root. Of labelled
blossoms the duals are stored that they would have had at time 0: the time of an event is then the same for as long as the
labels are.

Duals of nodes in one tree are congruent modulo 2, so that the times when gaps between them are 0 are whole.
"""

import numpy as np

from imle_core.kernels.compiled import compiled, compiled_borrowing
from imle_core.solvers.graph.exact_numbers import LIMB
from imle_core.solvers.graph.kernels.blossom import (
    FREE,
    INNER,
    OUTER,
    Arcs,
    Numbers,
    Search,
    Tree,
    augment,
    await_edge,
    label_inner,
    label_outer,
    next_event,
    open_up,
    shrink,
    unlabel,
)
from imle_core.solvers.graph.kernels.exact_numbers import add, assign, clear, gap, halve, less, positive, subtract

MATCHED, IMPERFECT = 0, 1


@compiled
def maximum_matchings(whole, allowed, out, status, first, arcs, heads, perfect):
    """The best matching of each row, with the fewest edges, and among those with the first edge in which they differ.

    Solves twice: first among all edges, with one unit less for each, which prefers few; then among those whose gap is 0
    then, which have all of the best matchings, with a bit for each position in their order, too.

    O(V E log E) comparisons of numbers a row, and where inner blossoms open again and again O(V^2 E). Numbers have the limbs
    of a weight and another, in the second pass one more for each 60 edges left; these take 24 bytes a limb and edge.

    Args:
        whole: ``(N, E, W)`` weights in limbs, with ``2**(bits of V + 7)`` times the largest one within int64 in the first.
        allowed: ``(N, E)`` bool, which edges may be chosen; those of weights > 0 unless matchings must be perfect.
        out: ``(N, E)`` zeros, set to 1 on the matching.
        status: ``(N,)`` zeros, set to MATCHED or IMPERFECT.
        first: ``(V + 1,)`` where in ``arcs`` those of each node begin.
        arcs: ``(2 E,)`` arcs that leave a node, node by node; arcs ``2 e`` and ``2 e + 1`` are edge e there and back.
        heads: ``(2 E,)`` where each arc leads.
        perfect: whether every node must be covered.
    """
    size, edges = len(first) - 1, len(heads) // 2
    graph, tree, search = Arcs(first, arcs, heads), _tree(size), _search_of(size, edges)
    kept, chosen = np.empty(edges, np.int64), np.empty(edges, np.bool_)
    for n in range(len(whole)):
        for edge in range(edges):
            chosen[edge] = allowed[n, edge]
        for ordered in range(2):
            among = _arcs_of(chosen, kept, graph)
            numbers = _weights(whole, n, kept, len(among.heads) // 2, ordered, size)
            _begin(tree, numbers, search, among, perfect)
            for node in range(size):
                alone = tree.mate[node] < 0 and (perfect or positive(numbers.limbs, node))
                if alone and not _improve(node, tree, numbers, search, among, perfect):
                    status[n] = IMPERFECT
                    break
            if status[n] == IMPERFECT:
                break
            if not ordered:
                _without_gap(tree, numbers, among, kept, chosen)
        for node in range(size):
            if status[n] == MATCHED and tree.mate[node] >= 0:
                out[n, kept[tree.mate[node] >> 1]] = 1


@compiled
def maximum_matchings_of(whole, allowed, out, status, first, arcs, heads, perfect, row_starts, edge_starts, node_starts):
    """:func:`maximum_matchings` of rows of several graphs.

    Args:
        whole: ``(N, E, W)``, E that of the graph with the most edges.
        allowed: ``(N, E)`` bool, False where a graph has no edge.
        out: ``(N, E)`` zeros, set to 1 on the matching.
        status: ``(N,)`` zeros, set to MATCHED or IMPERFECT.
        first: those of all graphs, of each an entry more than it has nodes.
        arcs: those of all graphs.
        heads: likewise.
        perfect: whether every node must be covered.
        row_starts: ``(B + 1,)`` where the rows of each graph begin.
        edge_starts: likewise its edges.
        node_starts: likewise its nodes.
    """
    for graph in range(len(row_starts) - 1):
        row, last = row_starts[graph], row_starts[graph + 1]
        if last > row:
            share = slice(2 * edge_starts[graph], 2 * edge_starts[graph + 1])
            maximum_matchings(
                whole[row:last],
                allowed[row:last],
                out[row:last],
                status[row:last],
                first[node_starts[graph] + graph : node_starts[graph + 1] + graph + 1],
                arcs[share],
                heads[share],
                perfect,
            )


@compiled
def _tree(size):
    """Room for nodes and blossoms."""
    room = np.empty((14, size + size // 2), np.int64)
    return Tree(
        room[0],
        room[1],
        room[2],
        room[3],
        room[4],
        room[5],
        room[6],
        room[7],
        room[8],
        room[9],
        room[10],
        room[11],
        room[12],
        room[13],
    )


@compiled
def _search_of(size, edges):
    """Room for the work of a search."""
    events, counts = np.empty((2, 2 * edges + size // 2), np.int64), np.empty((6, 1), np.int64)
    looks, names, stack = np.empty(size, np.int64), np.empty(size // 2, np.int64), np.empty(2 * (size + size // 2), np.int64)
    numbers = counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]
    return Search(events[0], events[1], looks, names, stack, *numbers)


@compiled
def _arcs_of(chosen, kept, graph):
    """The arcs of chosen edges, numbered anew."""
    count, number, size = 0, np.empty(len(chosen), np.int64), len(graph.starts) - 1
    for edge in range(len(chosen)):
        if chosen[edge]:
            kept[count], number[edge] = edge, count
            count += 1
    starts, leaving, heads = np.zeros(size + 1, np.int64), np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
    for node in range(size):
        starts[node + 1] = starts[node]
        for i in range(graph.starts[node], graph.starts[node + 1]):
            if chosen[graph.leaving[i] >> 1]:
                arc = 2 * number[graph.leaving[i] >> 1] + (graph.leaving[i] & 1)
                leaving[starts[node + 1]], heads[arc] = arc, graph.heads[graph.leaving[i]]
                starts[node + 1] += 1
    return Arcs(starts, leaving, heads)


@compiled
def _weights(whole, row, kept, count, ordered, size):
    """Room for all numbers of a row, with twice the weights, which have the tie rule in their last limbs.

    Each edge loses one unit of the fewest edges. Ordered, that is worth more than all of the powers of two below it, one a
    position in the order: ``-2**count + 2**(count - 1 - position)``.
    """
    order_bits, wide, bits = count * ordered, whole.shape[2], 2
    while count >> (bits - 2):
        bits += 1
    limbs, blossoms = wide + 1 + (order_bits + bits) // LIMB, size // 2
    first, times = size + blossoms, size + blossoms + count
    end = times + 2 * count + blossoms
    numbers = np.zeros((end + 3, limbs), np.int64)
    for i in range(count):
        weight = first + i
        for limb in range(wide):
            numbers[weight, limb] = 2 * whole[row, kept[i], limb]
        numbers[weight, limbs - 1 - (order_bits + 1) // LIMB] -= 1 << ((order_bits + 1) % LIMB)
        if ordered:
            numbers[weight, limbs - 1 - (order_bits - i) // LIMB] += 1 << ((order_bits - i) % LIMB)
        for limb in range(limbs - 1, 0, -1):
            numbers[weight, limb - 1] += numbers[weight, limb] >> LIMB
            numbers[weight, limb] &= 2**LIMB - 1
    return Numbers(numbers, first, times, end, end + 1, end + 2)


@compiled_borrowing
def _begin(tree, numbers, search, arcs, perfect):
    """No blossoms, duals without a gap below 0, each as low as others let it be, and a matching of edges of gap 0."""
    size, spare, best = len(arcs.starts) - 1, numbers.spare, numbers.end
    for i in range(len(search.waits)):
        search.waits[i] = 0
    for i in range(len(search.names)):
        search.names[i] = len(tree.top) - 1 - i
    search.names_left[0], search.number[0], search.walk[0] = len(search.names), 0, 0
    for node in range(len(tree.top)):
        tree.mate[node], tree.around[node], tree.label[node], tree.mark[node] = -1, -1, FREE, 0
    for node in range(size):
        tree.top[node] = tree.base[node] = tree.first[node] = tree.last[node] = node
        for i in range(arcs.starts[node], arcs.starts[node + 1]):
            assign(numbers.limbs, best, numbers.weights + (arcs.leaving[i] >> 1))
            halve(numbers.limbs, best)
            if i == arcs.starts[node] or less(numbers.limbs, node, best):
                assign(numbers.limbs, node, best)
    for node in range(size):
        chosen = -1
        clear(numbers.limbs, best)
        for i in range(arcs.starts[node], arcs.starts[node + 1]):
            assign(numbers.limbs, spare, numbers.weights + (arcs.leaving[i] >> 1))
            subtract(numbers.limbs, spare, arcs.heads[arcs.leaving[i]])
            better = less(numbers.limbs, best, spare) or (perfect and i == arcs.starts[node])
            alone = tree.mate[arcs.heads[arcs.leaving[i]]] < 0
            if better or (alone and not less(numbers.limbs, spare, best)):
                assign(numbers.limbs, best, spare)
                chosen = arcs.leaving[i] if alone else -1
        if arcs.starts[node] < arcs.starts[node + 1]:
            assign(numbers.limbs, node, best)
        if chosen >= 0 and tree.mate[node] < 0:
            tree.mate[node], tree.mate[arcs.heads[chosen]] = chosen, chosen ^ 1


@compiled_borrowing
def _improve(root, tree, numbers, search, arcs, perfect):
    """Grows a tree from the root until it has a better matching; False if all of them leave a node alone.

    The loop stays whole: with the look at a node as a function of its own, a search takes a tenth longer.
    """
    size, edges = len(arcs.starts) - 1, len(arcs.heads) // 2
    times, end, spare, now = numbers.times, numbers.end, numbers.spare, numbers.now
    clear(numbers.limbs, now)
    search.number[0] += 1
    search.events[0], search.open_looks[0], search.end[0] = 0, 0, -1
    label_outer(tree.top[root], tree, numbers, search)
    while True:
        while search.open_looks[0] > 0:
            search.open_looks[0] -= 1
            node = search.looks[search.open_looks[0]]
            if not perfect and (search.end[0] == -1 or less(numbers.limbs, node, end)):
                assign(numbers.limbs, end, node)
                search.end[0] = -2 - node
            for i in range(arcs.starts[node], arcs.starts[node + 1]):
                head = arcs.heads[arcs.leaving[i]]
                top = tree.top[head]
                if tree.label[top] == INNER or top == tree.top[node]:
                    continue
                if tree.label[top] == FREE and tree.mate[tree.base[top]] < 0:
                    gap(numbers.limbs, spare, node, head, numbers.weights + (arcs.leaving[i] >> 1))
                    if search.end[0] == -1 or less(numbers.limbs, spare, end):
                        assign(numbers.limbs, end, spare)
                        search.end[0] = arcs.leaving[i]
                else:
                    await_edge(arcs.leaving[i], tree, numbers, search, arcs)
        if search.events[0] == 0 or (search.end[0] != -1 and not less(numbers.limbs, times + search.heap[0], end)):
            if search.end[0] == -1:
                return False
            assign(numbers.limbs, now, end)
            break
        slot = next_event(numbers, search)
        search.waits[slot] = 0
        if slot >= 2 * edges:
            blossom = slot - 2 * edges + size
            if tree.label[blossom] == INNER:
                assign(numbers.limbs, now, times + slot)
                open_up(blossom, tree, numbers, search, arcs)
            continue
        arc = 2 * slot if slot < edges else 2 * (slot - edges)
        if tree.label[tree.top[arcs.heads[arc ^ 1]]] != OUTER:
            arc ^= 1
        tail, top = arcs.heads[arc ^ 1], tree.top[arcs.heads[arc]]
        if slot >= edges:
            if top != tree.top[tail]:
                assign(numbers.limbs, now, times + slot)
                shrink(arc, tree, numbers, search, arcs)
        elif tree.label[top] == FREE:
            gap(numbers.limbs, spare, tail, arcs.heads[arc], numbers.weights + slot)
            if less(numbers.limbs, times + slot, spare):  # the head was inner for a while
                await_edge(arc, tree, numbers, search, arcs)
                continue
            assign(numbers.limbs, now, times + slot)
            tree.entry[top] = arc
            label_inner(top, tree, numbers, search, arcs)
            label_outer(tree.top[arcs.heads[tree.mate[tree.base[top]]]], tree, numbers, search)
    for top in range(len(tree.top)):
        if tree.label[top] != FREE:
            unlabel(top, tree, numbers)
    augment(tree, search, arcs)
    return True


@compiled_borrowing
def _without_gap(tree, numbers, arcs, kept, chosen):
    """Keeps the edges of gap 0, since the best matchings have no other."""
    spare = numbers.spare
    for node in range(len(tree.top)):
        tree.mark[node] = -1
    for edge in range(len(arcs.heads) // 2):
        head, tail = arcs.heads[2 * edge], arcs.heads[2 * edge + 1]
        gap(numbers.limbs, spare, head, tail, numbers.weights + edge)
        blossom = tree.around[head]
        while blossom >= 0:
            tree.mark[blossom] = edge
            blossom = tree.around[blossom]
        blossom = tree.around[tail]
        while blossom >= 0:
            if tree.mark[blossom] == edge:
                add(numbers.limbs, spare, blossom)
                add(numbers.limbs, spare, blossom)
            blossom = tree.around[blossom]
        chosen[kept[edge]] = not positive(numbers.limbs, spare)
