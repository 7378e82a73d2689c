"""Terrain: an image or an array file becomes a map of costs; also the built-in map."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.arrays import check_numbers, open_array
from imle_cli.files.endings import ARRAY_ENDINGS, GRAPH_ENDINGS, TABLE_ENDINGS, unread
from imle_cli.files.maps.pictures import load_picture
from imle_cli.files.maps.tables import read_map_table
from imle_cli.files.maps.text_formats import kind_of_text, picture_in, read_ascii_grid, read_moving_ai
from imle_cli.files.maps.tiles import MAX_TILES, FloatArray, Shape, check_costs, check_size, gather, rows_of
from imle_cli.files.sources import SourceError, check_file, ending
from imle_cli.messages import UsageError


def built_in_map() -> FloatArray:
    """16x16 costs, 1 in the open and 100 on three ridges that leave a winding way from corner to corner.

    The ridges (inclusive): rows 1-5 columns 0-11, rows 8-11 columns 1-15, rows 14-15 columns 6-9.

    Returns:
        A new array of costs, ``(16, 16)``.
    """
    costs = np.ones((16, 16))
    costs[1:6, 0:12] = costs[8:12, 1:16] = costs[14:16, 6:10] = 100.0
    return costs


def load(
    path: Path,
    *,
    min_cost: float = 1.0,
    max_cost: float = 100.0,
    grid: Shape | None = None,
    surely: bool = False,
) -> FloatArray:
    """``cost = luminance * min_cost + (1 - luminance) * max_cost``, one tile a pixel: white is cheap, black is expensive.

    Luminance is in [0, 1] and linear in the stored pixel values (colour profiles and gamma are ignored):
    ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601, the weights of Pillow's mode "L"), computed unrounded.
    A fully transparent pixel (alpha 0) is a wall, ``+inf``; a partly transparent one counts by its colour. 16-bit grey
    keeps all its bits; Pillow reads 16-bit colour, and 16-bit grey with alpha, by the upper 8 bits of each channel.
    A float picture holds the luminance itself. Of several frames the first is read; an orientation tag is honoured.

    Files that end in ``.npy``, ``.npz`` (with one array), ``.csv``, ``.tsv``, ``.txt``, ``.dat`` or ``.tab`` (numbers with
    commas, semicolons, tabs or spaces between), in whatever letter case, hold costs as they are: positive, ``inf`` for a
    wall. In text, empty lines and lines that begin with ``#`` are skipped. So do ``.asc`` (ESRI) and ``.map`` (Moving AI),
    which are known by their first words in tables too; all of them may be compressed, with ``.gz`` after the ending.

    ``grid`` averages costs, weighted by exact area. A tile of the grid is a wall when more than half of its area is
    wall, else it costs the mean over its passable part.

    Args:
        path: the file.
        min_cost: cost of white; pictures only.
        max_cost: cost of black; pictures only.
        grid: ``(H, W)`` of the result, at most the file's own; None: one tile a pixel.
        surely: a table is a map, even if it may be a list of edges, or has names of columns.

    Returns:
        Costs, ``(H, W)``: positive, ``+inf`` = wall.

    Raises:
        SourceError: a file that cannot be used.
        UsageError: an option that cannot be used.
    """
    _check_options(min_cost, max_cost, grid)
    if is_picture(path):
        return load_picture(path, min_cost, max_cost, grid)
    array = read_numbers(path, grid, surely=surely)
    rows = rows_of(array)
    check_costs(path, rows, array.shape)
    return gather(path, rows, array.shape, grid)


def check_known(path: Path) -> None:
    """Refuses what cannot be read, or is of a kind that is known but not read.

    Raises:
        SourceError: what it is, and the way out.
    """
    check_file(path, "a picture or a .npy, .csv or .txt file", "map")
    if wrong := unread(ending(path)):
        raise SourceError(path, f"{wrong}{picture_in(path)}")


def is_picture(path: Path) -> bool:
    """True of a map that is read as a picture, as whatever has no ending that is known is.

    Raises:
        SourceError: a file that cannot be read, or of a kind that is known but is no map.
    """
    check_known(path)
    if ending(path) in GRAPH_ENDINGS:
        raise SourceError(path, "is a graph, and this needs a map; imle solve, sample and marginals take graphs")
    return ending(path) not in (*ARRAY_ENDINGS, *TABLE_ENDINGS, ".asc", ".map")


def read_numbers(path: Path, grid: Shape | None = None, *, surely: bool = True) -> NDArray[Any]:
    """Numbers ``(H, W)`` from an array, a table or a grid; arguments as in :func:`load`.

    Raises:
        SourceError: a file that cannot be used.
    """
    kind = kind_of_text(path) if ending(path) in TABLE_ENDINGS else ending(path)
    if kind in ARRAY_ENDINGS:
        return _read_array(path, grid)
    if kind in TABLE_ENDINGS:
        return read_map_table(path, grid, surely=surely)
    return read_ascii_grid(path, grid) if kind == ".asc" else read_moving_ai(path, grid)


def _read_array(path: Path, grid: Shape | None) -> NDArray[Any]:
    def judge(dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> None:
        check_numbers(path, dtype, "costs must be real numbers")
        if len(shape) != 2:
            raise SourceError(path, f"has shape {shape}; a map has two dimensions (height, width)")
        check_size(path, shape, grid)

    array = open_array(path, judge, "map")
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and max(int(array.max()), -int(array.min())) > 2**53:
        raise SourceError(path, "holds whole numbers above 2^53, which as costs would be rounded; divide them")
    return array


def _check_options(min_cost: float, max_cost: float, grid: Shape | None) -> None:
    for name, value in (("--min-cost", min_cost), ("--max-cost", max_cost)):
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"{name}: got {value:g}; it must be a number > 0; the usual ones are 1 and 100")
    if min_cost > max_cost:
        raise UsageError(f"--min-cost: got {min_cost:g}; it is above --max-cost {max_cost:g}; give the lower cost to white")
    if grid is not None and (min(grid) < 1 or grid[0] * grid[1] > MAX_TILES):
        rule = f"both numbers must be at least 1, and their product at most {MAX_TILES}"
        raise UsageError(f"--grid: got {grid[0]}x{grid[1]}; {rule}; 16x16 is usual")
