"""Scores from tables: one for each item, or one for each pair of a row and a column."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.sources import SourceError
from imle_cli.files.tables.layout import mostly_numeric
from imle_cli.files.tables.number_formats import as_number, is_numeric
from imle_cli.files.tables.reading import Table, read_table

SCORES = ("score", "value")
CORNERS = ("", "id", "name", "item", "row", "index", "worker", "agent", "person", "task", "job")  # above names of rows


@dataclass(frozen=True)
class Items:
    """Scores of items.

    Attributes:
        names: what the items are called; their numbers, from 1, where the table has no names.
        scores: ``(n,)``.
        weights: ``(n,)``, where they were asked for.
    """

    names: list[str]
    scores: NDArray[np.float64]
    weights: NDArray[np.float64] | None


@dataclass(frozen=True)
class Pairs:
    """Scores of pairs.

    Attributes:
        rows: what the rows are called; their numbers, from 1, where the table has no names.
        columns: what the columns are called, likewise.
        scores: ``(R, C)``.
    """

    rows: list[str]
    columns: list[str]
    scores: NDArray[np.float64]


def read_items(path: Path, score: str | None = None, weight: str | None = None) -> Items:
    """Reads a table with a line for each item: a score, and perhaps a name before it and other columns.

    Args:
        path: the file.
        score: column of the scores; if None, the one called score or value, or the only other one of numbers.
        weight: column of the weights, if they are wanted.

    Raises:
        SourceError: a file that cannot be read, or lacks a column.
    """
    table = read_table(path, [name for name in (score, weight, *SCORES) if name])
    heavy = None if weight is None else _column(table, weight, "--weight")
    score_index = _score_column(table, heavy) if score is None else _column(table, score, "--score")
    remaining = [column for column in range(len(table.rows[0])) if column not in (score_index, heavy)]
    names = _texts(table, sorted(remaining, key=lambda column: column == 0 and table.has_index))
    return Items(names, _numbers(table, [score_index])[:, 0], None if heavy is None else _numbers(table, [heavy])[:, 0])


def read_pairs(path: Path) -> Pairs:
    """Reads a table with a line for each row of a matrix, perhaps with its name in front and a line of names above.

    Raises:
        SourceError: a file that cannot be read, or a value that is no number.
    """
    table = read_table(path)
    cells, header, lines = table.rows, table.header, table.lines
    if header is None and len(cells) > 1 and as_number(cells[0][0]) is None:
        # A corner without a number: beside it are names of columns, which may be numbers, unless it is a row's name itself.
        below = [row[0] for row in cells[1:]]
        if cells[0][0].casefold() in CORNERS or any(as_number(text) is not None for text in below):
            header, cells, lines = cells[0], cells[1:], lines[1:]
    body = replace(table, header=header, rows=cells, lines=lines)
    corner = header is not None and (header[0].casefold() in CORNERS or all(map(is_numeric, header[1:])))
    named = len(cells[0]) > 1 and (corner or all(as_number(row[0]) is None for row in cells))
    indices = list(range(int(named), len(cells[0])))
    columns = [header[index] for index in indices] if header else list(map(str, range(1, len(indices) + 1)))
    rows = [row[0] for row in table.written[-len(cells) :]] if named else list(map(str, range(1, len(cells) + 1)))
    for names in (rows, columns):
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise SourceError(path, f"has {twice!r} twice as a name; every row and every column needs a name of its own")
    return Pairs(rows, columns, _numbers(body, indices))


def _numbers(table: Table, columns: Sequence[int]) -> NDArray[np.float64]:
    return np.array([[table.number(row, column) for column in columns] for row in range(len(table.rows))])


def _column(table: Table, name: str, option: str) -> int:
    index = table.column(name)
    if index is not None and list(map(str.casefold, table.header or ())).count(name.casefold()) > 1:
        raise SourceError(table.path, f"has several columns {name!r}; give each a name of its own")
    if index is None:
        got = f"its columns are {', '.join(map(repr, table.header))}" if table.header else "it has no header"
        raise SourceError(table.path, f"has no column {name!r}; {got}; name one with {option}, in a first line of names")
    return index


def _score_column(table: Table, heavy: int | None) -> int:
    known = table.column(*SCORES)
    if known is not None:
        return _column(table, (table.header or [])[known], "--score")
    columns = [column for column in range(len(table.rows[0])) if column != heavy]
    numeric = [column for column in columns if mostly_numeric([row[column] for row in table.rows])]
    if len(numeric) > 1 and table.has_index:
        numeric.remove(0)
    if len(numeric) > 1:
        names = ", ".join(map(table.name, numeric))
        raise SourceError(table.path, f"has several columns of numbers, {names}; name that of the scores with --score")
    if not columns:
        raise SourceError(table.path, "has weights alone; write a column of scores beside them")
    return numeric[0] if numeric else columns[-1]  # which then shows its first cell that is no number


def _texts(table: Table, columns: Sequence[int]) -> list[str]:
    """Names of the rows: the first column that has a different text in each, or their numbers."""
    for column in columns:
        texts = [row[column] for row in table.written]
        if all(texts) and len(set(texts)) == len(texts):
            return texts
    return list(map(str, range(1, len(table.rows) + 1)))
