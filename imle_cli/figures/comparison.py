"""Pictures of a comparison of estimators: bias and variance against lambda, cosine against samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from imle_cli.figures.canvas import LEGEND, SMALL, label_ticks, new_figure, open_axes, own_settings
from imle_cli.figures.colours import series_style
from imle_core.lab import Cell, IntervalEstimate

Style: TypeAlias = dict[str, Any]

# Okabe and Ito's colours, the faint yellow left out; each serves twice, solid and dashed.
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
    curves: Mapping[str, ComparisonCurve],
    cosines: Mapping[str, Mapping[int, IntervalEstimate]],
    *,
    title: str,
    samples: int,
    temperature: float | None = None,
) -> Figure:
    """Bias and variance against lambda, and below that cosine with the true gradient against samples, with intervals.

    Estimators with the same figures everywhere share a curve, whose label names all of them.

    Args:
        curves: for each estimator with a step lambda; may be empty.
        cosines: for each estimator the mean cosine at numbers of samples; may be empty.
        title: text above, taken literally and shortened to fit.
        samples: samples of a gradient in the curves.
        temperature: that of all curves, told above them; None if it is told elsewhere.
    """
    groups = _equal_ones(curves, cosines)
    style = {name: series_style(number) for number, name in enumerate(groups)}
    labels = {names[0]: ", ".join(names) for names in groups.values()}
    drawn = [bool(curves), bool(cosines)]
    figure = new_figure(7.2, 0.5 + 3.4 * max(1, sum(drawn)), title)
    panels = list(figure.subplots(max(1, sum(drawn)), 1, squeeze=False)[:, 0])
    if curves:
        _draw_curves(panels[0], {name: curves[name] for name in groups if name in curves}, style, samples, temperature)
        _add_legend(panels[0], [name for name in groups if name in curves], labels, style)
    if cosines:
        _draw_cosines(panels[-1], {name: cosines[name] for name in groups if name in cosines}, style)
        _add_legend(panels[-1], [name for name in groups if name in cosines], labels, style)
    return figure


def curves_of(cells: Sequence[Cell], temperature: float) -> dict[str, ComparisonCurve]:
    """Squared bias and variance against lambda of each estimator at a temperature, where there are two lambdas or more."""
    curves = {}
    for name in dict.fromkeys(cell.estimator for cell in cells):
        row = [cell for cell in cells if (cell.estimator, cell.temperature) == (name, temperature) and cell.lambda_]
        row.sort(key=lambda cell: cell.lambda_ or 0.0)
        if len(row) > 1:
            accuracies = [cell.accuracy for cell in row]
            curves[name] = ComparisonCurve(
                [cell.lambda_ or 0.0 for cell in row],
                [accuracy.squared_bias for accuracy in accuracies],
                [accuracy.variance for accuracy in accuracies],
            )
    return curves


def cosines_of(cells: Sequence[Cell], temperature: float) -> dict[str, dict[int, IntervalEstimate]]:
    """Cosines of each estimator at a temperature by the number of samples, each with the best of its lambdas."""
    cosines: dict[str, dict[int, IntervalEstimate]] = {}
    for cell in sorted(
        (cell for cell in cells if cell.temperature == temperature), key=lambda cell: cell.rank, reverse=True
    ):
        cosines.setdefault(cell.estimator, {})[cell.nb_samples] = cell.accuracy.cosine
    return {
        name: dict(sorted(cosines[name].items()))
        for name in dict.fromkeys(cell.estimator for cell in cells)
        if name in cosines
    }


def _equal_ones(
    curves: Mapping[str, ComparisonCurve], cosines: Mapping[str, Mapping[int, IntervalEstimate]]
) -> dict[str, list[str]]:
    """Names of estimators by the first one that has the same figures."""
    groups: dict[Any, list[str]] = {}
    for name in dict.fromkeys((*cosines, *curves)):
        curve, row = curves.get(name), cosines.get(name, {})
        told = None if curve is None else (*curve.lambdas, *map(_rounded, (*curve.bias, *curve.variance)))
        figures = told, tuple((number, _rounded(value)) for number, value in row.items())
        groups.setdefault(figures if figures != (None, ()) else name, []).append(name)
    return {names[0]: names for names in groups.values()}


def _rounded(estimate: IntervalEstimate) -> str:
    """An estimate and its interval to as many digits as rounding leaves alone."""
    return f"{estimate:.6g} {estimate.low:.6g} {estimate.high:.6g}"


def _add_legend(axes: Axes, names: Sequence[str], labels: Mapping[str, str], styles: Mapping[str, Style]) -> None:
    """Names of the curves beside an axes, whose own legend stays."""
    handles = [Line2D([], [], label=labels[name], **styles[name]) for name in names]
    inside = axes.get_legend()
    style: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False, "fontsize": SMALL}
    axes.legend(handles=handles, handlelength=1.8, **style)
    if inside is not None:
        axes.add_artist(inside)


def _draw_curves(
    axes: Axes, curves: Mapping[str, ComparisonCurve], style: Mapping[str, Style], samples: int, temperature: float | None
) -> None:
    for name, curve in curves.items():
        plain = {key: value for key, value in style[name].items() if key != "linestyle"}
        _draw_intervals(axes, curve.lambdas, curve.bias, _LEAST, **plain, linestyle="-")
        _draw_intervals(axes, curve.lambdas, curve.variance, _LEAST, **plain, linestyle=":", fillstyle="none")
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({value for curve in curves.values() for value in curve.lambdas})
    label_ticks(axes, ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("lambda", fontsize=LEGEND)
    axes.set_ylabel("in units of the squared gradient", fontsize=LEGEND)
    grey: Style = {"color": "#606060", "markersize": 4.5}
    handles = [
        Line2D([], [], linestyle="-", marker="o", label="squared bias", **grey),
        Line2D([], [], linestyle=":", marker="o", fillstyle="none", label="variance", **grey),
    ]
    axes.legend(handles=handles, frameon=False, fontsize=SMALL)
    open_axes(axes)
    every = [estimate for curve in curves.values() for estimate in (*curve.bias, *curve.variance)]
    where = "" if temperature is None else f", all at temperature {temperature:g}"
    above = f"bias and variance of {samples} sample{'s' if samples > 1 else ''}{where}"
    axes.set_title(f"{above}\n{_legend(every, _LEAST)}", fontsize=LEGEND)


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
    axes.set_ylim(min([0.0, *(value.low for values in cosines.values() for value in values.values())]) - 0.02, 1.02)
    axes.set_xlabel("samples", fontsize=LEGEND)
    axes.set_ylabel("cosine with the true gradient", fontsize=LEGEND)
    axes.set_title(
        "direction (1 = perfect), each estimator with its best lambda there\nbars: intervals of 95%", fontsize=LEGEND
    )
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
