"""Pictures of what a network makes of images of maps: paths, and predicted beside true costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from imle_cli.figures.canvas import CAPTION, COSTS, LEGEND, SMALL, add_scale_beside, new_figure, own_settings
from imle_cli.figures.colours import FRAME, GOLD, GRID, PATH, series_style
from imle_cli.figures.path_lines import segments


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
        square = float((self.predicted.astype(float) ** 2).sum())
        return self.predicted * (float((self.predicted * self.true).sum()) / square if square else 1.0)


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


@own_settings()
def accuracy_curves(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, title: str, split: str) -> Figure:
    """Share of maps with an optimal path against seconds, a line for each estimator, a mark for each epoch.

    Args:
        curves: seconds and shares after each epoch, by estimator.
        title: text above them, taken literally and shortened to fit.
        split: the maps that they are judged on.
    """
    figure = new_figure(7.2, 4.4, title)
    axes = figure.add_subplot()
    for number, (name, (seconds, shares)) in enumerate(curves.items()):
        axes.plot(seconds, np.multiply(shares, 100), label=name, **series_style(number))
    axes.set(xlim=(0, None), ylim=(0, 101), xlabel="seconds", ylabel=f"{split} maps with an optimal path (%)")
    axes.grid(color=GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False, fontsize=SMALL)
    return figure


def _draw_path(axes: Axes, path: NDArray[Any], colour: str, width: float) -> None:
    lines = segments(path)
    for shown, points in (("white", width + 1.2), (colour, width)):
        axes.add_collection(LineCollection(lines, colors=shown, linewidths=points, capstyle="round"), autolim=False)
