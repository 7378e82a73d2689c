"""Probabilities as a few coloured pixels, small enough for a terminal."""

import numpy as np
from numpy.typing import NDArray

# The viridis colour map at seventeen even steps; between them colours are mixed.
_VIRIDIS = np.frombuffer(
    bytes.fromhex(
        "440154 48186A 472D7B 424086 3B528B 33638D 2C728E 26828E 21918C "
        "1FA088 28AE80 3FBC73 5EC962 84D44B ADDC30 D8E219 FDE725"
    ),
    np.uint8,
).reshape(-1, 3)


def colours(values: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.uint8]:
    """Picture ``(h, w, 3)`` of probabilities ``(H, W)`` with at most ``rows`` and ``columns`` pixels.

    Small maps are enlarged up to fourfold; of tiles that share a pixel the most probable shows.
    """
    height, width = values.shape
    shrink = max(-(-height // rows), -(-width // columns))
    padded = np.zeros((-(-height // shrink) * shrink, -(-width // shrink) * shrink))
    padded[:height, :width] = values
    pooled = padded.reshape(len(padded) // shrink, shrink, -1, shrink).max(axis=(1, 3))
    enlarge = max(1, min(4, rows // len(pooled), columns // pooled.shape[1]))
    pooled = pooled.repeat(enlarge, axis=0).repeat(enlarge, axis=1)
    return np.asarray(viridis(pooled).round(), dtype=np.uint8)


def viridis(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colours, 0 to 255 in a new last axis, of values from 0 to 1."""
    steps = np.linspace(0, 1, len(_VIRIDIS))
    return np.stack([np.interp(values, steps, channel) for channel in _VIRIDIS.T], axis=-1)
