"""Pictures of graphs: a solution, or marginals, as the colours of edges."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from imle_cli.figures.canvas import (
    CAPTION,
    LEGEND,
    MARGINALS,
    SMALL,
    Floats,
    Mask,
    add_scale_below,
    end_marks,
    families,
    new_figure,
    own_settings,
    samples_text,
    sheet,
    short_name,
)
from imle_cli.figures.colours import NODE, PALE, PATH
from imle_cli.figures.ranked import LEVELS, Ranked, add_levels_legend
from imle_cli.figures.scale import Scale

NEVER = "#8A7A99"
"""Colour of edges of probability 0, on the ground of the colour of 0."""
_NAMES, _WEIGHTS, _DOTS = 60, 40, 1000  # most nodes with names, edges with weights, nodes on top
_SHEET, _SHEET_EDGES = 36, 100_000
_SIDE = 4.6  # inches


@dataclass(frozen=True)
class Drawing:
    """Parts that are the same in every picture of a graph.

    Attributes:
        names: of the nodes.
        positions: of the nodes, ``(V, 2)``.
        ends: of the edges, numbers of nodes, ``(E, 2)``.
        weights: of the edges, ``(E,)``; None where they have none.
        directed: whether edges have arrows.
        marked: numbers of the first and the last node, or none.
    """

    names: Sequence[str]
    positions: Floats
    ends: NDArray[np.int64]
    weights: Floats | None
    directed: bool
    marked: Sequence[int]

    @property
    def aspect(self) -> float:
        """Height by width, not too far from a square."""
        width, height = np.ptp(self.positions, axis=0)
        return float(np.clip((height or 1e-9) / (width or 1e-9), 0.4, 1.6))

    @property
    def segments(self) -> Floats:
        """Ends of the edges, ``(E, 2, 2)``; of several between two nodes each a little beside the others."""
        lines: Floats = self.positions[self.ends]
        shifts = self._shifts
        if shifts.any():
            along = lines[:, 1] - lines[:, 0]
            length = np.hypot(*along.T)[:, None]
            beside = np.divide(along[:, ::-1] * (1, -1), length, where=length > 0, out=np.zeros_like(along))
            lines = lines + 0.008 * np.ptp(self.positions, axis=0).max() * (beside * shifts[:, None])[:, None]
        return lines

    @property
    def _shifts(self) -> Floats:
        """Shifts of edges to the right, ``(E,)``: 1 beside an opposite one, 2 more for each parallel one."""
        pairs = set(map(tuple, self.ends.tolist()))
        before: Counter[tuple[int, int]] = Counter()
        shifts = []
        for u, v in self.ends.tolist():
            opposed = (v, u) in pairs
            there = before[u, v] if self.directed else before[u, v] + before[v, u]
            turned = -1 if not self.directed and u > v else 1  # sides of a line that has no direction
            shifts.append(turned * (2 * there + (self.directed and opposed)))
            before[u, v] += 1
        return np.array(shifts, dtype=np.float64)


@own_settings()
def solution_figure(drawing: Drawing, mask: Mask, *, title: str) -> Figure:
    """The graph with the edges of a solution.

    Args:
        drawing: the graph.
        mask: ``(E,)``, 1 on the edges of the solution.
        title: text above it, taken literally and shortened to fit.
    """
    figure = new_figure(1.25 * _SIDE, 1.25 * _SIDE * drawing.aspect + 0.8, title)
    _draw_solution(figure.add_subplot(), drawing, mask)
    figure.legend(handles=_legend(drawing), loc="outside lower center", ncols=3, frameon=False, fontsize=LEGEND)
    return figure


@own_settings()
def marginals_figure(
    drawing: Drawing,
    sample: Mask | None,
    probability: Floats,
    *,
    title: str,
    samples: int | None,
    error: Floats | None = None,
) -> Figure:
    """The graph with one sample, and with the marginal probability of every edge, side by side.

    Probabilities have the colours that they have on tiles, on a ground of the colour of 0.

    Args:
        drawing: the graph.
        sample: ``(E,)``, one sample; None leaves it out.
        probability: ``(E,)``, marginals, mostly in [0, 1].
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of; None if that is not known.
        error: their standard errors, of which the largest is told; None where they are not known.
    """
    count = 1 if sample is None else 2
    figure = new_figure(count * _SIDE, _SIDE * drawing.aspect + 1.2, title)
    *left, right = figure.subplots(1, count, squeeze=False)[0]
    for axes in left:
        _draw_solution(axes, drawing, sample)
        axes.set_title("one sample", fontsize=CAPTION)
        style: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "ncols": 3, "frameon": False}
        axes.legend(handles=_legend(drawing), fontsize=LEGEND, handlelength=1.2, columnspacing=1.0, **style)
    scale = Scale.of(probability, error)
    order = np.argsort(probability, kind="stable")
    never, chosen = order[probability[order] == 0], order[probability[order] != 0]
    right.set_facecolor(MARGINALS(0.0))
    _draw_edges(right, drawing, never, NEVER, 0.9)
    level = scale.level(probability[chosen])
    _draw_edges(right, drawing, chosen, MARGINALS(level), 1.0 + 2.4 * level)
    _draw_nodes(right, drawing, on_dark=True)
    many = "" if samples is None else f" of {samples_text(samples)}"
    right.set_title(f"marginals{many}", fontsize=CAPTION)
    add_scale_below(right, scale.mapping, f"{scale.label} (pale: never)", -4, shrink=0.7, ticks=scale.ticks)
    return figure


@own_settings()
def samples_figure(drawing: Drawing, masks: Mask, *, title: str) -> Figure:
    """Small copies of the graph with a sample on each; of many samples the first 36, of large graphs fewer.

    Args:
        drawing: the graph.
        masks: ``(S, E)``, the samples.
        title: text above it, taken literally and shortened to fit.
    """
    shown = masks[: _copies(drawing)]
    figure, panels = sheet(len(shown), drawing.aspect, title)
    for axes, mask in zip(panels, shown, strict=True):
        _draw_solution(axes, drawing, mask, small=True)
    return figure


@own_settings()
def distinct_figure(drawing: Drawing, ranked: Ranked, *, title: str) -> Figure:
    """Small copies of the graph with a solution on each, and its share above; of many the first 36, of large graphs fewer.

    Args:
        drawing: the graph.
        ranked: solutions, ``(K, E)``.
        title: text above it, taken literally and shortened to fit.
    """
    shown = ranked.first(_copies(drawing))
    figure, panels = sheet(len(shown), drawing.aspect, title, captions=shown.texts)
    for axes, levels in zip(panels, shown.levels, strict=True):
        _draw_solution(axes, drawing, levels, small=True)
        _draw_edges(axes, drawing, np.flatnonzero(levels == 2), LEVELS[2], 1.4)
    add_levels_legend(figure, shown, "edges")
    return figure


def _copies(drawing: Drawing) -> int:
    return max(1, min(_SHEET, _SHEET_EDGES // len(drawing.ends)))


def _draw_solution(axes: Axes, drawing: Drawing, mask: Any, small: bool = False) -> None:
    unchosen, chosen = np.flatnonzero(mask == 0), np.flatnonzero(mask)
    _draw_edges(axes, drawing, unchosen, PALE, 0.6 if small else 1.0)
    _draw_edges(axes, drawing, chosen, PATH, 1.4 if small else 2.4)
    _draw_nodes(axes, drawing, small)
    if not small and drawing.weights is not None and len(drawing.ends) <= _WEIGHTS:
        for (x, y), weight in zip(drawing.segments.mean(axis=1), drawing.weights, strict=True):
            text = axes.text(x, y, f"{weight:.4g}", fontsize=SMALL, color=NODE, ha="center", va="center", zorder=4)
            text.set_path_effects([Stroke(linewidth=2, foreground="white"), Normal()])


def _draw_edges(axes: Axes, drawing: Drawing, edges: NDArray[np.int64], colours: Any, widths: Any) -> None:
    """Draws these edges, in this order, with an arrow's head past the middle of directed ones."""
    lines = drawing.segments[edges]
    widths = float(np.clip((300 / max(1, len(edges))) ** 0.5, 0.12, 1.0)) * np.asarray(widths)  # thinner where they are many
    axes.add_collection(LineCollection(list(lines), colors=colours, linewidths=widths, capstyle="round", zorder=1))
    if drawing.directed and len(lines):
        along = lines[:, 1] - lines[:, 0]
        length = 0.05 + 0.02 * np.broadcast_to(widths, len(lines))  # inches of a head, which is all of the arrow
        head: dict[str, Any] = {"headwidth": 8, "headlength": 10, "headaxislength": 10, "minshaft": 1e-3, "minlength": 0}
        axes.quiver(
            *(lines[:, 0] + 0.66 * along).T, length, np.zeros_like(length), color=colours, pivot="mid",
            angles=np.degrees(np.arctan2(along[:, 1], along[:, 0])), units="inches", width=float(length.mean()) / 10,
            scale_units="inches", scale=1, zorder=2, **head,
        )  # fmt: skip


def _draw_nodes(axes: Axes, drawing: Drawing, small: bool = False, on_dark: bool = False) -> None:
    colour, around = ("#E8E8E8", MARGINALS(0.0)) if on_dark else (NODE, "white")
    count = len(drawing.positions)
    area = np.clip(2500 / count, 0.3, 60) / (3 if small else 1)
    above = 3 if count <= _DOTS else 0  # so many dots would hide the edges
    axes.scatter(drawing.positions[:, 0], drawing.positions[:, 1], s=area, color=colour, linewidths=0, zorder=above)
    for node, marker, face in zip(drawing.marked, "os", ("white", PATH), strict=False):
        style: dict[str, Any] = {"color": PATH, "markerfacecolor": face, "linestyle": "none"}
        style["markersize"] = 4 if small else 8
        axes.add_line(Line2D(*drawing.positions[[node]].T, marker=marker, zorder=5, clip_on=False, **style))
    if not small and count <= _NAMES:
        for (x, y), name in zip(drawing.positions, drawing.names, strict=True):
            text = axes.annotate(
                short_name(name), (x, y), (0, 5), textcoords="offset points", ha="center", va="bottom", fontsize=SMALL,
                zorder=6, parse_math=False, family=families(), color="white" if on_dark else "black",
            )  # fmt: skip
            text.set_path_effects([Stroke(linewidth=2, foreground=around), Normal()])
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    if not on_dark:
        axes.set_axis_off()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _legend(drawing: Drawing) -> list[Line2D]:
    return [Line2D([], [], color=PATH, linewidth=2.4, label="chosen edges"), *(end_marks() if drawing.marked else ())]
