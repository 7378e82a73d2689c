"""Lines become cells: between commas, semicolons, tabs, bars or spaces, whichever most lines agree on."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imle_cli.files.sources import SourceError, ending
from imle_cli.files.tables.number_formats import is_numeric

SPACES, WIDE_SPACES = " ", "  "
NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", SPACES: "white space", WIDE_SPACES: "wide spaces"}
_PIECES = {"\t": "\t", ";": ";", ",": ",", "|": "|", SPACES: None}  # for str.split
_SAMPLE = 2**16  # letters from which the separator is chosen
_TOKEN = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')
_COMMENT = ("#", "%", "//")
_BARS = re.compile(r"[-:| ]*-[-:| ]*")  # the line below the header of a table in Markdown

Row = tuple[int, list[str]]
"""Number of a line, from 1, and its cells, without spaces around them."""


def preamble(text: str) -> tuple[int, int, str | None]:
    """Letters and lines above the table, comments and Excel's ``sep=;``; and the separator that such a line names."""
    letters = lines = 0
    separator = None
    for line in _lines(text):
        named = re.fullmatch(r'"?sep=([,;|\t ])"?', line.rstrip("\n"), re.IGNORECASE)
        if not (named or line.lstrip().startswith(_COMMENT) or not line.strip()):
            break
        if named:
            separator = named[1]
        letters, lines = letters + len(line), lines + 1
    return letters, lines, separator


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, one by one: a stream of the text would take four bytes a letter."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin) + 1 or len(text)
        yield text[begin:end]
        begin = end


def records(text: str, separator: str, above: int = 0, *, comments: bool = False, strict: bool = True) -> Iterator[Row]:
    """Rows of cells; lines without any are skipped, and with ``comments`` those that begin with ``#``.

    Lines are counted from the file's first, of which ``above`` are not in the text.

    Raises:
        csv.Error: quotes that do not end.
    """
    lines = _lines(text)
    if comments:
        lines = ("\n" if line.startswith("#") else line for line in lines)
    if separator in (SPACES, WIDE_SPACES):
        for number, line in enumerate(lines, above + 1):
            if line.strip():
                yield number, _between_spaces(line, separator)
        return
    if separator == "|":
        lines = ("\n" if _BARS.fullmatch(line.rstrip("\n")) else line.strip().strip("|") + "\n" for line in lines)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)
    bare = text.isascii() and not any(sign in text for sign in " \t\v\f" if sign != separator)
    for row in reader:
        cells = row if bare else [cell.strip() for cell in row]
        if any(cells):
            yield above + reader.line_num, cells


def _between_spaces(line: str, separator: str) -> list[str]:
    if separator == WIDE_SPACES:
        return [cell.strip('"') for cell in re.split(r"\s{2,}|\t", line.strip())]
    if '"' not in line:
        return line.split()
    return [quoted.replace('""', '"') or plain for quoted, plain in _TOKEN.findall(line)]


@dataclass(frozen=True)
class _Split:
    """A sample of a text, split by one separator.

    Attributes:
        separator: which.
        width: cells of most lines.
        agreeing: share of the lines that have so many.
        numeric: share of numbers among the cells of these lines.
        torn: whether most lines have cells that another separator would split better.
    """

    separator: str
    width: int
    agreeing: float
    numeric: float
    torn: bool

    @property
    def merit(self) -> float:
        return self.agreeing * (0.05 + self.numeric)


def choose_separator(path: Path, text: str) -> str:
    """The separator under which most lines have the same number of cells, and most of these are numbers.

    Args:
        path: the file; in one that ends in ``.csv``, commas separate where spaces would do as well.
        text: the table in it, without comments above it.

    Raises:
        csv.Error: quotes that do not end.
        SourceError: a text that both commas and spaces may separate.
    """
    sample, is_csv = text[:_SAMPLE], ending(path) == ".csv"
    tried = [_try(sample, separator, strict=len(text) <= _SAMPLE) for separator in NAMES]
    splits = [split for split in tried if isinstance(split, _Split) and split.width > 1 and split.agreeing >= 0.5]
    if not splits:
        for error in tried:
            if isinstance(error, csv.Error):
                raise error
        return "," if is_csv or "," in sample else SPACES
    good = [split for split in splits if not split.torn] or splits
    by_spaces = [split for split in good if split.separator in (SPACES, WIDE_SPACES)]
    by_commas = [split for split in good if split.separator == "," and split.numeric and split.agreeing == 1]
    if by_commas and by_spaces and max(split.numeric for split in by_spaces) > 0:
        if not is_csv:
            raise SourceError(path, "may have commas or spaces between its cells; write semicolons between them")
        return ","
    everywhere = [split for split in good if split.agreeing == 1 and split.numeric]  # decimal commas are not in names
    return max(everywhere or good, key=lambda split: split.merit).separator


def _try(sample: str, separator: str, *, strict: bool) -> _Split | csv.Error:
    try:
        rows = [row for _, row in records(sample, separator, strict=strict) if not row[0].startswith("#")]
    except csv.Error as error:
        return error
    counts = Counter(map(len, rows))
    width = max(counts, key=lambda length: (counts[length], length), default=0)
    alike = [row for row in rows if len(row) == width]
    cells = [cell for row in alike[min(1, len(alike) - 1) :] for cell in row if cell]  # below what may be names
    numeric = sum(map(is_numeric, cells)) / max(1, len(cells))
    torn = 2 * sum(any(_is_torn(cell, separator) for cell in row) for row in alike) > len(alike)
    return _Split(separator, width, len(alike) / max(1, len(rows)), numeric, torn)


def _is_torn(cell: str, separator: str) -> bool:
    """True of a cell that is several numbers, or between spaces holds a separator that is no part of a number."""
    if is_numeric(cell):
        return False
    if separator in (SPACES, WIDE_SPACES) and any(sign in cell for sign in "\t;,|"):
        return True
    return any(_are_numbers(cell.split(sign)) for name, sign in _PIECES.items() if name != separator)


def _are_numbers(pieces: list[str]) -> bool:
    return len(pieces) > 1 and all(is_numeric(piece.strip()) for piece in pieces)
