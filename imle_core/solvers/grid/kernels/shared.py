"""Kernels for many maps that threads share: each takes the next maps as it is free; compiled."""

from typing import Any

import numpy as np

from imle_core.kernels.compiled import compiled, compiled_borrowing
from imle_core.kernels.sharing import in_each_thread
from imle_core.kernels.vectors import LANES, fetch_add, lanes_of
from imle_core.solvers.grid.kernels import lanes, unchanged_paths
from imle_core.solvers.grid.kernels.lanes import LanesSpace
from imle_core.solvers.grid.kernels.lanes_costs import Costs
from imle_core.solvers.grid.kernels.lanes_near_ties import Candidates
from imle_core.solvers.grid.kernels.lanes_walks import Walks
from imle_core.solvers.grid.kernels.maps import Grid

_scaled_paths, _still_cheapest = lanes.scaled_paths, unchanged_paths.still_cheapest


def make_spaces(grid: Grid, dtype: np.dtype[np.floating], threads: int) -> LanesSpace:
    """Spaces for scaled labels: each array has a row for each of several threads."""
    spaces: LanesSpace = _in_rows(lanes.make_lanes_space(grid, dtype, scaled=True), threads)
    return spaces


def _in_rows(array: Any, count: int) -> Any:
    if isinstance(array, tuple):
        return type(array)(*(_in_rows(member, count) for member in array))
    rows = lanes_of(-(-count * array.size // LANES), array.dtype)[: count * array.size].reshape(count, -1)
    rows[:] = array
    return rows


@compiled_borrowing
def scaled_paths(maps, grid, which, masks, order, path, scale, spaces, left, counts, tuning, team):
    """Writes masks as :func:`.lanes.scaled_paths` does, in the threads of a team.

    Each has its row of ``spaces``, and writes the maps that it leaves to its row of ``left``, ``(threads, M)``, and what
    :func:`.lanes.scaled_paths` returns to its row of ``counts``, ``(threads, 5)``.
    """
    arguments = maps, grid, which, masks, order, path, scale, spaces, left, counts, tuning, team.taken
    in_each_thread(team, _scaled_paths_in_thread, arguments)


@compiled_borrowing
def scaled_paths_alone(maps, grid, which, masks, order, path, scale, spaces, left, tuning, taken):
    """Does the same in the calling thread, with the first row of ``spaces``; ``left`` is ``(M,)``, ``taken`` a 0."""
    return _scaled_paths(maps, grid, which, masks, order, path, scale, _row(spaces, 0), left, taken, 0, tuning)


@compiled_borrowing
def _scaled_paths_in_thread(number, maps, grid, which, masks, order, path, scale, spaces, left, counts, tuning, taken):
    spared = LANES if number else 0  # the thread that came first mostly waits for the others: the last maps are its own
    space = _row(spaces, number)
    found = _scaled_paths(maps, grid, which, masks, order, path, scale, space, left[number], taken, spared, tuning)
    for i in range(5):
        counts[number, i] = found[i]


@compiled_borrowing
def _row(spaces, number):
    """The space of a thread."""
    costs, walks, candidates = spaces.costs, spaces.walks, spaces.candidates
    return LanesSpace(
        spaces.labels[number],
        Costs(
            costs.entering[number],
            costs.at[number],
            costs.starts[number],
            costs.gains[number],
            costs.block[number],
            costs.counts[number],
        ),
        spaces.dirty[number],
        spaces.slack[number],
        spaces.margin[number],
        spaces.above[number],
        Walks(walks.ways[number], walks.known[number], walks.passed[number], walks.at[number], walks.lanes_of_tiles[number]),
        Candidates(candidates.positions[number], candidates.costs[number], candidates.labels[number]),
    )


@compiled
def still_cheapest(new, old, grid, masks, kept, step, team):
    """Writes for all maps what :func:`.unchanged_paths.still_cheapest` writes, ``step`` maps at a time."""
    in_each_thread(team, _still_cheapest_in_thread, (new, old, grid, masks, kept, step, team.taken))


@compiled
def _still_cheapest_in_thread(_, new, old, grid, masks, kept, step, taken):
    first = fetch_add(taken, step)
    while first < len(kept):
        _still_cheapest(new, old, grid, masks, first, min(first + step, len(kept)), kept)
        first = fetch_add(taken, step)
