"""Cheapest paths over many grids at once: LANES maps side by side, tile by tile, compiled.

Labels ``d(v) = min_u d(u) + c(v)`` are corrected until none changes. Tiles are visited in the order in which Dijkstra's
algorithm would settle them on the mean of the maps, so that perturbed copies of one map need few visits; a tile is visited
again when a neighbour's label fell, unless all labels there are above those of the goal. The order matters to speed alone.

Labels come in two forms, and each map gets the first that surely has the path of labels in float64:

* *Scaled*: costs are cut to whole multiples of a quantum ``2^-e``, so that sums are exact, and labels are 32-bit numbers. On
  a map with n costs that are no such multiples, a label is too small by less than n quanta. The walk back from the goal
  takes the smallest label beside it, and is right if the next one is more than n above: no error can turn the two round.
  If n is 0 all sums are exact, in float64 too, and equal labels are ties, which go to the smallest tile.
* *Exact*: labels are those in float64, and the walk is that of :mod:`imle_core.solvers.grid_kernel`.

A map that neither form decides is left to that module: no path, a cost lost by rounding, or too many visits.
"""

import math

import numpy as np

from imle_core.compiled import compiled
from imle_core.solvers.grid_kernel import label
from imle_core.solvers.grid_maps_kernel import read_costs, tile_of
from imle_core.vectors import (
    LANES,
    add,
    address,
    both,
    choose,
    either,
    equal,
    fill,
    less,
    load,
    minimum,
    put,
    some,
    store,
    take,
    transpose,
)

_CAPACITY = 2**31 - 128  # the scaled label of what is not reached; a number of float32, too
_ROUNDING = 1e-6  # more than that of a sum of two costs in float32
_GOAL_BITS = 30  # of a path's scaled cost
_LARGEST_EXPONENT = 100
_TRIED = 2 * LANES  # maps; if most of them are left, so are all others
_VISITS = 64  # of a tile, on average; after them Dijkstra's algorithm is faster


@compiled
def plan_visits(maps, grid, examples):
    """The order of visits, and a path, from the mean of the maps ``examples``, walls apart.

    Returns:
        ``(T - 1,)`` places but the start's in the order of Dijkstra's algorithm, about, those it does not reach last; and
        ``(L,)`` the numbers of the tiles on its path after the start, or none.
    """
    tiles = grid.height * grid.width
    labels = np.full((grid.height + 2) * (grid.width + 2), np.nan)
    total, count, costs = np.zeros(tiles), np.zeros(tiles), np.empty(tiles, maps.theta.dtype)
    for n in examples:
        read_costs(maps, n, costs)
        for tile in range(tiles):
            if costs[tile] < np.inf:
                total[tile] += min(max(np.float64(costs[tile]), grid.floor), grid.ceiling)
                count[tile] += 1
    for tile in range(tiles):
        if count[tile] > 0:
            labels[_place(grid, tile)] = -total[tile] / count[tile]
    label(labels, grid, -1)
    return _sorted(labels, grid), _downhill(labels, grid)


@compiled
def _sorted(labels, grid):
    """Places but the start's by their labels, cut to one of 4 T intervals up to the goal's; others last."""
    tiles = grid.height * grid.width
    intervals = 4 * tiles
    density = intervals / labels[grid.goal] if labels[grid.goal] > 0.0 else 0.0
    begins, interval = np.zeros(intervals + 2, np.int64), np.empty(tiles, np.int64)
    for tile in range(tiles):
        far = labels[_place(grid, tile)] * density
        interval[tile] = int(far) if 0.0 <= far < intervals else intervals
        begins[interval[tile] + 1] += 1
    begins = np.cumsum(begins)
    order = np.empty(tiles, np.int32)
    for tile in range(tiles):
        order[begins[interval[tile]]] = _place(grid, tile)
        begins[interval[tile]] += 1
    return order[order != grid.start]


@compiled
def _downhill(labels, grid):
    """Numbers of the tiles on a way from the goal to the start along ever smaller labels; none if there is no such way."""
    path = np.empty(grid.height * grid.width, np.int64)
    place, length = grid.goal, 0
    while place != grid.start:
        path[length] = tile_of(grid, place)
        length += 1
        before = place
        for step in grid.steps:
            if 0.0 <= labels[place + step] < labels[before]:
                before = place + step
        if before == place:
            return path[:0]
        place = before
    return path[:length]


@compiled
def scaled_paths(maps, grid, which, masks, order, path, left):
    """Writes the masks of maps ``which[i]`` that scaled labels decide.

    Args:
        maps: the maps.
        grid: where to go.
        which: ``(M,)`` numbers of maps.
        masks: ``(N, T)`` uint8, zeros.
        order: places in the order of visits.
        path: numbers of tiles on some path after its start; its cost on a map bounds that of the cheapest.
        left: ``(M,)``, overwritten with the maps that are left.

    Returns:
        How many maps are left; and sums of the counts of :func:`read_costs`.
    """
    labels, costs, dirty, ways, whole = _space(grid, np.uint32(0), np.int32(0))
    row, size = np.empty(maps.theta.shape[1], maps.theta.dtype), len(whole) // LANES
    steps, jumps = _first_ways(grid)
    inexact, above = np.empty(LANES, np.uint32), np.empty(LANES, np.uint32)
    count = nans = clamped = passable = 0
    for first in range(0, len(which), LANES):
        lanes = min(LANES, len(which) - first)
        if first >= _TRIED and 2 * count > first:
            for i in range(first, len(which)):
                counts = read_costs(maps, which[i], row)
                nans, clamped, passable = nans + counts[0], clamped + counts[1], passable + counts[2]
                left[count] = which[i]
                count += 1
            break
        for lane in range(LANES):
            counts = read_costs(maps, which[first + min(lane, lanes - 1)], row)
            bound, exponent = _bounded(row, grid, path)
            inexact[lane] = _scale(row, maps.floor, grid, exponent, whole[lane * size : lane * size + len(row)])
            above[lane] = min(bound * 2.0**exponent * (1.0 + _ROUNDING) + inexact[lane] + 2.0, _CAPACITY)
            if lane < lanes:
                nans, clamped, passable = nans + counts[0], clamped + counts[1], passable + counts[2]
        _spread(whole, costs, grid)
        for place in range(0, len(labels), LANES):
            store(labels, place, load(above, 0))
        if _settle(labels, costs, inexact, dirty, grid, order):
            _scaled_ways(labels, inexact, above, grid, ways)
        else:
            ways[:] = 0
        count = _walk(ways, grid, steps, jumps, which[first : first + lanes], masks, left, count)
    return count, nans, clamped, passable


@compiled
def exact_paths(maps, grid, which, masks, order, left):
    """Writes the masks of maps ``which[i]`` that labels in float64 decide; arguments as for :func:`scaled_paths`.

    Returns:
        How many maps are left.
    """
    labels, costs, dirty, ways, inside = _space(grid, np.float64(0), np.float64(0))
    row, size = np.empty(maps.theta.shape[1], maps.theta.dtype), len(inside) // LANES
    steps, jumps = _first_ways(grid)
    slack = np.zeros(LANES)
    count = 0
    for first in range(0, len(which), LANES):
        lanes = min(LANES, len(which) - first)
        for lane in range(LANES):
            read_costs(maps, which[first + min(lane, lanes - 1)], row)
            for tile in range(len(row)):
                cost = np.float64(row[tile])
                inside[lane * size + tile] = min(max(cost, grid.floor), grid.ceiling) if cost < np.inf else cost
        _spread(inside, costs, grid)
        labels[:] = np.inf
        if _settle(labels, costs, slack, dirty, grid, order):
            _exact_ways(labels, costs, grid, ways)
        else:
            ways[:] = 0
        count = _walk(ways, grid, steps, jumps, which[first : first + lanes], masks, left, count)
    return count


@compiled
def _space(grid, zero, other):
    """Labels and costs of LANES maps in the type of ``zero``, flags, ways, and costs map by map in the type of ``other``.

    There is room for the last LANES tiles of a row to be written as a whole.
    """
    places, tiles = (grid.height + 2) * (grid.width + 2), grid.height * grid.width
    labels, costs = np.empty(places * LANES, type(zero)), np.zeros((places + LANES) * LANES, type(zero))
    ways = np.empty(places * LANES, np.uint8)
    return labels, costs, np.zeros(places, np.uint8), ways, np.zeros((tiles + LANES) * LANES, type(other))


@compiled
def _place(grid, tile):
    return (tile // grid.width + 1) * (grid.width + 2) + tile % grid.width + 1


@compiled
def _bounded(row, grid, path):
    """A bound of the cheapest path's cost: that of ``path``, or if it is none, of all tiles; and the exponent for it."""
    bound, zero = len(path) * grid.floor, row.dtype.type(0)
    for i in range(0, len(path) - 1, 2):
        bound += np.float64(max(take(row, path[i]), zero) + max(take(row, path[i + 1]), zero))
    if len(path) % 2:
        bound += max(np.float64(row[path[-1]]), 0.0)
    if not 0.0 < bound < np.inf:
        bound = grid.floor
        for cost in row:
            bound += max(np.float64(cost), grid.floor) if cost < np.inf else 0.0
    exponent = _GOAL_BITS - math.frexp(bound)[1]
    return bound, min(max(exponent, -_LARGEST_EXPONENT), _LARGEST_EXPONENT)


@compiled
def _scale(row, floor, grid, exponent, whole):
    """Writes costs times ``2^exponent``, clamped and cut, into ``whole``; returns how many of a path's may be cut.

    A cheapest path never touches itself, so that of four tiles in a square it has at most two, with 4 moves three.
    """
    real = row.dtype.type
    scale, zero, capacity = real(2.0**exponent), real(0), real(_CAPACITY)
    least = np.int32(min(grid.floor * 2.0**exponent, _CAPACITY))
    cut = low = np.uint32(0)  # small counters, and one subject a loop, let the compiler vectorise
    for tile in range(len(row)):
        low = np.uint32(low + np.uint32(row[tile] < floor))
        scaled = row[tile] * scale
        scaled = zero if scaled < zero else scaled
        row[tile] = capacity if scaled > capacity else scaled
    for tile in range(len(row)):
        whole[tile] = np.int32(row[tile])
    for tile in range(len(row)):
        cut = np.uint32(cut + np.uint32((real(whole[tile]) != row[tile]) & (whole[tile] >= least)))
        whole[tile] = max(whole[tile], least)
    if least != grid.floor * 2.0**exponent:
        cut += low
    squares = ((grid.height + 1) // 2) * ((grid.width + 1) // 2)
    return min(np.int64(cut), (2 if len(grid.steps) == 8 else 3) * squares)


@compiled
def _spread(values, lanes, grid):
    """Writes the values of tiles, map by map, side by side into a padded array, whose frame it may overwrite."""
    size = len(values) // LANES
    for row in range(grid.height):
        for column in range(0, grid.width, LANES):
            place = (row + 1) * (grid.width + 2) + column + 1
            transpose(values, row * grid.width + column, size, lanes, place * LANES)


@compiled
def _settle(labels, costs, slack, dirty, grid, order):
    """Lowers labels until all up to the goal's plus ``slack`` are final; returns whether that took few enough visits."""
    stride, diagonal, visits = grid.width + 2, len(grid.steps) == 8, 0
    labels[grid.start * LANES : (grid.start + 1) * LANES] = 0
    dirty[:] = 0
    numbers, entering, flags, goal = address(labels), address(costs), address(dirty), grid.goal * LANES
    spare = load(slack, 0)
    _flag(flags, grid.start, stride, diagonal)
    changed = True
    while changed and visits <= _VISITS * len(order):
        changed = False
        for place in order:
            if take(flags, place):
                put(flags, place, 0)
                visits += 1
                bound = add(load(numbers, goal), spare)
                if _lower(numbers, entering, place * LANES, stride * LANES, diagonal, bound):
                    _flag(flags, place, stride, diagonal)
                    changed = True
    return not changed


@compiled
def _flag(dirty, place, stride, diagonal):
    """Flags the neighbours of a place."""
    for other in (place - stride, place - 1, place + 1, place + stride):
        put(dirty, other, 1)
    if diagonal:
        for other in (place - stride - 1, place - stride + 1, place + stride - 1, place + stride + 1):
            put(dirty, other, 1)


@compiled
def _lower(labels, costs, at, stride, diagonal, bound):
    """``d(v) <- min(d(v), min_u d(u) + c(v))``; whether that lowers a label to below ``bound``."""
    present = load(labels, at)
    lowered = minimum(present, add(_least(labels, at, stride, diagonal), load(costs, at)))
    store(labels, at, lowered)
    return some(less(lowered, minimum(present, bound)))


@compiled
def _least(labels, at, stride, diagonal):
    """The smallest labels beside a tile."""
    above, below = at - stride, at + stride
    least = minimum(minimum(load(labels, above), load(labels, below)), load(labels, at - LANES))
    least = minimum(least, load(labels, at + LANES))
    if diagonal:
        left = minimum(load(labels, above - LANES), load(labels, below - LANES))
        right = minimum(load(labels, above + LANES), load(labels, below + LANES))
        least = minimum(least, minimum(left, right))
    return least


@compiled
def _scaled_ways(labels, slack, above, grid, ways):
    """Writes, for tiles up to the goal, which steps lead to the smallest label beside one; none where that is not sure.

    Bit i stands for step i. Labels that are not exact are not sure if another is at most ``slack`` above.
    """
    numbers, sets = address(labels), address(ways)
    none, one, spare, stride = fill(np.uint32(0)), fill(np.uint32(1)), load(slack, 0), (grid.width + 2) * LANES
    is_cut, beyond_goal = less(none, spare), add(load(numbers, grid.goal * LANES), one)
    for row in range(grid.height):
        for column in range(grid.width):
            at = ((row + 1) * (grid.width + 2) + column + 1) * LANES
            if some(less(load(numbers, at), beyond_goal)):
                beyond = add(add(_least(numbers, at, stride, len(grid.steps) == 8), spare), one)
                near = _near(numbers, at, stride, len(grid.steps) == 8, beyond)
                several = less(none, both(near, add(near, fill(np.uint32(2**32 - 1)))))
                store(sets, at, choose(both(several, is_cut), none, near))
    for lane in range(LANES):
        if labels[grid.goal * LANES + lane] >= above[lane]:
            ways[grid.goal * LANES + lane] = 0


@compiled
def _near(labels, at, stride, diagonal, beyond):
    """Which labels beside a tile are below ``beyond``."""
    above, below = at - stride, at + stride
    if not diagonal:
        vertical = either(_bit(labels, above, beyond, 1), _bit(labels, below, beyond, 8))
        return either(vertical, either(_bit(labels, at - LANES, beyond, 2), _bit(labels, at + LANES, beyond, 4)))
    upper = either(_bit(labels, above - LANES, beyond, 1), _bit(labels, above, beyond, 2))
    upper = either(upper, either(_bit(labels, above + LANES, beyond, 4), _bit(labels, at - LANES, beyond, 8)))
    lower = either(_bit(labels, at + LANES, beyond, 16), _bit(labels, below - LANES, beyond, 32))
    return either(upper, either(lower, either(_bit(labels, below, beyond, 64), _bit(labels, below + LANES, beyond, 128))))


@compiled
def _bit(labels, at, beyond, bit):
    return choose(less(load(labels, at), beyond), fill(np.uint32(bit)), fill(np.uint32(0)))


@compiled
def _exact_ways(labels, costs, grid, ways):
    """Writes which labels beside each tile are smaller and exact; bit i stands for step i."""
    numbers, entering, steps, sets = address(labels), address(costs), address(grid.steps), address(ways)
    none = fill(np.uint32(0))
    for row in range(grid.height):
        for column in range(grid.width):
            at = ((row + 1) * (grid.width + 2) + column + 1) * LANES
            present, cost, tight = load(numbers, at), load(entering, at), none
            for i in range(len(grid.steps)):
                before = load(numbers, at + take(steps, i) * LANES)
                is_tight = both(less(before, present), equal(add(before, cost), present))
                tight = either(tight, choose(is_tight, fill(np.uint32(1 << i)), none))
            store(sets, at, tight)


@compiled
def _first_ways(grid):
    """For every set of ways, LANES times the first of the steps, and the first of the jumps; 0 for none."""
    steps, jumps = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for i in range(len(grid.steps) - 1, -1, -1):
        for ways in range(256):
            if ways >> i & 1:
                steps[ways], jumps[ways] = grid.steps[i] * LANES, grid.jumps[i]
    return steps, jumps


@compiled
def _walk(ways, grid, steps, jumps, which, masks, left, count):
    """Walks back from the goal by the first way at every step, and appends maps with none to those left.

    Returns:
        How many maps are left.
    """
    ways[grid.start * LANES : (grid.start + 1) * LANES] = 0
    ends = np.empty(LANES, np.int64)
    for lane in range(0, len(which), 4):
        _walk_four(ways, grid, steps, jumps, which, masks, lane, ends)
    for lane in range(len(which)):
        if ends[lane] != grid.start * LANES + lane:
            masks[which[lane]] = 0
            left[count] = which[lane]
            count += 1
    return count


@compiled
def _walk_four(ways, grid, steps, jumps, which, masks, lane, ends):
    """Writes the masks of the walks in four lanes, and where they end.

    One walk would leave the processor waiting, at each step, for what it needs to make the next.
    """
    last, tiles, goal, at = len(which) - 1, masks.shape[1], tile_of(grid, grid.goal), grid.goal * LANES
    i, j, k, m = lane, min(lane + 1, last), min(lane + 2, last), min(lane + 3, last)
    a, b, c, d = at + i, at + j, at + k, at + m
    e, f, g, h = (which[i] * tiles + goal, which[j] * tiles + goal, which[k] * tiles + goal, which[m] * tiles + goal)
    sets, step_of, jump_of, chosen = address(ways), address(steps), address(jumps), address(masks)
    while True:
        p, q, r, s = take(sets, a), take(sets, b), take(sets, c), take(sets, d)
        put(chosen, e, 1)
        put(chosen, f, 1)
        put(chosen, g, 1)
        put(chosen, h, 1)
        if p | q | r | s == 0:
            break
        a, b, c, d = a + take(step_of, p), b + take(step_of, q), c + take(step_of, r), d + take(step_of, s)
        e, f, g, h = e + take(jump_of, p), f + take(jump_of, q), g + take(jump_of, r), h + take(jump_of, s)
    ends[i], ends[j], ends[k], ends[m] = a, b, c, d
