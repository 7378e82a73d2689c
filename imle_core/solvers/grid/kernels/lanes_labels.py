"""Labels of LANES grids side by side, corrected until they are final, and the ways back that they show; compiled.

Labels are scaled, uint32, or exact, float64 (:mod:`imle_core.solvers.grid.kernels.lanes`).
"""

import numpy as np

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import (
    LANES,
    add,
    address,
    and_,
    any_lane,
    equal,
    fill,
    less,
    load,
    minimum,
    or_,
    put,
    select,
    store,
    take,
)


@compiled_borrowing
def settle(labels, costs, above, slack, dirty, grid, order, limit):
    """Lowers labels from ``above`` until those up to the goal's plus ``slack`` are final.

    Args:
        labels: of positions, side by side, overwritten.
        costs: of entering positions, likewise.
        above: where labels begin; one number a lane.
        slack: how far labels above the goal's matter; one number a lane.
        dirty: a flag a position, overwritten.
        grid: where to go.
        order: positions in the order of visits.
        limit: visits after which it ends.

    Returns:
        Whether ``limit`` visits were enough.
    """
    _begin(labels, above, dirty, grid)
    visits, lowered = 0, 1
    while lowered > 0 and visits <= limit:
        counts = _round(labels, costs, slack, dirty, grid, order)
        visits, lowered = visits + counts[0], counts[1]
    return lowered == 0


@compiled_borrowing
def settle_roughly(labels, costs, above, slack, dirty, grid, order, limit):
    """Lowers labels as :func:`settle` does, until all but a few are final; which are not is in ``dirty``.

    :func:`scaled_ways` lowers the last few on its way.

    Returns:
        Whether ``limit`` visits were enough.
    """
    _begin(labels, above, dirty, grid)
    visits = 0
    while visits <= limit:
        counts = _round(labels, costs, slack, dirty, grid, order)
        visits += counts[0]
        if 2 * counts[2] <= len(order):
            return True
    return False


@compiled_borrowing
def _begin(labels, above, dirty, grid):
    """Writes the labels before any visit, and flags the neighbours of the start."""
    for position in range(0, len(labels), LANES):
        store(labels, position, load(above, 0))
    for lane in range(LANES):
        labels[grid.start * LANES + lane] = 0
    for position in range(len(dirty)):
        dirty[position] = 0
    _flag(address(dirty), grid.start, grid.width + 2, len(grid.steps) == 8)


@compiled_borrowing
def _round(labels, costs, slack, dirty, grid, order):
    """Visits all flagged positions, each stretch of the order twice at once, so that fewer labels beyond it fall again.

    Returns:
        How many positions were visited, how many labels were lowered, and how many of these in the second of two visits.
    """
    flags, stretch = address(dirty), 2 * (grid.height + grid.width)
    visits = lowered = lowered_again = 0
    for begin in range(0, len(order), stretch):
        end = min(begin + stretch, len(order))
        first = _visit(labels, costs, slack, flags, grid, order, begin, end)
        second = _visit(labels, costs, slack, flags, grid, order, begin, end)
        visits += first[0] + second[0]
        lowered, lowered_again = lowered + first[1] + second[1], lowered_again + second[1]
    return visits, lowered, lowered_again


@compiled_borrowing
def _visit(labels, costs, slack, flags, grid, order, begin, end):
    """Lowers labels of flagged positions ``order[begin:end]``; returns how many it visited, and lowered below the goal's."""
    numbers, entering, spare, goal = address(labels), address(costs), load(slack, 0), grid.goal * LANES
    stride, diagonal = grid.width + 2, len(grid.steps) == 8
    visits, lowered, bound = 0, 0, add(load(numbers, goal), spare)
    for i in range(begin, end):
        position = np.int64(take(order, i))
        if take(flags, position):
            put(flags, position, 0)
            visits += 1
            if _lower(numbers, entering, position * LANES, stride * LANES, diagonal, bound):
                _flag(flags, position, stride, diagonal)
                lowered, bound = lowered + 1, add(load(numbers, goal), spare)
    return visits, lowered


@compiled_borrowing
def _flag(dirty, position, stride, diagonal):
    """Flags the neighbours of a position."""
    for neighbour in (position - stride, position - 1, position + 1, position + stride):
        put(dirty, neighbour, 1)
    if diagonal:
        for neighbour in (position - stride - 1, position - stride + 1, position + stride - 1, position + stride + 1):
            put(dirty, neighbour, 1)


@compiled_borrowing
def _lower(labels, costs, at, stride, diagonal, bound):
    """``d(v) <- min(d(v), min_u d(u) + c(v))`` if that lowers a label to below ``bound``; whether it does."""
    present = load(labels, at)
    candidate = add(_least(labels, at, stride, diagonal), load(costs, at))
    if any_lane(less(candidate, minimum(present, bound))):
        store(labels, at, minimum(present, candidate))
        return True
    return False


@compiled_borrowing
def _least(labels, at, stride, diagonal):
    """The smallest labels beside a tile."""
    above, below = at - stride, at + stride
    lowest = minimum(minimum(load(labels, above), load(labels, below)), load(labels, at - LANES))
    lowest = minimum(lowest, load(labels, at + LANES))
    if diagonal:
        left = minimum(load(labels, above - LANES), load(labels, below - LANES))
        right = minimum(load(labels, above + LANES), load(labels, below + LANES))
        lowest = minimum(lowest, minimum(left, right))
    return lowest


@compiled_borrowing
def scaled_ways(labels, costs, slack, dirty, grid, order, limit, ways):
    """Writes, for tiles up to the goal, which steps lead to the smallest label beside one; none where that is not sure.

    Labels that are not final yet are lowered on the way. Bit i stands for step i. Labels that are not exact are not sure if
    another is at most ``slack`` above.

    Returns:
        Whether ``limit`` visits were enough.
    """
    numbers, entering, flags, sets = address(labels), address(costs), address(dirty), address(ways)
    none, unit, spare = fill(np.uint32(0)), fill(np.uint32(1)), load(slack, 0)
    goal, stride, diagonal = grid.goal * LANES, grid.width + 2, len(grid.steps) == 8
    is_cut, margin = less(none, spare), add(spare, unit)
    visits, changed, first, bound = 0, True, True, add(load(numbers, goal), margin)
    while changed and visits <= limit:
        changed = False
        for i in range(len(order)):
            position = np.int64(take(order, i))
            at = position * LANES
            if take(flags, position) or (first and any_lane(less(load(numbers, at), bound))):
                put(flags, position, 0)
                visits += 1
                present, lowest = load(numbers, at), _least(numbers, at, stride * LANES, diagonal)
                candidate = add(lowest, load(entering, at))
                if any_lane(less(candidate, minimum(present, bound))):
                    store(numbers, at, minimum(present, candidate))
                    _flag(flags, position, stride, diagonal)
                    changed, bound = True, add(load(numbers, goal), margin)
                near = _near(numbers, at, stride * LANES, diagonal, add(lowest, margin))
                several = less(none, and_(near, add(near, fill(np.uint32(2**32 - 1)))))
                store(sets, at, select(and_(several, is_cut), none, near))
        first = False
    return not changed


@compiled_borrowing
def _near(labels, at, stride, diagonal, beyond):
    """Set of the steps to labels beside a tile that are below ``beyond``."""
    above, below, none = at - stride, at + stride, fill(np.uint32(0))
    near = select(less(load(labels, at - LANES), beyond), fill(np.uint32(8 if diagonal else 2)), none)
    near = or_(near, select(less(load(labels, above), beyond), fill(np.uint32(2 if diagonal else 1)), none))
    near = or_(near, select(less(load(labels, at + LANES), beyond), fill(np.uint32(16 if diagonal else 4)), none))
    near = or_(near, select(less(load(labels, below), beyond), fill(np.uint32(64 if diagonal else 8)), none))
    if diagonal:
        near = or_(near, select(less(load(labels, above - LANES), beyond), fill(np.uint32(1)), none))
        near = or_(near, select(less(load(labels, above + LANES), beyond), fill(np.uint32(4)), none))
        near = or_(near, select(less(load(labels, below - LANES), beyond), fill(np.uint32(32)), none))
        near = or_(near, select(less(load(labels, below + LANES), beyond), fill(np.uint32(128)), none))
    return near


@compiled_borrowing
def exact_ways(labels, costs, grid, ways):
    """Writes which labels beside each tile are smaller and exact; bit i stands for step i."""
    numbers, entering, steps, sets = address(labels), address(costs), address(grid.steps), address(ways)
    none = fill(np.uint32(0))
    for row in range(grid.height):
        for column in range(grid.width):
            at = ((row + 1) * (grid.width + 2) + column + 1) * LANES
            present, cost, tight = load(numbers, at), load(entering, at), none
            for i in range(len(grid.steps)):
                before = load(numbers, at + take(steps, i) * LANES)
                is_tight = and_(less(before, present), equal(add(before, cost), present))
                tight = or_(tight, select(is_tight, fill(np.uint32(1 << i)), none))
            store(sets, at, tight)
