"""Pictures of maps: solutions, marginals and samples on tiles that fall on whole pixels."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from imle_cli.figures.canvas import (
    LEGEND,
    Floats,
    Mask,
    draw_scale,
    end_marks,
    own_settings,
    pooled_most,
    samples_text,
    sheet,
)
from imle_cli.figures.colours import CURVE, PALE, PATH, WALL
from imle_cli.figures.map_panels import draw_cost_scale, map_panels, show_tiles
from imle_cli.figures.ranked import Ranked, add_levels_legend
from imle_cli.figures.scale import Scale
from imle_cli.figures.tile_colours import LARGEST, colour_bytes, ground, with_tiles

_LONE, _BESIDE, _SHEET = 4.0, 2.7, 5.0  # inches of the longer side: a lone map, one of several, a sheet of maps
SHEET_MAPS = 64
"""Maps on a sheet of samples."""
_SHEET_SIDE = 1800
_SHEET_SETS, _SMALL = 36, 256  # sets of tiles on a sheet, pixels of a side of each

Tiles = NDArray[np.int64]


@own_settings()
def map_figure(costs: Floats | None, mask: Mask, tiles: Tiles | None = None, *, title: str) -> Figure:
    """A map with a path or a set of tiles on it.

    Args:
        costs: ``(H, W)``, +inf is a wall; None for tiles without costs.
        mask: ``(H, W)``, 1 on the tiles of the solution.
        tiles: ``(L, 2)`` the tiles of a path in order, drawn as a line; None draws the tiles of ``mask`` themselves.
        title: text above it, taken literally and shortened to fit.
    """
    below = _below(costs, mask)
    figure, (panel,) = map_panels(ground(below).shape, [""], title, _LONE)
    _draw_map(panel.axes, below, mask, tiles, _LONE)
    if costs is None:
        panel.scale.remove()
    else:
        draw_cost_scale(panel.scale, costs)
    _draw_legend(figure, panel.legend, below, tiles)
    return figure


@own_settings()
def marginals_figure(
    costs: Floats | None,
    mask: Mask | None,
    probability: Floats,
    tiles: Tiles | None = None,
    *,
    title: str,
    samples: int | None,
    error: Floats | None = None,
) -> Figure:
    """A map, one sample on it, and the marginal probability of every tile, side by side.

    Args:
        costs: ``(H, W)``, +inf is a wall; None leaves the map out.
        mask: ``(H, W)``, one sample; None leaves it out.
        probability: ``(H, W)``, marginals, mostly in [0, 1].
        tiles: ``(L, 2)`` the sample's tiles in order where it is a path; else None.
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of; None if that is not known.
        error: their standard errors, of which the largest is told; None where they are not known.
    """
    below, many = _below(costs, probability), "" if samples is None else f" of {samples_text(samples)}"
    drawn = {"map": costs, "one sample": mask, f"marginals{many}": probability}
    captions = [caption for caption, values in drawn.items() if values is not None]
    inches = _LONE if len(captions) == 1 else _BESIDE
    figure, panels = map_panels(ground(below).shape, captions, title, inches)
    if costs is not None:
        _draw_map(panels[0].axes, costs, np.zeros_like(probability), None, inches)
        draw_cost_scale(panels[0].scale, costs)
    if mask is not None:
        panel = panels[-2]
        _draw_map(panel.axes, below, mask, tiles, inches)
        panel.scale.remove()
        _draw_legend(figure, (panel.legend[0], panel.scale.get_position().y1), below, tiles)
    scale = Scale.of(probability, error)
    show_tiles(panels[-1].axes, scale.colours(pooled_most(probability, LARGEST)), below.shape)
    draw_scale(panels[-1].scale, scale.mapping, scale.ticks, scale.label)
    return figure


@own_settings()
def sample_sheet(costs: Floats | None, masks: Mask, paths: Sequence[Tiles | None] | None = None, *, title: str) -> Figure:
    """Small copies of the map with a sample on each; of many samples the first 64.

    Args:
        costs: ``(H, W)``, +inf is a wall; None for tiles without costs.
        masks: ``(S, H, W)``, the samples.
        paths: of each sample the tiles in order, ``(L, 2)``, drawn as a line; None where it is no path.
        title: text above it, taken literally and shortened to fit.
    """
    shown, below = masks[:SHEET_MAPS], _below(costs, masks[0])
    lines = [None] * len(shown) if paths is None else paths[:SHEET_MAPS]
    across = min(len(shown), math.ceil(math.sqrt(len(shown) * below.shape[0] / below.shape[1])))
    down = -(-len(shown) // across)
    side = max(1, _SHEET_SIDE // max(across, down))
    small = ground(below, side)
    height, width = small.shape[:2]
    gap = -(-max(height, width) // 16)
    sheet = np.tile(colour_bytes(PALE), (down * (height + gap) + gap, across * (width + gap) + gap, 1))
    figure, (panel,) = map_panels(sheet.shape, [""], title, _SHEET)
    tile = height / below.shape[0]  # pixels, of large maps a part of one
    points = 72 * _SHEET * tile / max(sheet.shape[:2])
    for number, (mask, tiles) in enumerate(zip(shown, lines, strict=True)):
        top, left = gap + (height + gap) * (number // across), gap + (width + gap) * (number % across)
        sheet[top : top + height, left : left + width] = small if tiles is not None else with_tiles(small, mask, side)
        if tiles is not None:
            _draw_path(panel.axes, np.array([top, left]) + (tiles + 0.5) * tile - 0.5, points, 1.0)
    show_tiles(panel.axes, sheet, sheet.shape)
    if costs is None:
        panel.scale.remove()
    else:
        draw_cost_scale(panel.scale, costs)
    _draw_legend(figure, panel.legend, below, next((tiles for tiles in lines if tiles is not None), None), "sample")
    return figure


@own_settings()
def distinct_tiles_figure(costs: Floats | None, ranked: Ranked, *, title: str) -> Figure:
    """Small copies of the map with a set of tiles on each, and its share above; of many the first 36.

    Args:
        costs: ``(H, W)``, +inf is a wall; None for tiles without costs.
        ranked: sets of tiles, ``(K, H, W)``.
        title: text above it, taken literally and shortened to fit.
    """
    shown, below = ranked.first(_SHEET_SETS), _below(costs, ranked.masks[0])
    colours = ground(below, _SMALL)
    figure, panels = sheet(len(shown), float(np.clip(below.shape[0] / below.shape[1], 0.2, 5)), title, captions=shown.texts)
    for axes, levels in zip(panels, shown.levels, strict=True):
        common = with_tiles(colours, levels == 1, _SMALL)
        show_tiles(axes, with_tiles(common, levels == 2, _SMALL, CURVE), below.shape)
    add_levels_legend(figure, shown, "tiles")
    return figure


def _below(costs: Floats | None, like: Any) -> Floats:
    return np.ones(like.shape) if costs is None else costs


def _draw_map(axes: Axes, costs: Floats, mask: Mask, tiles: Tiles | None, inches: float) -> None:
    colours = ground(costs)
    show_tiles(axes, colours if tiles is not None else with_tiles(colours, mask), costs.shape)
    if tiles is not None:
        _draw_path(axes, tiles, 72 * inches / max(costs.shape), 1.6)


def _draw_path(axes: Axes, tiles: NDArray[Any], points: float, least: float) -> None:
    """A line through tiles that are so many points wide, with marks at both ends."""
    width = min(max(0.3 * points, least), 4.0)
    rows, columns = tiles.T
    style: dict[str, Any] = {"color": PATH, "clip_on": False}
    line = Line2D(columns, rows, linewidth=width, solid_joinstyle="round", solid_capstyle="round", **style)
    line.set_path_effects([Stroke(linewidth=width + 0.9 * least, foreground="white"), Normal()])
    axes.add_line(line)
    size = min(max(0.6 * points, 2.8 * least), 9.0)
    for (row, column), marker, face in ((tiles[-1], "s", PATH), (tiles[0], "o", "white")):
        axes.add_line(
            Line2D([column], [row], marker=marker, markersize=size, markerfacecolor=face, markeredgewidth=width / 2, **style)
        )


def _draw_legend(
    figure: Figure, anchor: tuple[float, float], costs: Floats, tiles: Tiles | None, chosen: str = "chosen tiles"
) -> None:
    entries: list[Line2D | Patch] = [Patch(color=PATH, label=chosen)]
    if tiles is not None:
        entries = [Line2D([], [], color=PATH, linewidth=2.5, label="path"), *end_marks()]
    if np.isinf(costs).any():
        entries.append(Patch(color=WALL, label="wall"))
    figure.legend(
        handles=entries,
        loc="upper center",
        bbox_to_anchor=anchor,
        ncols=len(entries),
        frameon=False,
        fontsize=LEGEND,
        borderpad=0,
        borderaxespad=0.4,
        handlelength=1.2,
        handletextpad=0.3,
        columnspacing=0.8,
    )
