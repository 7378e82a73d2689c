"""Graphs as square matrices in the format of Matrix Market.

Read here and not by SciPy, whose reader takes what a header claims for granted, and crashes where the numbers do not fit it.
"""

from collections.abc import Iterator
from pathlib import Path

from imle_cli.files.graphs.content import Content, Edge, numbered, shown, text_of, unreadable
from imle_cli.files.sources import SourceError
from imle_cli.files.tables.number_formats import as_number

_KIND = "Matrix Market"
_FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern", "complex")
_MIRRORED = {"general": 0.0, "symmetric": 1.0, "hermitian": 1.0, "skew-symmetric": -1.0}
"""By what an entry is multiplied to be that on the other side of the diagonal, which a file then leaves out."""

_Lines = Iterator[tuple[int, list[str]]]
_Entries = Iterator[tuple[int, int, float]]


def read_matrix(path: Path, content: bytes) -> Content:
    """Reads a square matrix whose entries that are not zero are the weights of edges.

    Nodes are the numbers of rows, from 1. Edges have a direction unless the matrix is symmetric; those of a pattern have no
    weight. Source: Boisvert, Pozo and Remington 1996, "The Matrix Market exchange formats: initial design".

    Raises:
        SourceError: a file that is damaged, or holds no square matrix of real numbers.
    """
    first, *rest = text_of(path, content, _KIND).splitlines() or [""]
    form, field, mirrored = _header(path, first)
    lines = ((number, line.split()) for number, line in enumerate(rest, 2) if line.strip() and not line.startswith("%"))
    number, sizes = next(lines, (1, []))
    if len(sizes) != (3 if form == "coordinate" else 2) or not all(size.isdecimal() for size in sizes):
        raise unreadable(
            path, _KIND, f"line {number} has no numbers of rows{', columns and entries' * (form == 'coordinate')}"
        )
    if sizes[0] != sizes[1] or field == "complex":
        size = " x ".join(size[:20] for size in sizes[:2])
        raise SourceError(path, f"holds {size} {field} numbers; edges need a square matrix of real ones")
    nodes = numbered(sizes[0], content)
    if nodes is None:
        raise unreadable(path, _KIND, f"line {number} speaks of {sizes[0][:20]} rows")
    if form == "coordinate":
        given = list(_coordinates(path, lines, field, len(nodes)))
        if sizes[2].lstrip("0") != str(len(given) or ""):
            raise unreadable(path, _KIND, f"it has {len(given)} entries, and line {number} says {sizes[2][:20]}")
    else:
        given = list(_array(path, lines, len(nodes), mirrored))
    return Content(nodes, _edges(given, mirrored, weighted=field != "pattern"))


def _header(path: Path, line: str) -> tuple[str, str, float]:
    """The form, the kind of numbers, and the factor of mirrored entries, as the first line states them."""
    match line.casefold().split():
        case ["%%matrixmarket", "matrix", "coordinate" | "array" as form, field, symmetry] if (
            field in _FIELDS and symmetry in _MIRRORED and (form, field) != ("array", "pattern")
        ):
            return form, field, _MIRRORED[symmetry]
    raise unreadable(path, _KIND, f"line 1 is {shown(line)}, not like %%MatrixMarket matrix coordinate real general")


def _coordinates(path: Path, lines: _Lines, field: str, size: int) -> _Entries:
    """Entries by row and column, from 1."""
    for number, cells in lines:
        ends = [int(cell) if cell.isdecimal() and len(cell) < 20 else 0 for cell in cells[:2]]
        value = 1.0 if field == "pattern" else as_number(cells[-1])
        if len(cells) != (2 if field == "pattern" else 3) or value is None or not all(1 <= end <= size for end in ends):
            raise unreadable(path, _KIND, f"line {number} is {shown(' '.join(cells))}, no entry of {size} rows and columns")
        yield ends[0], ends[1], value


def _array(path: Path, lines: _Lines, size: int, mirrored: float) -> _Entries:
    """Entries of an array, column by column; of a symmetric one those from the diagonal on, or below it."""
    cells = ((number, cell) for number, line in lines for cell in line)
    for column in range(1, size + 1):
        for row in range({0.0: 1, 1.0: column, -1.0: column + 1}[mirrored], size + 1):
            number, cell = next(cells, (0, ""))
            value = as_number(cell)
            if value is None:
                got = f"line {number} has {shown(cell)}, which is no number" if number else "numbers are missing at its end"
                raise unreadable(path, _KIND, got)
            yield row, column, value
    if surplus := next(cells, None):
        raise unreadable(path, _KIND, f"line {surplus[0]} has more numbers than a matrix of {size} rows")


def _edges(given: list[tuple[int, int, float]], mirrored: float, *, weighted: bool) -> list[Edge]:
    if mirrored:
        given = given + [(column, row, mirrored * value) for row, column, value in given if row != column]
    entries = sorted(entry for entry in given if entry[2])
    totals: dict[tuple[int, int], float] = {}
    for row, column, value in entries:
        totals[row, column] = totals.get((row, column), 0.0) + value
    symmetric = all(totals.get((column, row)) == value for (row, column), value in totals.items())
    return [
        Edge(str(row), str(column), {"weight": value} if weighted else {}, not symmetric)
        for row, column, value in entries
        if row <= column or not symmetric
    ]
