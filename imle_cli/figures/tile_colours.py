"""Colours of tiles: greys of costs, walls, chosen tiles; tiles of large maps share pixels."""

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from imle_cli.figures.canvas import COSTS, Floats, Mask, factor, pooled_most
from imle_cli.figures.colours import PATH, WALL

Colours = NDArray[np.uint8]

LARGEST = 2048
"""Most pixels of a picture's longer side."""


def ground(costs: Floats, longest: int = LARGEST) -> Colours:
    """Greys of the costs and the colour of walls, at most ``longest`` pixels a side, by averages of square blocks."""
    low, high = cost_range(costs)
    level = (np.minimum(costs, high) - low) / (high - low or 1.0)
    colours = COSTS(np.arange(256), bytes=True)[np.rint(255 * level).astype(np.uint8), :3]
    colours[np.isinf(costs)] = colour_bytes(WALL)
    times = factor(costs.shape, longest)
    if times == 1:
        return np.asarray(colours)
    rows, columns = (np.arange(0, length, times) for length in costs.shape)
    sums = np.add.reduceat(np.add.reduceat(colours, rows, axis=0, dtype=np.uint32), columns, axis=1)
    counts = np.diff([*rows, costs.shape[0]])[:, None] * np.diff([*columns, costs.shape[1]])
    return np.asarray(sums // counts[..., None], dtype=np.uint8)


def with_tiles(colours: Colours, mask: Mask, longest: int = LARGEST, colour: str = PATH) -> Colours:
    """The same with the chosen tiles in a colour, that of a path."""
    return np.where(pooled_most(mask, longest)[..., None] > 0, colour_bytes(colour), colours)


def cost_range(costs: Floats) -> tuple[float, float]:
    """Lowest and highest cost that is no wall."""
    passable = costs[np.isfinite(costs)]
    return (float(passable.min()), float(passable.max())) if len(passable) else (1.0, 1.0)


def colour_bytes(colour: str) -> Colours:
    """Red, green and blue of a colour, 0 to 255."""
    return np.asarray(np.rint(255 * np.array(to_rgb(colour))), dtype=np.uint8)
