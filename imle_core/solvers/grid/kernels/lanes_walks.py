"""Walks back from the goal on LANES grids side by side, and the masks of what they pass, compiled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import (
    LANES,
    add,
    address,
    and_,
    below,
    fill,
    lanes_of,
    less,
    load,
    movemask,
    or_,
    put,
    select,
    store,
    take,
)
from imle_core.solvers.grid.kernels.lanes_labels import least
from imle_core.solvers.grid.kernels.maps import Grid

_SHIFT = LANES.bit_length() - 1
_AT_ONCE = 16  # walks; one by itself would leave the processor waiting for what it needs at each step


class Walks(NamedTuple):
    """Ways of walks and tiles that they have passed; :func:`make_walks` makes one.

    Attributes:
        ways: sets of steps back from each position, side by side; bit i stands for step i.
        known: 1 for each position whose ways are found.
        passed: 1 for each position that a walk has passed, side by side.
        at: where the walk of each lane is.
        lanes_of_tiles: for each tile the set of lanes whose walks have passed it.
    """

    ways: NDArray[np.uint8]
    known: NDArray[np.uint8]
    passed: NDArray[np.uint8]
    at: NDArray[np.int64]
    lanes_of_tiles: NDArray[np.uint32]


def make_walks(grid: Grid) -> Walks:
    """Room for walks."""
    positions, tiles = (grid.height + 2) * (grid.width + 2), grid.height * grid.width
    return Walks(
        ways=lanes_of(positions, np.uint8),
        known=np.zeros(positions, np.uint8),
        passed=lanes_of(positions, np.uint8),
        at=np.zeros(LANES, np.int64),
        lanes_of_tiles=np.zeros(tiles, np.uint32),
    )


@compiled_borrowing
def walk_scaled(labels, margins, walks, grid, reached, steps):
    """Walks back from the goal, at every step to the smallest label beside it, if that is sure.

    It is not where another label is above it by less than the margin, unless that is 1: labels are exact then, and of equal
    ones the first is right. A walk that is not sure, or of more steps than these, ends before the start. Ways are found for
    all lanes when the first of them comes to a tile, since walks of maps alike pass the same tiles.

    Args:
        labels: scaled, side by side, that are final up to the goal's plus the margin.
        margins: one number a lane, above what labels may be too small by.
        walks: where to work.
        grid: where to go.
        reached: the set of lanes that walk.
        steps: of a walk, at most.

    Returns:
        The set of lanes whose walks have come to the start.
    """
    numbers, margin, ways, passed = address(labels), load(margins, 0), address(walks.ways), address(walks.passed)
    at, known, step_of = address(walks.at), address(walks.known), address(grid.first_steps)
    stride, diagonal = (grid.width + 2) * LANES, len(grid.steps) == 8
    _begin(walks, grid, reached)
    for first in range(0, LANES, _AT_ONCE):
        for _ in range(steps + 1):
            going = np.int64(0)
            for lane in range(first, first + _AT_ONCE):
                here = take(at, lane)
                if not take(known, here >> _SHIFT):
                    put(known, here >> _SHIFT, 1)
                    tile = here - lane
                    store(ways, tile, _sure_ways(numbers, tile, stride, diagonal, margin))
                among = np.int64(take(ways, here))
                put(passed, here, 1)
                put(at, lane, here + take(step_of, among) * LANES)
                going |= among
            if going == 0:
                break
    return _arrived(walks, grid) & reached


@compiled_borrowing
def _sure_ways(labels, at, stride, diagonal, margin):
    """Sets of the steps to the smallest labels beside a tile, none where that is not sure; bit i stands for step i."""
    north, south, none, unit = at - stride, at + stride, fill(np.uint32(0)), fill(np.uint32(1))
    beyond = add(least(labels, at, stride, diagonal), margin)
    near = _near(labels, at - LANES, beyond, 8 if diagonal else 2)
    near = or_(near, _near(labels, north, beyond, 2 if diagonal else 1))
    near = or_(near, _near(labels, at + LANES, beyond, 16 if diagonal else 4))
    near = or_(near, _near(labels, south, beyond, 64 if diagonal else 8))
    if diagonal:
        near = or_(near, _near(labels, north - LANES, beyond, 1))
        near = or_(near, _near(labels, north + LANES, beyond, 4))
        near = or_(near, _near(labels, south - LANES, beyond, 32))
        near = or_(near, _near(labels, south + LANES, beyond, 128))
    several = less(none, and_(near, add(near, fill(np.uint32(2**32 - 1)))))
    return select(and_(several, less(unit, margin)), none, near)


@compiled_borrowing
def _near(labels, at, beyond, bit):
    """A bit where labels are below ``beyond``; both are below 2^31 wherever a walk has come to the tile."""
    return select(below(load(labels, at), beyond), fill(np.uint32(bit)), fill(np.uint32(0)))


@compiled_borrowing
def walk_exact(labels, costs, walks, grid, reached):
    """Walks back from the goal, at every step to the first tile whose label, of float64, and the cost make that of its own.

    Returns:
        The set of lanes whose walks have come to the start.
    """
    numbers, entering, passed, at = address(labels), address(costs), address(walks.passed), address(walks.at)
    steps = address(grid.steps)
    _begin(walks, grid, reached)
    for lane in range(LANES):
        here, before = take(at, lane), np.int64(-1)
        while here != before:
            put(passed, here, 1)
            before = here
            here += exact_step(numbers, before, take(entering, before), steps, len(grid.steps), LANES)
    return _arrived(walks, grid) & reached


@compiled_borrowing
def exact_step(labels, here, cost, steps, count, stride):
    """Step to the first tile with a smaller label that with the cost makes that of a tile; 0 where there is none.

    Args:
        labels: in float64, one every ``stride`` numbers.
        here: where the tile's is.
        cost: of entering the tile.
        steps: between positions, in row-major order.
        count: of steps.
        stride: numbers between labels of neighbours in a row.
    """
    present = take(labels, here)
    for i in range(count):
        step = take(steps, i) * stride
        label = take(labels, here + step)
        if label < present and label + cost == present:
            return step
    return np.int64(0)


@compiled_borrowing
def _begin(walks, grid, reached):
    """Puts walks on the goal, those of lanes that have not reached it on the start; nothing is passed yet."""
    passed, at, none = address(walks.passed), address(walks.at), fill(np.uint8(0))
    for position in range(0, len(walks.passed), LANES):
        store(passed, position, none)
    walks.known[:] = 0
    walks.known[grid.start] = 1
    store(walks.ways, grid.start * LANES, none)
    for lane in range(LANES):
        put(at, lane, (grid.goal if reached >> lane & 1 else grid.start) * LANES + lane)


@compiled_borrowing
def _arrived(walks, grid):
    """The set of lanes whose walks have passed the start."""
    return movemask(less(fill(np.uint8(0)), load(walks.passed, grid.start * LANES)))


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
