"""Pictures of calibrations: distances from the exact distribution over the temperature of the noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imle_cli.figures.canvas import CURVE, PALE, PATH, Floats, new_figure, own_settings


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
    figure = new_figure(7.2, 0.9 + 2.5 * len(curves), title)
    panels = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, curve in zip(panels, curves, strict=True):
        _draw(axes, np.asarray(temperatures, dtype=np.float64), curve)
        axes.axvline(best, color=PATH, linewidth=1.5, linestyle=(0, (4, 2)), zorder=1, label=f"closest: {best:.3g}")
        axes.legend(frameon=False, fontsize=8, loc="best")
    panels[-1].set_xlabel("temperature of the noise", fontsize=9)
    return figure


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
    axes.set_ylabel(curve.label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
