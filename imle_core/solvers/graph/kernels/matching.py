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

from imle_core.kernels.compiled import compiled
from imle_core.solvers.graph.exact_numbers import LIMB
from imle_core.solvers.graph.kernels.blossom import (
    AROUND,
    BASE,
    END,
    ENTRY,
    EVENTS,
    FIRST,
    FREE,
    INNER,
    LABEL,
    LAST,
    LEFT,
    LOOKS,
    MARK,
    MATE,
    OUTER,
    SEARCH,
    TOP,
    WALK,
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
    then, which have all of the best matchings, with a bit for each place in their order, too.

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
    nodes, stack = np.empty((14, size + size // 2), np.int64), np.empty(2 * (size + size // 2), np.int64)
    heap, waits = np.empty(2 * edges + size // 2, np.int64), np.empty(2 * edges + size // 2, np.int64)
    looks, names = np.empty(size, np.int64), np.empty(size // 2, np.int64)
    kept, chosen, state = np.empty(edges, np.int64), np.empty(edges, np.bool_), np.empty(6, np.int64)
    for n in range(len(whole)):
        for edge in range(edges):
            chosen[edge] = allowed[n, edge]
        for ordered in range(2):
            starts, leaving, ends = _arcs_of(chosen, kept, first, arcs, heads)
            numbers = _weights(whole, n, kept, len(ends) // 2, ordered, size)
            _begin(numbers, nodes, state, names, waits, starts, leaving, ends, perfect)
            for node in range(size):
                alone = nodes[MATE, node] < 0 and (perfect or positive(numbers, node))
                if alone and not _search(
                    node, nodes, numbers, state, heap, waits, looks, names, stack, starts, leaving, ends, perfect
                ):
                    status[n] = IMPERFECT
                    break
            if status[n] == IMPERFECT:
                break
            if not ordered:
                _without_gap(nodes, numbers, kept, chosen, ends)
        for node in range(size):
            if status[n] == MATCHED and nodes[MATE, node] >= 0:
                out[n, kept[nodes[MATE, node] >> 1]] = 1


@compiled
def _arcs_of(chosen, kept, first, arcs, heads):
    """The arcs of chosen edges, numbered anew: where those of each node begin, arcs node by node, where they lead."""
    count, number = 0, np.empty(len(chosen), np.int64)
    for edge in range(len(chosen)):
        if chosen[edge]:
            kept[count], number[edge] = edge, count
            count += 1
    starts, leaving, ends = np.zeros(len(first), np.int64), np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
    for node in range(len(first) - 1):
        starts[node + 1] = starts[node]
        for i in range(first[node], first[node + 1]):
            if chosen[arcs[i] >> 1]:
                arc = 2 * number[arcs[i] >> 1] + (arcs[i] & 1)
                leaving[starts[node + 1]], ends[arc] = arc, heads[arcs[i]]
                starts[node + 1] += 1
    return starts, leaving, ends


@compiled
def _weights(whole, row, kept, count, ordered, size):
    """Room for all numbers of a row, with twice the weights, which have the tie rule in their last limbs.

    Each edge loses one unit of the fewest edges. Ordered, that is worth more than all of the powers of two below it, one a
    place in the order: ``-2**count + 2**(count - 1 - place)``.
    """
    places, wide, bits = count * ordered, whole.shape[2], 2
    while count >> (bits - 2):
        bits += 1
    limbs, blossoms = wide + 1 + (places + bits) // LIMB, size // 2
    numbers = np.zeros((size + 2 * blossoms + 3 * count + 3, limbs), np.int64)
    for i in range(count):
        weight = size + blossoms + i
        for limb in range(wide):
            numbers[weight, limb] = 2 * whole[row, kept[i], limb]
        numbers[weight, limbs - 1 - (places + 1) // LIMB] -= 1 << ((places + 1) % LIMB)
        if ordered:
            numbers[weight, limbs - 1 - (places - i) // LIMB] += 1 << ((places - i) % LIMB)
        for limb in range(limbs - 1, 0, -1):
            numbers[weight, limb - 1] += numbers[weight, limb] >> LIMB
            numbers[weight, limb] &= 2**LIMB - 1
    return numbers


@compiled
def _begin(numbers, nodes, state, names, waits, starts, leaving, heads, perfect):
    """No blossoms, duals without a gap below 0, each as low as others let it be, and a matching of edges of gap 0."""
    size, columns = len(starts) - 1, nodes.shape[1]
    spare, best = len(numbers) - 2, len(numbers) - 3
    for i in range(len(waits)):
        waits[i] = 0
    for i in range(len(names)):
        names[i] = columns - 1 - i
    state[LEFT], state[SEARCH], state[WALK] = len(names), 0, 0
    for node in range(columns):
        nodes[MATE, node], nodes[AROUND, node], nodes[LABEL, node], nodes[MARK, node] = -1, -1, FREE, 0
    for node in range(size):
        nodes[TOP, node] = nodes[BASE, node] = nodes[FIRST, node] = nodes[LAST, node] = node
        for i in range(starts[node], starts[node + 1]):
            assign(numbers, best, columns + (leaving[i] >> 1))
            halve(numbers, best)
            if i == starts[node] or less(numbers, node, best):
                assign(numbers, node, best)
    for node in range(size):
        chosen = -1
        clear(numbers, best)
        for i in range(starts[node], starts[node + 1]):
            assign(numbers, spare, columns + (leaving[i] >> 1))
            subtract(numbers, spare, heads[leaving[i]])
            better = less(numbers, best, spare) or (perfect and i == starts[node])
            alone = nodes[MATE, heads[leaving[i]]] < 0
            if better or (alone and not less(numbers, spare, best)):
                assign(numbers, best, spare)
                chosen = leaving[i] if alone else -1
        if starts[node] < starts[node + 1]:
            assign(numbers, node, best)
        if chosen >= 0 and nodes[MATE, node] < 0:
            nodes[MATE, node], nodes[MATE, heads[chosen]] = chosen, chosen ^ 1


@compiled
def _search(root, nodes, numbers, state, heap, waits, looks, names, stack, starts, leaving, heads, perfect):
    """Grows a tree from the root until it has a better matching; False if all of them leave a node alone."""
    size, edges, columns = len(starts) - 1, len(heads) // 2, nodes.shape[1]
    keys, end, spare, time = columns + edges, len(numbers) - 3, len(numbers) - 2, len(numbers) - 1
    clear(numbers, time)
    state[SEARCH] += 1
    state[EVENTS], state[LOOKS], state[END] = 0, 0, -1
    label_outer(nodes[TOP, root], nodes, numbers, state, looks)
    while True:
        while state[LOOKS] > 0:
            state[LOOKS] -= 1
            node = looks[state[LOOKS]]
            if not perfect and (state[END] == -1 or less(numbers, node, end)):
                assign(numbers, end, node)
                state[END] = -2 - node
            for i in range(starts[node], starts[node + 1]):
                head = heads[leaving[i]]
                top = nodes[TOP, head]
                if nodes[LABEL, top] == INNER or top == nodes[TOP, node]:
                    continue
                if nodes[LABEL, top] == FREE and nodes[MATE, nodes[BASE, top]] < 0:
                    gap(numbers, spare, node, head, columns + (leaving[i] >> 1))
                    if state[END] == -1 or less(numbers, spare, end):
                        assign(numbers, end, spare)
                        state[END] = leaving[i]
                else:
                    await_edge(leaving[i], nodes, numbers, state, heap, waits, heads)
        if state[EVENTS] == 0 or (state[END] != -1 and not less(numbers, keys + heap[0], end)):
            if state[END] == -1:
                return False
            assign(numbers, time, end)
            break
        slot = next_event(numbers, keys, state, heap)
        waits[slot] = 0
        if slot >= 2 * edges:
            blossom = slot - 2 * edges + size
            if nodes[LABEL, blossom] == INNER:
                assign(numbers, time, keys + slot)
                open_up(blossom, nodes, numbers, state, heap, waits, looks, names, starts, leaving, heads)
            continue
        arc = 2 * slot if slot < edges else 2 * (slot - edges)
        if nodes[LABEL, nodes[TOP, heads[arc ^ 1]]] != OUTER:
            arc ^= 1
        tail, top = heads[arc ^ 1], nodes[TOP, heads[arc]]
        if slot >= edges:
            if top != nodes[TOP, tail]:
                assign(numbers, time, keys + slot)
                shrink(arc, nodes, numbers, state, looks, names, heads)
        elif nodes[LABEL, top] == FREE:
            gap(numbers, spare, tail, heads[arc], columns + slot)
            if less(numbers, keys + slot, spare):  # the head was inner for a while
                await_edge(arc, nodes, numbers, state, heap, waits, heads)
                continue
            assign(numbers, time, keys + slot)
            nodes[ENTRY, top] = arc
            label_inner(top, nodes, numbers, state, heap, waits, edges, size)
            label_outer(nodes[TOP, heads[nodes[MATE, nodes[BASE, top]]]], nodes, numbers, state, looks)
    for top in range(columns):
        if nodes[LABEL, top] != FREE:
            unlabel(top, nodes, numbers)
    augment(state[END], nodes, stack, heads)
    return True


@compiled
def _without_gap(nodes, numbers, kept, chosen, heads):
    """Keeps the edges of gap 0, since the best matchings have no other."""
    columns, spare = nodes.shape[1], len(numbers) - 2
    for node in range(columns):
        nodes[MARK, node] = -1
    for edge in range(len(heads) // 2):
        one, two = heads[2 * edge], heads[2 * edge + 1]
        gap(numbers, spare, one, two, columns + edge)
        blossom = nodes[AROUND, one]
        while blossom >= 0:
            nodes[MARK, blossom] = edge
            blossom = nodes[AROUND, blossom]
        blossom = nodes[AROUND, two]
        while blossom >= 0:
            if nodes[MARK, blossom] == edge:
                add(numbers, spare, blossom)
                add(numbers, spare, blossom)
            blossom = nodes[AROUND, blossom]
        chosen[kept[edge]] = not positive(numbers, spare)
