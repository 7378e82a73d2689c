"""Pictures of a published experiment done again: a panel for each method, with the authors' result at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullFormatter

from imle_cli.figures.canvas import LEGEND, SMALL, Floats, new_figure, own_settings
from imle_cli.figures.colours import CURVE, PATH

_ACROSS = 3  # panels in a row at most
_LEAST, _TICKS = 0.01, (0, 0.01, 0.1, 1)  # the scale is linear below the first of these
_BAND, _OTHERS = "#B9D7EA", "#9AA1AB"


@dataclass(frozen=True)
class ReproductionCurve:
    """Gaps of one method.

    Attributes:
        name: of the method, and where its settings come from.
        means: over repetitions, ``(steps,)``.
        low: what a tenth of the repetitions is below, ``(steps,)``.
        high: what nine tenths are below, ``(steps,)``.
        facts: lines to write into the panel.
        reference: mean that others found for the last step, and its standard error; None where there is none.
    """

    name: str
    means: Floats
    low: Floats
    high: Floats
    facts: Sequence[str]
    reference: tuple[float, float] | None


@own_settings()
def reproduction_figure(curves: Sequence[ReproductionCurve], *, title: str) -> Figure:
    """Mean gaps against steps, with those of the other methods in grey behind them.

    Gaps are on one scale, logarithmic but near 0, which the best runs reach.

    Args:
        curves: one a panel, at least one.
        title: text above, taken literally and shortened to fit.
    """
    across = min(_ACROSS, len(curves))
    down = -(-len(curves) // across)
    figure = new_figure(max(4.4, 2.5 * across + 0.3), 2.2 * down + 1.2, title)
    panels = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    highest = max(float(curve.high.max()) for curve in curves)
    for number, axes in enumerate(panels):
        if number >= len(curves):
            axes.remove()
            continue
        _draw(axes, curves[number], [peer for peer in curves if len(peer.means) == len(curves[number].means)])
        axes.set_xlabel("step", fontsize=LEGEND, labelpad=1)
    panels[0].set_yscale("symlog", linthresh=_LEAST, linscale=0.4)
    panels[0].set_ylim(0, max(3 * highest, 10 * _LEAST))
    panels[0].yaxis.set_major_locator(FixedLocator(_TICKS))
    panels[0].set_yticklabels([f"{tick:g}" for tick in _TICKS])
    panels[0].yaxis.set_minor_formatter(NullFormatter())
    for axes in panels[: len(curves) : across]:
        axes.set_ylabel("gap to the optimum", fontsize=LEGEND)
    _add_legend(figure, curves)
    return figure


def _draw(axes: Axes, curve: ReproductionCurve, shown: Sequence[ReproductionCurve]) -> None:
    steps = np.arange(len(curve.means))
    axes.fill_between(steps, np.maximum(curve.low, 0.0), np.maximum(curve.high, 0.0), color=_BAND, linewidth=0)
    for peer in shown:
        if peer is not curve:
            axes.plot(steps, peer.means, color=_OTHERS, linewidth=0.9)
    axes.plot(steps, curve.means, color=CURVE, linewidth=2)
    if curve.reference is not None:
        mean, error = curve.reference
        # Beside the curve's end, so that neither hides the other.
        axes.errorbar(
            [1.05 * steps[-1]], [mean], [2 * error], fmt="D", color=PATH, markersize=4, elinewidth=1.4, capsize=2.5
        )
    axes.set_xlim(0, 1.1 * steps[-1])
    axes.set_title(curve.name, fontsize=SMALL, parse_math=False)
    axes.text(
        0.98, 0.98, "\n".join(curve.facts), transform=axes.transAxes, ha="right", va="top", fontsize=SMALL, parse_math=False
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL)


def _add_legend(figure: Figure, curves: Sequence[ReproductionCurve]) -> None:
    handles: list[Any] = [
        Line2D([], [], color=CURVE, linewidth=2, label="mean"),
        Patch(color=_BAND, label="10% to 90% of the repetitions"),
    ]
    lengths = [len(curve.means) for curve in curves]
    if len(set(lengths)) < len(lengths):
        handles.append(Line2D([], [], color=_OTHERS, linewidth=0.9, label="other methods"))
    if any(curve.reference for curve in curves):
        label = "authors' mean ± 2 standard errors"
        handles.append(Line2D([], [], color=PATH, marker="D", markersize=4, linewidth=1.4, label=label))
    columns = min(2, len(curves))  # as many as fit below the panels
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=LEGEND)
