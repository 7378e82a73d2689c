"""Paths as lines between tiles, also where a mask is no path."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


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
