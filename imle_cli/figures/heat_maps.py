"""Tables of numbers as colours."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from imle_cli.figures.canvas import MARGINALS, add_scale_beside, new_figure, own_settings, samples_text, write_numbers
from imle_cli.figures.colours import PALE


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
    figure = new_figure(max(width, 3.6), height, title)
    every = np.array(list(grids.values()), dtype=float)
    known = every[np.isfinite(every)]
    low, high = (0.0, float(known.max()) or 1.0) if known.size else (0.0, 1.0)
    mapping = ScalarMappable(Normalize(low, high), MARGINALS)
    panels = figure.subplots(1, len(grids), squeeze=False)[0]
    for axes, (samples, values) in zip(panels, grids.items(), strict=True):
        shown = np.array(values, dtype=float)
        axes.imshow(np.ma.masked_invalid(shown), cmap=MARGINALS.with_extremes(bad=PALE), norm=mapping.norm)
        write_numbers(axes, shown, lambda _, value: value < (low + high) / 2, 8)
        axes.set_title(samples_text(samples), fontsize=10)
        axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns], fontsize=8)
        axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows], fontsize=8)
        axes.set_xlabel("target temperature", fontsize=9)
        axes.set_xticks(np.arange(1, len(columns)) - 0.5, minor=True)
        axes.set_yticks(np.arange(1, len(rows)) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
    panels[0].set_ylabel("input temperature", fontsize=9)
    add_scale_beside(figure, panels, mapping, label)
    return figure
