"""Probabilities as a few coloured pixels, small enough for a terminal."""

import numpy as np
from numpy.typing import NDArray

# The viridis colour map at seventeen even steps; between them colours are mixed.
_VIRIDIS = np.array(
    [
        0x440154,
        0x48186A,
        0x472D7B,
        0x424086,
        0x3B528B,
        0x33638D,
        0x2C728E,
        0x26828E,
        0x21918C,
        0x1FA088,
        0x28AE80,
        0x3FBC73,
        0x5EC962,
        0x84D44B,
        0xADDC30,
        0xD8E219,
        0xFDE725,
    ]
)
_CHANNELS = _VIRIDIS >> 16, _VIRIDIS >> 8 & 255, _VIRIDIS & 255


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
    place = np.linspace(0, 1, len(_VIRIDIS))
    return np.stack([np.interp(values, place, channel) for channel in _CHANNELS], axis=-1)
