"""Dijkstra's algorithm on grids whose cost is that of entering a tile, compiled, for a batch of maps in one call.

The label of a tile is ``d(v) = min_u d(u) + c(v)`` over its neighbours u, in float64, with ``d(start) = 0``. Since c(v) does
not depend on u, the first neighbour of v that leaves the queue gives v its final label: each tile is queued once, and no
label is ever lowered. The queue keeps labels below a moving bound in a small 4-ary heap, those of up to 16384 intervals
after it in unsorted lists, one an interval, and the rest in one more list: the order is exact and the heap stays small.

One padded array holds the state of a map: minus the cost of a tile without a label, then its label; NaN in walls and in a
frame around the map, which saves all bound checks, since NaN is neither negative nor part of a sum.
"""

import numpy as np

from imle_core.compiled import compiled

_NONE = -1
_TILES_EACH = 1.0  # tiles that an interval of labels should hold


@compiled
def cheapest_paths(theta, out, start, goal, moves, floor, ceiling):
    """Writes the 0/1 masks of the cheapest paths into ``out``.

    Args:
        theta: ``(N, H, W)`` float32 or float64, minus the costs; -inf is a wall, NaN is not allowed.
        out: ``(N, H, W)``, zeros, same type.
        start: row and column of the first tile.
        goal: row and column of the last tile.
        moves: ``(M, 2)`` steps (rows, columns) to the neighbours, in row-major order.
        floor: smallest cost; what is below is clamped.
        ceiling: largest finite cost; what is above is clamped.

    Returns:
        How many costs were clamped, and the first map whose goal cannot be reached, or -1.
    """
    count, height, width = theta.shape
    tiles = height * width
    stride = width + 2
    labels = np.empty((height + 2) * stride)
    keys, queue = np.empty(tiles), np.empty(tiles, np.int32)
    following = np.empty(len(labels), np.int32)
    heads = np.empty(min(max(tiles // 4, 64), 16384), np.int32)
    steps = moves[:, 0] * stride + moves[:, 1]
    first = (start[0] + 1) * stride + start[1] + 1
    last = (goal[0] + 1) * stride + goal[1] + 1
    clamped = 0
    for n in range(count):
        clamped += _read(theta[n], labels, floor, ceiling)
        density = tiles / (_TILES_EACH * max(height, width) * _typical_cost(labels))
        _label(labels, keys, queue, following, heads, steps, first, last, density)
        if not labels[last] >= 0.0:
            return clamped, n
        _trace(theta[n], labels, steps, first, last, floor, ceiling, out[n])
    return clamped, -1


@compiled
def _read(theta, labels, floor, ceiling):
    height, width = theta.shape
    clamped = 0
    labels[: width + 2] = np.nan
    for row in range(height):
        place = (row + 1) * (width + 2)
        labels[place] = np.nan
        for column in range(width):
            cost = -np.float64(theta[row, column])
            inside = min(max(cost, floor), ceiling)
            wall = cost == np.inf
            clamped += inside != cost and not wall
            labels[place + 1 + column] = np.nan if wall else -inside
        labels[place + width + 1] = np.nan
    labels[(height + 1) * (width + 2) :] = np.nan
    return clamped


@compiled
def _typical_cost(labels):
    """Geometric mean of up to 1024 costs: neither a few walls of high cost nor a few clamped tiles move it much."""
    stride = max(1, len(labels) // 1024)
    total, count = 0.0, 0
    for state in labels[stride // 2 :: stride]:
        if state < 0.0:
            total += np.log(-state)
            count += 1
    return np.exp(total / max(count, 1))


@compiled
def _label(labels, keys, queue, following, heads, steps, first, last, density):
    """Dijkstra's algorithm from ``first`` until every label up to that of ``last`` is final.

    ``keys, queue`` are the heap of size ``size``; ``heads[i], following`` the list of interval i, counted from ``base`` and
    ``1/density`` wide; ``later`` the list of what lies beyond the last interval.
    """
    intervals = len(heads)
    heads[:] = _NONE
    labels[first], keys[0], queue[0], size = 0.0, 0.0, first, 1
    base, current, queued, later, limit = 0.0, 0, 0, _NONE, np.inf
    while True:
        if size == 0:
            if queued == 0:
                if later == _NONE:
                    return
                base, later, queued = _spread(labels, following, heads, later, density)
                current = 0
            while heads[current] == _NONE:
                current += 1
            tile, heads[current] = heads[current], _NONE
            while tile != _NONE:
                _push(keys, queue, size, labels[tile], tile)
                size += 1
                queued -= 1
                tile = following[tile]
        label, tile = keys[0], queue[0]
        if label > limit:
            return
        size -= 1
        _sift_down(keys, queue, size)
        for step in steps:
            neighbour = tile + step
            if labels[neighbour] < 0.0:
                key = label - labels[neighbour]
                labels[neighbour] = key
                if neighbour == last:
                    limit = key
                place = (key - base) * density
                if place >= intervals:
                    following[neighbour], later = later, neighbour
                elif int(place) <= current:
                    _push(keys, queue, size, key, neighbour)
                    size += 1
                else:
                    following[neighbour], heads[int(place)] = heads[int(place)], neighbour
                    queued += 1


@compiled
def _spread(labels, following, heads, later, density):
    """Moves the list ``later`` into intervals that begin at its smallest label; returns base, the rest, tiles moved."""
    base, tile = np.inf, later
    while tile != _NONE:
        base, tile = min(base, labels[tile]), following[tile]
    tile, rest, moved = later, _NONE, 0
    while tile != _NONE:
        after = following[tile]
        place = (labels[tile] - base) * density
        if place < len(heads):
            following[tile], heads[int(place)] = heads[int(place)], tile
            moved += 1
        else:
            following[tile], rest = rest, tile
        tile = after
    return base, rest, moved


@compiled
def _push(keys, queue, size, key, tile):
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 2
        if keys[parent] <= key:
            break
        keys[hole], queue[hole] = keys[parent], queue[parent]
        hole = parent
    keys[hole], queue[hole] = key, tile


@compiled
def _sift_down(keys, queue, size):
    """Removes the first entry of a heap that holds ``size + 1``."""
    key, tile = keys[size], queue[size]
    hole, child = 0, 1
    while child < size:
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < keys[least]:
                least = other
        if keys[least] >= key:
            break
        keys[hole], queue[hole] = keys[least], queue[least]
        hole, child = least, 4 * least + 1
    keys[hole], queue[hole] = key, tile


@compiled
def _trace(theta, labels, steps, first, last, floor, ceiling, mask):
    """Walks back from the goal, each time to the smallest row-major predecessor with a smaller, exact label.

    A cost that is lost in a label by rounding makes plateaus of equal labels, where no predecessor has a smaller one.
    There the walk takes the fewest steps to leave the plateau, and among equals the smallest tile.
    """
    stride = theta.shape[1] + 2
    hops = np.empty(0, np.int64)
    tile = last
    while True:
        row, column = tile // stride - 1, tile % stride - 1
        mask[row, column] = 1
        if tile == first:
            return
        label, cost = labels[tile], min(max(-np.float64(theta[row, column]), floor), ceiling)
        before = _NONE
        for step in steps:
            if 0.0 <= labels[tile + step] < label and labels[tile + step] + cost == label:
                before = tile + step
                break
        if before == _NONE:
            if len(hops) == 0:
                hops = _plateau_hops(theta, labels, steps, first, floor, ceiling)
            for step in steps:
                if labels[tile + step] == label and hops[tile + step] == hops[tile] - 1:
                    before = tile + step
                    break
        tile = before


@compiled
def _plateau_hops(theta, labels, steps, first, floor, ceiling):
    """Steps back to the nearest tile that is the start or has a predecessor with a smaller label."""
    far = len(labels)
    stride = theta.shape[1] + 2
    hops = np.full(far, far)
    reached = np.flatnonzero(labels >= 0.0)
    changed = True
    while changed:
        changed = False
        for tile in reached:
            cost = min(max(-np.float64(theta[tile // stride - 1, tile % stride - 1]), floor), ceiling)
            best = 0 if tile == first else far
            for step in steps:
                before = labels[tile + step]
                if before >= 0.0 and before + cost == labels[tile]:
                    best = min(best, 0 if before < labels[tile] else hops[tile + step] + 1)
            if best < hops[tile]:
                hops[tile] = best
                changed = True
    return hops
