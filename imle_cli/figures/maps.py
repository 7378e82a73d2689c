"""Pictures: maps, paths, marginals and laws of noise, as matplotlib figures whose tiles fall on whole pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from imle_cli.figures.canvas import (
    MARGINALS,
    PALE,
    PATH,
    Floats,
    Mask,
    add_title,
    draw_scale,
    end_marks,
    factor,
    own_settings,
    pooled_most,
    samples_text,
)

Colours = NDArray[np.uint8]

_WALL = "#56B4E9"
_GREYS = LinearSegmentedColormap.from_list("costs", ["#FFFFFF", "#262626"])

# Inches: the longer side of a map, the least width for a scale, spaces around and above, a scale, a legend.
_MAP, _SLOT, _GAP, _HEAD, _CAPTION, _SCALE, _LEGEND = 4.0, 2.6, 0.25, 0.45, 0.3, 0.5, 0.3
_HAIR = 1e-5  # pixels
_SMALLEST, _LARGEST = 800, 2048  # pixels of a picture's longer side
_SHEET_MAPS, _SHEET_SIDE = 64, 1800


@dataclass(frozen=True)
class _Panel:
    """One map in a figure, with room for a scale below it and, below that, the upper end of a legend."""

    axes: Axes
    scale: Axes
    legend: tuple[float, float]


@own_settings()
def map_figure(costs: Floats, mask: Mask, tiles: NDArray[np.int64] | None = None, *, title: str) -> Figure:
    """A map with a path or a set of tiles on it.

    Args:
        costs: ``(H, W)``, +inf is a wall.
        mask: ``(H, W)``, 1 on the tiles of the solution.
        tiles: ``(L, 2)`` the tiles of a path in order, drawn as a line; None draws the tiles of ``mask`` themselves.
        title: text above it, taken literally and shortened to fit.
    """
    figure, (panel,) = _panels(_ground(costs).shape, [""], title)
    _draw_map(panel.axes, costs, mask, tiles)
    _cost_scale(panel.scale, costs)
    _draw_legend(figure, panel.legend, costs, tiles)
    return figure


@own_settings()
def marginals_figure(
    costs: Floats, mask: Mask, probability: Floats, tiles: NDArray[np.int64] | None = None, *, title: str, samples: int
) -> Figure:
    """A map, one sample on it, and the marginal probability of every tile, side by side.

    Args:
        costs: ``(H, W)``, +inf is a wall.
        mask: ``(H, W)``, one sample.
        probability: ``(H, W)``, marginals in [0, 1].
        tiles: ``(L, 2)`` the sample's tiles in order where it is a path; else None.
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of.
    """
    captions = ["map", "one sample", f"marginals of {samples_text(samples)}"]
    figure, (terrain, sample, marginals) = _panels(_ground(costs).shape, captions, title)
    _draw_map(terrain.axes, costs, np.zeros_like(mask), None)
    _cost_scale(terrain.scale, costs)
    _draw_map(sample.axes, costs, mask, tiles)
    sample.scale.remove()
    _draw_legend(figure, (sample.legend[0], sample.scale.get_position().y1), costs, tiles)
    _show(marginals.axes, MARGINALS(pooled_most(probability, _LARGEST), bytes=True)[..., :3], costs.shape)
    draw_scale(marginals.scale, ScalarMappable(Normalize(0, 1), MARGINALS), [0, 1], "probability")
    return figure


@own_settings()
def sample_sheet(costs: Floats, masks: Mask, *, title: str) -> Figure:
    """Small copies of the map with a sample on each; of many samples the first 64.

    Args:
        costs: ``(H, W)``, +inf is a wall.
        masks: ``(S, H, W)``, the samples.
        title: text above it, taken literally and shortened to fit.
    """
    shown = masks[:_SHEET_MAPS]
    across = min(len(shown), math.ceil(math.sqrt(len(shown) * costs.shape[0] / costs.shape[1])))
    down = -(-len(shown) // across)
    side = max(1, _SHEET_SIDE // max(across, down))
    ground = _ground(costs, side)
    height, width = ground.shape[:2]
    gap = -(-max(height, width) // 16)
    sheet = np.tile(_bytes(PALE), (down * (height + gap) + gap, across * (width + gap) + gap, 1))
    for number, mask in enumerate(shown):
        top, left = gap + (height + gap) * (number // across), gap + (width + gap) * (number % across)
        sheet[top : top + height, left : left + width] = _with_tiles(ground, mask, side)
    figure, (panel,) = _panels(sheet.shape, [""], title, inches=1.5 * _MAP)
    _show(panel.axes, sheet, sheet.shape)
    _cost_scale(panel.scale, costs)
    _draw_legend(figure, panel.legend, costs, None, "sample")
    return figure


def _panels(shape: Sequence[int], captions: Sequence[str], title: str, inches: float = _MAP) -> tuple[Figure, list[_Panel]]:
    """A figure with panels side by side, each for a picture of this many pixels, enlarged by a whole number.

    The longer side takes ``inches``; resolution follows from the number of pixels.
    """
    times = -(-_SMALLEST // max(shape[:2]))
    dots = times * max(shape[:2]) / inches
    height, width = times * shape[0], times * shape[1]
    slot, gap, scale, legend = (round(dots * size) for size in (_SLOT, _GAP, _SCALE, _LEGEND if len(captions) == 1 else 0))
    head = round(dots * (_HEAD + (_CAPTION if captions[0] else 0)))
    slot = max(slot, width)
    total_width, total_height = len(captions) * (slot + gap) + gap, head + height + scale + legend + gap
    # Matplotlib rounds sizes down for a figure and up for a picture in it: whole numbers must not miss by rounding.
    figure = Figure(figsize=((total_width + _HAIR / 10) / dots, (total_height + _HAIR / 10) / dots), dpi=dots)
    FigureCanvasAgg(figure)

    def add_axes(left: float, bottom: float, width: float, height: float) -> Axes:
        return figure.add_axes((left / total_width, bottom / total_height, width / total_width, height / total_height))

    panels, bottom = [], scale + legend + gap
    bar_width, bar_height = min(slot, max(width, round(1.6 * dots))) * 0.8, round(0.1 * dots)
    for number, caption in enumerate(captions):
        left = gap + number * (slot + gap)
        axes = add_axes(left + (slot - width) // 2 + _HAIR / 2, bottom + _HAIR / 2, width - _HAIR, height - _HAIR)
        axes.set_title(caption, fontsize=10, pad=5)
        bar_bottom = bottom - round(0.12 * dots) - bar_height
        bar = add_axes(left + (slot - bar_width) / 2, bar_bottom, bar_width, bar_height)
        panels.append(_Panel(axes, bar, ((left + slot / 2) / total_width, (legend + gap / 2) / total_height)))
    add_title(figure, title, total_width - 2 * gap, y=1 - 0.14 * dots / total_height)
    return figure, panels


def _draw_map(axes: Axes, costs: Floats, mask: Mask, tiles: NDArray[np.int64] | None) -> None:
    ground = _ground(costs)
    _show(axes, ground if tiles is not None else _with_tiles(ground, mask, _LARGEST), costs.shape)
    if tiles is None:
        return
    points = 72 * _MAP / max(costs.shape)
    width = min(max(0.3 * points, 1.6), 4.0)
    rows, columns = tiles.T
    style: dict[str, Any] = {"color": PATH, "clip_on": False}
    line = Line2D(columns, rows, linewidth=width, solid_joinstyle="round", solid_capstyle="round", **style)
    line.set_path_effects([Stroke(linewidth=width + 1.4, foreground="white"), Normal()])
    axes.add_line(line)
    size = min(max(0.6 * points, 4.5), 9.0)
    for (row, column), marker, face in ((tiles[-1], "s", PATH), (tiles[0], "o", "white")):
        axes.add_line(
            Line2D([column], [row], marker=marker, markersize=size, markerfacecolor=face, markeredgewidth=width / 2, **style)
        )


def _draw_legend(
    figure: Figure, anchor: tuple[float, float], costs: Floats, tiles: NDArray[np.int64] | None, what: str = "chosen tiles"
) -> None:
    entries: list[Line2D | Patch] = [Patch(color=PATH, label=what)]
    if tiles is not None:
        entries = [Line2D([], [], color=PATH, linewidth=2.5, label="path"), *end_marks()]
    if np.isinf(costs).any():
        entries.append(Patch(color=_WALL, label="wall"))
    figure.legend(
        handles=entries,
        loc="upper center",
        bbox_to_anchor=anchor,
        ncols=len(entries),
        frameon=False,
        fontsize=8,
        borderpad=0,
        borderaxespad=0.4,
        handlelength=1.4,
        handletextpad=0.4,
        columnspacing=1.0,
    )


def _cost_scale(axes: Axes, costs: Floats) -> None:
    low, high = _cost_range(costs)
    mapping = ScalarMappable(Normalize(0, 1), _GREYS)
    draw_scale(axes, mapping, [0, 1] if high > low else [0], "cost")
    axes.set_xticks(axes.get_xticks(), [f"{value:.4g}" for value in (low, high)][: len(axes.get_xticks())])


def _show(axes: Axes, colours: Colours, shape: Sequence[int]) -> None:
    """Shows pixels, each of which stands for one tile or a square of tiles, in coordinates of tiles."""
    times = -(-max(shape[:2]) // max(colours.shape[:2]))
    right, bottom = times * colours.shape[1] - 0.5, times * colours.shape[0] - 0.5
    axes.imshow(colours, interpolation="nearest", extent=(-0.5, right, bottom, -0.5), aspect="auto")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(linewidth=0.8, color="#808080", zorder=-1)  # below the picture, so that no tile is covered


def _ground(costs: Floats, longest: int = _LARGEST) -> Colours:
    """Greys of the costs and the colour of walls, at most ``longest`` pixels a side, by averages of square blocks."""
    low, high = _cost_range(costs)
    level = (np.minimum(costs, high) - low) / (high - low or 1.0)
    colours = _GREYS(np.arange(256), bytes=True)[np.rint(255 * level).astype(np.uint8), :3]
    colours[np.isinf(costs)] = _bytes(_WALL)
    times = factor(costs.shape, longest)
    if times == 1:
        return np.asarray(colours)
    rows, columns = (np.arange(0, length, times) for length in costs.shape)
    sums = np.add.reduceat(np.add.reduceat(colours, rows, axis=0, dtype=np.uint32), columns, axis=1)
    counts = np.diff([*rows, costs.shape[0]])[:, None] * np.diff([*columns, costs.shape[1]])
    return np.asarray(sums // counts[..., None], dtype=np.uint8)


def _with_tiles(ground: Colours, mask: Mask, longest: int) -> Colours:
    return np.where(pooled_most(mask, longest)[..., None] > 0, _bytes(PATH), ground)


def _cost_range(costs: Floats) -> tuple[float, float]:
    passable = costs[np.isfinite(costs)]
    return (float(passable.min()), float(passable.max())) if len(passable) else (1.0, 1.0)


def _bytes(colour: str) -> Colours:
    return np.asarray(np.rint(255 * np.array(to_rgb(colour))), dtype=np.uint8)
