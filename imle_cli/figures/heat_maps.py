"""Tables of numbers as colours."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from imle_cli.figures.canvas import (
    PALE,
    add_title,
    own_settings,
)
from imle_cli.figures.maps import MARGINALS


@own_settings()
def heat_maps(
    grids: Mapping[int, Sequence[Sequence[float]]],
    rows: Sequence[float],
    columns: Sequence[float],
    *,
    title: str,
    label: str,
) -> Figure:
    """Values over input and target temperature, side by side for each number of samples, on one scale, with figures.

    Args:
        grids: for each number of samples ``(len(rows), len(columns))`` values; NaN where there is none.
        rows: input temperatures.
        columns: target temperatures.
        title: text above them, taken literally and shortened to fit.
        label: what the values are.
    """
    cell = 0.62  # inches
    width, height = len(grids) * max(cell * len(columns) + 0.75, 1.8) + 1.2, cell * max(len(rows), 2) + 1.6
    figure = Figure(figsize=(max(width, 3.6), height), dpi=200, layout="constrained")
    every = np.array(list(grids.values()), dtype=float)
    known = every[np.isfinite(every)]
    low, high = (0.0, float(known.max()) or 1.0) if known.size else (0.0, 1.0)
    mapping = ScalarMappable(Normalize(low, high), MARGINALS)
    panels = figure.subplots(1, len(grids), squeeze=False)[0]
    for axes, (samples, values) in zip(panels, grids.items(), strict=True):
        shown = np.array(values, dtype=float)
        axes.imshow(np.ma.masked_invalid(shown), cmap=MARGINALS.with_extremes(bad=PALE), norm=mapping.norm)
        for (row, column), value in np.ndenumerate(shown):
            dark = np.isfinite(value) and value < (low + high) / 2
            text = f"{value:.3g}" if np.isfinite(value) else "–"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
        axes.set_title(f"{samples:,} sample{'s' if samples > 1 else ''}", fontsize=10)
        axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns], fontsize=8)
        axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows], fontsize=8)
        axes.set_xlabel("target temperature", fontsize=9)
        axes.set_xticks(np.arange(1, len(columns)) - 0.5, minor=True)
        axes.set_yticks(np.arange(1, len(rows)) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
    panels[0].set_ylabel("input temperature", fontsize=9)
    bar = figure.colorbar(mapping, ax=panels, fraction=0.05, pad=0.02)
    bar.set_label(label, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_linewidth(0.4)
    add_title(figure, title)
    return figure
