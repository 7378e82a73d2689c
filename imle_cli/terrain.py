"""Terrain: an image or an array file becomes a map of costs; also the built-in map."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from imle_cli.sources import check_file

FloatArray: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, int]
Rows: TypeAlias = Callable[[int, int], FloatArray]  # rows(top, bottom): costs of these rows, (bottom - top, W)

MAX_TILES = 2**24  # of a map as it is used
MAX_PIXELS = 2**28  # of a file, to be averaged down by `grid`
BAND_TILES = 2**20  # at once in floating point, so that a big file needs little more than its own memory

# The weights of ITU-R BT.601, in thousandths: sums of integers are exact, so grey RGB equals the same grey to the bit.
LUMA = np.array([299.0, 587.0, 114.0])
WHITE = {"1": 1.0, "L": 255.0, "LA": 255.0, "YCbCr": 255.0, "RGB": 255_000.0, "RGBA": 255_000.0, "F": 1.0}
WHITE |= dict.fromkeys(("I", "I;16", "I;16L", "I;16B", "I;16N"), 65_535.0)
PLAIN_MODE = {"P": "RGBA", "PA": "RGBA", "RGBa": "RGBA", "La": "LA", "RGBX": "RGB", "CMYK": "RGB", "HSV": "RGB"}


class TerrainError(ValueError):
    """A map that cannot be used; the message is one line and names the file."""


def built_in_map() -> FloatArray:
    """16x16 costs, 1 in the open and 100 on three ridges that leave a winding way from corner to corner.

    The ridges (inclusive): rows 1-5 columns 0-11, rows 8-11 columns 1-15, rows 14-15 columns 6-9.

    Returns:
        A new array of costs, ``(16, 16)``.
    """
    costs = np.ones((16, 16))
    costs[1:6, 0:12] = costs[8:12, 1:16] = costs[14:16, 6:10] = 100.0
    return costs


def load(path: Path, *, min_cost: float = 1.0, max_cost: float = 100.0, grid: Shape | None = None) -> FloatArray:
    """``cost = luminance * min_cost + (1 - luminance) * max_cost``, one tile a pixel: white is cheap, black is dear.

    Luminance is in [0, 1] and linear in the stored pixel values (colour profiles and gamma are ignored):
    ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601, the weights of Pillow's mode "L"), computed unrounded.
    A fully transparent pixel (alpha 0) is a wall, ``+inf``; a partly transparent one counts by its colour. 16-bit grey
    keeps all its bits; Pillow reads 16-bit colour, and 16-bit grey with alpha, by the upper 8 bits of each channel.
    A float picture holds the luminance itself. Of several frames the first is read; an orientation tag is honoured.

    ``.npy``, ``.csv`` (commas) and ``.txt`` (white space), in whatever letter case, hold costs as they are: positive,
    ``inf`` for a wall. In text, empty lines and lines that begin with ``#`` are skipped.

    ``grid`` averages costs, weighted by exact area. A tile of the grid is a wall when more than half of its area is
    wall, else it costs the mean over its passable part.

    Args:
        path: the file.
        min_cost: cost of white; pictures only.
        max_cost: cost of black; pictures only.
        grid: ``(H, W)`` of the result, at most the file's own; None: one tile a pixel.

    Returns:
        Costs, ``(H, W)``: positive, ``+inf`` = wall.

    Raises:
        TerrainError: the file or an option cannot be used.
    """
    _check_options(min_cost, max_cost, grid)
    check_file(path, "a picture or a .npy, .csv or .txt file", "map", _error)
    if (suffix := path.suffix.lower()) not in (".npy", ".csv", ".txt"):
        return _load_image(path, min_cost, max_cost, grid)
    array = _read_npy(path, grid) if suffix == ".npy" else _read_text(path, "," if suffix == ".csv" else None, grid)
    rows = _rows_of(array)
    _check_costs(str(path), rows, array.shape)
    return _gather(path, rows, array.shape, grid)


def to_image(costs: ArrayLike, *, min_cost: float = 1.0, max_cost: float = 100.0) -> Image.Image:
    """``grey = round(255 * (max_cost - cost) / (max_cost - min_cost))``: the inverse of `load`, to half a grey level.

    Args:
        costs: ``(H, W)``, within [min_cost, max_cost]; ``+inf`` = wall, drawn fully transparent.
        min_cost: cost of white.
        max_cost: cost of black.

    Returns:
        An 8-bit picture of mode "L", or "LA" where there are walls.

    Raises:
        TerrainError: not a map of costs, or costs that the grey scale cannot show.
    """
    _check_options(min_cost, max_cost, None)
    array = np.asarray(costs)
    _check_array("costs", array, None)
    _check_costs("costs", _rows_of(array), array.shape)
    values = array.astype(np.float64)
    wall = np.isinf(values)
    grey = np.rint(255 * (max_cost - np.where(wall, max_cost, values)) / ((max_cost - min_cost) or 1.0))
    outside = np.argwhere((grey < 0) | (grey > 255))
    if len(outside):
        got = f"{_count(len(outside), 'outside the scale')} (first: {_tile(values, outside[0])})"
        raise _error("costs", f"{got}; grey shows {min_cost:g} to {max_cost:g}, so widen --min-cost and --max-cost")
    level = grey.astype(np.uint8)
    if not wall.any():
        return Image.fromarray(level)
    return Image.fromarray(np.stack([level, np.where(wall, 0, 255).astype(np.uint8)], axis=-1))


def _error(name: Path | str, text: str) -> TerrainError:
    """One line, although file names and other libraries' texts may hold line breaks."""
    return TerrainError(" ".join(f"{name}: {text}".splitlines()))


def _count(number: int, what: str) -> str:
    return f"{number} cost is {what}" if number == 1 else f"{number} costs are {what}"


def _tile(values: FloatArray, index: NDArray[np.intp], top: int = 0) -> str:
    row, column = int(index[0]), int(index[1])
    return f"{float(values[row, column])} at row {top + row}, column {column}"


def _check_options(min_cost: float, max_cost: float, grid: Shape | None) -> None:
    for name, value in (("--min-cost", min_cost), ("--max-cost", max_cost)):
        if not (math.isfinite(value) and value > 0):
            raise TerrainError(f"{name} is {value}; it must be a finite number above 0")
    if min_cost > max_cost:
        raise TerrainError(f"--min-cost is {min_cost}, above --max-cost {max_cost}; give the lower cost to white")
    if grid is not None and (min(grid) < 1 or grid[0] * grid[1] > MAX_TILES):
        rule = f"both numbers must be at least 1, and their product at most {MAX_TILES}"
        raise TerrainError(f"--grid is {grid[0]}x{grid[1]}; {rule}")


def _check_size(path: Path | str, shape: tuple[int, ...], grid: Shape | None) -> None:
    """The product alone: an orientation tag, known only after decoding, may still swap the sides."""
    size, tiles = f"{shape[0]}x{shape[1]}", shape[0] * shape[1]
    if tiles == 0:
        raise _error(path, f"has {size} tiles; a map needs at least one")
    if tiles > MAX_PIXELS:
        raise _error(path, f"{size} tiles are too many; at most {MAX_PIXELS} can be read, so crop or shrink the file")
    if grid is None and tiles > MAX_TILES:
        raise _error(path, f"{size} tiles are too many; at most {MAX_TILES} can be used, so average with --grid HxW")


def _check_array(name: Path | str, array: NDArray[np.generic], grid: Shape | None) -> None:
    if array.dtype.kind not in "biuf":
        raise _error(name, f"holds values of type {array.dtype}; costs must be real numbers")
    if array.ndim != 2:
        raise _error(name, f"has shape {array.shape}; a map has two dimensions (height, width)")
    _check_size(name, array.shape, grid)


def _check_costs(name: str, rows: Rows, shape: Shape) -> None:
    count, first = 0, ""
    for top, bottom in _bands(shape):
        band = rows(top, bottom)
        with np.errstate(invalid="ignore"):
            bad = np.argwhere(~(band > 0))
        if len(bad) and not count:
            first = _tile(band, bad[0], top)
        count += len(bad)
    if count:
        raise _error(name, f"{_count(count, 'not positive')} (first: {first}); costs must be > 0, use inf for a wall")


def _bands(shape: Shape, start: int = 0) -> Iterator[tuple[int, int]]:
    """Cuts rows ``start`` to ``start + shape[0]`` into pieces of about `BAND_TILES` tiles."""
    stop, step = start + shape[0], max(1, BAND_TILES // shape[1])
    for top in range(start, stop, step):
        yield top, min(top + step, stop)


def _rows_of(array: NDArray[np.generic]) -> Rows:
    def rows(top: int, bottom: int) -> FloatArray:
        # An extended float beyond the range of float64 becomes inf, as "1e400" does in text.
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(array[top:bottom]).astype(np.float64)

    return rows


def _read_npy(path: Path, grid: Shape | None) -> NDArray[np.generic]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except MemoryError:
        raise
    except Exception as error:
        raise _error(path, f"cannot be read as an array ({error}); save it with numpy.save") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise _error(path, "is an archive of arrays (.npz); save the one map with numpy.save")
    _check_array(path, array, grid)
    return array


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbers (from 1) and texts of the lines that hold costs."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip() and not line.startswith("#"):
                    yield number, line
    except UnicodeDecodeError as error:
        raise _error(path, f"is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from error


def _read_text(path: Path, separator: str | None, grid: Shape | None) -> FloatArray:
    """Reads twice: the size is known, and checked, before any number takes memory."""
    height, width, first_number = 0, 0, 0
    for number, line in _text_lines(path):
        if not height:
            width, first_number = len(line.split(separator)), number
        height += 1
    if not height:
        raise _error(path, "holds no numbers; write one line of costs for each row of the map")
    _check_size(path, (height, width), grid)
    costs = np.full((height, width), np.nan)
    for row, (number, line) in zip(range(height), _text_lines(path), strict=False):
        fields = line.split(separator)
        if len(fields) != width:
            got = f"line {number} has {len(fields)} values and line {first_number} has {width}"
            raise _error(path, f"{got}; every line must have the same number")
        _read_numbers(path, number, fields, costs[row])
    return costs


def _read_numbers(path: Path, line: int, fields: list[str], out: FloatArray) -> None:
    column = 0
    try:
        for column, field in enumerate(fields):
            # float() would take Python's digit groups: "1_5" in a data file is a slip, not fifteen.
            out[column] = float(field.replace("_", "?"))
    except ValueError as error:
        got = f"value {column + 1} of line {line} is {fields[column].strip()[:40]!r}, not a number"
        between = "commas" if path.suffix.lower() == ".csv" else "white space"
        raise _error(path, f"{got}; write numbers with {between} between them") from error


@contextmanager
def _pillow(path: Path) -> Iterator[None]:
    """Turns whatever Pillow's many readers raise into a `TerrainError`, and its size limit into ours."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (TerrainError, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        got = f"claims more than {MAX_PIXELS} pixels"
        raise _error(path, f"{got}; that many cannot be read, so crop or shrink the picture") from error
    except UnidentifiedImageError as error:
        raise _error(path, "is not a picture of a known kind; give a PNG, or costs as .npy, .csv or .txt") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise _error(path, f"cannot be read as a picture ({reason}); save it again, best as PNG") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _load_image(path: Path, min_cost: float, max_cost: float, grid: Shape | None) -> FloatArray:
    # A stream, because Pillow maps a file that it opens by name, and then garbles a TIFF with an orientation tag.
    with _pillow(path), path.open("rb") as stream, Image.open(stream) as image:
        _check_size(path, (image.height, image.width), grid)
        _mend(image)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)

        def rows(top: int, bottom: int) -> FloatArray:
            light, wall = _luminance(path, image.crop((0, top, image.width, bottom)), top)
            return np.where(wall, np.inf, np.clip(light * min_cost + (1 - light) * max_cost, min_cost, max_cost))

        return _gather(path, rows, (image.height, image.width), grid)


def _mend(image: ImageFile.ImageFile) -> None:
    """What Pillow leaves undone: it does not scale PNG's transparent colour with the pixels, nor some TIFF greys."""
    tags = getattr(image, "tag_v2", {})
    photometric, bits = tags.get(262), tags.get(258)
    if image.mode[0] in "IF" and (photometric == 0 or bits == (12,)):
        raise ValueError("TIFF grey that is 12 bits deep, or has 0 for white")
    arguments = image.tile[0][3] if image.tile else None
    key = image.info.get("transparency")
    if arguments in ("L;2", "L;4"):
        image.info["transparency"] = None if key is None else key * {"L;2": 85, "L;4": 17}[arguments]
    elif arguments == "RGB;16B" and key is not None:
        image.info["transparency"] = tuple(value >> 8 for value in key)


def _luminance(path: Path, band: Image.Image, top: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Luminance in [0, 1] and where the picture is fully transparent, both of the band's shape."""
    if band.mode in PLAIN_MODE:
        band = band.convert(PLAIN_MODE[band.mode])
    if band.mode not in WHITE:
        raise ValueError(f"colour mode {band.mode}")
    pixels = np.asarray(band)
    if band.mode in ("RGB", "RGBA"):
        light = pixels[..., :3].astype(np.float64) @ LUMA
    else:
        # BT.601 defines the Y of YCbCr as this very luminance.
        light = (pixels if pixels.ndim == 2 else pixels[..., 0]).astype(np.float64)
    light /= WHITE[band.mode]
    _check_luminance(path, pixels, light, top)
    if band.mode in ("LA", "RGBA"):
        return light, pixels[..., -1] == 0
    key = band.info.get("transparency")
    if key is None or band.mode == "YCbCr":
        return light, np.zeros(light.shape, dtype=np.bool_)
    same = pixels == ((key > 0) if band.mode == "1" else key)
    return light, same if same.ndim == 2 else same.all(axis=-1)


def _check_luminance(path: Path, pixels: NDArray[np.generic], light: FloatArray, top: int) -> None:
    bad = np.argwhere(~((light >= 0) & (light <= 1)))
    if len(bad):
        rule = "a float picture holds luminance in 0..1" if pixels.dtype.kind == "f" else "grey must lie in 0..65535"
        first = _tile(pixels.astype(np.float64), bad[0], top)
        raise _error(path, f"has a pixel of {first}; {rule}, so save costs as .npy instead")


def _gather(path: Path, rows: Rows, shape: tuple[int, ...], grid: Shape | None) -> FloatArray:
    """The whole map, or its averages over ``grid``."""
    height, width = shape
    if grid is not None:
        if grid[0] > height or grid[1] > width:
            got = f"has {height}x{width} tiles, fewer than --grid {grid[0]}x{grid[1]} in height or width"
            raise _error(path, f"{got}; averaging only goes down, so give a smaller grid")
        return _average(rows, (height, width), grid)
    costs = np.empty((height, width))
    for top, bottom in _bands((height, width)):
        costs[top:bottom] = rows(top, bottom)
    return costs


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
        for top, bottom in _bands((len(length), shape[1]), origin):
            band = rows(top, bottom)
            passable = np.isfinite(band)
            # einsum, not BLAS: the order of its sums does not depend on the number of threads.
            weights = length[top - origin : bottom - origin]
            sums[0] += np.einsum("r,rc->c", weights, np.where(passable, band, 0.0))
            sums[1] += np.einsum("r,rc->c", weights, passable.astype(np.float64))
        total, area = np.add.reduceat(sums[:, columns] * widths, starts[:-1], axis=1)
        np.divide(total, area, out=result[row], where=2 * area >= whole)
    return result
