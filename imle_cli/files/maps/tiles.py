"""Costs of many tiles: their number and values checked, gathered by bands of rows, averaged down."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError

FloatArray: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, int]
Rows: TypeAlias = Callable[[int, int], FloatArray]  # rows(top, bottom): costs of these rows, (bottom - top, W)

MAX_TILES = 2**24  # of a map as it is used
MAX_PIXELS = 2**28  # of a file, to be averaged down by `grid`
BAND_TILES = 2**20  # at once in floating point, so that a big file needs little more than its own memory


def check_size(path: Path, shape: tuple[int, ...], grid: Shape | None) -> None:
    """Refuses a map without tiles, or with too many to be read, or without ``grid`` to be used.

    The product alone counts: an orientation tag, known only after decoding, may still swap the sides.
    """
    size, tiles = f"{shape[0]}x{shape[1]}", shape[0] * shape[1]
    if tiles == 0:
        raise SourceError(path, f"has {size} tiles; a map needs at least one")
    if tiles > MAX_PIXELS:
        raise SourceError(path, f"{size} tiles are too many; at most {MAX_PIXELS} can be read, so crop or shrink the file")
    if grid is None and tiles > MAX_TILES:
        raise SourceError(path, f"{size} tiles are too many; at most {MAX_TILES} can be used, so average with --grid HxW")


def check_costs(path: Path, rows: Rows, shape: Shape) -> None:
    """Refuses costs that are not positive, and says how many and the first."""
    count, first = 0, ""
    for top, bottom in bands(shape):
        band = rows(top, bottom)
        with np.errstate(invalid="ignore"):
            bad = np.argwhere(~(band > 0))
        if len(bad) and not count:
            first = tile_text(band, bad[0], top)
        count += len(bad)
    if count:
        got = f"{count} {'cost is' if count == 1 else 'costs are'} not positive (first: {first})"
        raise SourceError(path, f"{got}; costs must be > 0, use inf for a wall")


def tile_text(values: FloatArray, index: NDArray[np.intp], top: int = 0) -> str:
    """A value and where it is, in words; ``top`` is the row of the map with which ``values`` begin."""
    row, column = int(index[0]), int(index[1])
    return f"{float(values[row, column])} at row {top + row}, column {column}"


def rows_of(array: NDArray[np.generic]) -> Rows:
    """Rows of an array in floating point."""

    def rows(top: int, bottom: int) -> FloatArray:
        # An extended float beyond the range of float64 becomes inf, as "1e400" does in text.
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(array[top:bottom]).astype(np.float64)

    return rows


def gather(path: Path, rows: Rows, shape: tuple[int, ...], grid: Shape | None) -> FloatArray:
    """The whole map, or its averages over ``grid``."""
    height, width = shape
    if grid is not None:
        if grid[0] > height or grid[1] > width:
            got = f"--grid: got {grid[0]}x{grid[1]}; {path} has {height}x{width} tiles, fewer in height or width"
            raise UsageError(f"{got}; averaging only goes down, so give a smaller grid")
        return _average(rows, (height, width), grid)
    costs = np.empty((height, width))
    for top, bottom in bands((height, width)):
        costs[top:bottom] = rows(top, bottom)
    return costs


def bands(shape: Shape, start: int = 0) -> Iterator[tuple[int, int]]:
    """Cuts rows ``start`` to ``start + shape[0]`` into pieces of about `BAND_TILES` tiles."""
    stop, step = start + shape[0], max(1, BAND_TILES // shape[1])
    for top in range(start, stop, step):
        yield top, min(top + step, stop)


def _overlaps(cells: int, tiles: int) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.int64]]:
    """Cuts one axis at the edges of its cells and of the coarser tiles; all in integers, hence exact.

    Returns:
        For each piece its cell and its length, and for each tile (and one past the last) its first piece. Lengths are
        integers over a power of two: a tile's sum to a number in [0.5, 1), so that huge costs do not overflow.
    """
    edges = np.arange(tiles + 1, dtype=np.int64) * cells
    cuts = np.union1d(np.arange(cells + 1, dtype=np.int64) * tiles, edges)
    length = np.ldexp(np.diff(cuts).astype(np.float64), -cells.bit_length())
    return cuts[:-1] // tiles, length, np.searchsorted(cuts, edges)


def _average(rows: Rows, shape: Shape, grid: Shape) -> FloatArray:
    """One row of the grid at a time: down its rows of the map, then across."""
    cells, heights, firsts = _overlaps(shape[0], grid[0])
    columns, widths, starts = _overlaps(shape[1], grid[1])
    whole = math.ldexp(shape[0], -shape[0].bit_length()) * math.ldexp(shape[1], -shape[1].bit_length())
    result = np.full(grid, np.inf)
    for row in range(grid[0]):
        pieces = slice(firsts[row], firsts[row + 1])
        origin, length = int(cells[pieces][0]), heights[pieces]
        sums = np.zeros((2, shape[1]))
        for top, bottom in bands((len(length), shape[1]), origin):
            band = rows(top, bottom)
            passable = np.isfinite(band)
            # einsum, not BLAS: the order of its sums does not depend on the number of threads.
            weights = length[top - origin : bottom - origin]
            sums[0] += np.einsum("r,rc->c", weights, np.where(passable, band, 0.0))
            sums[1] += np.einsum("r,rc->c", weights, passable.astype(np.float64))
        total, area = np.add.reduceat(sums[:, columns] * widths, starts[:-1], axis=1)
        np.divide(total, area, out=result[row], where=2 * area >= whole)
    return result
