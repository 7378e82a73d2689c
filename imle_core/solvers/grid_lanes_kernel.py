"""Cheapest paths over many grids at once: LANES maps side by side, tile by tile, compiled.

Labels ``d(v) = min_u d(u) + c(v)`` are corrected until none changes. Tiles are visited in the order in which Dijkstra's
algorithm would settle them on the mean of the maps, so that perturbed copies of one map need few visits; a tile is visited
again when a neighbour's label fell, unless all labels there are above those of the goal. The order matters to speed alone.

Labels come in two forms, and each map gets the first that surely has the path of labels in float64:

* *Scaled*: costs are cut to whole multiples of a quantum ``2^-e``, so that sums are exact, and labels are 32-bit numbers.
  None is too large, and that of a path with n costs that are no such multiples is too small by less than n quanta. The walk
  back from the goal takes the smallest label beside it, and is right if the next one is more than n above, for the n of the
  whole walk: no error can turn the two round. If n is 0 all sums are exact, in float64 too, and equal labels are ties,
  which go to the smallest tile. Where the next one is not that far above, :mod:`imle_core.solvers.grid_near_ties_kernel`
  may decide.
* *Exact*: labels are those in float64, and the walk is that of :mod:`imle_core.solvers.grid_kernel`.

A map that neither form decides is left to that module: no path, a cost lost by rounding, or too many visits.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.compiled import compiled_borrowing
from imle_core.solvers.grid_costs_kernel import CAPACITY, Costs, make_costs, read_exact, read_scaled
from imle_core.solvers.grid_maps_kernel import Grid, clear
from imle_core.solvers.grid_near_ties_kernel import Candidates, decide, make_candidates
from imle_core.solvers.grid_walks_kernel import Walks, make_walks, walk, write_masks
from imle_core.vectors import (
    LANES,
    add,
    address,
    bits,
    both,
    choose,
    either,
    equal,
    fetch_add,
    fill,
    lanes_of,
    less,
    load,
    minimum,
    put,
    some,
    store,
    take,
)

_GOAL_BITS = 29  # of the scaled cost of a path on the mean map; costs of up to four times as much can be told
_LARGEST_EXPONENT = 100
_TRIED = 2 * LANES  # maps; if most of them are left, so are all others
_VISITS = 64  # of a tile, on average; after them maps are solved sooner one by one
_VISITS_OF_LARGE = 16  # of maps whose labels do not fit into the nearest caches
_LARGE = 32**2  # tiles
_FEW = 4  # lanes; more are decided sooner by exact labels side by side, where these fit into the nearest caches


class Space(NamedTuple):
    """Where the kernels work on LANES maps at a time; :func:`make_space` makes one.

    Attributes:
        labels: of places, side by side, uint32 or float64.
        costs: of entering places, likewise.
        dirty: a flag a place.
        slack: one number a lane, of the labels' type.
        above: likewise.
        walks: what leads back.
        candidates: tiles that may be on one map's path.
    """

    labels: NDArray[Any]
    costs: Costs
    dirty: NDArray[np.uint8]
    slack: NDArray[Any]
    above: NDArray[Any]
    walks: Walks
    candidates: Candidates


def make_space(grid: Grid, dtype: np.dtype[np.floating], scaled: bool) -> Space:
    """Space for labels that are scaled or exact, and maps of a type."""
    places, number = (grid.height + 2) * (grid.width + 2), np.uint32 if scaled else np.float64
    return Space(
        labels=lanes_of(places, number),
        costs=make_costs(grid, dtype, scaled),
        dirty=np.zeros(places, np.uint8),
        slack=lanes_of(1, number),
        above=lanes_of(1, number),
        walks=make_walks(grid),
        candidates=make_candidates(grid),
    )


def scale_for(bound: float) -> float:
    """A power of 2 for maps with a path whose cost is about ``bound``."""
    return 2.0 ** min(max(_GOAL_BITS - math.frexp(bound)[1], -_LARGEST_EXPONENT), _LARGEST_EXPONENT)


@compiled_borrowing
def scaled_paths(maps, grid, which, masks, order, path, scale, space, left, taken, spared):
    """Writes the masks of maps ``which[i]`` that scaled labels decide, LANES at a time that no other thread has taken.

    Args:
        maps: the maps.
        grid: where to go.
        which: ``(M,)`` numbers of maps.
        masks: ``(N, T)``, overwritten for these maps, with zeros if they are left.
        order: places in the order of visits.
        path: places on some path after its start; its cost on a map bounds that of the cheapest.
        scale: a power of 2.
        space: where to work.
        left: ``(M,)``, overwritten with the maps that are left.
        taken: ``(1,)`` how many of the M maps some thread has taken so far.
        spared: of the M maps, those at the end that are left to another thread.

    Returns:
        How many maps are left, and how many of these since labels took too many visits; and how many costs are NaN, clamped,
        and no walls.
    """
    labels, costs, ways = space.labels, space.costs.entering, space.walks.ways
    longest = len(path) + len(path) // 4 + (grid.height + grid.width) // 2  # of walks, as they mostly are
    count = slow = nans = clamped = passable = tried = np.int64(0)  # a literal would have what it is given to compiled twice
    first = _take(taken, which, spared)
    while first < len(which):
        lanes = min(LANES, len(which) - first)
        given_up = tried >= _TRIED and 2 * count > tried
        found = read_scaled(maps, grid, which, first, lanes, scale, space.costs)
        nans, clamped, passable = nans + found[0], clamped + found[1], passable + found[2]
        steps = _limit_slack(space.costs.counts, longest, grid, space.slack)
        _bound(costs, path, space.slack, space.above)
        for place in range(0, len(labels), LANES):
            store(labels, place, load(space.above, 0))
        settled = not given_up and _settle(labels, costs, space.slack, space.dirty, grid, order, True)
        settled = settled and _scaled_ways(labels, costs, space.slack, space.dirty, grid, order, ways)
        reached = _lanes_below(labels, grid.goal, space.above) if settled else np.int64(0)
        arrived = walk(space.walks, grid, reached, steps)
        arrived |= _decide(maps, grid, reached & ~arrived & (2**lanes - 1), steps, space)
        write_masks(space.walks, grid, which, first, lanes, masks)
        slow += lanes if not settled and (not given_up or 2 * slow > count) else 0
        count = _leave(which, first, lanes, arrived, masks, left, count)
        tried += lanes
        if 2 * count > tried:
            longest = grid.height * grid.width
        first = _take(taken, which, spared)
    return count, slow, nans, clamped, passable


@compiled_borrowing
def _take(taken, which, spared):
    """Takes up to LANES maps that no other thread has; returns which is the first of them, or their number if none is."""
    return fetch_add(taken, LANES) if fetch_add(taken, 0) < len(which) - spared else len(which)


@compiled_borrowing
def exact_paths(maps, grid, which, masks, order, space, left):
    """Writes the masks of maps ``which[i]`` that labels in float64 decide; arguments as for :func:`scaled_paths`.

    Returns:
        How many maps are left.
    """
    labels, costs, count, settled = space.labels, space.costs.entering, np.int64(0), True
    for first in range(0, len(which), LANES):
        lanes = min(LANES, len(which) - first)
        read_exact(maps, grid, which, first, lanes, space.costs)
        store(space.above, 0, fill(np.inf))
        for place in range(0, len(labels), LANES):
            store(labels, place, fill(np.inf))
        # where that takes too many visits, it is not tried any more
        settled = settled and _settle(labels, costs, space.slack, space.dirty, grid, order, False)
        if settled:
            _exact_ways(labels, costs, grid, space.walks.ways)
        reached = _lanes_below(labels, grid.goal, space.above) if settled else np.int64(0)
        arrived = walk(space.walks, grid, reached, grid.height * grid.width)
        write_masks(space.walks, grid, which, first, lanes, masks)
        count = _leave(which, first, lanes, arrived, masks, left, count)
    return count


@compiled_borrowing
def _limit_slack(counts, longest, grid, slack):
    """Writes how many costs of a walk may be cut, and returns the steps that it may have for that to hold.

    A cheapest path never touches itself, so that of four tiles in a square it has at most two, with 4 moves three.
    """
    squares = ((grid.height + 1) // 2) * ((grid.width + 1) // 2)
    most = min(longest, (2 if len(grid.steps) == 8 else 3) * squares)
    cut, limit = load(counts, 0), fill(np.uint32(most))
    store(slack, 0, minimum(cut, limit))
    return most if some(less(limit, cut)) else grid.height * grid.width


@compiled_borrowing
def _bound(costs, path, slack, above):
    """Writes a number above the cost of a path plus ``slack``; ``CAPACITY`` if there is no path."""
    entering, capacity = address(costs), fill(np.uint32(CAPACITY))
    total = add(load(slack, 0), fill(np.uint32(1))) if len(path) else capacity
    for i in range(len(path)):
        total = minimum(add(total, load(entering, take(path, i) * LANES)), capacity)
    store(above, 0, total)


@compiled_borrowing
def _settle(labels, costs, slack, dirty, grid, order, roughly):
    """Lowers labels until all up to the goal's plus ``slack`` are final, or until few are not if ``roughly`` will do.

    Every part of the order is gone through twice at once, so that fewer labels beyond it are made of ones that fall again.

    Returns:
        Whether few enough visits were needed.
    """
    stride, diagonal, visits, most = grid.width + 2, len(grid.steps) == 8, 0, _most_visits(order)
    for lane in range(LANES):
        labels[grid.start * LANES + lane] = 0
    for place in range(len(dirty)):
        dirty[place] = 0
    flags, part = address(dirty), 2 * (grid.height + grid.width)
    _flag(flags, grid.start, stride, diagonal)
    changed = True
    while changed and visits <= most:
        lowered = lowered_again = 0
        for begin in range(0, len(order), part):
            end = min(begin + part, len(order))
            once = _visit(labels, costs, slack, flags, grid, order, begin, end)
            again = _visit(labels, costs, slack, flags, grid, order, begin, end)
            visits += once[0] + again[0]
            lowered, lowered_again = lowered + once[1] + again[1], lowered_again + again[1]
        if roughly and 2 * lowered_again <= len(order):
            return True
        changed = lowered > 0
    return not changed


@compiled_borrowing
def _visit(labels, costs, slack, flags, grid, order, begin, end):
    """Lowers labels of flagged places ``order[begin:end]``; returns how many were visited, and lowered below the goal's."""
    numbers, entering, spare, goal = address(labels), address(costs), load(slack, 0), grid.goal * LANES
    stride, diagonal = grid.width + 2, len(grid.steps) == 8
    visits, lowered, bound = 0, 0, add(load(numbers, goal), spare)
    for i in range(begin, end):
        place = np.int64(take(order, i))
        if take(flags, place):
            put(flags, place, 0)
            visits += 1
            if _lower(numbers, entering, place * LANES, stride * LANES, diagonal, bound):
                _flag(flags, place, stride, diagonal)
                lowered, bound = lowered + 1, add(load(numbers, goal), spare)
    return visits, lowered


@compiled_borrowing
def _most_visits(order):
    return len(order) * (_VISITS if len(order) <= _LARGE else _VISITS_OF_LARGE)


@compiled_borrowing
def _flag(dirty, place, stride, diagonal):
    """Flags the neighbours of a place."""
    for other in (place - stride, place - 1, place + 1, place + stride):
        put(dirty, other, 1)
    if diagonal:
        for other in (place - stride - 1, place - stride + 1, place + stride - 1, place + stride + 1):
            put(dirty, other, 1)


@compiled_borrowing
def _lower(labels, costs, at, stride, diagonal, bound):
    """``d(v) <- min(d(v), min_u d(u) + c(v))`` if that lowers a label to below ``bound``; whether it does."""
    present = load(labels, at)
    found = add(_least(labels, at, stride, diagonal), load(costs, at))
    if some(less(found, minimum(present, bound))):
        store(labels, at, minimum(present, found))
        return True
    return False


@compiled_borrowing
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


@compiled_borrowing
def _scaled_ways(labels, costs, slack, dirty, grid, order, ways):
    """Writes, for tiles up to the goal, which steps lead to the smallest label beside one; none where that is not sure.

    Labels that are not final yet are lowered on the way. Bit i stands for step i. Labels that are not exact are not sure if
    another is at most ``slack`` above.

    Returns:
        Whether few enough visits were needed.
    """
    numbers, entering, flags, sets = address(labels), address(costs), address(dirty), address(ways)
    none, one, spare = fill(np.uint32(0)), fill(np.uint32(1)), load(slack, 0)
    goal, stride, diagonal = grid.goal * LANES, grid.width + 2, len(grid.steps) == 8
    is_cut, margin = less(none, spare), add(spare, one)
    visits, most, changed, first, bound = 0, _most_visits(order), True, True, add(load(numbers, goal), margin)
    while changed and visits <= most:
        changed = False
        for i in range(len(order)):
            place = np.int64(take(order, i))
            at = place * LANES
            if take(flags, place) or (first and some(less(load(numbers, at), bound))):
                put(flags, place, 0)
                visits += 1
                present, least = load(numbers, at), _least(numbers, at, stride * LANES, diagonal)
                found = add(least, load(entering, at))
                if some(less(found, minimum(present, bound))):
                    store(numbers, at, minimum(present, found))
                    _flag(flags, place, stride, diagonal)
                    changed, bound = True, add(load(numbers, goal), margin)
                near = _near(numbers, at, stride * LANES, diagonal, add(least, margin))
                several = less(none, both(near, add(near, fill(np.uint32(2**32 - 1)))))
                store(sets, at, choose(both(several, is_cut), none, near))
        first = False
    return not changed


@compiled_borrowing
def _near(labels, at, stride, diagonal, beyond):
    """Which labels beside a tile are below ``beyond``."""
    above, below, none = at - stride, at + stride, fill(np.uint32(0))
    near = choose(less(load(labels, at - LANES), beyond), fill(np.uint32(8 if diagonal else 2)), none)
    near = either(near, choose(less(load(labels, above), beyond), fill(np.uint32(2 if diagonal else 1)), none))
    near = either(near, choose(less(load(labels, at + LANES), beyond), fill(np.uint32(16 if diagonal else 4)), none))
    near = either(near, choose(less(load(labels, below), beyond), fill(np.uint32(64 if diagonal else 8)), none))
    if diagonal:
        near = either(near, choose(less(load(labels, above - LANES), beyond), fill(np.uint32(1)), none))
        near = either(near, choose(less(load(labels, above + LANES), beyond), fill(np.uint32(4)), none))
        near = either(near, choose(less(load(labels, below - LANES), beyond), fill(np.uint32(32)), none))
        near = either(near, choose(less(load(labels, below + LANES), beyond), fill(np.uint32(128)), none))
    return near


@compiled_borrowing
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


@compiled_borrowing
def _lanes_below(labels, place, above):
    """The set of lanes whose label at a place is below a bound."""
    return bits(less(load(labels, place * LANES), load(above, 0)))


@compiled_borrowing
def _decide(maps, grid, undecided, steps, space):
    """Decides lanes of a set, unless exact labels side by side will sooner do; returns the set of those that are."""
    decided, most = np.int64(0), LANES if grid.height * grid.width > _LARGE else _FEW
    for lane in range(LANES if _count(undecided) <= most else 0):
        if undecided >> lane & 1 and decide(
            maps, space.costs, space.labels, space.slack, lane, grid, steps, space.candidates, space.walks.passed
        ):
            decided |= 1 << lane
    return decided


@compiled_borrowing
def _count(lanes):
    """How many lanes a set has."""
    count = 0
    while lanes:
        lanes &= lanes - 1
        count += 1
    return count


@compiled_borrowing
def _leave(which, first, lanes, arrived, masks, left, count):
    """Appends maps whose walk has not come to the start to those left; returns how many these are."""
    for lane in range(lanes):
        if not arrived >> lane & 1:
            clear(masks, which[first + lane])
            left[count] = which[first + lane]
            count += 1
    return count
