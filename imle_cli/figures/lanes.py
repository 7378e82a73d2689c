"""Paths side by side, as lines of a network of buses, so that several over the same tiles are all seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.figures.canvas import Floats

_SHARPEST = 2.0  # times the distance: as far as a lane's corner may lie from the path's


def lane(points: NDArray[Any], distance: float) -> Floats:
    """A path ``(L, 2)`` of columns and rows, moved to its right by a distance, in corners as far from both sides.

    Repeated points must be left out.
    """
    along = np.diff(points.astype(np.float64), axis=0)
    if not len(along):
        return np.asarray(points, dtype=np.float64)
    right = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.hypot(*along.T)[:, None]
    before, after = np.concatenate([right[:1], right]), np.concatenate([right, right[-1:]])
    towards = before + after
    stretch = 2 / np.maximum((towards**2).sum(axis=1), (2 / _SHARPEST) ** 2)
    moved: Floats = points + distance * towards * stretch[:, None]
    return moved


def distances(count: int, spacing: float) -> Floats:
    """Distances of lanes from their middle, the first one leftmost."""
    return np.asarray(spacing * (np.arange(count) - (count - 1) / 2), dtype=np.float64)
