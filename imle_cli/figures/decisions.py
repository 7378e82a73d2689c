"""Pictures of decisions by predicted costs beside the best ones: on a grid of nodes, or entry by entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from imle_cli.figures.canvas import CAPTION, COSTS, LEGEND, SMALL, add_scale_beside, new_figure, own_settings
from imle_cli.figures.colours import CURVE, FRAME, GOLD, GRID, NODE, PALE, PATH
from imle_cli.figures.evaluation import scaled_to

_MOST_ENTRIES = 48  # of an instance that fit beside each other
_MARK, _LEAST_SHARE = 28.0, 0.02  # size of a mark in points squared; what less than that of the largest entry has has none
_GREYS = LinearSegmentedColormap.from_list("edges", COSTS(np.linspace(0.15, 1, 64)))  # white edges could not be seen


@dataclass(frozen=True)
class JudgedDecision:
    """One instance and what a network makes of it.

    Attributes:
        caption: what to call it.
        gold: the best decision, ``(d,)``.
        decision: the predicted one, ``(d,)``.
        predicted: predicted costs, ``(d,)``, known up to scale.
        true: true costs, ``(d,)``.
    """

    caption: str
    gold: NDArray[Any]
    decision: NDArray[Any]
    predicted: NDArray[Any]
    true: NDArray[Any]

    @property
    def scaled(self) -> NDArray[Any]:
        """Predicted costs times the number that brings them closest to the true ones, in least squares."""
        return scaled_to(self.predicted, self.true)


@own_settings()
def decisions_on_grid(shown: Sequence[JudgedDecision], ends: NDArray[np.int64], *, title: str) -> Figure:
    """A row for each instance: its edges in greys of true and of predicted costs, with both paths on each.

    Args:
        shown: the instances, whose entries are edges.
        ends: row and column of both nodes of each edge, ``(d, 2, 2)``.
        title: text above them, taken literally and shortened to fit.
    """
    height, width = ends.reshape(-1, 2).max(axis=0)
    side = 2.9
    figure = new_figure(2 * side * max(1.0, width / max(height, 1)) + 1.1, len(shown) * side + 0.9, title)
    grid = figure.subplots(len(shown), 2, squeeze=False)
    lines = ends[:, :, ::-1].astype(float)
    for row, instance in zip(grid, shown, strict=True):
        top = max(float(instance.true.max()), float(instance.scaled.max()))
        mapping = ScalarMappable(Normalize(min(0.0, float(instance.true.min())), top), _GREYS)
        row[0].set_ylabel(instance.caption, fontsize=LEGEND, parse_math=False)
        for axes, costs in ((row[0], instance.true), (row[1], instance.scaled)):
            _add_lines(axes, lines, mapping.to_rgba(costs), 3.0)
            _add_lines(axes, lines[instance.gold > 0], GOLD, 10.0)
            _add_lines(axes, lines[instance.decision > 0], PATH, 6.4)
            on_path = (instance.gold > 0) | (instance.decision > 0)
            _add_lines(axes, lines[on_path], mapping.to_rgba(costs[on_path]), 3.0)
            axes.scatter(*lines.reshape(-1, 2).T, s=14, color=NODE, zorder=3)
            axes.set(xticks=[], yticks=[], xlim=(-0.5, width + 0.5), ylim=(height + 0.5, -0.5), aspect="equal")
            for spine in axes.spines.values():
                spine.set(linewidth=0.6, color=FRAME)
        add_scale_beside(figure, row[1], mapping, "cost of an edge", aspect=24)
    for axes, name in zip(grid[0], ("true costs", "predicted costs"), strict=True):
        axes.set_title(name, fontsize=CAPTION)
    marks = [Line2D([], [], color=GOLD, linewidth=10.0), Line2D([], [], color=PATH, linewidth=6.4)]
    _add_legend(figure, marks, ["best path", "path by predicted costs"])
    return figure


@own_settings()
def decisions_by_entry(shown: Sequence[JudgedDecision], *, title: str, word: str) -> Figure:
    """A row for each instance: true costs as bars, predicted ones as dots; below, the entries of both decisions.

    Marks are as large as the entries, which need not be ones and zeros.

    Args:
        shown: the instances.
        title: text above them, taken literally and shortened to fit.
        word: what an entry is called.
    """
    count = min(_MOST_ENTRIES, len(shown[0].true))
    figure = new_figure(max(7.2, 0.19 * count + 1.6), len(shown) * 2.1 + 0.9, title)
    for axes, instance in zip(figure.subplots(len(shown), 1, squeeze=False)[:, 0], shown, strict=True):
        chosen = np.maximum(abs(instance.gold), abs(instance.decision))
        kept = np.sort(np.lexsort((-abs(instance.true), -chosen))[:count])
        order = kept[np.argsort(instance.true[kept], kind="stable")]
        places = np.arange(count)
        axes.bar(places, instance.true[order], color=PALE, width=0.8)
        axes.plot(places, instance.scaled[order], "o", color=CURVE, markersize=4)
        low, high = axes.get_ylim()
        low = min(low, 0.0)
        step = 0.11 * (high - low)
        for number, (mask, colour, mark) in enumerate(((instance.gold, GOLD, "s"), (instance.decision, PATH, "D"))):
            shares = abs(mask[order]) / max(1e-9, float(abs(mask).max()))
            taken = shares > _LEAST_SHARE
            level = np.full(taken.sum(), low - (number + 0.7) * step)
            axes.scatter(places[taken], level, s=_MARK * shares[taken], marker=mark, color=colour)
        axes.set(xticks=[], xlim=(-0.8, count - 0.2), ylim=(low - 2.3 * step, high))
        axes.set_title(instance.caption, fontsize=LEGEND, loc="left", parse_math=False)
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=SMALL)
        axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(f"{word}, from the smallest true value to the largest", fontsize=CAPTION)
    marks = [Line2D([], [], color=PALE, linewidth=6), Line2D([], [], color=CURVE, marker="o", linestyle="")]
    marks += [Line2D([], [], color=colour, marker=mark, linestyle="") for colour, mark in ((GOLD, "s"), (PATH, "D"))]
    _add_legend(figure, marks, ["true", "predicted", "best decision", "decision by predictions"])
    return figure


def _add_lines(axes: Axes, lines: NDArray[Any], colours: Any, width: float) -> None:
    axes.add_collection(LineCollection(list(lines), colors=colours, linewidths=width, capstyle="round"), autolim=False)


def _add_legend(figure: Figure, marks: Sequence[Line2D], names: Sequence[str]) -> None:
    figure.legend(marks, names, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=LEGEND)
