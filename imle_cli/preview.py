"""Probabilities as a few coloured pixels, small enough for a terminal."""

import numpy as np
from numpy.typing import NDArray

# The viridis colour map at nine even steps; between them colours are mixed.
_VIRIDIS = np.array([0x440154, 0x472C7A, 0x3B518B, 0x2C718E, 0x21908D, 0x27AD81, 0x5CC863, 0xAADC32, 0xFDE725])
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
    place = np.linspace(0, 1, len(_VIRIDIS))
    mixed = [np.interp(pooled, place, channel) for channel in _CHANNELS]
    return np.asarray(np.stack(mixed, axis=-1).round(), dtype=np.uint8)
