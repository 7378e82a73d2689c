"""Cheapest grid paths by compiled kernels on threads: many small maps side by side, few or large ones one by one."""

import math
import threading
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_core.concurrency import at_once, in_threads
from imle_core.kernels.vectors import LANES
from imle_core.solvers.grid.kernels import lanes, one_map
from imle_core.solvers.grid.kernels.buckets import numbers_needed
from imle_core.solvers.grid.kernels.lanes import LanesSpace, make_lanes_space
from imle_core.solvers.grid.kernels.maps import Grid, Maps
from imle_core.solvers.grid.kernels.unchanged_paths import still_cheapest
from imle_core.solvers.grid.kernels.visit_order import plan_visits
from imle_core.solvers.rows import Rows

Numbers: TypeAlias = NDArray[np.int64]

_TILES_A_THREAD = 2**16  # below, threads get in the way of torch's own, which spin for a while after their work
_TILES_A_THREAD_ALONE = 2**13  # of maps that are solved one by one
_WORTH = ((64**2, 8), (96**2, 12))  # LANES maps of up to so many tiles take about as long as so many one by one
_FEWEST_LEFT_IN_LANES = 5  # of what is left then, when the order of visits is known
_EXAMPLES = 8  # maps whose mean gives the order of visits


class Found(NamedTuple):
    """What was found while a batch was solved; where there are NaN, masks are undefined.

    Attributes:
        nans: costs that are NaN.
        clamped: costs outside the solver's domain.
        passable: costs that are no walls.
        cut_off: the first map whose goal cannot be reached, or -1.
    """

    nans: int = 0
    clamped: int = 0
    passable: int = 0
    cut_off: int = -1


class _Plan(NamedTuple):
    """What maps alike share: the order of visits, the places of some path, and what costs are multiplied by."""

    order: NDArray[np.int32]
    path: Numbers
    scale: float


def kept_masks(maps: Maps, old: Maps, grid: Grid, masks: Rows, threads: int) -> NDArray[np.bool_]:
    """Which of ``masks``, ``(N, T)``, cheapest on the old maps, surely are those of the new maps."""
    kept = np.empty(len(masks), np.bool_)
    allowed = _fit(threads, masks.size, _TILES_A_THREAD)
    in_threads(lambda first, last: still_cheapest(maps, old, grid, masks, first, last, kept), len(masks), allowed)
    return kept


def solve(maps: Maps, grid: Grid, which: Numbers, masks: Rows, threads: int) -> Found:
    """Solves the maps ``which[i]``; the result depends neither on the others nor on threads.

    Args:
        maps: N maps.
        grid: where to go.
        which: numbers of maps, ascending.
        masks: ``(N, T)``, overwritten for these maps.
        threads: how many may share the work, if there is enough of it.
    """
    if not len(which):
        return Found()
    count, tiles = len(which), masks.shape[1]
    alone = min(_fit(threads, count * tiles, _TILES_A_THREAD_ALONE), count)
    together = min(_fit(threads, count * tiles, _TILES_A_THREAD), math.ceil(count / LANES))
    if count / alone < _worth(tiles) * math.ceil(count / LANES / together):
        return _sum(in_threads(lambda i, j: _one_by_one(maps, grid, which[i:j], masks), count, alone))
    plan, taken = _plan(maps, grid, which), np.zeros(1, np.int64)
    spared = [0, *[LANES] * (together - 1)]  # the calling thread waits for the others, so that the last maps are its own
    return _sum(at_once([partial(_side_by_side, maps, grid, which, masks, plan, taken, number) for number in spared]))


def _worth(tiles: int) -> float:
    """How many maps by themselves take as long as LANES of them, if these are not too far from fitting into the caches."""
    return next((maps for most, maps in _WORTH if tiles <= most), math.inf)


def _plan(maps: Maps, grid: Grid, which: Numbers) -> _Plan:
    tiles = grid.height * grid.width
    order, path = np.empty(tiles - 1, np.int32), np.empty(tiles, np.int64)
    examples = which[:: math.ceil(len(which) / _EXAMPLES)]
    length, bound = plan_visits(maps, grid, examples, order, path, np.empty(numbers_needed(grid)))
    return _Plan(order, path[:length], lanes.scale_for(bound))


def _side_by_side(maps: Maps, grid: Grid, which: Numbers, masks: Rows, plan: _Plan, taken: Numbers, spared: int) -> Found:
    """Solves maps by one form of labels, what that leaves by the other, unless both are slow, and the rest one by one."""
    left, space = np.empty_like(which), _space(grid, maps.theta.dtype, scaled=True)
    count, slow, nans, clamped, passable = lanes.scaled_paths(maps, grid, which, masks, *plan, space, left, taken, spared)
    left = left[:count]
    if count >= _FEWEST_LEFT_IN_LANES and 2 * slow <= count:
        still, space = np.empty_like(left), _space(grid, maps.theta.dtype, scaled=False)
        left = still[: lanes.exact_paths(maps, grid, left, masks, plan.order, space, still)]
    cut_off = _one_by_one(maps, grid, left, masks).cut_off if len(left) else -1
    return Found(nans, clamped, passable, cut_off)


def _one_by_one(maps: Maps, grid: Grid, which: Numbers, masks: Rows) -> Found:
    memory = np.empty(numbers_needed(grid))
    cut_off, nans, clamped, passable = one_map.cheapest_paths(maps, grid, which, masks, memory)
    return Found(nans, clamped, passable, cut_off)


def _space(grid: Grid, dtype: np.dtype[np.floating], scaled: bool) -> LanesSpace:
    """Where the calling thread works; the last one of either form is kept, since batches mostly are like those before."""
    key, kept = (grid.height, grid.width, dtype), _OF_THREAD.spaces.get(scaled)
    if kept is None or kept[0] != key:
        kept = _OF_THREAD.spaces[scaled] = key, make_lanes_space(grid, dtype, scaled)
    return kept[1]


class _Kept(threading.local):
    def __init__(self) -> None:
        self.spaces: dict[bool, tuple[tuple[int, int, np.dtype[np.floating]], LanesSpace]] = {}


_OF_THREAD = _Kept()


def _sum(parts: Sequence[Found]) -> Found:
    """What is found of a batch of which some is found in each part."""
    cut_off = min((part.cut_off for part in parts if part.cut_off >= 0), default=-1)
    nans, clamped, passable, _ = (sum(numbers) for numbers in zip(*parts, strict=True))
    return Found(nans, clamped, passable, cut_off)


def _fit(threads: int, tiles: int, tiles_each: int) -> int:
    return max(1, min(threads, tiles // tiles_each))
