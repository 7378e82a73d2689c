"""Pictures of a comparison of estimators: bias and variance against lambda, cosine against samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from imle_cli.figures.canvas import label_ticks, new_figure, open_axes, own_settings
from imle_core.lab import IntervalEstimate

Style: TypeAlias = dict[str, Any]

# Okabe and Ito's colours, the faint yellow left out; each serves twice, solid and dashed.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^v<>pXPh*8dH"
_LEAST = 1e-4  # squared lengths below are drawn there
_ARROW = 18  # length in points


@dataclass(frozen=True)
class ComparisonCurve:
    """Squared bias and variance of an estimator against lambda, in units of the squared gradient.

    Attributes:
        lambdas: steps, rising.
        bias: squared bias at each, with its interval.
        variance: variance at each, likewise.
    """

    lambdas: Sequence[float]
    bias: Sequence[IntervalEstimate]
    variance: Sequence[IntervalEstimate]


@own_settings()
def comparison_figure(
    curves: Mapping[str, ComparisonCurve], cosines: Mapping[str, Mapping[int, IntervalEstimate]], *, title: str, samples: int
) -> Figure:
    """Bias and variance against lambda, and cosine with the true gradient against samples, side by side, with intervals.

    Args:
        curves: for each estimator with a step lambda; may be empty.
        cosines: for each estimator the mean cosine at numbers of samples.
        title: text above, taken literally and shortened to fit.
        samples: samples of a gradient in the curves.
    """
    panels = 2 if curves else 1
    figure = new_figure(4.3 * panels + 2.4, 4.2, title)
    *left, right = figure.subplots(1, panels, squeeze=False)[0]
    style = {name: _style(number) for number, name in enumerate(cosines)}
    for axes in left:
        _draw_curves(axes, curves, style, samples)
    _draw_cosines(right, cosines, style)
    handles = [Line2D([], [], label=name, **style[name]) for name in cosines]
    figure.legend(
        handles=handles, loc="outside right center", frameon=False, fontsize=8, title="estimator", alignment="left"
    )
    return figure


def _style(number: int) -> Style:
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "linestyle": "-" if number < len(_COLOURS) else "--",
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 4.5,
        "linewidth": 1.4,
    }


def _draw_curves(axes: Axes, curves: Mapping[str, ComparisonCurve], style: Mapping[str, Style], samples: int) -> None:
    for name, curve in curves.items():
        plain = {key: value for key, value in style[name].items() if key != "linestyle"}
        _draw_intervals(axes, curve.lambdas, curve.bias, _LEAST, **plain, linestyle="-")
        _draw_intervals(axes, curve.lambdas, curve.variance, _LEAST, **plain, linestyle=":", fillstyle="none")
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({value for curve in curves.values() for value in curve.lambdas})
    label_ticks(axes, ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("step lambda", fontsize=9)
    axes.set_ylabel(f"squared bias, variance of {samples} sample{'s' if samples > 1 else ''}", fontsize=9)
    grey: Style = {"color": "#606060", "markersize": 4.5}
    handles = [
        Line2D([], [], linestyle="-", marker="o", label="squared bias", **grey),
        Line2D([], [], linestyle=":", marker="o", fillstyle="none", label="variance", **grey),
    ]
    axes.legend(handles=handles, frameon=False, fontsize=8)
    open_axes(axes)
    every = [estimate for curve in curves.values() for estimate in (*curve.bias, *curve.variance)]
    axes.set_title(f"in units of the squared gradient\n{_legend(every, _LEAST)}", fontsize=9)


def _legend(estimates: Sequence[IntervalEstimate], lowest: float) -> str:
    """Meaning of bars, arrows and points at the lower edge, as far as there are any."""
    notes = ["bars: intervals of 95%"]
    if any(math.isinf(estimate.high) for estimate in estimates):
        notes.append("arrows: open above")
    if any(estimate < lowest and math.isfinite(estimate.high) for estimate in estimates):
        notes.append(f"below {lowest:g}: drawn there")
    return "; ".join(notes)


def _draw_cosines(axes: Axes, cosines: Mapping[str, Mapping[int, IntervalEstimate]], style: Mapping[str, Style]) -> None:
    for name, values in cosines.items():
        _draw_intervals(axes, list(values), list(values.values()), -1.0, **style[name])
    axes.set_xscale("log")
    ticks = sorted({number for values in cosines.values() for number in values})
    label_ticks(axes, ticks, [f"{tick:g}" for tick in ticks])
    axes.set_ylim(min(0.0, *(value.low for values in cosines.values() for value in values.values())) - 0.02, 1.02)
    axes.set_xlabel("samples", fontsize=9)
    axes.set_ylabel("cosine with the true gradient", fontsize=9)
    axes.set_title("each estimator with its best lambda there\nbars: intervals of 95%", fontsize=9)
    open_axes(axes)


def _draw_intervals(
    axes: Axes, positions: Sequence[float], estimates: Sequence[IntervalEstimate], lowest: float, **style: Any
) -> None:
    """Estimates with their intervals; what is below ``lowest`` is drawn there, and an end that is open has an arrow.

    Of an estimate that is infinite the lower end is drawn, of one that is not known at all nothing.
    """
    points = [
        (position, max(float(estimate) if math.isfinite(estimate) else estimate.low, lowest), estimate)
        for position, estimate in zip(positions, estimates, strict=True)
        if estimate.low > 0 or estimate.high < math.inf
    ]
    if not points:  # matplotlib would warn of a logarithmic axis for nothing
        return
    known, values, _ = zip(*points, strict=True)
    below = [max(0.0, value - max(estimate.low, lowest)) for _, value, estimate in points]
    above = [estimate.high - value if value < estimate.high < math.inf else 0.0 for _, value, estimate in points]
    axes.errorbar(known, values, (below, above), elinewidth=0.8, capsize=1.5, **style)
    arrow = {"arrowstyle": "<-", "color": style["color"], "linewidth": 0.8, "shrinkA": 0.0, "shrinkB": 0.0}
    for position, value, estimate in points:
        if math.isinf(estimate.high):
            axes.annotate("", (position, value), (0, _ARROW), textcoords="offset points", arrowprops=arrow)
