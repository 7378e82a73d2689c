"""Cheapest paths where scaled labels leave a choice, by labels in float64 of the few tiles that may matter; compiled.

Scaled labels show which tiles may be before another one on the path: those at most a slack above the smallest beside it, and
no further above the goal. From the goal on, these are all tiles of paths that are cheapest in float64. So labels in float64
over these tiles alone are, on such paths, those over the whole map.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.kernels.vectors import LANES, address, put, take
from imle_core.solvers.grid.kernels.lanes_costs import cost_of
from imle_core.solvers.grid.kernels.maps import Grid, tile_of

_UNKNOWN = 1e300  # labels of tiles that matter, until they have one


class Candidates(NamedTuple):
    """Places that may be on a path, and what is known of them; :func:`make_candidates` makes one.

    Attributes:
        found: the places, in the order in which they were found from the goal on.
        costs: of entering places.
        labels: of places, in float64; inf where they do not matter.
    """

    found: NDArray[np.int64]
    costs: NDArray[np.float64]
    labels: NDArray[np.float64]


def make_candidates(grid: Grid) -> Candidates:
    """Room for all places of a grid."""
    places = (grid.height + 2) * (grid.width + 2)
    return Candidates(np.zeros(places, np.int64), np.zeros(places), np.full(places, np.inf))


@compiled_borrowing
def decide(maps, costs, labels, above, slack, lanes, grid, steps, sweeps, candidates, passed):
    """Walks back in some lanes along labels in float64, as :mod:`imle_core.solvers.grid.kernels.one_map` does.

    Args:
        maps: the maps.
        costs: those that were read, of LANES maps.
        labels: scaled, side by side; final ones up to the goal's plus ``slack``, if these are below ``above``.
        above: no label is above it, and that of no tile is where there are none; one number a lane.
        slack: how far the label of a tile on the path may be above the smallest; one number a lane.
        lanes: the set of lanes.
        grid: where to go.
        steps: that a walk may have for the slack to hold.
        sweeps: over the tiles, at most, until labels are final.
        candidates: where to work.
        passed: set to 1 at the places of these walks, side by side.

    Returns:
        The set of lanes whose walk has come to the start; it does not if there are too many candidates, or costs are lost by
        rounding.
    """
    decided, exact, found = np.int64(0), address(candidates.labels), address(candidates.found)
    for lane in range(LANES):
        last = labels[grid.goal * LANES + lane] + slack[lane]
        if lanes >> lane & 1 and last < above[lane]:
            count = _find(labels, slack[lane], last, lane, grid, steps + 1, candidates)
            for i in range(count):
                place = take(found, i)
                put(candidates.costs, place, cost_of(maps, costs, lane, tile_of(grid, place), grid))
                put(passed, place * LANES + lane, 0)
            if count <= steps + 1 and _label(grid, candidates, count, sweeps) and _walk(grid, lane, candidates, passed):
                decided |= 1 << lane
            put(exact, grid.start, np.inf)
            for i in range(count):
                put(exact, take(found, i), np.inf)
    return decided


@compiled_borrowing
def _find(labels, slack, last, lane, grid, most, candidates):
    """Writes the places that matter, with labels up to ``last``, or more than ``most`` of them; returns how many."""
    numbers, found, exact = address(labels), address(candidates.found), address(candidates.labels)
    moves, count, done = address(grid.steps), 1, 0
    put(found, 0, grid.goal)
    put(exact, grid.goal, _UNKNOWN)
    while done < count <= most:
        place = take(found, done)
        done += 1
        if place != grid.start:
            least = np.uint32(2**32 - 1)
            for i in range(len(grid.steps)):
                least = min(least, take(numbers, (place + take(moves, i)) * LANES + lane))
            beyond = min(least + slack, last)
            for i in range(len(grid.steps)):
                other = place + take(moves, i)
                if take(numbers, other * LANES + lane) <= beyond and take(exact, other) == np.inf:
                    put(exact, other, _UNKNOWN)
                    put(found, count, other)
                    count += 1
    return count


@compiled_borrowing
def _label(grid, candidates, count, sweeps):
    """Lowers labels until none changes; returns whether that took few enough sweeps."""
    found, costs, labels = address(candidates.found), address(candidates.costs), address(candidates.labels)
    moves = address(grid.steps)
    put(labels, grid.start, 0.0)
    for _ in range(sweeps):
        changed = False
        for i in range(count - 1, -1, -1):
            place, least = take(found, i), np.inf
            for k in range(len(grid.steps)):
                before = take(labels, place + take(moves, k))
                least = before if before < least else least
            label = least + take(costs, place)
            if label < take(labels, place):
                put(labels, place, label)
                changed = True
        if not changed:
            return True
    return False


@compiled_borrowing
def _walk(grid, lane, candidates, passed):
    """Walks back, each time to the smallest row-major tile with a smaller, exact label; whether there always is one."""
    costs, labels, moves = address(candidates.costs), address(candidates.labels), address(grid.steps)
    place = grid.goal
    while place != grid.start:
        put(passed, place * LANES + lane, 1)
        present, cost, before = take(labels, place), take(costs, place), place
        for i in range(len(grid.steps) - 1, -1, -1):
            label = take(labels, place + take(moves, i))
            if label < present and label + cost == present:
                before = place + take(moves, i)
        if before == place:
            return False
        place = before
    put(passed, place * LANES + lane, 1)
    return True
