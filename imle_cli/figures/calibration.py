"""Pictures of calibrations: distances from the exact distribution over the temperature of the noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imle_cli.figures.canvas import LEGEND, SMALL, Floats, label_ticks, new_figure, own_settings
from imle_cli.figures.colours import CURVE, PALE, PATH


@dataclass(frozen=True)
class CalibrationCurve:
    """One kind of distance at R temperatures, for B instances.

    Attributes:
        label: what it is.
        values: ``(R, B)``.
        errors: ``(R, B)``, standard errors.
    """

    label: str
    values: Floats
    errors: Floats


@own_settings()
def calibration_figure(
    temperatures: Sequence[float], curves: Sequence[CalibrationCurve], best: float, *, title: str
) -> Figure:
    """Means over instances with their standard errors, one panel a curve, and the range of the instances as a band.

    Args:
        temperatures: ``(R,)``, in order.
        curves: what to draw, from top to bottom.
        best: the temperature to mark.
        title: text above it, taken literally and shortened to fit.
    """
    figure = new_figure(6.4, 1.3 + 2.2 * len(curves), title)
    panels = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, curve in zip(panels, curves, strict=True):
        _draw(axes, np.asarray(temperatures, dtype=np.float64), curve)
        axes.axvline(best, color=PATH, linewidth=1.5, linestyle=(0, (4, 2)), zorder=1, label=f"closest: {best:.3g}")
    panels[-1].set_xscale("log")
    label_ticks(panels[-1], *_round_ticks(temperatures))
    panels[-1].set_xlabel("temperature of the noise", fontsize=LEGEND)
    handles = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    style: dict[str, Any] = {"loc": "outside lower center", "ncols": 3, "frameon": False, "fontsize": LEGEND}
    figure.legend(handles.values(), handles.keys(), handlelength=1.4, columnspacing=1.2, **style)
    return figure


def _round_ticks(temperatures: Sequence[float]) -> tuple[list[float], list[str]]:
    """Round numbers within the temperatures, or all of these where there are few."""
    low, high = min(temperatures), max(temperatures)
    ticks = [factor * 10.0**power for power in range(-6, 7) for factor in (1, 2, 5)]
    inside = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    chosen = inside if len(inside) > 2 else sorted(set(temperatures))
    return chosen, [f"{tick:g}" for tick in chosen]


def _draw(axes: Axes, temperatures: Floats, curve: CalibrationCurve) -> None:
    instances = curve.values.shape[1]
    mean = curve.values.mean(axis=1)
    error = np.sqrt(np.square(curve.errors).sum(axis=1)) / instances
    if instances > 1:
        ends = curve.values.min(axis=1), curve.values.max(axis=1)
        axes.fill_between(temperatures, *ends, color=PALE, linewidth=0, alpha=0.7, label=f"range of {instances} instances")
    what = "mean" if instances > 1 else "estimate"
    style: dict[str, Any] = {"color": CURVE, "linewidth": 1.8, "marker": "o", "markersize": 3.5}
    style |= {"capsize": 2.5, "elinewidth": 1}
    axes.errorbar(temperatures, mean, error, label=f"{what} ± standard error", zorder=3, **style)
    axes.set_ylim(min(0.0, 1.1 * float((mean - error).min())), None)
    axes.set_ylabel(curve.label, fontsize=LEGEND)
    axes.tick_params(labelsize=SMALL)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
