"""The palette of all pictures and films: Okabe and Ito's colours, which colour-blind readers tell apart; and greys.

Pages have the same colours, with lighter ones for dark ground beside them, in ``pages/styles/page.css``.
"""

from typing import Any

PATH, CURVE, GOLD, WALL = "#D55E00", "#0072B2", "#009E73", "#56B4E9"
MISSED = "#8FD3BF"
"""What a solution lacks of the gold one, the colour of gold in pale."""

PALE, GRID, FRAME, NODE, INK = "#C9CED6", "#E4E7EB", "#808080", "#4A4F57", "#262626"
SERIES = (CURVE, PATH, GOLD, "#CC79A7", "#E69F00", WALL, "#000000")
"""Colours of curves; from the eighth on they come again, in another style of line."""

_MARKERS = "osD^v<>pXPh*8dH"


def series_style(number: int) -> dict[str, Any]:
    """Colour, line and mark of the curve with this number, which differ from those of all others in a picture."""
    return {
        "color": SERIES[number % len(SERIES)],
        "linestyle": "-" if number < len(SERIES) else "--",
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 4.5,
        "linewidth": 1.4,
    }
