"""Roles of the lines of a table: titles, names of columns, rows; and whether a column only counts the rows."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from imle_cli.files.sources import SourceError, read_text
from imle_cli.files.tables.number_formats import POINT, NumberFormat, find_format, is_numeric
from imle_cli.files.tables.separators import Row, choose_separator, preamble, records
from imle_cli.messages import note

_FIRST = 1000  # rows from which titles and names of columns are told
_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", ".", "missing"}
_CORNERS = ("", "id", "name", "item", "row", "index")  # above names or numbers of rows
_SLIP = re.compile(r"[+-]?[.,]?\d")  # how a number begins


@dataclass(frozen=True)
class Layout:
    """A text as a table, whose rows can be gone through again and again.

    Attributes:
        path: the file.
        text: the table, without comments above it.
        separator: what is between cells.
        width: number of columns.
        height: number of rows; of a text with comments among its rows at most so many.
        header: names of the columns, or None.
        above: number of the lines that were above the text.
        begin: number of the first row's line, from 1.
        comments: whether a line that begins with ``#`` is never a row.
        format: signs in its numbers.
    """

    path: Path
    text: str
    separator: str
    width: int
    height: int
    header: list[str] | None
    above: int
    begin: int
    comments: bool
    format: NumberFormat = POINT

    def __iter__(self) -> Iterator[Row]:
        """Numbers of lines and their cells, ``width`` in each.

        Raises:
            SourceError: a line with another number of cells.
        """
        for number, cells in records(self.text, self.separator, self.above, comments=self.comments):
            if number < self.begin:
                continue
            row = cells[: self.width]
            if len(row) == self.width and not any(cells[self.width :]):
                yield number, row
            elif not cells[0].startswith("#"):
                length = _used(cells) if len(cells) > self.width else len(cells)
                like = "most lines have" if number == self.begin else f"line {self.begin} has"
                got = f"line {number} has {length} cells and {like} {self.width}"
                raise SourceError(self.path, f"{got}; every line must have the same number")

    @property
    def has_index(self) -> bool:
        """True where the first column, which has no name of its own, only counts the rows."""
        return is_index(self.header, [row[0] for _, row in self])


def read_layout(path: Path, names: Collection[str] = (), *, comments: bool = False) -> Layout:
    """Finds out how the text of a file is a table; guesses are told in notes.

    A header is a first line with one of ``names``, in whatever letter case, that no row has; or with a text above every
    column of mostly numbers; or without a name above a column that counts the rows; or that counts the columns, without a
    name above those of the rows. Titles are texts above it, in fewer cells than the rest.

    Args:
        path: the file.
        names: what columns may be called.
        comments: whether lines that begin with ``#`` are skipped wherever they are.

    Raises:
        SourceError: a file that cannot be read, is no text, has no rows, or nothing that separates cells.
    """
    text = read_text(path, "a table such as a .csv file", "table")
    letters, above, separator = preamble(text)
    text = text[letters:]
    try:
        separator = separator or choose_separator(path, text)
        first = list(islice(records(text, separator, above, comments=comments), _FIRST))
        width, height, trimmed = _measure(text, separator, comments)
    except csv.Error as error:
        got = f"cannot be read as a table ({error})"
        raise SourceError(path, f"{got}; write cells with commas between them") from error
    if not first:
        raise SourceError(path, "holds no rows; write one line for each")
    titles = _titles(first, width)
    rows = [(cells + [""] * width)[:width] for _, cells in first[titles:]]
    header, told = _header(first[titles][1], rows, names)
    begin = titles + (header is not None)
    if begin == len(first):
        raise SourceError(path, f"holds names of columns ({_shown(rows[0])}) and no rows; write one line for each")
    layout = Layout(path, text, separator, width, height - begin, header, above, first[begin][0], comments)
    if "," in text and (separator != "," or '"' in text):
        layout = replace(layout, format=find_format(cell for _, cells in layout for cell in cells))
    guesses = [f"line {number} is taken as a title ({_shown(cells)})" for number, cells in first[:titles]]
    guesses += ["empty cells at the ends of lines are left out"] if trimmed else []
    guesses += [f"line {first[titles][0]} is taken as names of columns ({_shown(rows[0])})"] if told else []
    for guess in guesses:
        note(f"{path}: {guess}")
    return layout


def counts(cells: Sequence[str]) -> bool:
    """True of the cells 0, 1, 2 and so on, or 1, 2, 3."""
    return bool(cells) and any(all(cell == str(number) for number, cell in enumerate(cells, start)) for start in (0, 1))


def is_index(header: list[str] | None, first_column: Sequence[str]) -> bool:
    """True of a first column of this header that only counts the rows, as pandas writes it."""
    return header is not None and len(header) > 1 and header[0].casefold() in ("", "unnamed: 0") and counts(first_column)


def mostly_numeric(cells: Collection[str]) -> bool:
    """True where more than half of the cells that are not missing are numbers."""
    present = [cell for cell in cells if cell.casefold() not in _MISSING]
    return 2 * sum(map(is_numeric, present)) > len(present)


def _used(cells: list[str]) -> int:
    """Number of the cells without the empty ones at the end."""
    return next((len(cells) - number for number, cell in enumerate(reversed(cells)) if cell), 0)


def _measure(text: str, separator: str, comments: bool) -> tuple[int, int, bool]:
    """Width of most lines, number of lines, and whether empty cells at their ends do not count."""
    lengths: Counter[int] = Counter()
    used: dict[int, int] = {}
    for _, cells in records(text, separator, comments=comments):
        lengths[len(cells)] += 1
        if used.get(len(cells), 0) < len(cells):
            used[len(cells)] = max(used.get(len(cells), 0), _used(cells))
    length = max(lengths, key=lambda length: (lengths[length], length), default=0)
    width = max(1, used.get(length, 0))
    return width, lengths.total(), width < length


def _titles(first: list[Row], width: int) -> int:
    """Number of the lines with nothing but a title, above names or numbers."""
    number = 0
    while number + 1 < len(first) and _used(first[number][1]) < width and not any(map(is_numeric, first[number][1])):
        number += 1
    if number and _is_short_header(first[number - 1][1], [cells for _, cells in first[number:]]):
        number -= 1
    following = [is_numeric(cell) for cell in first[number][1] if cell]
    return number if all(following) or not any(following) else 0


def _is_short_header(cells: list[str], body: list[list[str]]) -> bool:
    """True of names above all columns but the first, which has names or numbers of rows, as R writes it."""
    column = [row[0] for row in body]
    named = counts(column) or (len(cells) > 1 and len(set(column)) == len(column) and not any(map(is_numeric, column)))
    return all(cells) and named and all(len(row) == len(cells) + 1 for row in body)


def _header(cells: list[str], rows: list[list[str]], names: Collection[str]) -> tuple[list[str] | None, bool]:
    """Names of the columns, if the first row has them; and whether that is a guess of which to tell."""
    top, body = rows[0], rows[1:]
    column = [row[0] for row in body]
    if len(cells) == len(top) - 1 and not any(map(is_numeric, cells)) and body and _is_short_header(cells, body):
        return ["", *cells], False
    folded = {name.casefold() for name in names}
    known = {cell for cell in top if cell.casefold() in folded and not is_numeric(cell)}
    numbers = [cell for cell in top if is_numeric(cell) and cell.casefold() not in folded]
    if known and not any(known.intersection(row) for row in body) and (len(known) > 1 or not numbers):
        return top, False
    if not body:
        return None, False
    if not top[0] and counts(top[1:]) and all(column) and not any(map(is_numeric, column)):
        return top, False
    named = not any(is_numeric(cell) or cell.casefold() in _MISSING for cell in top[1:])
    if is_index(top, column) and (named or counts(top[1:])):
        return top, False
    if all(map(is_numeric, top)):
        return None, False
    numeric = [column for column in range(len(top)) if mostly_numeric([row[column] for row in body])]
    above = [top[column] for column in numeric if column or top[0]]
    texts = not any(is_numeric(cell) or cell.casefold() in _MISSING for cell in above)
    if above and texts and not all(map(_SLIP.match, above)):
        told = top[0].casefold() not in _CORNERS and 0 not in numeric
        return top, told
    return None, False


def _shown(cells: list[str]) -> str:
    text = ", ".join(cell for cell in cells if cell)
    return text if len(text) <= 60 else f"{text[:57]}..."
