"""Cheapest paths on grids whose cost is that of entering a tile, one map at a time, compiled.

Labels of tiles are found first; the path is then walked back from the goal.
"""

import numpy as np

from imle_core.kernels.compiled import compiled
from imle_core.solvers.grid.kernels.buckets import label, make_buckets_space
from imle_core.solvers.grid.kernels.maps import clear, inside, read_costs, tile_of

_NONE = -1


@compiled
def cheapest_paths(maps, grid, which, masks, memory, tuning):
    """Writes the 0/1 masks of the cheapest paths of maps ``which[i]``.

    Args:
        maps: the maps; NaN is not allowed.
        grid: where to go.
        which: ``(M,)`` numbers of maps.
        masks: ``(N, T)``, overwritten for these maps.
        memory: as many numbers as are needed for a space.
        tuning: of buckets.

    Returns:
        The first of the maps whose goal cannot be reached, or -1; and sums of the counts of
        :func:`imle_core.solvers.grid.kernels.maps.read_costs`.
    """
    space = make_buckets_space(memory, grid, tuning)
    costs = space.labels.view(maps.theta.dtype)[: maps.theta.shape[1]]  # until there are labels
    nans = clamped = passable = 0
    cut_off = _NONE
    for i in range(len(which)):
        counts = read_costs(maps, which[i], costs)
        clear(masks, which[i])
        nans, clamped, passable = nans + counts[0], clamped + counts[1], passable + counts[2]
        if counts[0] or cut_off != _NONE:
            continue
        _prepare(costs, grid, space.costs)
        label(space, grid, grid.goal, tuning)
        if space.labels[grid.goal] < np.inf:
            _trace(space, grid, masks[which[i]])
        else:
            cut_off = which[i]
    return cut_off, nans, clamped, passable


@compiled
def _prepare(costs, grid, entering):
    """Writes the clamped costs into the padded array of costs."""
    for position in range(len(entering)):
        entering[position] = np.inf
    for row in range(grid.height):
        position = (row + 1) * (grid.width + 2) + 1
        for column in range(grid.width):
            entering[position + column] = inside(costs[row * grid.width + column], grid)


@compiled
def _trace(space, grid, mask):
    """Walks back from the goal, each time to the smallest row-major predecessor with a smaller, exact label.

    A cost that is lost in a label by rounding makes plateaus of equal labels, where no predecessor has a smaller one.
    There the walk takes the fewest steps to leave the plateau, and among equals the smallest tile.
    """
    costs, labels, hops = space.costs, space.labels, np.empty(0, np.int64)
    position, tile = grid.goal, tile_of(grid, grid.goal)
    while position != grid.start:
        mask[tile] = 1
        present, before = labels[position], _NONE
        for i in range(len(grid.steps)):
            neighbour = labels[position + grid.steps[i]]
            if neighbour < present and neighbour + costs[position] == present:
                before = i
                break
        if before == _NONE:
            if len(hops) == 0:
                hops = _plateau_hops(costs, labels, grid)
            for i in range(len(grid.steps)):
                neighbour = position + grid.steps[i]
                if labels[neighbour] == present and hops[neighbour] == hops[position] - 1:
                    before = i
                    break
        position += grid.steps[before]
        tile += grid.jumps[before]
    mask[tile] = 1


@compiled
def _plateau_hops(costs, labels, grid):
    """Steps back to the nearest tile that is the start or has a predecessor with a smaller label, up to the goal's."""
    far = len(labels)
    hops, queue, size = np.full(far, far), np.empty(far, np.int64), 0
    for position in range(far):
        if labels[position] <= labels[grid.goal]:
            is_first = position == grid.start
            for step in grid.steps:
                before = labels[position + step]
                is_first |= before < labels[position] and before + costs[position] == labels[position]
            if is_first:
                hops[position], queue[size] = 0, position
                size += 1
    first = 0
    while first < size:
        position = queue[first]
        first += 1
        for step in grid.steps:
            after = position + step
            if labels[after] == labels[position] and labels[position] + costs[after] == labels[after] and hops[after] == far:
                hops[after], queue[size] = hops[position] + 1, after
                size += 1
    return hops
