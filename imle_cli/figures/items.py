"""Pictures of items: bars of their scores, weights within a capacity, bars of marginals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from imle_cli.figures.canvas import CAPTION, LEGEND, SMALL, Floats, Mask, factor, new_figure, own_settings, samples_text
from imle_cli.figures.colours import CURVE, FRAME, INK, PALE, PATH
from imle_cli.figures.named_axes import NAMED, name_columns, show_cells
from imle_cli.figures.ranked import LEVELS, Ranked, add_levels_legend
from imle_cli.figures.scale import Scale

_CHOSEN = ListedColormap([PALE, PATH])
_SAMPLES = 64
_LABELLED = 24  # most bars of shares with numbers
_BARS = 500  # at most, so that each is seen; more share one by the largest
_WIDTH = 6.4  # inches


@dataclass(frozen=True)
class Items:
    """Parts that are the same in every picture of items.

    Attributes:
        names: of the items.
        scores: ``(n,)``; None where they have none.
        weights: ``(n,)``, what they weigh; None where they weigh nothing.
        capacity: what chosen items may weigh together; None without a limit.
    """

    names: Sequence[str]
    scores: Floats | None = None
    weights: Floats | None = None
    capacity: float | None = None

    @property
    def labels(self) -> Sequence[str]:
        """Names, with the weights behind them."""
        if self.weights is None:
            return self.names
        return [f"{name} ({weight:g})" for name, weight in zip(self.names, self.weights, strict=True)]

    def caption(self, chosen: str, mask: Mask) -> str:
        """Title of a panel with a solution: the weight of it, where items weigh anything."""
        if self.weights is None:
            return ""
        limit = "" if self.capacity is None else f" of {self.capacity:g}"
        return f"{chosen}: weight {float(self.weights[np.asarray(mask) > 0].sum()):g}{limit}"


@own_settings()
def item_figure(items: Items, mask: Mask, *, title: str) -> Figure:
    """A bar for each score, those of the solution in another colour.

    Args:
        items: names, scores, weights.
        mask: ``(n,)``, 1 on the items of the solution.
        title: text above it, taken literally and shortened to fit.
    """
    figure = new_figure(_WIDTH, 3.4, title)
    axes = figure.add_subplot()
    _draw_scores(axes, items, mask, "chosen")
    _name_items(axes, items)
    return figure


@own_settings()
def item_marginals_figure(
    items: Items,
    sample: Mask | None,
    probability: Floats,
    error: Floats | None,
    *,
    title: str,
    samples: int | None,
) -> Figure:
    """Bars of the scores with one sample, and below them bars of the marginals with their standard errors.

    Args:
        items: names, scores, weights.
        sample: ``(n,)``, one sample; None leaves it out.
        probability: ``(n,)``, marginals, mostly in [0, 1].
        error: ``(n,)``, their standard errors; NaN where they are not known, None if none is.
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of; None if that is not known.
    """
    panels = 1 if sample is None and items.scores is None else 2
    figure = new_figure(_WIDTH, 2.9 * panels - 0.4, title)
    *upper, lower = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    for axes in upper:
        _draw_scores(axes, items, np.zeros(len(items.names)) if sample is None else sample, "one sample")
    _draw_bars(lower, probability, probability > 0, (CURVE, CURVE))
    scale = Scale.of(probability)
    lower.set(ylim=(scale.low, scale.high + 0.04 * (scale.high - scale.low)))
    lower.set_ylabel(scale.label, fontsize=LEGEND)
    lower.tick_params(labelsize=LEGEND)
    known = np.array([], dtype=int)
    if error is not None:
        known = np.flatnonzero((error > 0) & (len(error) <= _BARS))
        lower.errorbar(known, probability[known], error[known], fmt="none", ecolor=INK, elinewidth=0.9, capsize=2)
    many = "" if samples is None else f" of {samples_text(samples)}"
    lower.set_title(f"marginals{many}{' ± standard error' if len(known) else ''}", fontsize=CAPTION)
    _name_items(lower, items)
    return figure


@own_settings()
def item_samples_figure(items: Items, masks: Mask, *, title: str) -> Figure:
    """A row for each sample and a column for each item; of many samples the first 64.

    Args:
        items: names, scores, weights.
        masks: ``(S, n)``, the samples.
        title: text above it, taken literally and shortened to fit.
    """
    shown = masks[:_SAMPLES]
    figure = new_figure(_WIDTH, 1.4 + 0.13 * len(shown), title)
    axes = figure.add_subplot()
    _draw_cells(axes, items, shown, _CHOSEN)
    axes.set_ylabel("sample", fontsize=LEGEND)
    _legend_above(axes, [Patch(color=PATH, label="chosen")])
    return figure


@own_settings()
def distinct_items_figure(items: Items, ranked: Ranked, *, title: str) -> Figure:
    """A row for each solution and a column for each item, beside bars of the shares; of many solutions the first 64.

    Args:
        items: names, scores, weights.
        ranked: solutions, ``(K, n)``.
        title: text above it, taken literally and shortened to fit.
    """
    shown = ranked.first(_SAMPLES)
    row = 0.26 if len(shown) <= _LABELLED else 0.13  # inches
    figure = new_figure(_WIDTH + 1.2, 1.6 + row * len(shown), title)
    cells, bars = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _draw_cells(cells, items, shown.levels, ListedColormap(LEVELS))
    cells.set_ylabel("rank", fontsize=LEGEND)
    ranks, percent = np.arange(1, len(shown) + 1), 100 * shown.shares
    bars.barh(
        ranks, percent, height=0.7, color=PALE, xerr=100 * np.nan_to_num(shown.errors), error_kw={"ecolor": INK, "lw": 0.9}
    )
    bars.spines[["top", "right"]].set_visible(False)
    bars.tick_params(axis="y", which="both", length=0, labelleft=False)
    bars.tick_params(axis="x", labelsize=LEGEND)
    bars.set_xlabel("share of the samples in per cent", fontsize=LEGEND)
    if len(shown) <= _LABELLED:
        ends = percent + 100 * np.nan_to_num(shown.errors)
        for rank, end, text in zip(ranks, ends, shown.texts, strict=True):
            bars.annotate(text, (end, rank), (3, 0), textcoords="offset points", va="center", fontsize=SMALL)
        bars.set_xlim(0, 1.75 * float(ends.max()))
    bars.set_xticks([tick for tick in MaxNLocator(5).tick_values(0, float(percent[0])) if tick <= max(100, percent[0])])
    add_levels_legend(figure, shown, "items")
    return figure


def _draw_cells(axes: Axes, items: Items, shown: Mask, colours: ListedColormap) -> None:
    """Rows ``(S, n)`` of cells from the first downwards, with names below them."""
    cells = np.maximum.reduceat(shown, np.arange(0, shown.shape[1], factor(shown.shape[1:], _BARS)), axis=1)
    show_cells(axes, cells, shown.shape, first_row=1, cmap=colours, vmin=0, vmax=colours.N - 1)
    if len(items.names) <= NAMED:
        axes.set_xticks(np.arange(1, len(items.names)) - 0.5, minor=True)
        axes.set_yticks(np.arange(1, len(shown)) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    ticks = MaxNLocator(8, integer=True).tick_values(1, len(shown)) if len(shown) > _LABELLED else range(1, len(shown) + 1)
    axes.set_yticks([tick for tick in ticks if 1 <= tick <= len(shown)])
    axes.tick_params(axis="y", labelsize=LEGEND)
    _name_items(axes, items)


def _draw_scores(axes: Axes, items: Items, mask: Mask, chosen: str) -> None:
    heights = np.ones(len(items.names)) if items.scores is None else _heights(items.scores)
    _draw_bars(axes, heights, np.asarray(mask) > 0, (PALE, PATH))
    axes.axhline(0, color=FRAME, linewidth=0.6)
    if items.scores is None:
        axes.set_yticks([])
    else:
        axes.set_ylabel("score", fontsize=LEGEND)
        axes.tick_params(labelsize=LEGEND)
    axes.set_title(items.caption(chosen, mask), fontsize=CAPTION, loc="left")
    _legend_above(axes, [Patch(color=PATH, label=chosen), Patch(color=PALE, label="others")])


def _heights(scores: Floats) -> Floats:
    """Scores, of which infinite ones are as far as the farthest others."""
    finite = scores[np.isfinite(scores)]
    return np.clip(scores, finite.min(initial=-1.0), finite.max(initial=1.0))


def _legend_above(axes: Axes, handles: Sequence[Patch]) -> None:
    style: dict[str, Any] = {
        "loc": "lower right",
        "bbox_to_anchor": (1, 1),
        "ncols": 2,
        "frameon": False,
        "fontsize": LEGEND,
    }
    axes.legend(handles=handles, handlelength=1.2, columnspacing=1.0, borderaxespad=0.2, **style)


def _draw_bars(axes: Axes, values: Floats, marked: NDArray[np.bool_], colours: tuple[str, str]) -> None:
    """Bars, of thousands one for each block of neighbours, as high as the farthest from 0, marked where any of them is."""
    width = factor(values.shape, _BARS)
    first = np.arange(0, len(values), width)
    high, low = np.maximum.reduceat(values, first), np.minimum.reduceat(values, first)
    heights, zero = np.where(high >= -low, high, low), np.zeros(len(first))
    gap = 0.1 if len(values) <= 4 * NAMED else 0.0
    left, right = first - 0.5 + gap, np.minimum(first + width, len(values)) - 0.5 - gap
    corners = [(left, zero), (left, heights), (right, heights), (right, zero)]
    shapes = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
    faces = [colours[1] if is_marked else colours[0] for is_marked in np.logical_or.reduceat(marked, first)]
    # One collection, since a rectangle each would take long by the hundred.
    axes.add_collection(PolyCollection(list(shapes), facecolors=faces))
    axes.set_xlim(-0.6, len(values) - 0.4)
    lowest, highest = min(0.0, float(heights.min())), max(0.0, float(heights.max()))
    room = 0.05 * (highest - lowest or 1.0)
    axes.set_ylim(lowest - room * (lowest < 0), highest + room)
    axes.spines[["top", "right"]].set_visible(False)


def _name_items(axes: Axes, items: Items) -> None:
    if len(items.names) > NAMED:
        axes.set_xlabel("item", fontsize=LEGEND)
        return
    name_columns(axes, items.labels, 45)
    if items.weights is not None:
        axes.set_xlabel("item (weight)", fontsize=LEGEND)
