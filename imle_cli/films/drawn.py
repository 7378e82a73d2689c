"""Solutions, means and weights as pictures of palette colours: on tiles, or on the edges of a graph."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imle_cli.films.frames import DARK, MISSED, PALE, PATH, WHITE, Floats, Mask, Pixels, greys, ground, hues, with_path


class Drawn(Protocol):
    """Pictures ``shape`` of what a training has, each entry in its colour."""

    shape: tuple[int, int]

    def solution(self, state: Mask, gold: Mask | None) -> Pixels:
        """A solution, and what it misses of the gold one."""

    def means(self, means: Floats, high: float) -> Pixels:
        """Means of samples, from 0 to ``high``."""

    def weights(self, weights: Floats, low: float, high: float) -> Pixels:
        """Weights, ``low`` white and ``high`` black."""


class DrawnTiles:
    """Entries as tiles; a vector is a strip.

    Args:
        event: shape of a solution.
        costs: what solutions are drawn on; a white ground if None.
    """

    def __init__(self, event: tuple[int, ...], costs: Floats | None = None) -> None:
        below = np.zeros(event) if costs is None else costs
        self.ground = ground(as_tiles(below))
        self.shape = self.ground.shape[0], self.ground.shape[1]

    def solution(self, state: Mask, gold: Mask | None) -> Pixels:
        """Tiles of a path, those that it misses in pale green."""
        return with_path(self.ground, as_tiles(state), None if gold is None else as_tiles(gold))

    def means(self, means: Floats, high: float) -> Pixels:
        """Viridis."""
        return hues(as_tiles(means), 0.0, high)

    def weights(self, weights: Floats, low: float, high: float) -> Pixels:
        """Greys."""
        return greys(as_tiles(weights), low, high)


class DrawnEdges:
    """Entries as edges of a graph.

    Args:
        lines: both ends of each edge, ``(E, 2, 2)``, x and y upwards.
        nodes: positions of the nodes, ``(V, 2)``.
        side: pixels of the longer side.
    """

    def __init__(self, lines: Floats, nodes: Floats, side: int) -> None:
        corner, span = nodes.min(axis=0), np.ptp(nodes, axis=0)
        margin = max(4, side // 20)
        times = (side - 2 * margin) / (float(span.max()) or 1.0)
        width, height = (max(side // 4, round(float(length) * times) + 2 * margin) for length in span)
        self.shape, self.thick = (height, width), max(2, side // 80)
        shift = (np.array([width, height]) - span * times) / 2

        def placed(points: Floats) -> NDArray[Any]:
            across, down = np.moveaxis((points - corner) * times + shift, -1, 0)
            return np.stack([across, height - 1 - down], axis=-1)

        self.lines, self.nodes = placed(lines), placed(nodes)

    def solution(self, state: Mask, gold: Mask | None) -> Pixels:
        """Chosen edges above those that are missed of the gold solution, and these above the others."""
        level = np.where(state > 0, 2, 0 if gold is None else (gold > 0).astype(int))
        colours = np.array([PALE, MISSED, PATH], dtype=np.uint8)[level]
        return self._drawn(colours, np.where(level > 0, self.thick + 1, 1), np.argsort(level, kind="stable"), WHITE)

    def means(self, means: Floats, high: float) -> Pixels:
        """Viridis on the colour of 0."""
        dark = int(hues(np.zeros(1), 0.0, 1.0)[0])
        order = np.argsort(means, kind="stable")
        return self._drawn(hues(means, 0.0, high), np.where(means > 0, self.thick + 1, 1), order, dark)

    def weights(self, weights: Floats, low: float, high: float) -> Pixels:
        """Greys with a dark rim, since white edges would vanish on white."""
        return self._drawn(greys(weights, low, high), np.full(len(weights), self.thick), range(len(weights)), WHITE, rim=1)

    def _drawn(self, colours: Pixels, widths: NDArray[Any], order: Sequence[int] | Any, below: int, rim: int = 0) -> Pixels:
        picture = Image.fromarray(np.full(self.shape, below, dtype=np.uint8))
        drawing = ImageDraw.Draw(picture)
        for edge in order:
            ends = [tuple(end) for end in self.lines[edge].tolist()]
            if rim:
                drawing.line(ends, fill=DARK, width=int(widths[edge]) + 2 * rim)
            drawing.line(ends, fill=int(colours[edge]), width=int(widths[edge]))
        radius = self.thick
        for x, y in self.nodes.tolist():
            drawing.ellipse((x - radius, y - radius, x + radius, y + radius), fill=DARK if below == WHITE else WHITE)
        return np.array(picture)


def as_tiles(array: NDArray[Any]) -> NDArray[Any]:
    """Two axes: a vector as a strip about a quarter as high as wide, of more axes the last one beside all before it."""
    if array.ndim < 2:
        return np.repeat(array.reshape(1, -1), max(1, array.size // 4), axis=0)
    return array.reshape(-1, array.shape[-1])
