"""Cheapest grid paths by compiled kernels on threads: the way that each map of a batch takes.

Every way gives the same path, that of labels in float64, so all of the choices below are about speed alone. Their numbers
are those of :class:`imle_core.solvers.grid.tuning.Tuning`, which says what each is worth.

1. *Known before?* In a backward pass each map differs from one of the forward pass by a target. Where its path surely is
   the old one (``kernels/unchanged_paths.py``), it is kept. The other maps are solved.

2. *Few or many, small or large?* Maps are solved one by one or LANES at a time, side by side in vectors. A group of LANES
   takes about as long as ``fewest_small`` maps one by one, up to ``small_tiles`` tiles a map; as ``fewest_medium`` up to
   ``medium_tiles``; beyond that one by one is always sooner. Threads share either way, if there is enough work for each:
   ``tiles_a_thread_one_by_one``, or ``tiles_a_thread`` side by side. What the busiest thread would have to do decides:

   * one by one, step 7, if it is less in maps, each worth 1, than in groups, each worth as many as above;
   * else side by side, steps 3 to 7, where each thread takes the next group as it is free.

3. *Plan.* Dijkstra's algorithm on the mean of ``examples`` maps gives an order of visits, with which copies of one map under
   noise need few, a path that bounds the labels of all maps, and the scale of labels (``kernels/visit_order.py``).

4. *Scaled.* Labels are 32-bit numbers of an error that is known (``kernels/lanes.py``). A map is done if no error of that
   size changes a step of the walk back from its goal. Otherwise it is left. A group is left whole if its labels take more
   than ``visits`` visits a tile (``visits_of_large`` above ``large_tiles``). A thread that has left more than half of its
   maps after ``probed_groups`` groups leaves the rest untried.

5. *Near ties.* If at most ``near_tie_maps`` maps of a group (any number of large ones) have a step that is not sure, labels
   in float64 over the few tiles that matter decide on the spot (``kernels/lanes_near_ties.py``), in at most ``sweeps``
   sweeps.

6. *Exact.* Each thread solves what it has left by labels in float64, again side by side, if these are ``fewest_left`` maps
   or more, and at most half of them were left because of too many visits: exact labels would take as many.

7. *One by one.* What is left then, or was not for lanes in step 2, is solved by buckets (``kernels/one_map.py``). This way
   solves every map there is: costs lost by rounding, and goals that cannot be reached, which only it reports.
"""

import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_core.concurrency import Team, in_threads, share
from imle_core.kernels.vectors import LANES
from imle_core.solvers.grid.kernels import lanes, one_map, shared
from imle_core.solvers.grid.kernels.buckets import numbers_needed
from imle_core.solvers.grid.kernels.lanes import LanesSpace, make_lanes_space
from imle_core.solvers.grid.kernels.maps import Grid, Maps
from imle_core.solvers.grid.kernels.visit_order import plan_visits
from imle_core.solvers.grid.tuning import BucketsTuning, Tuning
from imle_core.solvers.rows import Rows

Numbers: TypeAlias = NDArray[np.int64]

_MAPS_AT_ONCE = 32  # that a thread takes to tell old paths from new ones


class Found(NamedTuple):
    """Counts of a batch that was solved; where there are NaN, masks are undefined.

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
    """Plan for maps alike: the order of visits, the positions of some path, and the scale of costs."""

    order: NDArray[np.int32]
    path: Numbers
    scale: float


def kept_masks(maps: Maps, old: Maps, grid: Grid, masks: Rows, threads: int, tuning: Tuning) -> NDArray[np.bool_]:
    """Maps, ``(N,)``, of which ``masks``, ``(N, T)``, cheapest on the old maps, surely are those of the new maps."""
    kept = np.empty(len(masks), np.bool_)
    allowed = _fit(threads, masks.size, tuning.tiles_a_thread)
    share(lambda team: shared.still_cheapest(maps, old, grid, masks, kept, _MAPS_AT_ONCE, team), allowed)
    return kept


def solve(maps: Maps, grid: Grid, which: Numbers, masks: Rows, threads: int, tuning: Tuning) -> Found:
    """Solves the maps ``which[i]``; the result depends neither on the others nor on threads.

    Args:
        maps: N maps.
        grid: where to go.
        which: numbers of maps, ascending.
        masks: ``(N, T)``, overwritten for these maps.
        threads: how many may share the work, if there is enough of it.
        tuning: which way is taken.
    """
    if not len(which):
        return Found()
    count, tiles = len(which), masks.shape[1]
    alone = min(_fit(threads, count * tiles, tuning.tiles_a_thread_one_by_one), count)
    together = min(_fit(threads, count * tiles, tuning.tiles_a_thread), math.ceil(count / LANES))
    if count / alone < _worth(tiles, tuning) * math.ceil(count / LANES / together):
        return _sum(in_threads(lambda i, j: _one_by_one(maps, grid, which[i:j], masks, tuning.buckets), count, alone))
    return _side_by_side(maps, grid, which, masks, tuning, together)


def _worth(tiles: int, tuning: Tuning) -> float:
    """Maps one by one that take as long as LANES of them side by side."""
    if tiles <= tuning.small_tiles:
        return tuning.fewest_small
    return tuning.fewest_medium if tiles <= tuning.medium_tiles else math.inf


def _plan(maps: Maps, grid: Grid, which: Numbers, tuning: Tuning) -> _Plan:
    tiles = grid.height * grid.width
    order, path = np.empty(tiles - 1, np.int32), np.empty(tiles, np.int64)
    examples = which[:: math.ceil(len(which) / tuning.examples)]
    memory = np.empty(numbers_needed(grid, tuning.buckets))
    length, bound = plan_visits(maps, grid, examples, order, path, memory, tuning.buckets)
    return _Plan(order, path[:length], lanes.scale_for(bound, tuning.lanes))


def _side_by_side(maps: Maps, grid: Grid, which: Numbers, masks: Rows, tuning: Tuning, threads: int) -> Found:
    """Tries scaled labels, then exact ones on maps left undecided (unless scaled ones were slow), then solves the rest."""
    plan = _plan(maps, grid, which, tuning)

    left, (count, slow, nans, clamped, passable) = (_scaled_alone if threads < 2 else _scaled)(
        maps, grid, which, masks, plan, tuning, threads
    )
    if not count:
        return Found(nans, clamped, passable)
    allowed = min(_fit(threads, count * masks.shape[1], tuning.tiles_a_thread_one_by_one), count)
    rest = partial(_rest, maps, grid, np.sort(left), masks, plan, tuning, 2 * slow > count)
    found = _sum(in_threads(rest, count, allowed))
    return Found(nans, clamped, passable, found.cut_off)


def _scaled(
    maps: Maps, grid: Grid, which: Numbers, masks: Rows, plan: _Plan, tuning: Tuning, threads: int
) -> tuple[Numbers, Sequence[int]]:
    """Maps that scaled labels leave, and their number and sums of the other counts of all threads."""

    def scaled(team: Team) -> tuple[Numbers, list[list[int]]]:
        left, counts = np.empty((team.threads, len(which)), np.int64), np.zeros((team.threads, 5), np.int64)
        with _spaces(grid, maps.theta.dtype, team.threads) as spaces:
            shared.scaled_paths(maps, grid, which, masks, *plan, spaces, left, counts, tuning.lanes, team)
        return left, counts.tolist()

    results = share(scaled, threads)
    counts = [row for _, rows in results for row in rows]
    lefts = [numbers[: row[0]] for left, rows in results for numbers, row in zip(left, rows, strict=True)]
    return np.concatenate(lefts), [sum(column) for column in zip(*counts, strict=True)]


def _scaled_alone(
    maps: Maps, grid: Grid, which: Numbers, masks: Rows, plan: _Plan, tuning: Tuning, _: int
) -> tuple[Numbers, Sequence[int]]:
    """The same in one thread."""
    left = np.empty_like(which)
    with _spaces(grid, maps.theta.dtype, 1) as spaces:
        counts = shared.scaled_paths_alone(
            maps, grid, which, masks, *plan, spaces, left, tuning.lanes, np.zeros(1, np.int64)
        )
    return left[: counts[0]], counts


def _rest(
    maps: Maps, grid: Grid, left: Numbers, masks: Rows, plan: _Plan, tuning: Tuning, slow: bool, first: int, last: int
) -> Found:
    """Solves the maps ``left[first:last]`` by exact labels, if these are not slow, and then one by one."""
    which = left[first:last]
    if len(which) >= tuning.fewest_left and not slow:
        still = np.empty_like(which)
        with _exact_space(grid, maps.theta.dtype) as space:
            which = still[: lanes.exact_paths(maps, grid, which, masks, plan.order, space, still, tuning.lanes)]
    return _one_by_one(maps, grid, which, masks, tuning.buckets) if len(which) else Found()


def _one_by_one(maps: Maps, grid: Grid, which: Numbers, masks: Rows, tuning: BucketsTuning) -> Found:
    memory = np.empty(numbers_needed(grid, tuning))
    cut_off, nans, clamped, passable = one_map.cheapest_paths(maps, grid, which, masks, memory, tuning)
    return Found(nans, clamped, passable, cut_off)


@contextmanager
def _spaces(grid: Grid, dtype: np.dtype[np.floating], threads: int) -> Iterator[LanesSpace]:
    """Spaces for a team; those of the last batches are kept, since batches mostly are like those before."""
    shape = (grid.height, grid.width, dtype)
    try:
        made_for, spaces = _KEPT.pop()
    except IndexError:
        made_for = None
    if made_for != shape or len(spaces.labels) < threads:
        spaces = shared.make_spaces(grid, dtype, threads)
    yield spaces
    _KEPT.append((shape, spaces))


@contextmanager
def _exact_space(grid: Grid, dtype: np.dtype[np.floating]) -> Iterator[LanesSpace]:
    """Space for exact labels; those of the last batches are kept, too."""
    shape = (grid.height, grid.width, dtype)
    try:
        made_for, space = _KEPT_EXACT.pop()
    except IndexError:
        made_for = None
    if made_for != shape:
        space = make_lanes_space(grid, dtype, scaled=False)
    yield space
    _KEPT_EXACT.append((shape, space))


_Kept: TypeAlias = deque[tuple[tuple[int, int, np.dtype[np.floating]], LanesSpace]]
_KEPT: _Kept = deque(maxlen=os.cpu_count())
_KEPT_EXACT: _Kept = deque(maxlen=os.cpu_count())


def _sum(results: Sequence[Found]) -> Found:
    """Sums of the counts of all threads."""
    cut_off = min((result.cut_off for result in results if result.cut_off >= 0), default=-1)
    nans, clamped, passable, _ = (sum(numbers) for numbers in zip(*results, strict=True))
    return Found(nans, clamped, passable, cut_off)


def _fit(threads: int, tiles: int, tiles_each: int) -> int:
    return max(1, min(threads, tiles // tiles_each))
