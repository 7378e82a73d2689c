"""Cheapest paths of old costs that surely are those of new costs, without solving, compiled.

If no cost on a path rose and none off it fell, the path is still a cheapest one: the cost of every other path rose by as
much at least. The solver compares labels that are rounded; to be the path that it would take, every cost off the path must
have risen by more than rounding, or no cost have changed at all.
"""

import numpy as np

from imle_core.kernels.compiled import compiled
from imle_core.solvers.grid.kernels.maps import inside, read_costs

ROUNDING = 2.0**-50  # relative, of two sums and their difference, a term


@compiled
def still_cheapest(new, old, grid, masks, first, last, kept):
    """Writes for maps ``first..last-1`` whether their old masks are kept.

    Args:
        new: the maps to be solved.
        old: the same number of maps, whose solutions are known.
        grid: where to go on both.
        masks: ``(N, T)`` of ones and zeros, the cheapest paths of the old maps.
        first: number of the first map.
        last: number after the last map.
        kept: ``(N,)`` bool, overwritten.
    """
    tiles = new.theta.shape[1]
    now, then = np.empty(tiles, new.theta.dtype), np.empty(tiles, new.theta.dtype)
    for n in range(first, last):
        read_costs(new, n, now)
        read_costs(old, n, then)
        kept[n] = (now == then).all() or _is_cheaper(now, then, masks[n], grid)


@compiled
def _is_cheaper(now, then, mask, grid):
    """True where no cost on the path rose, and all costs off it rose by more than rounding."""
    length, smallest = 0.0, np.inf
    for tile in range(len(now)):
        if mask[tile]:
            cost = inside(then[tile], grid)
            if not inside(now[tile], grid) <= cost:
                return False
            length += cost
            smallest = min(smallest, cost)
    rounding = len(now) * ROUNDING * length
    if not smallest > rounding:  # a cost lost in a sum: the path may touch itself, and then be shortened
        return False
    for tile in range(len(now)):
        if not mask[tile]:
            cost = inside(then[tile], grid)
            if not (inside(now[tile], grid) - cost > rounding or (now[tile] == np.inf and cost == np.inf)):
                return False
    return True
