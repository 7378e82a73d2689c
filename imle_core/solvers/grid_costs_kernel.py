"""Costs of LANES grids side by side, in the form that labels need, scaled or exact; clamped and counted; compiled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.compiled import compiled
from imle_core.solvers.grid_maps_kernel import Grid
from imle_core.vectors import (
    LANES,
    SIDE,
    add,
    address,
    choose,
    convert,
    fill,
    lanes_of,
    less,
    load,
    maximum,
    minimum,
    multiply,
    put,
    store,
    take,
    transpose,
)

CAPACITY = 2**31 - 128  # the scaled label of what is not reached; a number of float32, too


class Costs(NamedTuple):
    """Costs, and what is needed to lay them side by side; :func:`make_costs` makes one.

    Attributes:
        entering: of places, side by side, uint32 or float64.
        values: map by map, in theta's type, with SIDE more numbers after each: were the way from map to map a power of 2,
            the cache could hold few of them.
        block: SIDE of a row's tiles, side by side.
        counts: one number a lane, in three rows: costs that may be cut, below the floor, and not below the ceiling.
    """

    entering: NDArray[Any]
    values: NDArray[np.floating]
    block: NDArray[np.floating]
    counts: NDArray[np.uint32]


def make_costs(grid: Grid, dtype: np.dtype[np.floating], scaled: bool) -> Costs:
    """Room for costs that are scaled or exact, and maps of a type."""
    places, tiles = (grid.height + 2) * (grid.width + 2), grid.height * grid.width
    number = np.uint32 if scaled else np.float64
    values = np.zeros((tiles + SIDE) * LANES, dtype)
    return Costs(lanes_of(places, number), values, lanes_of(SIDE, dtype), lanes_of(3, np.uint32))


@compiled
def read_scaled(maps, grid, which, first, lanes, scale, space):
    """Writes costs times ``scale``, clamped and cut, of maps ``which[first : first + lanes]``, and counts.

    Lanes beyond those have the last map's. NaN become numbers.

    Returns:
        How many costs of these maps are NaN, how many are to be clamped, and how many are no walls.
    """
    _gather(maps, which, first, lanes, space.values)
    entering, block, real = space.entering, space.block, space.values.dtype.type
    least = np.uint32(min(grid.floor * scale, CAPACITY))
    none, one, smallest, factor = fill(np.uint32(0)), fill(np.uint32(1)), fill(least), fill(real(scale))
    floor, ceiling = fill(maps.floor), fill(maps.ceiling)
    low, high = fill(real(0 if least else 0.5)), fill(real(CAPACITY))  # what is cut to 0 must not look whole
    cut = below = beyond = none
    for row in range(grid.height):
        for column in range(0, grid.width, SIDE):
            at = _turn(space, grid, row, column)
            for i in range(min(SIDE, grid.width - column)):
                cost = load(block, i * LANES)
                below = add(below, choose(less(cost, floor), one, none))
                beyond = add(beyond, choose(less(cost, ceiling), none, one))
                scaled = minimum(maximum(multiply(cost, factor), low), high)
                whole = maximum(convert(scaled, np.uint32), smallest)
                cut = add(cut, choose(less(convert(whole, real), scaled), one, none))
                store(entering, at + i * LANES, whole)
    store(space.counts, 0, cut if least > 0 and least == grid.floor * scale else add(cut, below))
    store(space.counts, LANES, below)
    store(space.counts, 2 * LANES, beyond)
    return _counted(maps, lanes, space)


@compiled
def read_exact(maps, grid, which, first, lanes, space):
    """Writes costs, clamped, of maps ``which[first : first + lanes]``; lanes beyond those have the last map's."""
    _gather(maps, which, first, lanes, space.values)
    entering, block, infinity = space.entering, space.block, fill(np.inf)
    floor, ceiling = fill(grid.floor), fill(grid.ceiling)
    for row in range(grid.height):
        for column in range(0, grid.width, SIDE):
            at = _turn(space, grid, row, column)
            for i in range(min(SIDE, grid.width - column)):
                cost = convert(load(block, i * LANES), np.float64)
                inside = minimum(maximum(cost, floor), ceiling)
                store(entering, at + i * LANES, choose(less(cost, infinity), inside, cost))


@compiled
def _gather(maps, which, first, lanes, values):
    """Writes costs, not clamped, map by map."""
    tiles, samples = maps.theta.shape[1], max(1, len(maps.eps) // max(1, len(maps.theta)))
    theta, eps, costs, temperature = address(maps.theta), address(maps.eps), address(values), maps.temperature
    for lane in range(LANES):
        n, to = which[first + min(lane, lanes - 1)], lane * (tiles + SIDE)
        at, noise = n // samples * tiles, n * tiles
        if len(maps.eps):
            for tile in range(tiles):
                put(costs, to + tile, -(take(theta, at + tile) + temperature * take(eps, noise + tile)))
        else:
            for tile in range(tiles):
                put(costs, to + tile, -take(theta, at + tile))


@compiled
def _turn(space, grid, row, column):
    """Writes SIDE tiles of a row side by side into the block; returns where the costs of the first of them belong."""
    stride = grid.height * grid.width + SIDE
    for lane in range(0, LANES, SIDE):
        transpose(space.values, lane * stride + row * grid.width + column, stride, space.block, lane)
    return ((row + 1) * (grid.width + 2) + column + 1) * LANES


@compiled
def _counted(maps, lanes, space):
    """What is counted of ``lanes`` maps; costs not below the ceiling, if there are any, are told apart."""
    counts, stride = space.counts, len(space.values) // LANES
    nans = clamped = walls = np.int64(0)
    for lane in range(lanes):
        clamped += counts[LANES + lane]
        if counts[2 * LANES + lane]:
            for cost in space.values[lane * stride : (lane + 1) * stride - SIDE]:
                nans += cost != cost
                walls += cost == np.inf
                clamped += maps.ceiling < cost < np.inf
    return nans, clamped, lanes * (stride - SIDE) - walls
