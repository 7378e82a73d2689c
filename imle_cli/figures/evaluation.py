"""Pictures of what a network makes of images of maps: paths, and predicted beside true costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from imle_cli.figures.canvas import CAPTION, COSTS, LEGEND, SMALL, add_scale_beside, new_figure, own_settings
from imle_cli.figures.colours import FRAME, GOLD, GRID, PATH, series_style
from imle_cli.figures.path_lines import segments
from imle_cli.figures.regret import draw_levels

Curve: TypeAlias = tuple[Sequence[float], Sequence[float]]
_LEAST = 1e-5  # of regret, which may be 0 and has no logarithm there


@dataclass(frozen=True)
class JudgedMap:
    """One map and what a network makes of it.

    Attributes:
        caption: what to call it.
        image: ``(8H, 8W, 3)`` uint8.
        gold: its gold path, ``(H, W)``.
        path: the predicted path, ``(H, W)``.
        predicted: predicted costs, ``(H, W)``, known up to scale.
        true: true costs, ``(H, W)``.
    """

    caption: str
    image: NDArray[np.uint8]
    gold: NDArray[Any]
    path: NDArray[Any]
    predicted: NDArray[Any]
    true: NDArray[Any]

    @property
    def scaled(self) -> NDArray[Any]:
        """Predicted costs times the number that brings them closest to the true ones, in least squares."""
        return scaled_to(self.predicted, self.true)


@own_settings()
def judged_maps(maps: Sequence[JudgedMap], *, title: str) -> Figure:
    """A row for each map: its image with both paths, predicted costs, true costs, the costs on one scale.

    Args:
        maps: the maps.
        title: text above them, taken literally and shortened to fit.
    """
    height, width = maps[0].true.shape
    side = 2.3
    figure = new_figure(3 * side * max(1.0, width / height) + 0.9, len(maps) * side + 0.9, title)
    grid = figure.subplots(len(maps), 3, squeeze=False)
    mapping = ScalarMappable(Normalize(0, max(float(shown.true.max()) for shown in maps)), COSTS)
    for row, shown in zip(grid, maps, strict=True):
        row[0].imshow(shown.image, interpolation="nearest", extent=(-0.5, width - 0.5, height - 0.5, -0.5))
        _draw_path(row[0], shown.gold, GOLD, 3.4)
        _draw_path(row[0], shown.path, PATH, 1.4)
        row[0].set_ylabel(shown.caption, fontsize=LEGEND, parse_math=False)
        for axes, costs in ((row[1], shown.scaled), (row[2], shown.true)):
            axes.imshow(costs, cmap=COSTS, norm=mapping.norm, interpolation="nearest")
        for axes in row:
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(linewidth=0.6, color=FRAME)
    for axes, name in zip(grid[0], ("image and paths", "predicted costs", "true costs"), strict=True):
        axes.set_title(name, fontsize=CAPTION)
    add_scale_beside(figure, grid[:, 2], mapping, "cost", aspect=30)
    lines = [Line2D([], [], color=GOLD, linewidth=3.4), Line2D([], [], color=PATH, linewidth=1.4)]
    figure.legend(
        lines, ["gold path", "predicted path"], loc="outside lower center", ncols=2, frameon=False, fontsize=CAPTION
    )
    return figure


def scaled_to(predicted: NDArray[Any], true: NDArray[Any]) -> NDArray[Any]:
    """Predicted numbers times the number that brings them closest to the true ones, in least squares."""
    square = float((predicted.astype(float) ** 2).sum())
    scaled: NDArray[Any] = predicted * (float((predicted * true).sum()) / square if square else 1.0)
    return scaled


@own_settings()
def accuracy_curves(curves: Mapping[str, Curve], *, title: str, split: str) -> Figure:
    """Share of maps with an optimal path against seconds, a line for each estimator, a mark for each epoch.

    Args:
        curves: seconds and shares after each epoch, by estimator.
        title: text above them, taken literally and shortened to fit.
        split: the maps that they are judged on.
    """
    figure, axes = _against_seconds(curves, title)
    axes.set(xlim=(0, None), ylim=(0, 101), ylabel=f"{split} maps with an optimal path (%)")
    return figure


@own_settings()
def regret_curves(curves: Mapping[str, Curve], baselines: Mapping[str, float], *, title: str, split: str) -> Figure:
    """Regret against seconds of training, both on scales of ratios, a line for each estimator, its end marked.

    Args:
        curves: seconds and regrets after each epoch, by estimator; those with a single epoch are dots.
        baselines: regrets that are drawn as levels, by name.
        title: text above them, taken literally and shortened to fit.
        split: the instances that they are judged on.
    """
    figure, axes = _against_seconds(curves, title, [-1])
    draw_levels(axes, {name: max(regret, _LEAST) for name, regret in baselines.items()})
    axes.set(xscale="log", yscale="log", ylabel=f"regret on {split} (%)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    low, high = axes.get_ylim()
    ticks = [digit * 10.0**power for power in range(-3, 5) for digit in (1, 2, 3, 5, 7)]
    axes.set_yticks([tick for tick in ticks if low <= tick <= high])
    axes.set_ylim(low, high)
    return figure


def _against_seconds(curves: Mapping[str, Curve], title: str, marked: Sequence[int] | None = None) -> tuple[Figure, Axes]:
    """Lines of percentages against seconds, with their legend; only points of these numbers have marks, if any are given."""
    figure = new_figure(7.2, 4.4, title)
    axes = figure.add_subplot()
    for number, (name, (seconds, shares)) in enumerate(curves.items()):
        values = np.multiply(np.maximum(shares, _LEAST if marked else 0.0), 100)
        axes.plot(seconds, values, label=name, markevery=marked, **series_style(number))
    axes.set_xlabel("seconds")
    axes.grid(color=GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False, fontsize=SMALL)
    return figure, axes


def _draw_path(axes: Axes, path: NDArray[Any], colour: str, width: float) -> None:
    lines = segments(path)
    for shown, points in (("white", width + 1.2), (colour, width)):
        axes.add_collection(LineCollection(lines, colors=shown, linewidths=points, capstyle="round"), autolim=False)
