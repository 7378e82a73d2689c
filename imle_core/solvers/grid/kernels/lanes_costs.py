"""Costs of LANES grids side by side, in the form that labels need, scaled or exact; clamped and counted; compiled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import (
    LANES,
    SIDE,
    add,
    address,
    convert,
    fill,
    lanes_of,
    less,
    load,
    maximum,
    minimum,
    multiply,
    put,
    select,
    store,
    take,
    transpose,
)
from imle_core.solvers.grid.kernels.maps import Grid, inside

_COMPETING = 1024  # tiles of 4 bytes, so many apart, share lines of the first cache
CAPACITY = 2**31 - 128  # the scaled label of what is not reached; a number of float32, too


class Costs(NamedTuple):
    """Costs, and what is needed to lay them side by side; :func:`make_costs` makes one.

    Attributes:
        entering: of positions, side by side, uint32 or float64.
        at: where in ``entering`` each tile's begin.
        starts: where each lane's map begins among the gains that are read.
        gains: map by map, in theta's type, with SIDE more numbers after each: were the way from map to map a power of 2,
            the cache could hold few of them.
        block: gains of SIDE tiles, side by side.
        counts: one number a lane, in three rows: costs that may be cut, below the floor, and not below the ceiling.
    """

    entering: NDArray[Any]
    at: NDArray[np.int64]
    starts: NDArray[np.int64]
    gains: NDArray[np.floating]
    block: NDArray[np.floating]
    counts: NDArray[np.uint32]


def make_costs(grid: Grid, dtype: np.dtype[np.floating], scaled: bool) -> Costs:
    """Room for costs that are scaled or exact, and maps of a type."""
    height, width, number = grid.height, grid.width, np.uint32 if scaled else np.float64
    positions = np.arange((height + 2) * (width + 2)).reshape(height + 2, width + 2)
    return Costs(
        entering=lanes_of(positions.size, number),
        at=positions[1:-1, 1:-1].ravel() * LANES,
        starts=np.zeros(LANES, np.int64),
        gains=np.zeros((height * width + SIDE) * LANES, dtype),
        block=lanes_of(SIDE, dtype),
        counts=lanes_of(3, np.uint32),
    )


@compiled_borrowing
def read_scaled(maps, grid, which, first, lanes, scale, space):
    """Writes costs times ``scale``, clamped and cut, of maps ``which[first : first + lanes]``, and counts.

    Lanes beyond those have the last map's. NaN become numbers.

    Returns:
        How many costs of these maps are NaN, how many are to be clamped, and how many are no walls.
    """
    gains, starts, block, entering, at = _locate(maps, which, first, lanes, space)
    real, tiles = maps.theta.dtype.type, maps.theta.shape[1]
    lowest = np.uint32(min(grid.floor * scale, CAPACITY))
    none, unit, smallest, factor = fill(np.uint32(0)), fill(np.uint32(1)), fill(lowest), fill(real(-scale))
    floor, ceiling = fill(-maps.floor), fill(-maps.ceiling)
    low, high = fill(real(0 if lowest else 0.5)), fill(real(CAPACITY))  # a cost that is cut to 0 must not look whole
    cut = below = beyond = none
    for tile in range(0, tiles, SIDE):
        _turn(gains, starts, tile, block)
        for i in range(min(SIDE, tiles - tile)):
            gain = load(block, i * LANES)
            below = add(below, select(less(floor, gain), unit, none))
            beyond = add(beyond, select(less(ceiling, gain), none, unit))
            scaled = minimum(maximum(multiply(gain, factor), low), high)
            whole = maximum(convert(scaled, np.uint32), smallest)
            cut = add(cut, select(less(convert(whole, real), scaled), unit, none))
            store(entering, take(at, tile + i), whole)
    store(space.counts, 0, cut if lowest > 0 and lowest == grid.floor * scale else add(cut, below))
    store(space.counts, LANES, below)
    store(space.counts, 2 * LANES, beyond)
    return _counted(maps, lanes, space)


@compiled_borrowing
def read_exact(maps, grid, which, first, lanes, space):
    """Writes costs, clamped, of maps ``which[first : first + lanes]``; lanes beyond those have the last map's."""
    gains, starts, block, entering, at = _locate(maps, which, first, lanes, space)
    tiles, infinity = maps.theta.shape[1], fill(np.inf)
    floor, ceiling, sign = fill(grid.floor), fill(grid.ceiling), fill(-1.0)
    for tile in range(0, tiles, SIDE):
        _turn(gains, starts, tile, block)
        for i in range(min(SIDE, tiles - tile)):
            cost = multiply(convert(load(block, i * LANES), np.float64), sign)
            clamped = minimum(maximum(cost, floor), ceiling)
            store(entering, take(at, tile + i), select(less(cost, infinity), clamped, cost))


@compiled_borrowing
def _turn(gains, starts, tile, block):
    """Lays the gains of SIDE tiles from ``tile`` on side by side."""
    for lane in range(0, LANES, SIDE):
        transpose(gains, starts, lane, tile, block)


@compiled_borrowing
def cost_of(maps, space, lane, tile, grid):
    """The cost of a tile, clamped, in float64, of a map that was read last."""
    return inside(-take(_gains(maps, space), space.starts[lane] + tile), grid)


@compiled_borrowing
def _gains(maps, space):
    """Address of the gains that were read last."""
    return address(maps.theta) if _are_in_place(maps) else address(space.gains)


@compiled_borrowing
def _are_in_place(maps):
    """True where gains need no sum, and can be read from where they are.

    The last square of SIDE tiles must not go beyond the last map, nor may all maps compete for the same lines of the cache.
    """
    tiles = maps.theta.shape[1]
    return len(maps.eps) == 0 and tiles % SIDE == 0 and tiles % _COMPETING != 0


@compiled_borrowing
def _locate(maps, which, first, lanes, space):
    """Writes where the gains of each lane begin, and the gains where they are none of theta; returns addresses."""
    theta, eps, gains, temperature = address(maps.theta), address(maps.eps), address(space.gains), maps.temperature
    tiles, starts, in_place = maps.theta.shape[1], address(space.starts), _are_in_place(maps)
    for lane in range(LANES):
        n = which[first + min(lane, lanes - 1)]
        to = n * tiles if in_place else lane * (tiles + SIDE)
        put(starts, lane, to)
        if len(maps.eps):
            at, noise = n // (len(maps.eps) // len(maps.theta)) * tiles, n * tiles
            for tile in range(tiles):
                put(gains, to + tile, take(theta, at + tile) + temperature * take(eps, noise + tile))
        elif not in_place:
            for tile in range(tiles):
                put(gains, to + tile, take(theta, n * tiles + tile))
    return _gains(maps, space), starts, address(space.block), address(space.entering), address(space.at)


@compiled_borrowing
def _counted(maps, lanes, space):
    """Counts of ``lanes`` maps; costs not below the ceiling, if there are any, are looked at again."""
    gains, counts, tiles = _gains(maps, space), space.counts, maps.theta.shape[1]
    nans = clamped = walls = np.int64(0)
    for lane in range(lanes):
        clamped += counts[LANES + lane]
        if counts[2 * LANES + lane]:
            for tile in range(tiles):
                cost = -take(gains, space.starts[lane] + tile)
                nans += cost != cost
                walls += cost == np.inf
                clamped += maps.ceiling < cost < np.inf
    return nans, clamped, lanes * tiles - walls
