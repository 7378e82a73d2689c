"""Walks back from the goal on LANES grids side by side, and the masks of what they pass, compiled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import LANES, address, and_, fill, lanes_of, less, load, movemask, put, select, store, take
from imle_core.solvers.grid.kernels.maps import Grid

_AT_ONCE = 16  # walks; one by itself would leave the processor waiting for what it needs at each step


class Walks(NamedTuple):
    """Labels that walks follow and tiles that they have passed; :func:`make_walks` makes one.

    Attributes:
        ways: sets of steps back from each position, side by side; bit i stands for step i.
        passed: 1 for each position that a walk has passed, side by side.
        at: where the walk of each lane is.
        lanes_of_tiles: for each tile the set of lanes whose walks have passed it.
    """

    ways: NDArray[np.uint8]
    passed: NDArray[np.uint8]
    at: NDArray[np.int64]
    lanes_of_tiles: NDArray[np.uint32]


def make_walks(grid: Grid) -> Walks:
    """Room for walks."""
    positions, tiles = (grid.height + 2) * (grid.width + 2), grid.height * grid.width
    return Walks(
        lanes_of(positions, np.uint8), lanes_of(positions, np.uint8), np.zeros(LANES, np.int64), np.zeros(tiles, np.uint32)
    )


@compiled_borrowing
def walk(walks, grid, reached, steps):
    """Walks back from the goal by the first way at every step.

    A walk with no way at some step, or of more steps than these, ends before the start.

    Args:
        walks: with the ways of all positions that walks may come to.
        grid: where to go.
        reached: the set of lanes that walk.
        steps: of a walk, at most.

    Returns:
        The set of lanes whose walks have come to the start.
    """
    ways, passed, at = address(walks.ways), address(walks.passed), address(walks.at)
    step_of, start, goal, none = address(grid.first_steps), grid.start * LANES, grid.goal * LANES, fill(np.uint8(0))
    for position in range(0, len(walks.passed), LANES):
        store(passed, position, none)
    for lane in range(LANES):
        put(at, lane, goal + lane)
        put(ways, start + lane, 0)
        if not reached >> lane & 1:
            put(ways, goal + lane, 0)
    for first in range(0, LANES, _AT_ONCE):
        for _ in range(steps + 1):
            going = np.int64(0)
            for lane in range(first, first + _AT_ONCE):
                here = take(at, lane)
                among = np.int64(take(ways, here))
                put(passed, here, 1)
                put(at, lane, here + take(step_of, among) * LANES)
                going |= among
            if going == 0:
                break
    return movemask(less(none, load(passed, start))) & reached


@compiled_borrowing
def write_masks(walks, grid, which, first, lanes, masks):
    """Writes what walks have passed into the masks ``(N, T)`` of the maps ``which[first : first + lanes]``."""
    sets, passed, written, tiles = address(walks.lanes_of_tiles), address(walks.passed), address(masks), masks.shape[1]
    for row in range(grid.height):
        position = (row + 1) * (grid.width + 2) + 1
        for column in range(grid.width):
            has_passed = less(fill(np.uint8(0)), load(passed, (position + column) * LANES))
            put(sets, row * grid.width + column, movemask(has_passed))
    none, zero, unit = fill(np.uint32(0)), fill(masks.dtype.type(0)), fill(masks.dtype.type(1))
    in_vectors = tiles - tiles % LANES
    for lane in range(lanes):
        lane_alone, at = fill(np.uint32(1 << lane)), which[first + lane] * tiles
        for tile in range(0, in_vectors, LANES):
            store(written, at + tile, select(less(none, and_(load(sets, tile), lane_alone)), unit, zero))
        for tile in range(in_vectors, tiles):
            put(written, at + tile, np.int64(take(sets, tile)) >> lane & 1)
