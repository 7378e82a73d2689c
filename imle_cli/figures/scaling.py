"""Pictures of how the time of a map grows."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imle_cli.figures.canvas import CAPTION, LEGEND, label_ticks, new_figure, open_axes, own_settings
from imle_cli.figures.colours import CURVE, GOLD, PATH
from imle_cli.figures.scaling_curve import ScalingCurve

_STYLES = {"GridPath": (CURVE, "o"), "scipy": (PATH, "s"), "networkx": (GOLD, "^")}
_TICKS = 7  # numbers below a panel that do not touch
_FEW = 2  # numbers that are no curve


@own_settings()
def scaling_figure(curves: Sequence[ScalingCurve], *, title: str) -> Figure:
    """Microseconds a map and their intervals on logarithmic axes, a panel for each thing that varies, on one scale of time.

    Two numbers are no curve: where other panels have more, such a panel is left out.

    Args:
        curves: of one panel or more, each panel's with the same ``against``.
        title: text above it, taken literally and shortened to fit.
    """
    long = [curve for curve in curves if len(curve.values) > _FEW]
    panels = list(dict.fromkeys(curve.against for curve in long or curves))
    figure = new_figure(3.4 * len(panels) + 0.4, 3.8, title)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, against in zip(every, panels, strict=True):
        _draw(axes, [curve for curve in curves if curve.against == against])
    every[0].set_ylabel("microseconds a map", fontsize=LEGEND)
    handles = {label: handle for axes in every for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    style: dict[str, Any] = {"loc": "outside lower center", "ncols": 6, "frameon": False, "fontsize": LEGEND}
    figure.legend(handles.values(), handles.keys(), **style)
    return figure


def _draw(axes: Axes, curves: Sequence[ScalingCurve]) -> None:
    for curve in curves:
        colour, marker = _STYLES[curve.means]
        times = [1e6 * seconds for seconds in curve.seconds]
        axes.plot(curve.values, times, color=colour, marker=marker, markersize=4.5, linewidth=1.6, label=curve.means)
        for value, ends in zip(curve.values, curve.intervals, strict=True):
            if ends is not None:
                axes.vlines(value, 1e6 * ends[0], 1e6 * ends[1], color=colour, linewidth=1.0)
    axes.set(xscale="log", yscale="log")
    ticks = sorted({value for curve in curves for value in curve.values})
    shown = ticks[:: -(-len(ticks) // _TICKS)]
    label_ticks(axes, shown, [f"{tick:,}" for tick in shown])
    axes.set_xlabel(curves[0].against, fontsize=LEGEND)
    axes.set_title(curves[0].subject, fontsize=CAPTION)
    axes.tick_params(labelleft=True)
    open_axes(axes)
