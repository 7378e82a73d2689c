"""Compiled steps of a search for a better matching: labels, events in time, blossoms that form and open, the way back.

:mod:`imle_core.solvers.graph.kernels.matching` says what they do together. Below, V is the number of nodes, E that of edges,
and C = V + V // 2 that of blossoms, of which the first V are the nodes themselves.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.solvers.graph.kernels.exact_numbers import add, assign, clear, gap, halve, less, subtract

FREE, OUTER, INNER = 0, 1, 2


class Arcs(NamedTuple):
    """Arcs of a graph; arcs ``2 e`` and ``2 e + 1`` are edge e there and back.

    Attributes:
        starts: ``(V + 1,)`` where in ``leaving`` the arcs of each node begin.
        leaving: ``(2 E,)`` arcs that leave a node, node by node.
        heads: ``(2 E,)`` where each arc leads.
    """

    starts: NDArray[np.int64]
    leaving: NDArray[np.int64]
    heads: NDArray[np.int64]


class Tree(NamedTuple):
    """Nodes and blossoms, the matching, and the alternating paths from the root, ``(C,)`` each.

    Attributes:
        top: of nodes: the blossom that no other holds.
        mate: of nodes: the matched arc that leaves it, or -1.
        chain: of nodes: the next node of the same blossom.
        around: the blossom around it, or -1.
        base: the node that is matched outside of it, or alone.
        label: FREE, OUTER or INNER.
        entry: the arc through which the tree came to it.
        next: the next child of the blossom around it.
        previous: the previous child of the blossom around it.
        link: the arc to the next child.
        holder: its child with the base.
        first: its first node.
        last: its last node.
        mark: number of the last walk, or edge, that came here.
    """

    top: NDArray[np.int64]
    mate: NDArray[np.int64]
    chain: NDArray[np.int64]
    around: NDArray[np.int64]
    base: NDArray[np.int64]
    label: NDArray[np.int64]
    entry: NDArray[np.int64]
    next: NDArray[np.int64]
    previous: NDArray[np.int64]
    link: NDArray[np.int64]
    holder: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    mark: NDArray[np.int64]


class Numbers(NamedTuple):
    """Numbers in limbs, one a row: duals of C blossoms, twice the weights of E edges, times of events, and three more.

    Attributes:
        limbs: all of them, ``(rows, limbs)``.
        weights: row of the first weight.
        times: row of the first event's time. Event e lets the tree grow along edge e, ``E + e`` is an edge between outer
            blossoms, ``2 E + i`` opens the i-th blossom that is no node.
        end: row of the time when the search ends.
        spare: row for a number on the way.
        now: row of the time.
    """

    limbs: NDArray[np.int64]
    weights: int
    times: int
    end: int
    spare: int
    now: int


class Search(NamedTuple):
    """Work that a search has before it.

    Attributes:
        heap: events that wait, the first one first.
        waits: for each event the number of the search in which it was put on the heap last.
        looks: outer nodes to be looked at.
        names: numbers of blossoms that are not in use.
        stack: room for blossoms and their next bases.
        events: ``(1,)`` how many events are on the heap.
        open_looks: ``(1,)`` how many outer nodes are to be looked at.
        names_left: ``(1,)`` how many numbers of blossoms are not in use.
        number: ``(1,)`` the number of this search.
        walk: ``(1,)`` the number of the last walk to its root.
        end: ``(1,)`` its end: an arc to a node that is alone, or ``-2 - v`` for a node v of dual 0; -1 as long as neither is
            known.
    """

    heap: NDArray[np.int64]
    waits: NDArray[np.int64]
    looks: NDArray[np.int64]
    names: NDArray[np.int64]
    stack: NDArray[np.int64]
    events: NDArray[np.int64]
    open_looks: NDArray[np.int64]
    names_left: NDArray[np.int64]
    number: NDArray[np.int64]
    walk: NDArray[np.int64]
    end: NDArray[np.int64]


@compiled_borrowing
def label_inner(top, tree, numbers, search, arcs):
    """Labels a free blossom, which waits for the time when it opens."""
    tree.label[top] = INNER
    _shift(top, tree, numbers, False)
    size = len(arcs.starts) - 1
    if top >= size:
        slot = len(arcs.heads) + top - size
        assign(numbers.limbs, numbers.times + slot, top)
        _await(slot, numbers, search)


@compiled_borrowing
def label_outer(top, tree, numbers, search):
    """Labels a free blossom, whose nodes are to be looked at."""
    tree.label[top] = OUTER
    _shift(top, tree, numbers, True)
    node = tree.first[top]
    search.looks[search.open_looks[0]] = node
    while node != tree.last[top]:
        search.open_looks[0] += 1
        node = tree.chain[node]
        search.looks[search.open_looks[0]] = node
    search.open_looks[0] += 1


@compiled_borrowing
def unlabel(top, tree, numbers):
    """Makes a blossom free: what is stored are its duals of now."""
    inner = tree.label[top] == INNER
    tree.label[top] = FREE
    _shift(top, tree, numbers, inner)


@compiled_borrowing
def _shift(top, tree, numbers, up):
    """Adds the time to the duals of a blossom's nodes and takes it off its own, or the other way round."""
    now, node, again = numbers.now, tree.first[top], True
    while again:
        if up:
            add(numbers.limbs, node, now)
        else:
            subtract(numbers.limbs, node, now)
        again = node != tree.last[top]
        node = tree.chain[node] if again else top
    if node != tree.first[top]:
        if up:
            subtract(numbers.limbs, node, now)
        else:
            add(numbers.limbs, node, now)


@compiled_borrowing
def await_edge(arc, tree, numbers, search, arcs):
    """Lets an edge wait for the time when its gap is 0, of one outer end, or of two, which halves that time."""
    edge, tail, head = arc >> 1, arcs.heads[arc ^ 1], arcs.heads[arc]
    halved = tree.label[tree.top[tail]] == tree.label[tree.top[head]]
    slot = edge + len(arcs.heads) // 2 if halved else edge
    weight, time = numbers.weights + edge, numbers.times + slot
    if search.waits[slot] == search.number[0]:
        return
    if search.end[0] != -1:
        about = numbers.limbs[tail, 0] + numbers.limbs[head, 0] - numbers.limbs[weight, 0] - 1
        if (about >> 1 if halved else about) > numbers.limbs[numbers.end, 0]:
            return
    gap(numbers.limbs, time, tail, head, weight)
    if halved:
        halve(numbers.limbs, time)
    _await(slot, numbers, search)


@compiled_borrowing
def _await(slot, numbers, search):
    """Puts an event on the heap, by its time, unless the search ends before it."""
    times = numbers.times
    if search.end[0] != -1 and not less(numbers.limbs, times + slot, numbers.end):
        return
    search.waits[slot] = search.number[0]
    hole = search.events[0]
    search.events[0] += 1
    while hole > 0 and less(numbers.limbs, times + slot, times + search.heap[(hole - 1) >> 1]):
        search.heap[hole] = search.heap[(hole - 1) >> 1]
        hole = (hole - 1) >> 1
    search.heap[hole] = slot


@compiled_borrowing
def next_event(numbers, search):
    """Takes the first event from the heap."""
    search.events[0] -= 1
    first, size, times = search.heap[0], search.events[0], numbers.times
    moved, hole, child = search.heap[size], 0, 1
    while child < size:
        if child + 1 < size and less(numbers.limbs, times + search.heap[child + 1], times + search.heap[child]):
            child += 1
        if not less(numbers.limbs, times + search.heap[child], times + moved):
            break
        search.heap[hole] = search.heap[child]
        hole, child = child, 2 * child + 1
    search.heap[hole] = moved
    return first


@compiled_borrowing
def augment(tree, search, arcs):
    """Changes the matching along the tree's path from its end to the root."""
    end = search.end[0]
    node, arc = -2 - end, -1
    if end >= 0:
        node, arc = arcs.heads[end ^ 1], end
        _rebase(tree.top[arcs.heads[end]], arcs.heads[end], tree, search, arcs)
        tree.mate[arcs.heads[end]] = end ^ 1
    while True:
        outer = tree.top[node]
        before = tree.mate[tree.base[outer]]
        _rebase(outer, node, tree, search, arcs)
        tree.mate[node] = arc
        if before < 0:
            break
        inner = tree.top[arcs.heads[before]]
        arc = tree.entry[inner]
        _rebase(inner, arcs.heads[arc], tree, search, arcs)
        tree.mate[arcs.heads[arc]] = arc ^ 1
        node = arcs.heads[arc ^ 1]


@compiled_borrowing
def _rebase(top, node, tree, search, arcs):
    """Makes a node the base of a blossom, by changing the matching along the even way from it to the old base."""
    search.stack[0], search.stack[1], size = top, node, 2
    while size > 0:
        size -= 2
        blossom, node = search.stack[size], search.stack[size + 1]
        if blossom == node:
            continue
        child = _child_of(blossom, node, tree)
        onwards = _is_even(child, tree.holder[blossom], tree)
        search.stack[size], search.stack[size + 1] = child, node
        size += 2
        here = child
        while here != tree.holder[blossom]:
            odd = tree.next[here] if onwards else tree.previous[here]
            even = tree.next[odd] if onwards else tree.previous[odd]
            arc = tree.link[odd] if onwards else tree.link[even] ^ 1
            tree.mate[arcs.heads[arc ^ 1]], tree.mate[arcs.heads[arc]] = arc, arc ^ 1
            search.stack[size], search.stack[size + 1] = odd, arcs.heads[arc ^ 1]
            search.stack[size + 2], search.stack[size + 3] = even, arcs.heads[arc]
            size += 4
            here = even
        tree.holder[blossom], tree.base[blossom] = child, node


@compiled_borrowing
def _child_of(blossom, node, tree):
    """The child of a blossom that a node is in."""
    while tree.around[node] != blossom:
        node = tree.around[node]
    return node


@compiled_borrowing
def _is_even(child, goal, tree):
    """True where an even number of steps leads from a child to the goal."""
    even = True
    while child != goal:
        child, even = tree.next[child], not even
    return even


@compiled_borrowing
def shrink(arc, tree, numbers, search, arcs):
    """Makes a blossom of the odd cycle that an arc between two outer blossoms closes."""
    tail, head = tree.top[arcs.heads[arc ^ 1]], tree.top[arcs.heads[arc]]
    search.walk[0] += 1
    meeting, waiting = tail, head  # the first to be met twice by two walks to the root, in turns
    while meeting < 0 or tree.mark[meeting] != search.walk[0]:
        if meeting >= 0:
            tree.mark[meeting] = search.walk[0]
            mate = tree.mate[tree.base[meeting]]
            meeting = -1 if mate < 0 else tree.top[arcs.heads[tree.entry[tree.top[arcs.heads[mate]]] ^ 1]]
        meeting, waiting = waiting, meeting
    tree.next[tail], tree.previous[head], tree.link[tail] = head, tail, arc
    while tail != meeting:
        mate = tree.mate[tree.base[tail]]
        inner = tree.top[arcs.heads[mate]]
        tree.next[inner], tree.previous[tail], tree.link[inner] = tail, inner, mate ^ 1
        entry = tree.entry[inner]
        tail = tree.top[arcs.heads[entry ^ 1]]
        tree.next[tail], tree.previous[inner], tree.link[tail] = inner, tail, entry
    while head != meeting:
        mate = tree.mate[tree.base[head]]
        inner = tree.top[arcs.heads[mate]]
        tree.next[head], tree.previous[inner], tree.link[head] = inner, head, mate
        entry = tree.entry[inner]
        head = tree.top[arcs.heads[entry ^ 1]]
        tree.next[inner], tree.previous[head], tree.link[inner] = head, inner, entry ^ 1
    search.names_left[0] -= 1
    blossom = search.names[search.names_left[0]]
    tree.holder[blossom], tree.base[blossom] = meeting, tree.base[meeting]
    tree.first[blossom], tree.around[blossom], tree.label[blossom] = tree.first[meeting], -1, OUTER
    child, last = meeting, -1
    while last < 0 or child != meeting:
        if tree.label[child] == INNER:
            unlabel(child, tree, numbers)
            label_outer(child, tree, numbers, search)
        if child != tree.first[child]:
            add(numbers.limbs, child, numbers.now)
        tree.label[child], tree.around[child] = FREE, blossom
        if last >= 0:
            tree.chain[last] = tree.first[child]
        node, last = tree.first[child], tree.last[child]
        tree.top[node] = blossom
        while node != last:
            node = tree.chain[node]
            tree.top[node] = blossom
        child = tree.next[child]
    tree.last[blossom] = last
    clear(numbers.limbs, blossom)
    subtract(numbers.limbs, blossom, numbers.now)


@compiled_borrowing
def open_up(blossom, tree, numbers, search, arcs):
    """Takes an inner blossom apart: its even way from the entry to the base stays in the tree, the rest becomes free."""
    unlabel(blossom, tree, numbers)
    entry, base = tree.entry[blossom], tree.holder[blossom]
    here = _child_of(blossom, arcs.heads[entry], tree)
    onwards = _is_even(here, base, tree)
    child, again = base, True
    while again:
        tree.around[child], node = -1, tree.first[child]
        tree.top[node] = child
        while node != tree.last[child]:
            node = tree.chain[node]
            tree.top[node] = child
        child = tree.next[child]
        again = child != base
    while True:
        tree.entry[here] = entry
        label_inner(here, tree, numbers, search, arcs)
        if here == base:
            break
        outer = tree.next[here] if onwards else tree.previous[here]
        label_outer(outer, tree, numbers, search)
        here = tree.next[outer] if onwards else tree.previous[outer]
        entry = tree.link[outer] if onwards else tree.link[here] ^ 1
    child = tree.next[base]
    while child != base:
        if tree.label[child] == FREE:
            node, again = tree.first[child], True
            while again:
                for i in range(arcs.starts[node], arcs.starts[node + 1]):
                    if tree.label[tree.top[arcs.heads[arcs.leaving[i]]]] == OUTER:
                        await_edge(arcs.leaving[i], tree, numbers, search, arcs)
                again = node != tree.last[child]
                node = tree.chain[node] if again else node
        child = tree.next[child]
    search.names[search.names_left[0]] = blossom
    search.names_left[0] += 1
