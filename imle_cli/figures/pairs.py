"""Pictures of pairs of rows and columns: matrices of scores, solutions and marginals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from imle_cli.figures.canvas import (
    CAPTION,
    LEGEND,
    Floats,
    Mask,
    add_scale_below,
    new_figure,
    own_settings,
    pooled_most,
    samples_text,
    sheet,
    write_numbers,
)
from imle_cli.figures.colours import NODE, PALE, PATH
from imle_cli.figures.named_axes import NAMED, name_columns, name_rows, show_cells
from imle_cli.figures.ranked import LEVELS, Ranked, add_levels_legend
from imle_cli.figures.scale import Scale

_GREYS = LinearSegmentedColormap.from_list("scores", ["#FFFFFF", NODE])
_CHOSEN = ListedColormap([PALE, PATH])
_SHEET = 36
_CELLS = 300  # at most, so that each is seen; more share one by the largest
_NUMBERED, _NAMED_SMALL, _FRAMED = (
    12,
    8,
    24,
)  # most rows or columns of a matrix with numbers; of a small one with names; with each cell by itself


@dataclass(frozen=True)
class Pairs:
    """Parts that are the same in every picture of pairs.

    Attributes:
        rows: names.
        columns: names.
        scores: ``(R, C)``, infinite ones are pairs that are not allowed; None where they have none.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    scores: Floats | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """R and C."""
        return len(self.rows), len(self.columns)


@own_settings()
def pair_figure(pairs: Pairs, mask: Mask, *, title: str) -> Figure:
    """The scores as a matrix in grey, with the pairs of a solution marked.

    Args:
        pairs: names and scores.
        mask: ``(R, C)``, 1 on the pairs of the solution.
        title: text above it, taken literally and shortened to fit.
    """
    figure = _matrix_figure(pairs.shape, 1, title)
    _draw_pairs(figure.add_subplot(), pairs, mask, "chosen")
    return figure


@own_settings()
def pair_marginals_figure(
    pairs: Pairs,
    sample: Mask | None,
    probability: Floats,
    *,
    title: str,
    samples: int | None,
    error: Floats | None = None,
) -> Figure:
    """The scores with one sample, and the marginal probability of every pair, as matrices side by side.

    Args:
        pairs: names and scores.
        sample: ``(R, C)``, one sample; None leaves it out.
        probability: ``(R, C)``, marginals, mostly in [0, 1].
        title: text above it, taken literally and shortened to fit.
        samples: how many samples the marginals are the mean of; None if that is not known.
        error: their standard errors, of which the largest is told; None where they are not known.
    """
    panels = 1 if sample is None and pairs.scores is None else 2
    figure = _matrix_figure(pairs.shape, panels, title)
    *left, right = figure.subplots(1, panels, squeeze=False)[0]
    for axes in left:
        _draw_pairs(axes, pairs, np.zeros(pairs.shape) if sample is None else sample, "one sample")
    scale = Scale.of(probability, error)
    show_cells(right, scale.colours(pooled_most(probability, _CELLS)), probability.shape)
    _name_pairs(right, pairs)
    if max(pairs.shape) <= _NUMBERED:
        write_numbers(right, probability, lambda _, value: scale.level(value) < 0.5, _letters(pairs.shape), ".2f")
    add_scale_below(right, scale.mapping, scale.label, shrink=0.8, ticks=scale.ticks)
    right.set_title(f"marginals{'' if samples is None else f' of {samples_text(samples)}'}", fontsize=CAPTION)
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
        show_cells(axes, pooled_most(mask, _CELLS // 2), mask.shape, cmap=_CHOSEN, norm=Normalize(0, 1))
        axes.set(xticks=[], yticks=[])
    return figure


@own_settings()
def distinct_pairs_figure(pairs: Pairs, ranked: Ranked, *, title: str) -> Figure:
    """Small matrices with a solution on each, and its share above; of many the first 36.

    Args:
        pairs: names.
        ranked: solutions, ``(K, R, C)``.
        title: text above it, taken literally and shortened to fit.
    """
    shown = ranked.first(_SHEET)
    rows, columns = shown.masks.shape[1:]
    figure, panels = sheet(len(shown), float(np.clip(rows / columns, 0.2, 5)), title, captions=shown.texts)
    for axes, levels in zip(panels, shown.levels, strict=True):
        cells = pooled_most(levels, _CELLS // 2)
        show_cells(axes, cells, levels.shape, cmap=ListedColormap(LEVELS), norm=Normalize(0, 2))
        axes.set(xticks=[], yticks=[])
        if max(pairs.shape) <= _FRAMED:
            _divide(axes, pairs.shape)
        cell = axes.get_subplotspec()
        if cell is not None and max(pairs.shape) <= _NAMED_SMALL:
            if cell.is_first_col():
                name_rows(axes, pairs.rows)
            if cell.is_last_row():
                name_columns(axes, pairs.columns, 14)
    add_levels_legend(figure, shown, "pairs")
    return figure


def _divide(axes: Axes, shape: Sequence[int]) -> None:
    """White lines between cells."""
    axes.set_xticks(np.arange(1, shape[1]) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, shape[0]) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _letters(shape: Sequence[int]) -> float:
    """Size of numbers in the cells of a matrix."""
    return 10.0 if max(shape) <= 6 else 7.5


def _name_pairs(axes: Axes, pairs: Pairs) -> None:
    if len(pairs.rows) <= NAMED:
        name_rows(axes, pairs.rows)
    if len(pairs.columns) <= NAMED:
        name_columns(axes, pairs.columns, 26)
    axes.tick_params(length=0)


def _matrix_figure(shape: Sequence[int], panels: int, title: str) -> Figure:
    aspect = float(np.clip(shape[0] / shape[1], 0.25, 2.5))
    return new_figure(max(3.0, 3.6 / max(1.0, aspect)) * panels, 3.2 * min(1.0, aspect) + 1.5, title)


def _draw_pairs(axes: Axes, pairs: Pairs, mask: Mask, chosen: str) -> None:
    """Scores in grey; chosen cells have a frame, or where they are small, another colour."""
    scores = np.zeros(pairs.shape) if pairs.scores is None else pairs.scores
    finite, framed = scores[np.isfinite(scores)], max(pairs.shape) <= _FRAMED
    norm = Normalize(float(finite.min()), float(finite.max())) if finite.size else Normalize(0, 1)
    grey = _GREYS(norm(pooled_most(np.where(np.isfinite(scores), scores, finite.min(initial=norm.vmax or 0)), _CELLS)))
    if not framed or pairs.scores is None:
        grey[pooled_most(mask, _CELLS) > 0] = to_rgba(PATH)
    show_cells(axes, grey, scores.shape)
    if framed and pairs.scores is not None:
        for row, column in np.argwhere(np.asarray(mask) > 0):
            corner = column - 0.45, row - 0.45
            axes.add_patch(Rectangle(corner, 0.9, 0.9, fill=False, edgecolor=PATH, linewidth=3, joinstyle="round"))
    _name_pairs(axes, pairs)
    axes.set_title(chosen, fontsize=CAPTION)
    if pairs.scores is None:
        handles = [Patch(color=PATH, label=chosen)]
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False, fontsize=LEGEND)
        return
    if max(pairs.shape) <= _NUMBERED:
        write_numbers(axes, scores, lambda _, value: bool(norm(value) > 0.6), _letters(pairs.shape))
    add_scale_below(axes, ScalarMappable(norm, _GREYS), f"score; framed: {chosen}" if framed else "score", shrink=0.8)
