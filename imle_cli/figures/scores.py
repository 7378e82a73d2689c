"""Pictures of tables of scores: bars of items, matrices of pairs."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from imle_cli.figures.canvas import (
    CURVE,
    MARGINALS,
    PALE,
    PATH,
    Floats,
    Mask,
    add_scale_below,
    factor,
    families,
    new_figure,
    own_settings,
    pooled_most,
    samples_text,
    sheet,
    short_name,
    write_numbers,
)

_GREYS = LinearSegmentedColormap.from_list("scores", ["#FFFFFF", "#4A4F57"])
_CHOSEN = ListedColormap([PALE, PATH])
_NAMED = 40  # most items with names
_SAMPLES, _SHEET = 64, 36
_BARS, _CELLS = 500, 300  # at most, so that each is seen; more share one by the largest
_NUMBERED = 12  # most rows or columns of a matrix with numbers


@own_settings()
def item_figure(names: Sequence[str], scores: Floats, mask: Mask, *, title: str) -> Figure:
    """A bar for each score, those of the solution in another colour.

    Args:
        names: of the items.
        scores: ``(n,)``.
        mask: ``(n,)``, 1 on the items of the solution.
        title: text above it, taken literally and shortened to fit.
    """
    figure = new_figure(7.2, 3.8, title)
    axes = figure.add_subplot()
    _draw_scores(axes, scores, mask, "chosen")
    _name_items(axes, names)
    return figure


@own_settings()
def item_marginals_figure(
    names: Sequence[str], scores: Floats, sample: Mask, probability: Floats, error: Floats, *, title: str, samples: int
) -> Figure:
    """Bars of the scores with one sample, and below them bars of the marginals with their standard errors.

    Args:
        names: of the items.
        scores: ``(n,)``.
        sample: ``(n,)``, one sample.
        probability: ``(n,)``, marginals in [0, 1].
        error: ``(n,)``, their standard errors; NaN where they are not known.
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of.
    """
    figure = new_figure(7.2, 5.6, title)
    upper, lower = figure.subplots(2, 1, sharex=True)
    _draw_scores(upper, scores, sample, "one sample")
    _draw_bars(lower, probability, probability > 0, (CURVE, CURVE))
    known = np.flatnonzero((error > 0) & (len(error) <= _BARS))
    lower.errorbar(known, probability[known], error[known], fmt="none", ecolor="#262626", elinewidth=0.9, capsize=2)
    lower.set(ylim=(0, 1.04), ylabel="probability")
    lower.set_title(f"marginals of {samples_text(samples)} ± standard error", fontsize=10)
    _name_items(lower, names)
    return figure


@own_settings()
def item_samples_figure(names: Sequence[str], masks: Mask, *, title: str) -> Figure:
    """A row for each sample and a column for each item; of many samples the first 64.

    Args:
        names: of the items.
        masks: ``(S, n)``, the samples.
        title: text above it, taken literally and shortened to fit.
    """
    shown = masks[:_SAMPLES]
    figure = new_figure(7.2, 1.4 + 0.13 * len(shown), title)
    axes = figure.add_subplot()
    cells = np.maximum.reduceat(shown, np.arange(0, shown.shape[1], factor(shown.shape[1:], _BARS)), axis=1)
    _show(axes, cells, shown.shape, first_row=1, cmap=_CHOSEN, vmin=0, vmax=1)
    if len(names) <= _NAMED:
        axes.set_xticks(np.arange(1, len(names)) - 0.5, minor=True)
        axes.set_yticks(np.arange(1, len(shown)) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_ylabel("sample", fontsize=9)
    axes.tick_params(axis="y", labelsize=8)
    _name_items(axes, names)
    axes.legend(
        handles=[Patch(color=PATH, label="chosen")], frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1)
    )
    return figure


@own_settings()
def pair_figure(rows: Sequence[str], columns: Sequence[str], scores: Floats, mask: Mask, *, title: str) -> Figure:
    """The scores as a matrix in grey, with the pairs of a solution marked.

    Args:
        rows: names.
        columns: names.
        scores: ``(R, C)``; infinite ones are pairs that are not allowed.
        mask: ``(R, C)``, 1 on the pairs of the solution.
        title: text above it, taken literally and shortened to fit.
    """
    figure = _matrix_figure(scores.shape, 1, title)
    _draw_pairs(figure.add_subplot(), rows, columns, scores, mask, "chosen pairs")
    return figure


@own_settings()
def pair_marginals_figure(
    rows: Sequence[str],
    columns: Sequence[str],
    scores: Floats,
    sample: Mask,
    probability: Floats,
    *,
    title: str,
    samples: int,
) -> Figure:
    """The scores with one sample, and the marginal probability of every pair, as matrices side by side.

    Args:
        rows: names.
        columns: names.
        scores: ``(R, C)``; infinite ones are pairs that are not allowed.
        sample: ``(R, C)``, one sample.
        probability: ``(R, C)``, marginals in [0, 1].
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of.
    """
    figure = _matrix_figure(scores.shape, 2, title)
    left, right = figure.subplots(1, 2)
    _draw_pairs(left, rows, columns, scores, sample, "one sample")
    _show(right, pooled_most(probability, _CELLS), probability.shape, cmap=MARGINALS, norm=Normalize(0, 1))
    _name_pairs(right, rows, columns)
    if max(probability.shape) <= _NUMBERED:
        write_numbers(right, probability, lambda _, value: value < 0.5, 7, digits=2)
    add_scale_below(right, ScalarMappable(Normalize(0, 1), MARGINALS), "probability", shrink=0.8)
    right.set_title(f"marginals of {samples_text(samples)}", fontsize=10)
    return figure


@own_settings()
def pair_samples_figure(masks: Mask, *, title: str) -> Figure:
    """Small matrices with a sample on each; of many samples the first 36.

    Args:
        masks: ``(S, R, C)``, the samples.
        title: text above it, taken literally and shortened to fit.
    """
    shown = masks[:_SHEET]
    figure, panels = sheet(len(shown), float(np.clip(masks.shape[1] / masks.shape[2], 0.2, 5)), title)
    for axes, mask in zip(panels, shown, strict=True):
        _show(axes, pooled_most(mask, _CELLS // 2), mask.shape, cmap=_CHOSEN, norm=Normalize(0, 1))
        axes.set(xticks=[], yticks=[])
    return figure


def _draw_scores(axes: Axes, scores: Floats, mask: Mask, chosen: str) -> None:
    _draw_bars(axes, scores, np.asarray(mask) > 0, (PALE, PATH))
    axes.axhline(0, color="#808080", linewidth=0.6)
    axes.set_ylabel("score")
    handles = [Patch(color=PATH, label=chosen), Patch(color=PALE, label="others")]
    axes.legend(handles=handles, frameon=False, fontsize=8, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))


def _draw_bars(axes: Axes, values: Floats, marked: NDArray[np.bool_], colours: tuple[str, str]) -> None:
    """Bars, of thousands one for each block of neighbours, as high as the farthest from 0, marked where any of them is."""
    width = factor(values.shape, _BARS)
    first = np.arange(0, len(values), width)
    high, low = np.maximum.reduceat(values, first), np.minimum.reduceat(values, first)
    heights, zero = np.where(high >= -low, high, low), np.zeros(len(first))
    gap = 0.1 if len(values) <= 4 * _NAMED else 0.0
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


def _name_items(axes: Axes, names: Sequence[str]) -> None:
    if len(names) > _NAMED:
        axes.set_xlabel("item")
        return
    _name_columns(axes, names, 60)


def _name_pairs(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    if len(rows) <= _NAMED:
        axes.set_yticks(range(len(rows)), map(short_name, rows), fontsize=8)
        _literal(axes.get_yticklabels())
    if len(columns) <= _NAMED:
        _name_columns(axes, columns, 30)
    axes.tick_params(length=0)


def _name_columns(axes: Axes, names: Sequence[str], room: int) -> None:
    """Names below an axes, turned where together they have more letters than there is room for."""
    turn = 0 if sum(map(len, names)) <= room else 60
    axes.set_xticks(range(len(names)), map(short_name, names), fontsize=8, rotation=turn, ha="right" if turn else "center")
    _literal(axes.get_xticklabels())


def _literal(texts: Sequence[Any]) -> None:
    for text in texts:
        text.set(parse_math=False, family=families())


def _matrix_figure(shape: Sequence[int], panels: int, title: str) -> Figure:
    aspect = float(np.clip(shape[0] / shape[1], 0.25, 2.5))
    return new_figure(max(3.6, 4.6 / max(1.0, aspect)) * panels, 4.2 * min(1.0, aspect) + 1.5, title)


def _draw_pairs(axes: Axes, rows: Sequence[str], columns: Sequence[str], scores: Floats, mask: Mask, title: str) -> None:
    finite = scores[np.isfinite(scores)]
    norm = Normalize(float(finite.min()), float(finite.max())) if finite.size else Normalize(0, 1)
    grey = _GREYS(norm(pooled_most(np.where(np.isfinite(scores), scores, finite.min(initial=norm.vmax or 0)), _CELLS)))
    grey[pooled_most(mask, _CELLS) > 0] = mpl.colors.to_rgba(PATH)
    _show(axes, grey, scores.shape)
    _name_pairs(axes, rows, columns)
    if max(scores.shape) <= _NUMBERED:
        write_numbers(axes, scores, lambda index, value: bool(mask[index]) or bool(norm(value) > 0.6), 7)
    add_scale_below(axes, ScalarMappable(norm, _GREYS), "score", shrink=0.8)
    axes.set_title(title, fontsize=10, color=PATH)


def _show(axes: Axes, cells: Any, shape: Sequence[int], first_row: int = 0, **colours: Any) -> None:
    top = first_row - 0.5
    extent = -0.5, shape[1] - 0.5, top + shape[0], top
    axes.imshow(cells, interpolation="nearest", extent=extent, aspect="auto", **colours)
