"""Cheapest paths over many grids at once: LANES maps side by side, tile by tile, compiled.

Labels ``d(v) = min_u d(u) + c(v)`` are corrected until none changes, in an order of visits that matters to speed alone. They
come in two forms; :mod:`imle_core.solvers.grid.engines.compiled` says which maps get which:

* *Scaled*: costs are cut to whole multiples of a quantum ``2^-e``, so that sums are exact, and labels are 32-bit numbers.
  None is too large, and that of a path with n costs that are no such multiples is too small by less than n quanta. The walk
  back from the goal takes the smallest label beside it, and is right if the next one is more than n above, for the n of the
  whole walk: no error can turn the two round. If n is 0 all sums are exact, in float64 too, and equal labels are ties,
  which go to the smallest tile.
* *Exact*: labels are those in float64, and the walk is that of :mod:`imle_core.solvers.grid.kernels.one_map`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import (
    LANES,
    add,
    address,
    any_less,
    fetch_add,
    fill,
    lanes_of,
    less,
    load,
    minimum,
    movemask,
    store,
    take,
)
from imle_core.solvers.grid.kernels.lanes_costs import CAPACITY, Costs, make_costs, read_exact, read_scaled
from imle_core.solvers.grid.kernels.lanes_labels import settle
from imle_core.solvers.grid.kernels.lanes_near_ties import Candidates, decide, make_candidates
from imle_core.solvers.grid.kernels.lanes_walks import Walks, make_walks, walk_exact, walk_scaled, write_masks
from imle_core.solvers.grid.kernels.maps import Grid, clear
from imle_core.solvers.grid.tuning import LanesTuning

_LARGEST_EXPONENT = 100  # a scale 2^e and its inverse must be numbers of float32


class LanesSpace(NamedTuple):
    """Memory of the kernels for LANES maps at a time; :func:`make_lanes_space` makes one.

    Attributes:
        labels: of positions, side by side, uint32 or float64.
        costs: of entering positions, likewise.
        dirty: a flag a position.
        slack: one number a lane, of the labels' type.
        margin: likewise; one more than the slack of scaled labels, none of exact ones.
        above: likewise.
        walks: what leads back.
        candidates: tiles that may be on one map's path.
    """

    labels: NDArray[Any]
    costs: Costs
    dirty: NDArray[np.uint8]
    slack: NDArray[Any]
    margin: NDArray[Any]
    above: NDArray[Any]
    walks: Walks
    candidates: Candidates


def make_lanes_space(grid: Grid, dtype: np.dtype[np.floating], scaled: bool) -> LanesSpace:
    """Space for labels that are scaled or exact, and maps of a type."""
    positions, number = (grid.height + 2) * (grid.width + 2), np.uint32 if scaled else np.float64
    return LanesSpace(
        labels=lanes_of(positions, number),
        costs=make_costs(grid, dtype, scaled),
        dirty=np.zeros(positions, np.uint8),
        slack=lanes_of(1, number),
        margin=lanes_of(1, number),
        above=lanes_of(1, number),
        walks=make_walks(grid),
        candidates=make_candidates(grid),
    )


def scale_for(bound: float, tuning: LanesTuning) -> float:
    """A power of 2 for maps with a path whose cost is about ``bound``."""
    return 2.0 ** min(max(tuning.goal_bits - math.frexp(bound)[1], -_LARGEST_EXPONENT), _LARGEST_EXPONENT)


@compiled_borrowing
def scaled_paths(maps, grid, which, masks, order, path, scale, space, left, taken, spared, tuning):
    """Writes the masks of maps ``which[i]`` that scaled labels decide, LANES at a time that no other thread has taken.

    Args:
        maps: the maps.
        grid: where to go.
        which: ``(M,)`` numbers of maps.
        masks: ``(N, T)``, overwritten for these maps, with zeros if they are left.
        order: positions in the order of visits.
        path: positions on some path after its start; its cost on a map bounds that of the cheapest.
        scale: a power of 2.
        space: where to work.
        left: ``(M,)``, overwritten with the maps that are left.
        taken: ``(1,)`` how many of the M maps some thread has taken so far.
        spared: how many maps at the end this thread takes only by chance, if others are slow.
        tuning: of lanes.

    Returns:
        How many maps are left, and how many of these since labels took too many visits; and how many costs are NaN, clamped,
        and no walls.
    """
    labels, costs, margin = space.labels, space.costs.entering, space.margin
    longest = len(path) + len(path) // 4 + (grid.height + grid.width) // 2  # steps that most walks have at most
    count = slow = nans = clamped = passable = tried = np.int64(0)
    allowed = LANES if grid.height * grid.width > tuning.large_tiles else tuning.near_tie_maps
    visits = _most_visits(order, tuning)
    first = _take(taken, which, spared)
    while first < len(which):
        lanes = min(LANES, len(which) - first)
        given_up = tried >= tuning.probed_groups * LANES and 2 * count > tried
        counts = read_scaled(maps, grid, which, first, lanes, scale, space.costs)
        nans, clamped, passable = nans + counts[0], clamped + counts[1], passable + counts[2]
        steps = _limit_slack(space.costs.counts, longest, grid, space.slack)
        store(margin, 0, add(load(space.slack, 0), fill(np.uint32(1))))
        _bound(costs, path, margin, space.above)
        settled = not given_up and settle(labels, costs, space.above, margin, space.dirty, grid, order, visits)
        reached = _lanes_below(labels, grid.goal, space.above) if settled else np.int64(0)
        arrived = walk_scaled(labels, margin, space.walks, grid, reached, steps)
        undecided = reached & ~arrived & (2**lanes - 1)
        if _count(undecided) <= allowed:
            above, slack, candidates, passed = space.above, space.slack, space.candidates, space.walks.passed
            arrived |= decide(
                maps, space.costs, labels, above, slack, undecided, grid, steps, tuning.sweeps, candidates, passed
            )
        write_masks(space.walks, grid, which, first, lanes, masks)
        slow += lanes if not settled and (not given_up or 2 * slow > count) else 0
        count = _leave(which, first, lanes, arrived, masks, left, count)
        tried += lanes
        if 2 * count > tried:
            longest = grid.height * grid.width
        first = _take(taken, which, spared)
    return count, slow, nans, clamped, passable


@compiled_borrowing
def _take(taken, which, spared):
    """Takes up to LANES maps that no other thread has; returns which is the first of them, or their number if none is."""
    return fetch_add(taken, LANES) if fetch_add(taken, 0) < len(which) - spared else len(which)


@compiled_borrowing
def exact_paths(maps, grid, which, masks, order, space, left, tuning):
    """Writes the masks of maps ``which[i]`` that labels in float64 decide; arguments as for :func:`scaled_paths`.

    Returns:
        How many maps are left.
    """
    labels, costs, count, settled = space.labels, space.costs.entering, np.int64(0), True
    visits = _most_visits(order, tuning)
    for first in range(0, len(which), LANES):
        lanes = min(LANES, len(which) - first)
        read_exact(maps, grid, which, first, lanes, space.costs)
        store(space.above, 0, fill(np.inf))
        # where that takes too many visits, it is not tried any more
        settled = settled and settle(labels, costs, space.above, space.margin, space.dirty, grid, order, visits)
        reached = _lanes_below(labels, grid.goal, space.above) if settled else np.int64(0)
        arrived = walk_exact(labels, costs, space.walks, grid, reached)
        write_masks(space.walks, grid, which, first, lanes, masks)
        count = _leave(which, first, lanes, arrived, masks, left, count)
    return count


@compiled_borrowing
def _most_visits(order, tuning):
    """Visits of tiles after which a group of maps is left."""
    return len(order) * (tuning.visits if len(order) <= tuning.large_tiles else tuning.visits_of_large)


@compiled_borrowing
def _limit_slack(counts, longest, grid, slack):
    """Writes how many costs of a walk may be cut, and returns the steps that it may have for that to hold.

    A cheapest path never touches itself, so that of four tiles in a square it has at most two, with 4 moves three.
    """
    squares = ((grid.height + 1) // 2) * ((grid.width + 1) // 2)
    bound = min(longest, (2 if len(grid.steps) == 8 else 3) * squares)
    cut, limit = load(counts, 0), fill(np.uint32(bound))
    store(slack, 0, minimum(cut, limit))
    return bound if any_less(limit, cut) else grid.height * grid.width


@compiled_borrowing
def _bound(costs, path, margin, above):
    """Writes the cost of a path plus ``margin``; ``CAPACITY`` if there is no path."""
    entering, capacity = address(costs), fill(np.uint32(CAPACITY))
    total = load(margin, 0) if len(path) else capacity
    for i in range(len(path)):
        total = minimum(add(total, load(entering, take(path, i) * LANES)), capacity)
    store(above, 0, total)


@compiled_borrowing
def _lanes_below(labels, position, above):
    """The set of lanes whose label at a position is below a bound."""
    return movemask(less(load(labels, position * LANES), load(above, 0)))


@compiled_borrowing
def _count(lanes):
    """Number of lanes in a set."""
    count = 0
    while lanes:
        lanes &= lanes - 1
        count += 1
    return count


@compiled_borrowing
def _leave(which, first, lanes, arrived, masks, left, count):
    """Appends maps whose walk has not come to the start to those left; returns how many these are."""
    for lane in range(lanes):
        if not arrived >> lane & 1:
            clear(masks, which[first + lane])
            left[count] = which[first + lane]
            count += 1
    return count
