"""Dijkstra's algorithm on grids whose cost is that of entering a tile, compiled, for a batch of maps in one call.

The label of a tile is ``d(v) = min_u d(u) + c(v)`` over its neighbours u, in float64, with ``d(start) = 0``. Since c(v) does
not depend on u, the first neighbour of v that leaves the queue gives v its final label: each tile is queued once, and no
label is ever lowered. The queue keeps labels below a moving bound in a small 4-ary heap, those of up to 16384 intervals
after it in unsorted lists, one an interval, and the rest in one more list: the order is exact and the heap stays small.

One padded array holds the state of a map: minus the cost of a tile without a label, then its label; NaN in walls and in a
frame around the map, which saves all bound checks, since NaN is neither negative nor part of a sum.
"""

import math

import numpy as np

from imle_core.compiled import compiled
from imle_core.solvers.grid_maps_kernel import clear, read_costs, tile_of

_NONE = -1
_TILES_EACH = 1.0  # tiles that an interval of labels should hold


@compiled
def cheapest_paths(maps, grid, which, masks):
    """Writes the 0/1 masks of the cheapest paths of maps ``which[i]``.

    Args:
        maps: the maps; NaN is not allowed.
        grid: where to go.
        which: ``(M,)`` numbers of maps.
        masks: ``(N, T)``, overwritten for these maps.

    Returns:
        The first of the maps whose goal cannot be reached, or -1; and sums of the counts of
        :func:`imle_core.solvers.grid_maps_kernel.read_costs`.
    """
    costs = np.empty(maps.theta.shape[1], maps.theta.dtype)
    labels = np.empty((grid.height + 2) * (grid.width + 2))
    nans = clamped = passable = 0
    cut_off = _NONE
    for i in range(len(which)):
        counts = read_costs(maps, which[i], costs)
        clear(masks, which[i])
        nans, clamped, passable = nans + counts[0], clamped + counts[1], passable + counts[2]
        if counts[0] or cut_off != _NONE:
            continue
        _prepare(costs, grid, labels)
        label(labels, grid, grid.goal)
        if labels[grid.goal] >= 0.0:
            _trace(costs, labels, grid, masks[which[i]])
        else:
            cut_off = which[i]
    return cut_off, nans, clamped, passable


@compiled
def _prepare(costs, grid, labels):
    """Writes minus the clamped costs into the padded array of states."""
    for place in range(len(labels)):
        labels[place] = np.nan
    for row in range(grid.height):
        place = (row + 1) * (grid.width + 2) + 1
        for column in range(grid.width):
            cost = np.float64(costs[row * grid.width + column])
            if cost < np.inf:
                labels[place + column] = -min(max(cost, grid.floor), grid.ceiling)


@compiled
def _typical_cost(labels):
    """Geometric mean of up to 1024 costs: neither a few walls of high cost nor a few clamped tiles move it much."""
    stride = max(1, len(labels) // 1024)
    total, count = 0.0, 0
    for place in range(stride // 2, len(labels), stride):
        if labels[place] < 0.0:
            total += math.log(-labels[place])
            count += 1
    return math.exp(total / max(count, 1))


@compiled
def label(labels, grid, last):
    """Dijkstra's algorithm from the start until every label up to that of the place ``last`` is final; all are for -1.

    Args:
        labels: ``((H + 2) * (W + 2),)`` minus the costs of tiles, NaN in walls and around the map; overwritten with labels.
        grid: where to go.
        last: the place that matters.
    """
    # ``keys, queue`` are the heap of size ``size``; ``heads[i], following`` the list of interval i, counted from ``base``
    # and ``1/density`` wide; ``later`` the list of what lies beyond the last interval.
    tiles, steps = grid.height * grid.width, grid.steps
    density = tiles / (_TILES_EACH * max(grid.height, grid.width) * _typical_cost(labels))
    keys, queue = np.empty(tiles), np.empty(tiles, np.int32)
    following = np.empty(len(labels), np.int32)
    intervals = min(max(tiles // 4, 64), 16384)
    heads = np.empty(intervals, np.int32)
    for interval in range(intervals):
        heads[interval] = _NONE
    labels[grid.start], keys[0], queue[0], size = 0.0, 0.0, grid.start, np.int64(1)
    base, current, queued, later, limit = 0.0, 0, 0, np.int64(_NONE), np.inf
    while True:
        if size == 0:
            if queued == 0:
                if later == _NONE:
                    return
                base, later, queued = _spread(labels, following, heads, later, density)
                current = 0
            while heads[current] == _NONE:
                current += 1
            tile = np.int64(heads[current])
            heads[current] = _NONE
            while tile != _NONE:
                _push(keys, queue, size, labels[tile], tile)
                size += 1
                queued -= 1
                tile = following[tile]
        lowest, tile = keys[0], queue[0]
        if lowest > limit:
            return
        size -= 1
        _sift_down(keys, queue, size)
        for step in steps:
            neighbour = tile + step
            if labels[neighbour] < 0.0:
                key = lowest - labels[neighbour]
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
def _trace(costs, labels, grid, mask):
    """Walks back from the goal, each time to the smallest row-major predecessor with a smaller, exact label.

    A cost that is lost in a label by rounding makes plateaus of equal labels, where no predecessor has a smaller one.
    There the walk takes the fewest steps to leave the plateau, and among equals the smallest tile.
    """
    hops = np.empty(0, np.int64)
    place, tile = grid.goal, tile_of(grid, grid.goal)
    while place != grid.start:
        mask[tile] = 1
        present, cost = labels[place], min(max(np.float64(costs[tile]), grid.floor), grid.ceiling)
        before = _NONE
        for i in range(len(grid.steps)):
            other = labels[place + grid.steps[i]]
            if 0.0 <= other < present and other + cost == present:
                before = i
                break
        if before == _NONE:
            if len(hops) == 0:
                hops = _plateau_hops(costs, labels, grid)
            for i in range(len(grid.steps)):
                other = place + grid.steps[i]
                if labels[other] == present and hops[other] == hops[place] - 1:
                    before = i
                    break
        place += grid.steps[before]
        tile += grid.jumps[before]
    mask[tile] = 1


@compiled
def _plateau_hops(costs, labels, grid):
    """Steps back to the nearest tile that is the start or has a predecessor with a smaller label."""
    far = len(labels)
    hops = np.empty(far, np.int64)
    for place in range(far):
        hops[place] = far
    changed = True
    while changed:
        changed = False
        for place in range(far):
            if not labels[place] >= 0.0:
                continue
            cost = min(max(np.float64(costs[tile_of(grid, place)]), grid.floor), grid.ceiling)
            best = 0 if place == grid.start else far
            for step in grid.steps:
                before = labels[place + step]
                if before >= 0.0 and before + cost == labels[place]:
                    best = min(best, 0 if before < labels[place] else hops[place + step] + 1)
            if best < hops[place]:
                hops[place] = best
                changed = True
    return hops
