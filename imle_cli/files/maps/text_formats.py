"""Maps in text formats of their own: ESRI's ASCII grids and the maps of the Moving AI benchmark."""

import io
from pathlib import Path

import numpy as np

from imle_cli.files.maps.tiles import FloatArray, Shape, check_size
from imle_cli.files.sources import SourceError, ending, read_beginning, read_bytes, read_text
from imle_cli.files.tables.number_formats import POINT, find_format, read_number
from imle_cli.messages import note

_NODATA = -9999.0  # where the header names none
_PLACES = {"xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize", "dx", "dy"}
_TILES = dict.fromkeys(".GS", 1.0) | dict.fromkeys("@OTW", np.inf)


def read_ascii_grid(path: Path, grid: Shape | None) -> FloatArray:
    """Costs ``(H, W)`` from an ESRI ASCII grid; tiles without data are walls.

    The header names ``ncols``, ``nrows``, perhaps ``nodata_value`` (else -9999) and where the grid lies; then come numbers
    between spaces, row by row from the top, in lines of any length.

    Raises:
        SourceError: another header, or other numbers than it promises.
    """
    text = read_text(path, "an .asc file", "map")
    header, body, line = _split_header(path, text)
    height, width = (_whole(path, header, name) for name in ("nrows", "ncols"))
    check_size(path, (height, width), grid)
    values = _read_values(path, body, line, height * width)
    empty = header.get("nodata_value", _NODATA)
    values[np.isnan(values) if np.isnan(empty) else np.isclose(values, empty, rtol=1e-6, atol=0)] = np.inf
    note(f"{path}: its values are taken as costs and its empty tiles as walls; of heights make costs first, climbing costs")
    return values.reshape(height, width)


def _split_header(path: Path, text: str) -> tuple[dict[str, float], io.StringIO, int]:
    """The header, the rest, and the number of the rest's first line."""
    header: dict[str, float] = {}
    stream, line = io.StringIO(text), 0
    while True:
        begin, cells = stream.tell(), stream.readline().split()
        line += 1
        if len(cells) != 2 or not cells[0][0].isalpha() or cells[0].lower() in ("nan", "inf"):
            break
        try:
            header[cells[0].lower()] = float(cells[1].replace(",", "."))
        except ValueError as error:
            raise SourceError(path, f"line {line}: {cells[0][:40]} is {cells[1][:40]!r}; it must be a number") from error
    missing = [name for name in ("ncols", "nrows") if name not in header]
    unknown = [name for name in header if name not in {"ncols", "nrows", "nodata_value", *_PLACES}]
    if missing or unknown:
        wrong = f"no {' and no '.join(missing)}" if missing else f"{unknown[0][:40]!r}"
        raise SourceError(path, f"is no ESRI ASCII grid: its header has {wrong}; it begins with ncols 6, then nrows 5")
    stream.seek(begin)
    return header, stream, line


def _whole(path: Path, header: dict[str, float], name: str) -> int:
    value = header[name]
    if not (value >= 0 and value < 2**31 and value == int(value)):
        raise SourceError(path, f"has {name} {value:g}; it must be a whole number > 0; correct its header")
    return int(value)


def _read_values(path: Path, body: io.StringIO, line: int, size: int) -> FloatArray:
    begin, signs = body.tell(), POINT
    if "," in body.getvalue()[begin:]:
        signs = find_format(cell for text in body for cell in text.split())
        body.seek(begin)
    values, filled = np.empty(size), 0
    for number, text in enumerate(body, start=line):
        cells = text.split()
        if filled + len(cells) > size:
            raise SourceError(path, f"line {number}: more numbers than nrows x ncols = {size}; correct its header")
        numbers = [read_number(path, number, column, cell, signs, "correct it") for column, cell in enumerate(cells, 1)]
        values[filled : filled + len(cells)] = numbers
        filled += len(cells)
    if filled < size:
        raise SourceError(path, f"has {filled} numbers, but nrows x ncols = {size}; copy the file again")
    return values


def read_moving_ai(path: Path, grid: Shape | None) -> FloatArray:
    """Costs ``(H, W)`` from a map of the Moving AI benchmark: 1 for ``. G S``, walls for ``@ O T W``.

    The first line is ``type octile`` or the like, then ``height``, ``width`` and ``map``, then a letter for each tile.
    Source: Sturtevant 2012, "Benchmarks for grid-based pathfinding".

    Raises:
        SourceError: another header, other lines than it promises, or another letter.
    """
    lines = read_text(path, "a .map file", "map").split("\n")
    begin = next((number for number, line in enumerate(lines[:10]) if line.strip() == "map"), 0)
    words = dict(line.split(maxsplit=1) for line in lines[:begin] if len(line.split(maxsplit=1)) == 2)
    sizes = [words.get(name, "").strip() for name in ("height", "width")]
    if "type" not in words or not all(size.isdecimal() and len(size) < 10 for size in sizes):
        raise SourceError(path, "is no Moving AI map; its lines must begin: type octile, height 6, width 8, map")
    height, width = map(int, sizes)
    check_size(path, (height, width), grid)
    rows = [line.rstrip() for line in lines[begin + 1 :]]
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) != height:
        raise SourceError(path, f"has {len(rows)} rows of tiles, but its header says height {height}; correct one of them")
    costs = np.empty((height, width))
    for number, row in enumerate(rows):
        costs[number] = _read_tiles(path, begin + 2 + number, row, width)
    water = sum(row.count("W") for row in rows)
    walls = f", and so {'is its tile' if water == 1 else f'are its {water} tiles'} of water" if water else ""
    note(f"{path}: its open tiles cost 1, trees and tiles out of bounds are walls{walls}; a diagonal step costs no more")
    return costs


def _read_tiles(path: Path, line: int, row: str, width: int) -> list[float]:
    if len(row) != width:
        raise SourceError(path, f"line {line} has {len(row)} tiles, but its header says width {width}; correct one of them")
    try:
        return [_TILES[tile] for tile in row]
    except KeyError as error:
        got = f"tile {error.args[0]!r} in column {row.index(error.args[0])}"
        raise SourceError(path, f"line {line} has a {got}; tiles are . G S (open) and @ O T W (walls)") from error


def kind_of_text(path: Path) -> str:
    """The ending that the content of a text should have: ``.asc`` of ESRI's grids, ``.map`` of Moving AI's, else its own."""
    words = read_beginning(path, 64).lower().split()
    if words[:1] in ([b"ncols"], [b"nrows"]):
        return ".asc"
    return ".map" if words[:1] == [b"type"] and words[2:3] in ([b"height"], [b"width"]) else ending(path)


def picture_in(path: Path) -> str:
    """The picture that the description of a map for ROS names, as the end of a message; nothing of another file."""
    if ending(path) not in (".yaml", ".yml"):
        return ""
    lines = read_bytes(path, "a picture", "map")[:10_000].decode("utf-8", "replace").splitlines()
    named = (line.partition(":")[2].strip(" \t'\"") for line in lines if line.strip().startswith("image:"))
    return next((f" (here {name[:60]!r})" for name in named if name), "")
