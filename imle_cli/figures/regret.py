"""Pictures of regret against seconds: the price of decisions by predicted costs, and the time that learning took."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from imle_cli.figures.canvas import LEGEND, SMALL, new_figure, open_axes, own_settings
from imle_cli.figures.colours import FRAME

_MARKS = "osD^vP*X<>hdp"
_LEAST = 0.01  # seconds, below which a time is none to compare
_OTHERS = "#9AA1AB"


@dataclass(frozen=True)
class RegretPoint:
    """Regret of a method.

    Attributes:
        seconds: that it took.
        regret: normalised, mean of several runs.
        deviation: of single runs.
        published: seconds and regret that others report, if they do.
    """

    seconds: float
    regret: float
    deviation: float
    published: tuple[float, float] | None


@own_settings()
def regret_figure(panels: Mapping[str, Mapping[str, RegretPoint]], *, title: str) -> Figure:
    """A panel for each experiment: regret against seconds, both logarithmic, a mark for each method.

    A mark of the same form in grey is what others report for the method. Methods that take no time are levels.

    Args:
        panels: points by method, by the title of the experiment.
        title: text above, taken literally and shortened to fit.
    """
    figure = new_figure(4.6 * len(panels) + 2.2, 4.8, title)
    names = list(
        dict.fromkeys(name for points in panels.values() for name, point in points.items() if point.seconds >= _LEAST)
    )
    colours = mpl.colormaps["cividis"](np.linspace(0, 0.9, max(2, len(names))))
    styles = {name: (colours[number], _MARKS[number % len(_MARKS)]) for number, name in enumerate(names)}
    for axes, (caption, points) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        _draw(axes, points, styles)
        axes.set_title(caption, fontsize=LEGEND, parse_math=False)
    handles = [
        Line2D([], [], linestyle="none", color=colour, marker=mark, markersize=5, label=name)
        for name, (colour, mark) in styles.items()
    ]
    if any(point.published for points in panels.values() for point in points.values()):
        handles.append(Line2D([], [], linestyle="none", color=_OTHERS, marker="o", markersize=5, label="grey: published"))
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=SMALL)
    return figure


def _draw(axes: Axes, points: Mapping[str, RegretPoint], styles: Mapping[str, tuple[object, str]]) -> None:
    draw_levels(axes, {name: point.regret for name, point in points.items() if point.seconds < _LEAST})
    for name, point in points.items():
        if point.seconds < _LEAST:
            continue
        colour, mark = styles[name]
        if point.published is not None:
            axes.plot(*_percent(*point.published), color=_OTHERS, marker=mark, markersize=5, linestyle="none")
        seconds, regret = _percent(point.seconds, point.regret)
        error = min(100 * point.deviation, 0.9 * regret)
        axes.errorbar(seconds, regret, error, color=colour, marker=mark, markersize=6, linewidth=1, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel="seconds of a training", ylabel="regret (%)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value in (6, 7, 8, 20, 30, 50) else ""))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""))
    axes.tick_params(which="minor", labelsize=7)
    open_axes(axes)


def draw_levels(axes: Axes, levels: Mapping[str, float]) -> None:
    """Regrets of baselines as horizontal lines, each with its name at its right end."""
    for (name, regret), style in zip(levels.items(), cycle(("--", ":"))):
        axes.axhline(100 * regret, color=FRAME, linewidth=1, linestyle=style, zorder=0)
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "xytext": (0, 3), "textcoords": "offset points"}
        axes.annotate(name, (1, 100 * regret), fontsize=SMALL, ha="right", **place)


def _percent(seconds: float, regret: float) -> tuple[float, float]:
    return seconds, 100 * regret
