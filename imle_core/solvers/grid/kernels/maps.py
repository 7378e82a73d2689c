"""Inputs of kernels on grids: a batch of maps with noise, and where to go on them.

Kernels keep the state of a map in a padded array with a frame around the tiles, which saves all bound checks: the position
of tile (r, c) in it is ``(r + 1) * (width + 2) + c + 1``.
"""

from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.solvers.rows import Rows


class Maps(NamedTuple):
    """Costs ``-(theta + temperature * eps)``, rounded as torch rounds them.

    Attributes:
        theta: ``(B, T)`` float32 or float64; map n has row ``n // S``, with S maps to a row; -inf is a wall.
        eps: ``(B * S, T)`` noise of the same type; ``(0, T)`` for none, and S is 1.
        temperature: of that type.
        floor: smallest cost, rounded up in that type.
        ceiling: largest finite cost in that type.
    """

    theta: NDArray[np.floating]
    eps: NDArray[np.floating]
    temperature: np.floating
    floor: np.floating
    ceiling: np.floating


class Grid(NamedTuple):
    """Shape, ends and neighbours.

    Attributes:
        height: rows of tiles.
        width: columns of tiles.
        start: position of the first tile.
        goal: position of the last tile.
        steps: ``(M,)`` from a position to those of its M neighbours, in row-major order.
        jumps: ``(M,)`` the same between numbers of tiles, ``r * width + c``.
        first_steps: ``(256,)`` for sets of neighbours, whose bit i stands for step i, the first of their steps; 0 for none.
        floor: smallest cost; what is below is clamped.
        ceiling: largest finite cost; what is above is clamped.
    """

    height: int
    width: int
    start: int
    goal: int
    steps: NDArray[np.int64]
    jumps: NDArray[np.int64]
    first_steps: NDArray[np.int64]
    floor: float
    ceiling: float


Tile: TypeAlias = tuple[int, int]


@lru_cache(maxsize=64)
def make_grid(
    shape: tuple[int, int], start: Tile, goal: Tile, moves: tuple[Tile, ...], floor: float, ceiling: float
) -> Grid:
    """The grid of a shape (rows, columns), with ends alike, and moves as steps (down, right) in row-major order."""
    height, width = shape
    down, right = np.array(moves).T
    first, last = ((tile[0] + 1) * (width + 2) + tile[1] + 1 for tile in (start, goal))
    steps, jumps = down * (width + 2) + right, down * width + right
    lowest = [(among & -among).bit_length() - 1 for among in range(1, 256)]
    first_steps = np.array([0, *(steps[bit] if bit < len(steps) else 0 for bit in lowest)])
    return Grid(height, width, first, last, steps, jumps, first_steps, floor, ceiling)


def make_maps(theta: Rows, eps: Rows | None, temperature: float, floor: float, ceiling: float) -> Maps:
    """Maps of rows ``(B, T)`` with noise ``(B * S, T)``, or none; floor and ceiling are fitted to theta's type."""
    noise = np.empty((0, theta.shape[1]), theta.dtype) if eps is None else eps
    return Maps(theta, noise, theta.dtype.type(temperature), *_limits(theta.dtype, floor, ceiling))


@lru_cache(maxsize=64)
def _limits(dtype: np.dtype[np.floating], floor: float, ceiling: float) -> tuple[np.floating, np.floating]:
    """The smallest number of a type that is not below ``floor``, and the largest that is not above ``ceiling``."""
    low, high = dtype.type(floor), dtype.type(min(ceiling, float(np.finfo(dtype).max)))
    return low if float(low) >= floor else np.nextafter(low, dtype.type(np.inf)), high


@compiled_borrowing
def tile_of(grid, position):
    """Number of the tile at a position."""
    return (position // (grid.width + 2) - 1) * grid.width + position % (grid.width + 2) - 1


@compiled_borrowing
def position_of(grid, tile):
    """Position of the tile with a number."""
    return (tile // grid.width + 1) * (grid.width + 2) + tile % grid.width + 1


@compiled_borrowing
def clear(masks, n):
    """Sets a row to 0."""
    for tile in range(masks.shape[1]):
        masks[n, tile] = 0


@compiled_borrowing
def inside(cost, grid):
    """A cost in the solver's domain, in float64; NaN and walls stay."""
    cost = np.float64(cost)
    return min(max(cost, grid.floor), grid.ceiling) if cost < np.inf else cost


@compiled_borrowing
def read_costs(maps, n, costs):
    """Writes the costs of map n, not clamped, into ``costs`` ``(T,)``, and counts what is in it.

    Returns:
        How many costs are NaN, how many are to be clamped, and how many are no walls.
    """
    if len(maps.eps):
        row, noise = maps.theta[n // (len(maps.eps) // len(maps.theta))], maps.eps[n]
        for tile in range(len(costs)):
            costs[tile] = -(row[tile] + maps.temperature * noise[tile])
    else:
        row = maps.theta[n]
        for tile in range(len(costs)):
            costs[tile] = -row[tile]
    nans = clamped = walls = np.uint32(0)  # small counters let the compiler vectorise
    for tile in range(len(costs)):
        cost = costs[tile]
        nans = np.uint32(nans + np.uint32(cost != cost))
        clamped = np.uint32(clamped + np.uint32((cost < maps.floor) | ((cost > maps.ceiling) & (cost < np.inf))))
        walls = np.uint32(walls + np.uint32(cost == np.inf))
    return np.int64(nans), np.int64(clamped), np.int64(len(costs) - walls)
