"""Pictures of images of maps and the paths on them."""

import math
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imle_cli.figures.canvas import add_title, own_settings
from imle_cli.figures.colours import PATH
from imle_cli.figures.path_lines import segments

MAPS = 12
"""Maps on a contact sheet."""

_WIDEST, _DOTS, _GAP, _HEAD = 1600, 200, 16, 84  # pixels: maps side by side, an inch, between maps, above them


@own_settings()
def contact_sheet(images: NDArray[np.uint8], paths: NDArray[Any], *, title: str) -> Figure:
    """Images of maps with the path on each, in rows that fill about 4:3; of many maps the first 12.

    A line joins any two neighbouring tiles of a path, which for a cheapest path is the path itself. Every pixel of an image
    is a square of whole pixels of the picture, or, where the images are large, an average of a square of them is.

    Args:
        images: ``(M, 8H, 8W, 3)``.
        paths: ``(M, H, W)``, ones on the tiles of the path.
        title: text above them, taken literally and shortened to fit.
    """
    shown = images[:MAPS]
    count, (height, width) = len(shown), shown.shape[1:3]
    across = min(count, max(1, round(math.sqrt(count * 4 / 3 * height / width))))
    down = -(-count // across)
    longest = max(across * width, down * height)
    shrink = next(factor for factor in (1, 2, 4, 8) if longest // factor <= _WIDEST or factor == 8)
    times = max(1, _WIDEST * shrink // longest)
    small = shown.reshape(count, height // shrink, shrink, width // shrink, shrink, 3).mean(axis=(2, 4))
    pictures = np.rint(small).astype(np.uint8).repeat(times, axis=1).repeat(times, axis=2)
    high, wide = pictures.shape[1:3]
    sheet = np.full((down * (high + _GAP) + _GAP, across * (wide + _GAP) + _GAP, 3), 255, dtype=np.uint8)
    tile = wide / paths.shape[2]
    lines = []
    for number, (picture, path) in enumerate(zip(pictures, paths[:MAPS], strict=True)):
        top, left = _GAP + (high + _GAP) * (number // across), _GAP + (wide + _GAP) * (number % across)
        sheet[top : top + high, left : left + wide] = picture
        lines += [np.array([left, top]) + tile * (line + 0.5) for line in segments(path)]
    return _drawn(sheet, lines, tile, title)


def _drawn(sheet: NDArray[np.uint8], lines: list[NDArray[Any]], tile: float, title: str) -> Figure:
    """The sheet, pixel for pixel, with lines on it and the title above."""
    height, width = sheet.shape[:2]
    figure = Figure(figsize=(width / _DOTS, (height + _HEAD) / _DOTS), dpi=_DOTS)
    figure.figimage(sheet, zorder=-1)
    axes = figure.add_axes((0, 0, 1, height / (height + _HEAD)))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    points = min(max(0.2 * tile * 72 / _DOTS, 0.8), 4.0)
    for colour, thickness in (("white", points + 1.2), (PATH, points)):
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=thickness, capstyle="round"))
    add_title(figure, title)
    return figure
