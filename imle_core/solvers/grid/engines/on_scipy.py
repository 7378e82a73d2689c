"""Cheapest paths on grids by scipy's Dijkstra, which nobody has to compile: the engine of the first maps.

It stands in for :mod:`.compiled` while kernels are not compiled yet, with the same functions. Labels are sums in float64
from the start on, the smallest first, and so those of all engines; :mod:`.on_torch` walks back along them.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from imle_core.solvers.grid.engines.compiled import Found, Numbers
from imle_core.solvers.grid.engines.on_torch import Tile, paths_along
from imle_core.solvers.grid.kernels.maps import Grid, Maps
from imle_core.solvers.grid.kernels.unchanged_paths import ROUNDING
from imle_core.solvers.grid.tuning import Tuning
from imle_core.solvers.rows import Rows

_TILES_AT_ONCE = 2**18  # of maps whose arrays are in memory
_TILES_A_GRAPH = 2**12  # of maps that are one graph, which spares calls; one heap for many more is slow

Floats = NDArray[np.float64]


def kept_masks(maps: Maps, old: Maps, grid: Grid, masks: Rows, _: int, __: Tuning) -> NDArray[np.bool_]:
    """Maps, ``(N,)``, of which ``masks``, ``(N, T)``, cheapest on the old maps, surely are those of the new maps.

    They are those of :func:`imle_core.solvers.grid.kernels.unchanged_paths.still_cheapest`, whose sums are in this order.
    """
    kept = [
        _are_kept(_costs(maps, rows), _costs(old, rows), grid, masks[rows]) for rows in _cut(np.arange(len(masks)), grid)
    ]
    return np.concatenate(kept) if kept else np.empty(0, np.bool_)


def _are_kept(now: Rows, then: Rows, grid: Grid, masks: Rows) -> NDArray[np.bool_]:
    """The same of costs ``(N, T)`` that are not clamped."""
    on_path, new, old = masks != 0, _inside(now, grid), _inside(then, grid)
    on_path_alone = np.where(on_path, old, 0.0).cumsum(axis=1)[:, -1]
    rounding = now.shape[1] * ROUNDING * on_path_alone
    is_lost = ~(np.where(on_path, old, np.inf).min(axis=1) > rounding)
    with np.errstate(invalid="ignore"):  # inf - inf
        rose = (new - old > rounding[:, None]) | ((now == np.inf) & (old == np.inf))
    is_cheaper = np.where(on_path, new <= old, rose).all(axis=1) & ~is_lost
    kept: NDArray[np.bool_] = (now == then).all(axis=1) | is_cheaper
    return kept


def solve(maps: Maps, grid: Grid, which: Numbers, masks: Rows, _: int, tuning: Tuning) -> Found:
    """Solves the maps ``which[i]``; arguments as for :func:`.compiled.solve`, on the threads of torch alone."""
    nans = clamped = passable = 0
    cut_off = -1
    for numbers in _cut(which, grid):
        costs = _costs(maps, numbers)
        nans += int(np.isnan(costs).sum())
        clamped += int(((costs < maps.floor) | ((costs > maps.ceiling) & (costs < np.inf))).sum())
        passable += int((costs != np.inf).sum())
        if not nans and cut_off < 0:
            masks[numbers], reached = _cheapest_paths(_inside(costs, grid), grid, tuning)
            cut_off = -1 if reached.all() else int(numbers[~reached][0])
    return Found(nans, clamped, passable, cut_off)


def _cut(which: Numbers, grid: Grid) -> list[Numbers]:
    """The maps, as many at once as memory should hold."""
    count = max(1, _TILES_AT_ONCE // (grid.height * grid.width))
    return [which[first : first + count] for first in range(0, len(which), count)]


def _costs(maps: Maps, which: Numbers) -> Rows:
    """Costs ``(M, T)``, not clamped, rounded as kernels round them."""
    if not len(maps.eps):
        return -maps.theta[which]
    with np.errstate(all="ignore"):
        costs: Rows = -(maps.theta[which // (len(maps.eps) // len(maps.theta))] + maps.temperature * maps.eps[which])
    return costs


def _inside(costs: Rows, grid: Grid) -> Floats:
    """Costs in the solver's domain; NaN and walls stay."""
    wide: Floats = costs.astype(np.float64)
    return np.where(wide < np.inf, wide.clip(grid.floor, grid.ceiling), wide)


def _cheapest_paths(costs: Floats, grid: Grid, tuning: Tuning) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Masks ``(M, T)`` for costs alike, and which maps have a path."""
    start, goal = (_tile_at(position, grid.width) for position in (grid.start, grid.goal))
    moves = tuple(_move(int(step), grid.width) for step in grid.steps)
    labels, shape = _labels(costs, grid, moves), (-1, grid.height, grid.width)
    masks, reached = paths_along(torch.from_numpy(labels), torch.from_numpy(costs).view(shape), start, goal, moves, tuning)
    return masks.flatten(1).numpy(), reached.numpy()


def _tile_at(position: int, width: int) -> Tile:
    return position // (width + 2) - 1, position % (width + 2) - 1


def _move(step: int, width: int) -> Tile:
    """Steps down and right, the latter -1, 0 or 1, of a step between positions."""
    down = (step + 1) // (width + 2)
    return down, step - down * (width + 2)


def _labels(costs: Floats, grid: Grid, moves: tuple[Tile, ...]) -> Floats:
    """Labels ``(M, H + 2, W + 2)`` for costs ``(M, T)``."""
    from scipy.sparse import csr_array  # here, since scipy takes a while to import
    from scipy.sparse.csgraph import dijkstra

    count, height, width = len(costs), grid.height, grid.width
    entering = np.full((count, height + 2, width + 2), np.inf)
    entering[:, 1:-1, 1:-1] = costs.reshape(count, height, width)
    labels, positions = np.empty_like(entering), entering[0].size
    together = max(1, _TILES_A_GRAPH // positions)
    targets, ends = _edges(height, width, moves, together)
    for first in range(0, count, together):
        maps = entering[first : first + together]
        size = len(maps) * positions
        inward = targets[: ends[size]]
        graph = csr_array((maps.ravel()[inward], inward, ends[: size + 1]), shape=(size, size))
        starts = np.arange(grid.start, size, positions)
        labels[first : first + together] = dijkstra(graph, indices=starts, min_only=True).reshape(maps.shape)
    return labels


@lru_cache(maxsize=4)
def _edges(height: int, width: int, moves: tuple[Tile, ...], together: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Positions to which the edges of maps side by side lead, and how many edges leave those before each position."""
    is_tile = np.zeros((height + 2, width + 2), np.bool_)
    is_tile[1:-1, 1:-1] = True
    steps = np.array([down * (width + 2) + right for down, right in moves])
    sources = np.flatnonzero(is_tile)
    targets = sources[:, None] + steps
    leads = is_tile.ravel()[targets]
    leaving = np.zeros(is_tile.size, np.int64)
    leaving[sources] = leads.sum(axis=1)
    every = targets[leads] + is_tile.size * np.arange(together)[:, None]
    ends = np.concatenate([[0], np.tile(leaving, together).cumsum()])
    return every.ravel().astype(np.int32), ends.astype(np.int32)
