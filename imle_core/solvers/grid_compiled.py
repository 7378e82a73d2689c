"""Cheapest grid paths by compiled kernels on threads: many small maps side by side, few or large ones one by one."""

import math
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers import grid_kernel, grid_lanes_kernel
from imle_core.solvers.grid_keep_kernel import still_cheapest
from imle_core.solvers.grid_lanes_kernel import Space, make_space
from imle_core.solvers.grid_maps_kernel import Grid, Maps
from imle_core.solvers.grid_order_kernel import plan_visits
from imle_core.solvers.rows import Rows
from imle_core.threads import in_threads
from imle_core.vectors import LANES

Numbers: TypeAlias = NDArray[np.int64]
Part = TypeVar("Part")

_TILES_A_THREAD = 2**15  # below, threads get in the way of torch's own, which spin for a while after their work
_FEWEST_IN_LANES = 12  # maps; fewer are solved sooner one by one
_FEWEST_LEFT_IN_LANES = 5  # of what is left then, when the order of visits is known
_LARGEST_IN_LANES = 64**2  # tiles of a map; of larger ones LANES at once do not fit into the cache
_EXAMPLES = 16  # maps whose mean gives the order of visits


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


def kept_masks(maps: Maps, old: Maps, grid: Grid, masks: Rows, threads: int) -> NDArray[np.bool_]:
    """Which of ``masks``, ``(N, T)``, cheapest on the old maps, surely are those of the new maps."""
    kept = np.empty(len(masks), np.bool_)
    in_threads(
        lambda first, last: still_cheapest(maps, old, grid, masks, first, last, kept), len(masks), _fit(threads, masks.size)
    )
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
    if len(which) < _FEWEST_IN_LANES or masks.shape[1] > _LARGEST_IN_LANES:
        return _one_by_one(maps, grid, which, masks, threads)
    order, path = np.empty(masks.shape[1] - 1, np.int32), np.empty(masks.shape[1], np.int64)
    examples = which[:: math.ceil(len(which) / _EXAMPLES)]
    length, bound = plan_visits(maps, grid, examples, order, path)
    path, scale = path[:length], grid_lanes_kernel.scale_for(bound)

    def scaled(which: Numbers) -> tuple[Numbers, list[int]]:
        left, space = np.empty_like(which), _space(grid, maps.theta.dtype, scaled=True)
        count, *counts = grid_lanes_kernel.scaled_paths(maps, grid, which, masks, order, path, scale, space, left)
        return left[:count], counts

    def exact(which: Numbers) -> Numbers:
        left, space = np.empty_like(which), _space(grid, maps.theta.dtype, scaled=False)
        return left[: grid_lanes_kernel.exact_paths(maps, grid, which, masks, order, space, left)]

    parts = _share(scaled, which, LANES, masks, threads)
    left = np.concatenate([left for left, _ in parts])
    nans, clamped, passable = (sum(numbers) for numbers in zip(*(counts for _, counts in parts), strict=True))
    if len(left) >= _FEWEST_LEFT_IN_LANES:
        left = np.concatenate(_share(exact, left, LANES, masks, threads))
    cut_off = _one_by_one(maps, grid, left, masks, threads).cut_off if len(left) else -1
    return Found(nans, clamped, passable, cut_off)


def _space(grid: Grid, dtype: np.dtype[np.floating], scaled: bool) -> Space:
    """Where the calling thread works; the last one of either form is kept, since batches mostly are like those before."""
    key, kept = (grid.height, grid.width, dtype), _OF_THREAD.spaces.get(scaled)
    if kept is None or kept[0] != key:
        kept = _OF_THREAD.spaces[scaled] = key, make_space(grid, dtype, scaled)
    return kept[1]


class _Kept(threading.local):
    def __init__(self) -> None:
        self.spaces: dict[bool, tuple[tuple[int, int, np.dtype[np.floating]], Space]] = {}


_OF_THREAD = _Kept()


def _one_by_one(maps: Maps, grid: Grid, which: Numbers, masks: Rows, threads: int) -> Found:
    parts = _share(lambda part: grid_kernel.cheapest_paths(maps, grid, part, masks), which, 1, masks, threads)
    cut_off, nans, clamped, passable = zip(*parts, strict=True)
    first = min((number for number in cut_off if number >= 0), default=-1)
    return Found(sum(nans), sum(clamped), sum(passable), first)


def _share(work: Callable[[Numbers], Part], which: Numbers, unit: int, masks: Rows, threads: int) -> list[Part]:
    """Results of ``work`` on parts of ``which``, in order, each but the last of whole units."""
    units = math.ceil(len(which) / unit)
    allowed = min(_fit(threads, len(which) * masks.shape[1]), units)
    return in_threads(lambda first, last: work(which[first * unit : last * unit]), units, allowed)


def _fit(threads: int, tiles: int) -> int:
    return max(1, min(threads, tiles // _TILES_A_THREAD))
