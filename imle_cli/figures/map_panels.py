"""Panels of maps: side by side, each tile on whole pixels, with room for scales and a legend below."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from imle_cli.figures.canvas import CAPTION, COSTS, Floats, add_title, draw_scale
from imle_cli.figures.colours import FRAME
from imle_cli.figures.tile_colours import Colours, cost_range

# Inches: the least width for a scale, spaces around and above, a scale, a legend, a further row of it.
_SLOT, _GAP, _HEAD, _CAPTION, _SCALE, _LEGEND, _ROW = 2.7, 0.25, 0.45, 0.3, 0.5, 0.3, 0.21
_HAIR = 1e-5  # pixels
_SMALLEST = 800  # pixels of a picture's longer side


@dataclass(frozen=True)
class Panel:
    """One map in a figure, with room for a scale below it and, below that, the upper end of a legend."""

    axes: Axes
    scale: Axes
    legend: tuple[float, float]


def map_panels(
    shape: Sequence[int], captions: Sequence[str], title: str, inches: float, *, legend_rows: int = 1
) -> tuple[Figure, list[Panel]]:
    """A figure with panels side by side, each for a picture of this many pixels, enlarged by a whole number.

    The longer side takes ``inches``; resolution follows from the number of pixels. A single panel has its legend below its
    scale, with room for so many rows; of several panels the legend takes the room of a scale.
    """
    times = -(-_SMALLEST // max(shape[:2]))
    dots = times * max(shape[:2]) / inches
    height, width = times * shape[0], times * shape[1]
    below = _LEGEND + _ROW * (legend_rows - 1) if len(captions) == 1 else 0
    slot, gap, scale, legend = (round(dots * size) for size in (_SLOT, _GAP, _SCALE, below))
    head = round(dots * (_HEAD + (_CAPTION if any(captions) else 0)))
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
        axes.set_title(caption, fontsize=CAPTION, pad=5, parse_math=False)
        bar_bottom = bottom - round(0.12 * dots) - bar_height
        bar = add_axes(left + (slot - bar_width) / 2, bar_bottom, bar_width, bar_height)
        panels.append(Panel(axes, bar, ((left + slot / 2) / total_width, (legend + gap / 2) / total_height)))
    add_title(figure, title, total_width - 2 * gap, y=1 - 0.14 * dots / total_height)
    return figure, panels


def draw_cost_scale(axes: Axes, costs: Floats, colours: Colormap = COSTS) -> None:
    """Fills an axes with the scale of the costs that are no walls."""
    low, high = cost_range(costs)
    draw_scale(axes, ScalarMappable(Normalize(0, 1), colours), [0, 1] if high > low else [0], "cost")
    axes.set_xticks(axes.get_xticks(), [f"{value:.4g}" for value in (low, high)][: len(axes.get_xticks())])


def show_tiles(axes: Axes, colours: Colours, shape: Sequence[int]) -> None:
    """Shows pixels, each of which stands for one tile or a square of tiles, in coordinates of tiles."""
    times = -(-max(shape[:2]) // max(colours.shape[:2]))
    right, bottom = times * colours.shape[1] - 0.5, times * colours.shape[0] - 0.5
    axes.imshow(colours, interpolation="nearest", extent=(-0.5, right, bottom, -0.5), aspect="auto")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(linewidth=0.8, color=FRAME, zorder=-1)  # below the picture, so that no tile is covered
