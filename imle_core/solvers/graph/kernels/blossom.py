"""Compiled steps of a search for a better matching: labels, events in time, blossoms that form and open, the way back.

:mod:`imle_core.solvers.graph.kernels.matching` says what they do together.
"""

from imle_core.kernels.compiled import compiled
from imle_core.solvers.graph.kernels.exact_numbers import add, assign, clear, gap, halve, less, subtract

FREE, OUTER, INNER = 0, 1, 2
# Rows of `nodes`, which has columns for the V nodes and for V // 2 blossoms; a node counts as a blossom of itself.
# Of nodes: the blossom that no other holds; the matched arc that leaves it, or -1; the next node of the same blossom.
TOP, MATE, CHAIN = 0, 1, 2
# Of blossoms: the one around it, or -1; its base; its label; the arc through which the tree came to it; the next and the
# previous part of the blossom around it, and the arc to the next; its part with the base; its first and last node; a mark.
AROUND, BASE, LABEL, ENTRY, NEXT, PREVIOUS, LINK, PART, FIRST, LAST, MARK = 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
# Entries of `state`: how many events wait; how many outer nodes are to be looked at; how many names of blossoms are left;
# the number of this search, and of the last walk to its root; how it ends: with an arc to a node that is alone, with -2 - v
# for a node v of dual 0, or -1 as long as neither is known.
EVENTS, LOOKS, LEFT, SEARCH, WALK, END = 0, 1, 2, 3, 4, 5
# Rows of `numbers`: the duals of nodes and blossoms; twice the weights of edges; the times of events, which are numbered,
# too: edge e that lets the tree grow, E + e between outer blossoms, 2 E + i for the i-th blossom that opens. The last three
# rows: when the search ends, room for one more number, and the time.


@compiled
def label_inner(top, nodes, numbers, state, heap, waits, edges, size):
    """Labels a free blossom, which waits for the time when it opens."""
    nodes[LABEL, top] = INNER
    _shift(top, nodes, numbers, nodes[LABEL, top] == OUTER)
    if top >= size:
        keys, slot = nodes.shape[1] + edges, 2 * edges + top - size
        assign(numbers, keys + slot, top)
        _await(slot, numbers, keys, state, heap, waits)


@compiled
def label_outer(top, nodes, numbers, state, looks):
    """Labels a free blossom, whose nodes are to be looked at."""
    nodes[LABEL, top] = OUTER
    _shift(top, nodes, numbers, nodes[LABEL, top] == OUTER)
    node = nodes[FIRST, top]
    looks[state[LOOKS]] = node
    while node != nodes[LAST, top]:
        state[LOOKS] += 1
        node = nodes[CHAIN, node]
        looks[state[LOOKS]] = node
    state[LOOKS] += 1


@compiled
def unlabel(top, nodes, numbers):
    """Makes a blossom free: what is stored are its duals of now."""
    inner = nodes[LABEL, top] == INNER
    nodes[LABEL, top] = FREE
    _shift(top, nodes, numbers, inner)


@compiled
def _shift(top, nodes, numbers, up):
    """Adds the time to the duals of a blossom's nodes and takes it off its own, or the other way round.

    Callers compute ``up``, since numba would compile a version of its own for each constant.
    """
    time, node, more = len(numbers) - 1, nodes[FIRST, top], True
    while more:
        if up:
            add(numbers, node, time)
        else:
            subtract(numbers, node, time)
        more = node != nodes[LAST, top]
        node = nodes[CHAIN, node] if more else top
    if node != nodes[FIRST, top]:
        if up:
            subtract(numbers, node, time)
        else:
            add(numbers, node, time)


@compiled
def await_edge(arc, nodes, numbers, state, heap, waits, heads):
    """Lets an edge wait for the time when its gap is 0, of one outer end, or of two, which halves that time."""
    edges, edge, one, two = len(heads) // 2, arc >> 1, heads[arc ^ 1], heads[arc]
    keys, end = nodes.shape[1] + edges, len(numbers) - 3
    halved = nodes[LABEL, nodes[TOP, one]] == nodes[LABEL, nodes[TOP, two]]
    slot = edge + edges if halved else edge
    if waits[slot] == state[SEARCH]:
        return
    if state[END] != -1:
        about = numbers[one, 0] + numbers[two, 0] - numbers[keys - edges + edge, 0] - 1
        if (about >> 1 if halved else about) > numbers[end, 0]:
            return
    gap(numbers, keys + slot, one, two, keys - edges + edge)
    if halved:
        halve(numbers, keys + slot)
    _await(slot, numbers, keys, state, heap, waits)


@compiled
def _await(slot, numbers, keys, state, heap, waits):
    """Puts an event on the heap, by its time, unless the search ends before it."""
    if state[END] != -1 and not less(numbers, keys + slot, len(numbers) - 3):
        return
    waits[slot] = state[SEARCH]
    hole = state[EVENTS]
    state[EVENTS] += 1
    while hole > 0 and less(numbers, keys + slot, keys + heap[(hole - 1) >> 1]):
        heap[hole] = heap[(hole - 1) >> 1]
        hole = (hole - 1) >> 1
    heap[hole] = slot


@compiled
def next_event(numbers, keys, state, heap):
    """Takes the first event from the heap."""
    state[EVENTS] -= 1
    first, size = heap[0], state[EVENTS]
    moved, hole, child = heap[size], 0, 1
    while child < size:
        if child + 1 < size and less(numbers, keys + heap[child + 1], keys + heap[child]):
            child += 1
        if not less(numbers, keys + heap[child], keys + moved):
            break
        heap[hole] = heap[child]
        hole, child = child, 2 * child + 1
    heap[hole] = moved
    return first


@compiled
def augment(end, nodes, stack, heads):
    """Changes the matching along the tree's path from its end to the root."""
    node, arc = -2 - end, -1
    if end >= 0:
        node, arc = heads[end ^ 1], end
        _rebase(nodes[TOP, heads[end]], heads[end], nodes, stack, heads)
        nodes[MATE, heads[end]] = end ^ 1
    while True:
        outer = nodes[TOP, node]
        before = nodes[MATE, nodes[BASE, outer]]
        _rebase(outer, node, nodes, stack, heads)
        nodes[MATE, node] = arc
        if before < 0:
            break
        inner = nodes[TOP, heads[before]]
        arc = nodes[ENTRY, inner]
        _rebase(inner, heads[arc], nodes, stack, heads)
        nodes[MATE, heads[arc]] = arc ^ 1
        node = heads[arc ^ 1]


@compiled
def _rebase(top, node, nodes, stack, heads):
    """Makes a node the base of a blossom, by changing the matching along the even way from it to the old base."""
    stack[0], stack[1], size = top, node, 2
    while size > 0:
        size -= 2
        blossom, node = stack[size], stack[size + 1]
        if blossom == node:
            continue
        part = _part_of(blossom, node, nodes)
        onwards = _is_even(part, nodes[PART, blossom], nodes)
        stack[size], stack[size + 1] = part, node
        size += 2
        here = part
        while here != nodes[PART, blossom]:
            one = nodes[NEXT, here] if onwards else nodes[PREVIOUS, here]
            two = nodes[NEXT, one] if onwards else nodes[PREVIOUS, one]
            arc = nodes[LINK, one] if onwards else nodes[LINK, two] ^ 1
            nodes[MATE, heads[arc ^ 1]], nodes[MATE, heads[arc]] = arc, arc ^ 1
            stack[size], stack[size + 1] = one, heads[arc ^ 1]
            stack[size + 2], stack[size + 3] = two, heads[arc]
            size += 4
            here = two
        nodes[PART, blossom], nodes[BASE, blossom] = part, node


@compiled
def _part_of(blossom, node, nodes):
    while nodes[AROUND, node] != blossom:
        node = nodes[AROUND, node]
    return node


@compiled
def _is_even(part, goal, nodes):
    even = True
    while part != goal:
        part, even = nodes[NEXT, part], not even
    return even


@compiled
def shrink(arc, nodes, numbers, state, looks, names, heads):
    """Makes a blossom of the odd cycle that an arc between two outer blossoms closes."""
    time = len(numbers) - 1
    one, two = nodes[TOP, heads[arc ^ 1]], nodes[TOP, heads[arc]]
    state[WALK] += 1
    meeting, other = one, two  # the first to be met twice by two walks to the root, in turns
    while meeting < 0 or nodes[MARK, meeting] != state[WALK]:
        if meeting >= 0:
            nodes[MARK, meeting] = state[WALK]
            mate = nodes[MATE, nodes[BASE, meeting]]
            meeting = -1 if mate < 0 else nodes[TOP, heads[nodes[ENTRY, nodes[TOP, heads[mate]]] ^ 1]]
        meeting, other = other, meeting
    nodes[NEXT, one], nodes[PREVIOUS, two], nodes[LINK, one] = two, one, arc
    while one != meeting:
        mate = nodes[MATE, nodes[BASE, one]]
        inner = nodes[TOP, heads[mate]]
        nodes[NEXT, inner], nodes[PREVIOUS, one], nodes[LINK, inner] = one, inner, mate ^ 1
        entry = nodes[ENTRY, inner]
        one = nodes[TOP, heads[entry ^ 1]]
        nodes[NEXT, one], nodes[PREVIOUS, inner], nodes[LINK, one] = inner, one, entry
    while two != meeting:
        mate = nodes[MATE, nodes[BASE, two]]
        inner = nodes[TOP, heads[mate]]
        nodes[NEXT, two], nodes[PREVIOUS, inner], nodes[LINK, two] = inner, two, mate
        entry = nodes[ENTRY, inner]
        two = nodes[TOP, heads[entry ^ 1]]
        nodes[NEXT, inner], nodes[PREVIOUS, two], nodes[LINK, inner] = two, inner, entry ^ 1
    state[LEFT] -= 1
    blossom = names[state[LEFT]]
    nodes[PART, blossom], nodes[BASE, blossom] = meeting, nodes[BASE, meeting]
    nodes[FIRST, blossom], nodes[AROUND, blossom], nodes[LABEL, blossom] = nodes[FIRST, meeting], -1, OUTER
    part, last = meeting, -1
    while last < 0 or part != meeting:
        if nodes[LABEL, part] == INNER:
            unlabel(part, nodes, numbers)
            label_outer(part, nodes, numbers, state, looks)
        if part != nodes[FIRST, part]:
            add(numbers, part, time)
        nodes[LABEL, part], nodes[AROUND, part] = FREE, blossom
        if last >= 0:
            nodes[CHAIN, last] = nodes[FIRST, part]
        node, last = nodes[FIRST, part], nodes[LAST, part]
        nodes[TOP, node] = blossom
        while node != last:
            node = nodes[CHAIN, node]
            nodes[TOP, node] = blossom
        part = nodes[NEXT, part]
    nodes[LAST, blossom] = last
    clear(numbers, blossom)
    subtract(numbers, blossom, time)


@compiled
def open_up(blossom, nodes, numbers, state, heap, waits, looks, names, starts, leaving, heads):
    """Takes an inner blossom apart: its even way from the entry to the base stays in the tree, the rest becomes free."""
    size, edges = len(starts) - 1, len(heads) // 2
    unlabel(blossom, nodes, numbers)
    entry, base = nodes[ENTRY, blossom], nodes[PART, blossom]
    here = _part_of(blossom, heads[entry], nodes)
    onwards = _is_even(here, base, nodes)
    part, more = base, True
    while more:
        nodes[AROUND, part], node = -1, nodes[FIRST, part]
        nodes[TOP, node] = part
        while node != nodes[LAST, part]:
            node = nodes[CHAIN, node]
            nodes[TOP, node] = part
        part = nodes[NEXT, part]
        more = part != base
    while True:
        nodes[ENTRY, here] = entry
        label_inner(here, nodes, numbers, state, heap, waits, edges, size)
        if here == base:
            break
        outer = nodes[NEXT, here] if onwards else nodes[PREVIOUS, here]
        label_outer(outer, nodes, numbers, state, looks)
        here = nodes[NEXT, outer] if onwards else nodes[PREVIOUS, outer]
        entry = nodes[LINK, outer] if onwards else nodes[LINK, here] ^ 1
    part = nodes[NEXT, base]
    while part != base:
        if nodes[LABEL, part] == FREE:
            node, more = nodes[FIRST, part], True
            while more:
                for i in range(starts[node], starts[node + 1]):
                    if nodes[LABEL, nodes[TOP, heads[leaving[i]]]] == OUTER:
                        await_edge(leaving[i], nodes, numbers, state, heap, waits, heads)
                more = node != nodes[LAST, part]
                node = nodes[CHAIN, node] if more else node
        part = nodes[NEXT, part]
    names[state[LEFT]] = blossom
    state[LEFT] += 1
