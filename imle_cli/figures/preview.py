"""Probabilities as a few coloured pixels, small enough for a terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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


_TALLEST = 32  # pixels up to which a small map is enlarged
_LARGEST_SCALE = 4


@dataclass(frozen=True)
class Preview:
    """Probabilities of tiles for a terminal, some of which are marked.

    Attributes:
        values: probabilities, ``(H, W)``.
        marks: rows and columns of the tiles that are marked, by their names, "start" for instance.
    """

    values: NDArray[np.float64]
    marks: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def picture(self, rows: int, columns: int) -> tuple[NDArray[np.uint8], dict[tuple[int, int], str]]:
        """Picture ``(h, w, 3)`` of at most so many pixels, and letters by the pixels of the tiles that are marked.

        Small maps are enlarged by whole tiles; of tiles that share a pixel the most probable shows.
        """
        height, width = self.values.shape
        shrink = max(-(-height // rows), -(-width // columns))
        padded = np.zeros((-(-height // shrink) * shrink, -(-width // shrink) * shrink))
        padded[:height, :width] = self.values
        pooled = padded.reshape(len(padded) // shrink, shrink, -1, shrink).max(axis=(1, 3))
        room = min(rows, max(_TALLEST, len(pooled)))
        enlarge = max(1, min(_LARGEST_SCALE, room // len(pooled), columns // pooled.shape[1]))
        pixels = viridis(pooled.repeat(enlarge, axis=0).repeat(enlarge, axis=1)).round().astype(np.uint8)
        # Of an enlarged tile the middle, where its letter hides no other tile.
        letters = {
            tuple(index // shrink * enlarge + (enlarge - 1) // 2 for index in tile): name[0].upper()
            for name, tile in self.marks.items()
        }
        return pixels, letters

    def scale(self, columns: int) -> NDArray[np.uint8]:
        """Colours ``(columns, 3)`` from probability 0 to 1."""
        return np.asarray(viridis(np.linspace(0, 1, columns)).round(), dtype=np.uint8)


def viridis(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colours, 0 to 255 in a new last axis, of values from 0 to 1."""
    steps = np.linspace(0, 1, len(_VIRIDIS))
    return np.stack([np.interp(values, steps, channel) for channel in _VIRIDIS.T], axis=-1)
