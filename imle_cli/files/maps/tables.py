"""Maps in tables of text: numbers alone, or below names and beside numbers of rows, of which notes tell."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from imle_cli.files.maps.tiles import FloatArray, Shape, check_size
from imle_cli.files.scores import CORNERS, SCORES
from imle_cli.files.sources import SourceError
from imle_cli.files.tables.layout import Layout, counts, mostly_numeric, read_layout
from imle_cli.files.tables.number_formats import POINT, as_number, is_numeric, read_number
from imle_cli.files.tables.separators import NAMES
from imle_cli.messages import note

_ENDS = {"source", "target", "from", "to", "u", "v", "fromnodeid", "tonodeid", "node1", "node2", "start", "end"}
_WAYS = "for edges give --solver path or spanning-tree, for items top-k, for pairs assignment, for a map dijkstra (or .npy)"
_EDGES = "add --solver path --start NODE --goal NODE, or spanning-tree, matching, min-cut"
_BEST, _PACKED, _PAIRED = "--solver top-k --top-k N", "--solver knapsack --capacity N", "--solver assignment"
_INSIST = "if it is a map, say so with --solver dijkstra"
_SIGNS = " \u00a0\u202f'’"  # between thousands
_SPACED = re.compile(rf"\d[{_SIGNS}]\d{{3}}")
_SAMPLE, _NARROW = 10_000, 20  # rows from which the kind of a table is told, where it is so narrow; else the first
_FEWEST, _MANY = 3, 10  # rows of a list of edges, and those from which chance does not make costs look like one


def read_map_table(path: Path, grid: Shape | None, *, surely: bool = False) -> FloatArray:
    """Costs ``(H, W)`` from a table; names of columns, and a first column that counts the rows, are left out with a note.

    Args:
        path: the file.
        grid: ``(H, W)`` to which the costs are to be averaged, on which the number of tiles that are read depends.
        surely: the table is a map, even if it looks like edges or items.

    Raises:
        SourceError: no table of numbers, or one that may hold edges, items or pairs.
    """
    layout = read_layout(path, _ENDS, comments=True)
    if not surely:
        _refuse_other_kinds(layout)
    left = int(layout.has_index)
    _check_first_row(layout)
    if layout.header is not None:
        counted = " and the first column, which counts the rows, are" if left else " is"
        note(f"{path}: the line of names ({_listed(layout.header[left:])}){counted} left out")
    for cell, plain in islice(_rewritten(layout), 1):
        note(f"{path}: numbers such as {cell} are read as {plain}")
    check_size(path, (layout.height, layout.width - left), grid)
    return _read_costs(layout, left)


def holds_numbers_alone(path: Path) -> bool:
    """True of a table of nothing but numbers, in several columns."""
    layout = read_layout(path, comments=True)
    return layout.header is None and layout.width > 1 and all(map(is_numeric, next(iter(layout))[1]))


def _check_first_row(layout: Layout) -> None:
    """Refuses names of columns that look like costs, and tells of digits that may be one tile each."""
    rows = [cells for _, cells in islice(layout, _SAMPLE)]
    if layout.header is None and layout.width > 1 and rows[0] == list(map(str, range(layout.width))):
        got = "has a first line that only counts the columns (0, 1, ...), and costs are > 0"
        raise SourceError(layout.path, f"{got}; leave it out (pandas: to_csv(..., header=False, index=False))")
    lengths = {len(row[0]) if row[0].isdecimal() else 0 for row in rows}
    if layout.width == 1 < len(rows) and len(lengths) == 1 and min(lengths) > 2:
        note(f"{layout.path}: each line is one cost; if each digit is a tile, write spaces between the digits")


def _rewritten(layout: Layout) -> Iterator[tuple[str, str]]:
    """Cells that do not hold a number as Python writes it, and what they are read as."""
    signs = [sign for sign in _SIGNS if sign in layout.text and sign not in layout.separator]
    if layout.format == POINT and not (signs and _SPACED.search(layout.text)):
        return
    for _, cells in layout:
        for cell in cells:
            plain = layout.format.plain(cell)
            if plain != cell and as_number(plain) is not None:
                yield cell, plain


def _read_costs(layout: Layout, left: int) -> FloatArray:
    costs = np.full((layout.height, layout.width - left), np.nan)
    # float() would take Python's digit groups: "1_5" in a data file is a slip, not fifteen.
    plain = layout.format == POINT and "_" not in layout.text
    for row, (line, cells) in enumerate(layout):
        costs[row] = _numbers(layout, line, cells[left:], left, plain=plain)
    return costs


def _numbers(layout: Layout, line: int, cells: list[str], left: int, *, plain: bool) -> list[float]:
    if plain:
        with suppress(ValueError):  # which cell it is follows
            return list(map(float, cells))
    return [_number(layout, line, cell, column) for column, cell in enumerate(cells, start=left + 1)]


def _number(layout: Layout, line: int, cell: str, column: int) -> float:
    if not cell:
        names = "; if line and column 1 are names, leave both out" if column == 1 and line == layout.begin else ""
        got = f"value {column} of line {line} is empty"
        raise SourceError(layout.path, f"{got}; write a cost there, or inf for a wall{names}")
    remedy = f"write numbers with {NAMES.get(layout.separator, 'commas')} between them"
    return read_number(layout.path, line, column, cell, layout.format, remedy)


def _refuse_other_kinds(layout: Layout) -> None:
    path, sample = layout.path, [cells for _, cells in islice(layout, _SAMPLE if layout.width <= _NARROW else 1)]
    if layout.header is not None:
        names = layout.header[layout.has_index :]
        if len(_ENDS.intersection(name.casefold() for name in names)) > 1:
            raise SourceError(path, f"is a list of edges, by its names ({_listed(names)}); {_EDGES}")
        if not _are_of_one_kind(names):
            got = f"has columns {_listed(names) or 'without names'}, and a map is numbers alone"
            raise SourceError(path, f"{got}; {_way(names, sample, layout.has_index)}")
    elif all(cells[0][:1].isalpha() and not is_numeric(cells[0]) for cells in sample) and layout.width > 1:
        got = f"has names in its first column ({sample[0][0][:30]}), and a map is numbers alone"
        raise SourceError(path, f"{got}; {_way([''] * layout.width, sample, 0)}")
    elif (likeness := likeness_to_edges(sample)) == 1:
        raise SourceError(path, f"may be a list of edges, two nodes{' and a weight' * (layout.width == 3)} a line; {_WAYS}")
    elif _are_tiles(sample):
        rule = "a map has a line of costs for each row of tiles"
        raise SourceError(path, f"may be a list of tiles, two coordinates and a value a line; {rule}; {_INSIST}")
    elif likeness:
        note(f"{path}: is read as a map, although it might be a list of edges; for these give --solver path, for instance")


def _way(names: Sequence[str], rows: Sequence[Sequence[str]], first: int) -> str:
    """Advice on a table that is no map: which solvers fit columns of such names.

    Args:
        names: those of the columns; empty ones where the table has none.
        rows: cells below them.
        first: number of columns before the first that is named.
    """
    called = [name.casefold() for name in names]
    numeric = [mostly_numeric([row[column] for row in rows]) for column in range(first, len(rows[0]))]
    figures, is_scored = numeric.count(True), any(name in SCORES for name in called)
    if is_scored or (figures == 1 and len(numeric) == 2):
        return f"add {_BEST}{f' or {_PACKED}' if is_scored and 'weight' in called else ''}"
    if figures < 2 and len(numeric) == 3 and not any(called):
        return _EDGES
    if figures == len(numeric) - 1 > 1 and not numeric[0]:
        if not any(called):
            return f"add {_PAIRED}; above items write names, such as item,value,weight"
        return f"add {_PAIRED}" if called[0] in CORNERS else f"add {_PAIRED}, or {_BEST} --score COLUMN"
    return _WAYS


def _are_of_one_kind(names: Sequence[str]) -> bool:
    """True of names that only count columns: 0, 1, 2 or c1, c2, c3 or A, B, C."""
    numbered = [re.fullmatch(r"(.*?)(\d{1,4000})", name) for name in names]  # Python reads no longer numbers
    prefixes = {match[1] for match in numbered if match}
    if all(numbered) and len(prefixes) == 1:
        return counts([str(int(match[2])) for match in numbered if match])
    return len(names) > 1 and [name.upper() for name in names] == [chr(ord("A") + number) for number in range(len(names))]


def likeness_to_edges(rows: Sequence[Sequence[str]]) -> float:
    """Likeness of rows to edges of a graph, from 0 to 1: pairs of whole numbers, none twice, that hang together.

    It is 1 where more speaks for it: fractions after whole numbers, nodes that are counted without a gap, or many rows.
    """
    if len(rows) < _FEWEST or len(rows[0]) not in (2, 3):
        return 0
    if not all(cell.isdecimal() for row in rows for cell in row[:2]):
        return 0
    from networkx import Graph, is_connected  # here, since it takes long to import

    pairs = {(row[0], row[1]) for row in rows}
    nodes = {node for pair in pairs for node in pair}
    if len(pairs) < len(rows) or any(u == v for u, v in pairs):
        return 0
    if not all(row[-1].isdecimal() for row in rows):
        return float(len(nodes) < 2 * len(pairs))
    if not is_connected(Graph(pairs)):
        return 0
    counted = any(nodes == {str(node) for node in range(first, first + len(nodes))} for first in (0, 1))
    return 1 if counted or len(rows) >= _MANY else 0.5


def _are_tiles(rows: Sequence[Sequence[str]]) -> bool:
    """True of rows that begin with every pair of two sets of coordinates, one after the other, as in listed rasters."""
    if len(rows[0]) != 3 or not all(is_numeric(cell) for row in rows for cell in row):
        return False
    first, second = (list(dict.fromkeys(row[column] for row in rows)) for column in (0, 1))
    if min(len(first), len(second)) < 2 or len(first) * len(second) != len(rows):
        return False
    pairs = [(row[0], row[1]) for row in rows]
    return pairs in ([(u, v) for u in first for v in second], [(u, v) for v in second for u in first])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:20] for name in names[:6] if name) + (", ..." if len(names) > 6 else "")
