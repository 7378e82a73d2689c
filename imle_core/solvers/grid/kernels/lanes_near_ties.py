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
from imle_core.solvers.grid.kernels.lanes_walks import exact_step
from imle_core.solvers.grid.kernels.maps import Grid, tile_of

_UNKNOWN = 1e300  # labels of tiles that matter, until they have one


class Candidates(NamedTuple):
    """Positions that may be on a path, and what is known of them; :func:`make_candidates` makes one.

    Attributes:
        positions: in the order in which they were found from the goal on.
        costs: of entering positions.
        labels: of positions, in float64; inf where they do not matter.
    """

    positions: NDArray[np.int64]
    costs: NDArray[np.float64]
    labels: NDArray[np.float64]


def make_candidates(grid: Grid) -> Candidates:
    """Room for all positions of a grid."""
    count = (grid.height + 2) * (grid.width + 2)
    return Candidates(np.zeros(count, np.int64), np.zeros(count), np.full(count, np.inf))


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
        passed: set to 1 at the positions of these walks, side by side.

    Returns:
        The set of lanes whose walk has come to the start; it does not if there are too many candidates, or costs are lost by
        rounding.
    """
    decided, exact, positions = np.int64(0), address(candidates.labels), address(candidates.positions)
    for lane in range(LANES):
        last = labels[grid.goal * LANES + lane] + slack[lane]
        if lanes >> lane & 1 and last < above[lane]:
            count = _find(labels, slack[lane], last, lane, grid, steps + 1, candidates)
            for i in range(count):
                position = take(positions, i)
                put(candidates.costs, position, cost_of(maps, costs, lane, tile_of(grid, position), grid))
                put(passed, position * LANES + lane, 0)
            if count <= steps + 1 and _label(grid, candidates, count, sweeps) and _walk(grid, lane, candidates, passed):
                decided |= 1 << lane
            put(exact, grid.start, np.inf)
            for i in range(count):
                put(exact, take(positions, i), np.inf)
    return decided


@compiled_borrowing
def _find(labels, slack, last, lane, grid, limit, candidates):
    """Writes the positions that matter, with labels up to ``last``, or more than ``limit`` of them; returns how many."""
    numbers, positions, exact = address(labels), address(candidates.positions), address(candidates.labels)
    moves, count, done = address(grid.steps), 1, 0
    put(positions, 0, grid.goal)
    put(exact, grid.goal, _UNKNOWN)
    while done < count <= limit:
        position = take(positions, done)
        done += 1
        if position != grid.start:
            lowest = np.uint32(2**32 - 1)
            for i in range(len(grid.steps)):
                lowest = min(lowest, take(numbers, (position + take(moves, i)) * LANES + lane))
            beyond = min(lowest + slack, last)
            for i in range(len(grid.steps)):
                neighbour = position + take(moves, i)
                if take(numbers, neighbour * LANES + lane) <= beyond and take(exact, neighbour) == np.inf:
                    put(exact, neighbour, _UNKNOWN)
                    put(positions, count, neighbour)
                    count += 1
    return count


@compiled_borrowing
def _label(grid, candidates, count, sweeps):
    """Lowers labels until none changes; returns whether that took few enough sweeps."""
    positions, costs, labels = address(candidates.positions), address(candidates.costs), address(candidates.labels)
    moves = address(grid.steps)
    put(labels, grid.start, 0.0)
    for _ in range(sweeps):
        changed = False
        for i in range(count - 1, -1, -1):
            position, lowest = take(positions, i), np.inf
            for k in range(len(grid.steps)):
                before = take(labels, position + take(moves, k))
                lowest = before if before < lowest else lowest
            label = lowest + take(costs, position)
            if label < take(labels, position):
                put(labels, position, label)
                changed = True
        if not changed:
            return True
    return False


@compiled_borrowing
def _walk(grid, lane, candidates, passed):
    """Walks back, each time to the smallest row-major tile with a smaller, exact label; whether there always is one."""
    costs, labels, moves = address(candidates.costs), address(candidates.labels), address(grid.steps)
    position = grid.goal
    while position != grid.start:
        put(passed, position * LANES + lane, 1)
        step = exact_step(labels, position, take(costs, position), moves, len(grid.steps), 1)
        if step == 0:
            return False
        position += step
    put(passed, position * LANES + lane, 1)
    return True
