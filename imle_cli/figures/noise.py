"""Pictures of laws of noise."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from imle_cli.figures.canvas import LEGEND, Floats, new_figure, own_settings
from imle_cli.figures.colours import CURVE, PALE

_LETTERS = 36  # of a line in the corner


@own_settings()
def noise_figure(
    samples: Floats, edges: Floats, density: Floats | None, *, title: str, curve: str, facts: Sequence[str]
) -> Figure:
    """A histogram of draws with the exact density over it.

    Args:
        samples: draws, ``(S,)``; those outside the edges count in the total only.
        edges: ``(n + 1,)`` edges of the bars.
        density: ``(n,)`` exact density, averaged over each bar; None where it is not known.
        title: text above it, taken literally and shortened to fit.
        curve: name of the density.
        facts: lines to write into the corner.
    """
    figure = new_figure(6.4, 4.0, title)
    axes = figure.add_subplot()
    heights = np.histogram(samples, edges)[0] / (len(samples) * np.diff(edges))
    axes.stairs(heights, edges, fill=True, color=PALE, label=f"{len(samples):,} draws")
    if density is not None:
        axes.plot((edges[:-1] + edges[1:]) / 2, density, color=CURVE, linewidth=2, label=curve)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, None), xlabel="value", ylabel="density")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right", fontsize=LEGEND)
    axes.text(
        0.985,
        0.78,
        "\n".join(_broken(fact) for fact in facts),
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=LEGEND,
        parse_math=False,
    )
    return figure


def _broken(fact: str) -> str:
    """A long line as two, so that it stays beside the curve."""
    return fact.replace(" (", "\n(") if len(fact) > _LETTERS else fact
