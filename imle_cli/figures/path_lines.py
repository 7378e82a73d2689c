"""Paths as lines between tiles, also where a mask is no path."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
_AROUND = {4: _STEPS[:2], 8: _STEPS}


def segments(mask: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Lines that join any two neighbouring tiles of a mask ``(H, W)``, each ``(2, 2)``: column and row of both ends.

    For a cheapest path these are the path itself, since it never touches itself.
    """
    tiles = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    pairs = [
        ((row, column), (row + down, column + right))
        for row, column in sorted(tiles)
        for down, right in _STEPS
        if (row + down, column + right) in tiles
    ]
    return [np.array(pair)[:, ::-1] for pair in pairs]


def ordered(mask: NDArray[Any]) -> NDArray[np.int64] | None:
    """Tiles ``(L, 2)`` of a path in order, read off its mask ``(H, W)``; None where the mask is no such path.

    A path is two tiles or more of which each touches the one before and the one after and no others, by 8 moves or else
    by 4. It begins at the end that comes first in reading order.
    """
    tiles = [(int(row), int(column)) for row, column in np.argwhere(mask)]
    return next((path for moves in (8, 4) if (path := _ordered(tiles, moves)) is not None), None)


def _ordered(tiles: list[tuple[int, int]], moves: int) -> NDArray[np.int64] | None:
    left = set(tiles)

    def around(tile: tuple[int, int]) -> list[tuple[int, int]]:
        steps = [(sign * down, sign * right) for down, right in _AROUND[moves] for sign in (1, -1)]
        return [near for down, right in steps if (near := (tile[0] + down, tile[1] + right)) in left]

    ends = [tile for tile in tiles if len(around(tile)) == 1]
    if len(ends) != 2 or any(len(around(tile)) > 2 for tile in tiles):
        return None
    path = [ends[0]]
    left.remove(ends[0])
    while following := around(path[-1]):
        path.append(following[0])
        left.remove(following[0])
    return np.array(path) if len(path) == len(tiles) else None
