"""Labels of LANES grids side by side, corrected until they are final; compiled.

Labels are scaled, uint32, or exact, float64 (:mod:`imle_core.solvers.grid.kernels.lanes`).
"""

import numpy as np

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import (
    LANES,
    add,
    address,
    any_less,
    load,
    minimum,
    put,
    store,
    take,
)


@compiled_borrowing
def settle(labels, costs, above, margin, dirty, grid, order, limit):
    """Lowers labels from ``above`` until those below the goal's plus ``margin`` are final.

    Args:
        labels: of positions, side by side, overwritten.
        costs: of entering positions, likewise.
        above: where labels begin; one number a lane.
        margin: how far above the goal's labels matter; one number a lane.
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
        visited, lowered = _round(labels, costs, margin, dirty, grid, order)
        visits += visited
    return lowered == 0


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
def _round(labels, costs, margin, dirty, grid, order):
    """Visits all flagged positions, each stretch of the order twice at once, so that fewer labels beyond it fall again.

    Returns:
        How many positions were visited, and how many labels were lowered.
    """
    flags, stretch = address(dirty), 2 * (grid.height + grid.width)
    visits = lowered = 0
    for begin in range(0, len(order), stretch):
        for _ in range(2):
            counts = _visit(labels, costs, margin, flags, grid, order, begin, min(begin + stretch, len(order)))
            visits, lowered = visits + counts[0], lowered + counts[1]
    return visits, lowered


@compiled_borrowing
def _visit(labels, costs, margin, flags, grid, order, begin, end):
    """Lowers labels of flagged positions ``order[begin:end]``; returns how many it visited, and lowered below the goal's."""
    numbers, entering, spare, goal = address(labels), address(costs), load(margin, 0), grid.goal * LANES
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
    candidate = add(least(labels, at, stride, diagonal), load(costs, at))
    present = load(labels, at)
    if any_less(candidate, minimum(present, bound)):
        store(labels, at, minimum(present, candidate))
        return True
    return False


@compiled_borrowing
def least(labels, at, stride, diagonal):
    """The smallest labels beside a tile, one after the other: processors have too few registers for several at once."""
    above, below = at - stride, at + stride
    lowest = minimum(load(labels, above), load(labels, at - LANES))
    lowest = minimum(lowest, load(labels, at + LANES))
    lowest = minimum(lowest, load(labels, below))
    if diagonal:
        lowest = minimum(lowest, load(labels, above - LANES))
        lowest = minimum(lowest, load(labels, above + LANES))
        lowest = minimum(lowest, load(labels, below - LANES))
        lowest = minimum(lowest, load(labels, below + LANES))
    return lowest
