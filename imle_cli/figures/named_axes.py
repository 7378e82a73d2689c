"""Axes whose rows and columns have names; cells without blur."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from imle_cli.figures.canvas import LEGEND, families, short_name

NAMED = 40
"""Most rows or columns with names."""


def name_columns(axes: Axes, names: Sequence[str], room: int) -> None:
    """Names below an axes, turned where together they have more letters than there is room for."""
    turn = 0 if sum(map(len, names)) <= room else 60
    size = LEGEND if len(names) <= NAMED // 2 else 8
    axes.set_xticks(
        range(len(names)), map(short_name, names), fontsize=size, rotation=turn, ha="right" if turn else "center"
    )
    _literal(axes.get_xticklabels())


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names on the left of an axes."""
    size = LEGEND if len(names) <= NAMED // 2 else 8
    axes.set_yticks(range(len(names)), map(short_name, names), fontsize=size)
    _literal(axes.get_yticklabels())


def show_cells(axes: Axes, cells: Any, shape: Sequence[int], first_row: int = 0, **colours: Any) -> None:
    """Shows cells, of which those of a large matrix stand for several entries, in coordinates of entries."""
    top = first_row - 0.5
    extent = -0.5, shape[1] - 0.5, top + shape[0], top
    axes.imshow(cells, interpolation="nearest", extent=extent, aspect="auto", **colours)


def _literal(texts: Sequence[Any]) -> None:
    for text in texts:
        text.set(parse_math=False, family=families())
