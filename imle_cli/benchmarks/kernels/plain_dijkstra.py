"""Dijkstra's algorithm on grids as a textbook has it, compiled: what ``imle_core.solvers.GridPath`` is measured against."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled


@compiled
def plain_paths(theta: NDArray[Any], masks: NDArray[Any], floor: float) -> None:
    """Writes the 0/1 masks of cheapest paths from the top left tile to the bottom right one, with 8 moves.

    One binary heap of labels and tiles; a tile whose label falls enters it again, and old entries are passed over. The
    search ends at the goal; the path is walked back along parents.

    Args:
        theta: ``(N, H, W)``, minus the costs of entering a tile; no walls.
        masks: ``(N, H, W)``, zeros.
        floor: smallest cost; what is below is clamped.
    """
    count, height, width = theta.shape
    goal = height * width - 1
    labels, parents = np.empty(goal + 1), np.empty(goal + 1, np.int64)
    keys, tiles = np.empty(8 * (goal + 1)), np.empty(8 * (goal + 1), np.int64)
    for n in range(count):
        labels[:] = np.inf
        labels[0], keys[0], tiles[0], size = 0.0, 0.0, 0, 1
        while size > 0:
            key, tile = keys[0], tiles[0]
            size -= 1
            _sift_down(keys, tiles, size)
            if tile == goal:
                break
            if key > labels[tile]:
                continue
            row, column = tile // width, tile % width
            for below in range(max(row - 1, 0), min(row + 2, height)):
                for beside in range(max(column - 1, 0), min(column + 2, width)):
                    neighbour = below * width + beside
                    label = key + max(-np.float64(theta[n, below, beside]), floor)
                    if label < labels[neighbour]:
                        labels[neighbour], parents[neighbour] = label, tile
                        _push(keys, tiles, size, label, neighbour)
                        size += 1
        tile = goal
        while tile != 0:
            masks[n, tile // width, tile % width] = 1
            tile = parents[tile]
        masks[n, 0, 0] = 1


@compiled
def _push(keys: NDArray[Any], tiles: NDArray[Any], size: int, key: float, tile: int) -> None:
    """Adds an entry to a heap that holds ``size``."""
    hole = size
    while hole > 0 and keys[(hole - 1) // 2] > key:
        keys[hole], tiles[hole] = keys[(hole - 1) // 2], tiles[(hole - 1) // 2]
        hole = (hole - 1) // 2
    keys[hole], tiles[hole] = key, tile


@compiled
def _sift_down(keys: NDArray[Any], tiles: NDArray[Any], size: int) -> None:
    """Removes the first entry of a heap that holds ``size + 1``."""
    key, tile = keys[size], tiles[size]
    hole, child = 0, 1
    while child < size:
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[hole], tiles[hole] = keys[child], tiles[child]
        hole, child = child, 2 * child + 1
    keys[hole], tiles[hole] = key, tile
