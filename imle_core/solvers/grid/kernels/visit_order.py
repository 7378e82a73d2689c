"""The order in which labels of many maps alike are best corrected, and a path that bounds what they need, compiled.

Both are those of Dijkstra's algorithm on the mean of some of the maps. They matter to speed alone.
"""

import numpy as np

from imle_core.kernels.compiled import compiled, compiled_borrowing
from imle_core.solvers.grid.kernels.buckets import label, make_buckets_space
from imle_core.solvers.grid.kernels.maps import inside, position_of, read_costs


@compiled
def plan_visits(maps, grid, examples, order, path, memory, tuning):
    """The order of visits, and a path, from the mean of the maps ``examples``, walls apart.

    Args:
        maps: the maps.
        grid: where to go.
        examples: numbers of maps.
        order: ``(T - 1,)``, overwritten with all positions but the start's in about the order of Dijkstra's algorithm; those
            that it does not reach come last.
        path: ``(T,)``, overwritten with the positions on its path after the start.
        memory: as many numbers as are needed for a space of labels.
        tuning: of buckets.

    Returns:
        The length of the path, 0 if there is none; and its cost, or that of all tiles.
    """
    tiles = grid.height * grid.width
    space = make_buckets_space(memory, grid, tuning)
    entering, labels = space.costs, space.labels
    share = 1.0 / len(examples)
    total, passable, costs = np.zeros(tiles), np.zeros(tiles), np.empty(tiles, maps.theta.dtype)
    for n in examples:
        read_costs(maps, n, costs)
        for tile in range(tiles):
            if costs[tile] < np.inf:
                total[tile] += share * inside(costs[tile], grid)
                passable[tile] += share
    for position in range(len(entering)):
        entering[position] = np.inf
    sum_of_all = 0.0
    for tile in range(tiles):
        if passable[tile] > 0.0:
            entering[position_of(grid, tile)] = total[tile] / passable[tile]
            sum_of_all += total[tile] / passable[tile]
    label(space, grid, np.int64(0), tuning)
    _sort(labels, grid, order)
    length = _descend(labels, grid, path)
    return length, labels[grid.goal] if length else sum_of_all


@compiled
def _sort(labels, grid, order):
    """Writes positions but the start's by their labels, cut to one of 4 T intervals up to the goal's; others last."""
    intervals, stride = 4 * grid.height * grid.width, grid.width + 2
    density = intervals / labels[grid.goal] if labels[grid.goal] > 0.0 else 0.0
    ends = np.zeros(intervals + 1, np.int64)
    for row in range(1, grid.height + 1):
        for position in range(row * stride + 1, row * stride + 1 + grid.width):
            ends[_interval(labels[position], density, intervals)] += position != grid.start
    for i in range(intervals):
        ends[i + 1] += ends[i]
    for row in range(grid.height, 0, -1):
        for position in range(row * stride + grid.width, row * stride, -1):
            if position != grid.start:
                interval = _interval(labels[position], density, intervals)
                ends[interval] -= 1
                order[ends[interval]] = position


@compiled_borrowing
def _interval(value, density, intervals):
    return int(value * density) if 0.0 <= value * density < intervals else intervals


@compiled_borrowing
def _descend(labels, grid, path):
    """Writes the positions from the goal to the start along ever smaller labels; returns how many there are."""
    position, length = grid.goal, 0
    while position != grid.start:
        path[length] = position
        length += 1
        before = position
        for step in grid.steps:
            if 0.0 <= labels[position + step] < labels[before]:
                before = position + step
        if before == position:
            return 0
        position = before
    return length
