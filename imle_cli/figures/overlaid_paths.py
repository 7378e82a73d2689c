"""Paths on a map over each other, each in its own lane and colour, with their shares of the samples in the legend."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from imle_cli.figures.canvas import COSTS, LEGEND, Floats, own_settings
from imle_cli.figures.colours import INK, PATH, SERIES, WALL
from imle_cli.figures.lanes import distances, lane
from imle_cli.figures.map_panels import draw_cost_scale, map_panels, show_tiles
from imle_cli.figures.tile_colours import Colours, colour_bytes, ground

OVERLAID = 12
"""Paths that can be told apart: six colours, whole and dashed."""

_COLOURS = (PATH, *(colour for colour in SERIES if colour not in (PATH, WALL)))
_DASHES = (2.2, 1.1)  # of the width of a line
_INCHES, _ACROSS = 5.0, 3  # of the map; entries of the legend beside each other
_WIDEST, _ROOM, _NARROWEST = 0.16, 0.72, 1.3  # tiles between lanes, tiles of all lanes, points between lanes
_PALENESS = 0.3  # what is left of a cost's darkness, so that all colours are seen on it
_COSTS = ListedColormap(1 - _PALENESS * (1 - COSTS(np.arange(256))[:, :3]), "pale costs")


@own_settings()
def paths_figure(costs: Floats, paths: Sequence[NDArray[np.int64]], texts: Sequence[str], *, title: str) -> Figure:
    """A map in pale with paths over each other; of many paths the first 12.

    Args:
        costs: ``(H, W)``, +inf is a wall.
        paths: of each the tiles in order, ``(L, 2)``.
        texts: of each its share, for the legend.
        title: text above it, taken literally and shortened to fit.
    """
    paths = paths[:OVERLAID]
    entries = len(paths) + 2 + bool(np.isinf(costs).any())
    figure, (panel,) = map_panels(costs.shape, [""], title, _INCHES, legend_rows=-(-entries // _ACROSS))
    show_tiles(panel.axes, _paler(ground(costs)), costs.shape)
    points = 72 * _INCHES / max(costs.shape)  # of a tile
    spacing = max(min(_WIDEST, _ROOM / len(paths)), _NARROWEST / points)
    lines = []
    for number, (tiles, distance) in enumerate(zip(paths, distances(len(paths), spacing), strict=True)):
        style = _style(number, 0.8 * spacing * points)
        moved = lane(tiles[:, ::-1], distance)
        moved[[0, -1]] = tiles[[0, -1], ::-1]  # where all meet
        panel.axes.add_line(
            Line2D(*moved.T, clip_on=False, zorder=3, solid_joinstyle="round", dash_joinstyle="round", **style)
        )
        lines.append(Line2D([], [], label=f"{number + 1}: {texts[number]}", **_style(number, 3.0)))
    marks = _draw_ends(panel.axes, paths[0])
    draw_cost_scale(panel.scale, costs, _COSTS)
    walls = [Patch(color=WALL, label="wall")] if np.isinf(costs).any() else []
    figure.legend(
        handles=[*lines, *marks, *walls], loc="upper center", bbox_to_anchor=panel.legend, ncols=_ACROSS, frameon=False,
        fontsize=LEGEND, borderpad=0, borderaxespad=0.4, handlelength=2.2, handletextpad=0.5, columnspacing=1.5,
    )  # fmt: skip
    return figure


def _style(number: int, width: float) -> dict[str, Any]:
    dashed = number >= len(_COLOURS)
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "linewidth": width,
        "linestyle": (0, _DASHES) if dashed else "-",
        "dash_capstyle": "butt",
    }


def _draw_ends(axes: Axes, tiles: NDArray[np.int64]) -> list[Line2D]:
    """Marks at both ends of a path; their entries of the legend."""
    marks = []
    for (row, column), marker, face, label in zip(tiles[[0, -1]], "os", ("white", INK), ("start", "goal"), strict=True):
        style: dict[str, Any] = {"marker": marker, "color": INK, "markerfacecolor": face, "linestyle": "none"}
        axes.add_line(Line2D([column], [row], markersize=7, zorder=5, clip_on=False, **style))
        marks.append(Line2D([], [], markersize=6, label=label, **style))
    return marks


def _paler(colours: Colours) -> Colours:
    """Greys in pale; walls as they are."""
    is_wall = (colours == colour_bytes(WALL)).all(axis=2, keepdims=True)
    return np.where(is_wall, colours, 255 - _PALENESS * (255 - colours.astype(np.float64))).astype(np.uint8)
