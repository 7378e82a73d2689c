"""Cheapest paths on grids by plain tensor operations, for a batch of maps at once, on the device that holds their costs.

The label of a tile is ``d(v) = min_u d(u) + c(v)`` over its neighbours u, in float64, with ``d(start) = 0``. Rounds of
relaxation start from infinite labels; since a rounded sum is monotone in each term, they fall to exactly the labels of
Dijkstra's algorithm and stay there. The tile before v on a path is the first neighbour in row-major order whose label is
smaller and gives v's exactly; where a cost lost in a sum by rounding leaves none, the one that leaves the plateau of equal
labels in the fewest steps. That is the rule of the other engines, so that all give the same tiles.

A round is five launches for all maps together. Beside the costs, the work takes about 50 bytes a tile.
"""

from typing import TypeAlias

import torch
from torch import Tensor

from imle_core.solvers.grid.tuning import TUNING, Tuning

Tile: TypeAlias = tuple[int, int]


def cheapest_paths(
    costs: Tensor, start: Tile, goal: Tile, moves: tuple[Tile, ...], tuning: Tuning = TUNING
) -> tuple[Tensor, Tensor]:
    """Masks of the cheapest paths, and for which maps there is a path at all.

    Args:
        costs: ``(N, H, W)`` float64, cost of entering a tile, > 0, with sums that stay finite; +inf is a wall.
        start: row and column of the first tile, no wall.
        goal: row and column of the last tile, no wall.
        moves: the 4 or 8 steps (rows, columns) to the neighbours, in row-major order.
        tuning: how often the device is asked whether it is done.

    Returns:
        Masks ``(N, H, W)`` uint8, 1 on the tiles of the path, 0 elsewhere and on maps without one; and ``(N,)`` bool,
        whether walls leave a path. Both are on the device of the costs.
    """
    costs = costs.detach()
    labels = _labels(costs, start, len(moves) == 8, tuning.rounds_a_check)
    return paths_along(labels, costs, start, goal, moves, tuning)


def paths_along(
    labels: Tensor, costs: Tensor, start: Tile, goal: Tile, moves: tuple[Tile, ...], tuning: Tuning
) -> tuple[Tensor, Tensor]:
    """Results of :func:`cheapest_paths` from its arguments and labels ``(N, H + 2, W + 2)``, inf around the maps."""
    _, height, width = costs.shape
    before, stuck = _predecessors(labels, costs, start, moves)
    first, last = start[0] * width + start[1], goal[0] * width + goal[1]
    fewest = max(abs(start[0] - goal[0]), abs(start[1] - goal[1]))
    ends, masks = _walk_back(before, last, fewest)
    reached = labels[:, 1 + goal[0], 1 + goal[1]] < torch.inf
    on_plateau = (reached & (ends != first)).nonzero().flatten()
    if len(on_plateau):
        before = _off_plateaus(labels[on_plateau], before[on_plateau], stuck[on_plateau], moves, tuning.rounds_a_check)
        masks[on_plateau] = _walk_back(before, last, fewest)[1]
    return masks.mul_(reached[:, None]).view(-1, height, width), reached


def _labels(costs: Tensor, start: Tile, diagonal: bool, rounds_a_check: int) -> Tensor:
    """Labels ``(N, H + 2, W + 2)``, inf where a tile cannot be reached and in a frame around the map.

    A round takes the least label around each tile, the tile's own included, and adds its cost. The tile's own label plus a
    cost is no smaller than its label, so it does not matter, except that it keeps the start, whose cost is set to 0, at 0.
    """
    count, height, width = costs.shape
    costs = costs.clone()
    costs[:, start[0], start[1]] = 0.0
    labels = costs.new_full((count, height + 2, width + 2), torch.inf)
    inner = labels[:, 1:-1, 1:-1]
    inner[:, start[0], start[1]] = 0.0
    columns = labels if diagonal else labels[:, :, 1:-1]
    above, level, below = columns[:, :-2], columns[:, 1:-1], columns[:, 2:]
    upright = torch.empty(level.shape, dtype=costs.dtype, device=costs.device)
    middle, beside = (upright[:, :, 1:-1], upright) if diagonal else (upright, labels[:, 1:-1])
    left, right = beside[:, :, :-2], beside[:, :, 2:]
    lowest, earlier = torch.empty_like(costs), torch.empty_like(costs)

    def relax() -> None:
        torch.minimum(above, below, out=upright)
        torch.minimum(upright, level, out=upright)
        torch.minimum(left, right, out=lowest)
        torch.minimum(lowest, middle, out=lowest)
        torch.add(lowest, costs, out=inner)

    # On an open map no round before the farthest tile's is the last, and a cheapest path has no more steps than tiles.
    sides = max(start[0], height - 1 - start[0]), max(start[1], width - 1 - start[1])
    farthest = max(sides) if diagonal else sum(sides)
    for done in range(height * width):
        check = done >= farthest and (done - farthest) % rounds_a_check == 0
        if check:
            earlier.copy_(inner)
        relax()
        if check and torch.equal(earlier, inner):
            break
    return labels


def _predecessors(labels: Tensor, costs: Tensor, start: Tile, moves: tuple[Tile, ...]) -> tuple[Tensor, Tensor]:
    """Number ``(N, H * W)`` of the tile before each tile, or its own where none has a smaller label; and where that is.

    Of the two, the second, ``(N, H, W)`` bool, leaves out the start and tiles that cannot be reached.
    """
    count, height, width = costs.shape
    here = labels[:, 1:-1, 1:-1]
    tiles = torch.arange(height * width, device=costs.device).view(height, width)
    before = tiles.repeat(count, 1, 1)
    stuck = here < torch.inf
    stuck[:, start[0], start[1]] = False
    for down, right in moves:
        there = _shifted(labels, (down, right))
        chosen = stuck & (there < here) & (there + costs == here)
        torch.where(chosen, tiles + (down * width + right), before, out=before)
        stuck &= ~chosen
    return before.flatten(1), stuck


def _walk_back(before: Tensor, last: int, fewest: int) -> tuple[Tensor, Tensor]:
    """Last tile ``(N,)`` of the walks from the goal along ``before``, and their masks ``(N, H * W)`` uint8.

    The walks double their length each time: if ``before`` leads n steps back and the first n tiles are known, it gives the
    next n, and applied to itself it leads 2n steps back. So the number of launches grows with the logarithm of the length.

    Args:
        before: ``(N, H * W)``, the tile before each; a walk ends at a tile that is before itself.
        last: number of the goal.
        fewest: steps from start to goal on an open map; the device is not asked earlier whether the walks have ended.
    """
    count, tiles = before.shape
    walks = before.new_full((count, 1), last)
    jumps = before
    while walks.shape[1] < tiles:
        walks = torch.cat([walks, jumps.gather(1, walks)], 1)
        if walks.shape[1] > fewest and torch.equal(before.gather(1, walks[:, -1:]), walks[:, -1:]):
            break
        jumps = jumps.gather(1, jumps)
    masks = torch.zeros((count, tiles), dtype=torch.uint8, device=before.device)
    return walks[:, -1], masks.scatter_(1, walks, 1)


def _off_plateaus(labels: Tensor, before: Tensor, stuck: Tensor, moves: tuple[Tile, ...], rounds_a_check: int) -> Tensor:
    """``before``, completed for the tiles where it is stuck: one step towards where the plateau is left soonest.

    Args:
        labels: ``(M, H + 2, W + 2)``, as given by ``_labels``.
        before: ``(M, H * W)``, as given by ``_predecessors``.
        stuck: ``(M, H, W)``, likewise.
        moves: steps to the neighbours; the first of equally good ones is taken.
        rounds_a_check: rounds to one question to the device.
    """
    count, height, width = stuck.shape
    far = height * width
    here = labels[:, 1:-1, 1:-1]
    hops = before.new_full(labels.shape, far)
    inner = hops[:, 1:-1, 1:-1]
    inner[(here < torch.inf) & ~stuck] = 0
    for distance in range(1, far):
        # Round n finds the tiles n hops from leaving. The cost of a stuck tile is lost in a sum with its label, since no
        # smaller label led there; so a neighbour of the same label is one that leads to it.
        for step in moves:
            nearer = (_shifted(labels, step) == here) & (_shifted(hops, step) == distance - 1)
            inner.masked_fill_(stuck & nearer & (inner == far), distance)
        if distance % rounds_a_check == 0 and not (stuck & (inner == far)).any():
            break
    completed = before.view(count, height, width).clone()
    tiles = torch.arange(far, device=before.device).view(height, width)
    waiting = stuck.clone()
    for down, right in moves:
        step = (down, right)
        chosen = waiting & (_shifted(labels, step) == here) & (_shifted(hops, step) == inner - 1)
        torch.where(chosen, tiles + (down * width + right), completed, out=completed)
        waiting &= ~chosen
    return completed.flatten(1)


def _shifted(framed: Tensor, step: Tile) -> Tensor:
    """Values ``(N, H, W)`` one step away from each tile of a map with a frame, ``(N, H + 2, W + 2)``; a view."""
    _, height, width = framed.shape
    down, right = step
    return framed[:, 1 + down : height - 1 + down, 1 + right : width - 1 + right]
