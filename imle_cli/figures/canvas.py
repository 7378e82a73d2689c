"""Parts of every picture: a title that fits, fonts that are there, perhaps a colour scale; and always the same bytes."""

import io
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from imle_cli.figures.colours import GRID, INK, PATH

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[Any]

# One meaning for each scale of colours, in every picture: viridis is a probability, from dark (never) to yellow (always);
# greys are a cost, from white (cheap) to black (expensive).
MARGINALS = mpl.colormaps["viridis"]
COSTS = LinearSegmentedColormap.from_list("costs", ["#FFFFFF", INK])
# Sizes of letters in points, legible in a picture that is shown 400 pixels wide.
CAPTION, LEGEND, SMALL = 11, 9.5, 8.5
_LETTER = 0.085  # inches of a small letter


@contextmanager
def own_settings() -> Iterator[None]:
    """Matplotlib's defaults for a block or a decorated function, whatever the user's settings, which come back after it.

    Everything that draws a figure does so under them. The backend is left alone: figures here have none but Agg.
    """
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
    with mpl.rc_context(defaults | {"svg.hashsalt": "imle"}):
        yield


@own_settings()
def encode(figure: Figure, kind: str) -> bytes:
    """The figure as a file of ``kind`` "png", "pdf" or "svg"; the same figure always gives the same bytes."""
    metadata = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(stream, format=kind, metadata=metadata)
    return stream.getvalue()


@own_settings()
def new_figure(width: float, height: float, title: str) -> Figure:
    """A figure of so many inches, empty but for its title."""
    figure = Figure(figsize=(width, height), dpi=200, layout="constrained")
    add_title(figure, title)
    return figure


def add_title(figure: Figure, title: str, room: float | None = None, **position: Any) -> None:
    """Puts the title above everything, taken literally, in smaller letters or shortened where it is wide.

    Args:
        figure: the figure.
        title: the text.
        room: pixels that it may take; most of the width if None.
        **position: of matplotlib's ``suptitle``.
    """
    room = room or 0.95 * figure.bbox.width
    text = figure.suptitle(one_line(title), fontsize=12, parse_math=False, family=families(), **position)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        text.set_fontsize(max(9.5, min(12.0, 12.0 * room / max(1.0, text.get_window_extent().width))))
    shorten(text, room)


def draw_scale(axes: Axes, mapping: ScalarMappable, ticks: Sequence[float], label: str) -> None:
    """Fills an axes with a horizontal scale of colours, its label below."""
    bar = axes.figure.colorbar(mapping, cax=axes, orientation="horizontal", ticks=ticks)
    bar.ax.tick_params(labelsize=LEGEND, length=2, pad=1.5)
    bar.outline.set_linewidth(0.4)
    axes.text(0.5, -0.9, label, transform=axes.transAxes, ha="center", va="top", fontsize=LEGEND)


def add_scale_below(axes: Axes, mapping: ScalarMappable, label: str, labelpad: float | None = None, **options: Any) -> None:
    """Adds a horizontal scale of colours below an axes."""
    bar = axes.figure.colorbar(mapping, ax=axes, location="bottom", aspect=30, pad=0.02, **options)
    bar.set_label(label, fontsize=LEGEND, labelpad=labelpad)
    bar.ax.tick_params(labelsize=LEGEND, length=2)
    bar.outline.set_linewidth(0.4)


def add_scale_beside(figure: Figure, panels: Any, mapping: ScalarMappable, label: str, **options: Any) -> None:
    """Adds a vertical scale of colours beside an array of axes."""
    bar = figure.colorbar(mapping, ax=panels, fraction=0.05, pad=0.02, **options)
    bar.set_label(label, fontsize=LEGEND)
    bar.ax.tick_params(labelsize=LEGEND)
    bar.outline.set_linewidth(0.4)


def write_numbers(
    axes: Axes, values: Floats, is_dark: Callable[[Any, float], bool], size: float, style: str = ".3g"
) -> None:
    """Writes its number into each cell of a matrix, white where ``is_dark`` says so of the cell's index and number."""
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:{style}}" if np.isfinite(value) else "–"
        colour = "white" if is_dark((row, column), value) else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def label_ticks(axes: Axes, ticks: Sequence[float], texts: Sequence[str]) -> None:
    """Puts ticks with these texts below an axes, and no others."""
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels(texts)


def open_axes(axes: Axes) -> None:
    """Takes the frame above and on the right away, and puts a pale grid below the curves."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def end_marks() -> list[Line2D]:
    """Entries of a legend for the start and the goal."""
    style: dict[str, Any] = {"linestyle": "none", "color": PATH, "markersize": 6}
    start = Line2D([], [], marker="o", markerfacecolor="white", label="start", **style)
    return [start, Line2D([], [], marker="s", label="goal", **style)]


def samples_text(count: int) -> str:
    """A number of samples in words."""
    return f"{count:,} sample{'s' if count > 1 else ''}"


@lru_cache(maxsize=1)
def families() -> list[str]:
    """Matplotlib's own font, and after it whatever is installed for names in other scripts."""
    wanted = "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic", "Microsoft YaHei", "WenQuanYi Zen Hei"
    installed = set(get_font_names())
    return ["DejaVu Sans", *(name for name in wanted if name in installed)]


def one_line(title: str) -> str:
    """Without line breaks, and with replacements for what no font can show: undecoded bytes of a file name."""
    return " ".join(title.encode("utf-8", "replace").decode().split())


def shorten(text: Text, room: float) -> None:
    """Takes letters from the middle until the text is at most ``room`` pixels wide."""
    whole, kept = text.get_text(), len(text.get_text())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        while kept > 2 and (width := text.get_window_extent().width) > room:
            kept = min(kept - 1, math.ceil(kept * room / width))
            text.set_text(f"{whole[: kept // 2]}…{whole[len(whole) - (kept - kept // 2) :]}")


def pooled_most(values: NDArray[Any], longest: int) -> NDArray[Any]:
    """The largest value of each square block, so that a path of single tiles stays whole."""
    rows, columns = (np.arange(0, length, factor(values.shape, longest)) for length in values.shape)
    return np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1)


def factor(shape: Sequence[int], longest: int) -> int:
    """Side of the square blocks that leave at most ``longest`` of them a side."""
    return -(-max(shape) // longest)


def short_name(name: str, letters: int = 16) -> str:
    """At most so many letters of a name, from both of its ends."""
    text = one_line(name)
    return text if len(text) <= letters else f"{text[: letters // 2]}…{text[len(text) - (letters - letters // 2 - 1) :]}"


def sheet(count: int, aspect: float, title: str, captions: Sequence[str] = ()) -> tuple[Figure, list[Axes]]:
    """A figure with so many small empty axes, in rows that fill a square, each ``aspect`` times as high as wide.

    With captions, one above each axes, no row has more than these have room for.
    """
    across = min(count, max(1, math.ceil(math.sqrt(count * aspect))))
    if captions:
        across = min(across, max(1, int(6.0 / (_LETTER * max(map(len, captions))))))
    down = -(-count // across)
    side = 6.0 / (across if captions else max(across, down * aspect))
    figure = new_figure(max(3.2, across * side), down * (side * aspect + (0.2 if captions else 0)) + 0.5, title)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes in panels[count:]:
        axes.remove()
    for axes, caption in zip(panels, captions, strict=False):
        axes.set_title(caption, fontsize=SMALL, pad=3)
    return figure, list(panels[:count])
