"""Scores from tables: one for each item, or one for each pair of a row and a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imle_cli.sources import SourceError, Table, as_number, read_table

_SCORES = ("score", "value")


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
    """Reads a ``.csv`` with a line for each item: a score, and perhaps a name before it and other columns.

    Args:
        path: the file.
        score: column of the scores; if None, the one called score or value, or the only other one of numbers.
        weight: column of the weights, if they are wanted.

    Raises:
        SourceError: a file that cannot be read, or lacks a column.
    """
    table = read_table(path, [name for name in (score, weight, *_SCORES) if name])
    heavy = None if weight is None else _column(table, weight, "--weight")
    place = _score_column(table, heavy) if score is None else _column(table, score, "--score")
    names = _texts(table, [column for column in range(len(table.rows[0])) if column not in (place, heavy)])
    return Items(names, _numbers(table, [place])[:, 0], None if heavy is None else _numbers(table, [heavy])[:, 0])


def read_pairs(path: Path) -> Pairs:
    """Reads a ``.csv`` with a line for each row of a matrix, perhaps with its name in front and a line of names above.

    Raises:
        SourceError: a file that cannot be read, or a value that is no number.
    """
    table = read_table(path)
    texts = [row[0] for row in table.rows]
    named = len(table.rows[0]) > 1 and all(as_number(text) is None for text in texts)
    places = list(range(int(named), len(table.rows[0])))
    columns = [table.header[place] for place in places] if table.header else list(map(str, range(1, len(places) + 1)))
    rows = texts if named else list(map(str, range(1, len(texts) + 1)))
    return Pairs(rows, columns, _numbers(table, places))


def _numbers(table: Table, columns: Sequence[int]) -> NDArray[np.float64]:
    return np.array([[table.number(row, column) for column in columns] for row in range(len(table.rows))])


def _column(table: Table, name: str, option: str) -> int:
    if table.header is None or name not in table.header:
        got = f"its columns are {', '.join(map(repr, table.header))}" if table.header else "it has no header"
        raise SourceError(table.path, f"has no column {name!r}; {got}; name one with {option}, in a first line of names")
    return table.header.index(name)


def _score_column(table: Table, heavy: int | None) -> int:
    for name in _SCORES:
        if table.header and name in table.header:
            return table.header.index(name)
    columns = [column for column in range(len(table.rows[0])) if column != heavy]
    numeric = [column for column in columns if all(as_number(row[column]) is not None for row in table.rows)]
    if len(numeric) > 1:
        names = ", ".join(map(table.name, numeric))
        raise SourceError(table.path, f"has several columns of numbers, {names}; name that of the scores with --score")
    if not columns:
        raise SourceError(table.path, "has weights alone; write a column of scores beside them")
    return numeric[0] if numeric else columns[-1]  # which then shows its first cell that is no number


def _texts(table: Table, columns: Sequence[int]) -> list[str]:
    """Names of the rows: the first column that has a different text in each, or their numbers."""
    for column in columns:
        texts = [row[column] for row in table.rows]
        if all(texts) and len(set(texts)) == len(texts):
            return texts
    return list(map(str, range(1, len(table.rows) + 1)))
