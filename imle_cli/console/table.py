"""Results as lines: names and texts, or a table; on a terminal nothing breaks within a word or a number."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from imle_cli.messages import printable

if TYPE_CHECKING:
    from rich import table

Lines: TypeAlias = Sequence[tuple[str, str]]

_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_SPACES = re.compile(r" +(\x1b\[0m)?$")  # at the end of a row, before the end of its style
_WIDE = 10_000  # columns, more than any table has
_NARROWEST = 24  # columns for text that breaks
_BETWEEN = 2  # columns between two of a table


@dataclass(frozen=True)
class Table:
    """A result as a table, never cropped.

    Attributes:
        header: names of the columns.
        rows: texts of the cells.
        figures: names of the columns that are flush right.
        below: lines below the table; a line break within one is escaped, as whatever else is not printable.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: Sequence[str]
    below: Sequence[str] = ()


def rows_of(text: Lines | Table, width: int | None) -> list[str]:
    """Lines of a result as they are printed.

    Args:
        text: the result.
        width: columns of a terminal, where lines break between words and go on below their texts; None for whole lines.
    """
    if isinstance(text, Table):
        return [*_rows(text, width), *(row for line in text.below for row in _broken(printable(line), _indent(line), width))]
    indent = max((len(name) for name, _ in text), default=0) + 2
    return [row for line in aligned(text) for row in _broken(printable(line).rstrip(), indent, width)]


def aligned(lines: Lines) -> list[str]:
    """Names and texts as lines, the texts below each other."""
    indent = max((len(name) for name, _ in lines), default=0) + 2
    return [f"{name:<{indent}}{text}" for name, text in lines]


def without_styles(line: str) -> str:
    """A line as it is read."""
    return _STYLES.sub("", line)


def drawing(shown: Table, breaks: bool = False) -> "table.Table":
    """A table of one line a row, or one whose last column ``breaks`` between words."""
    from rich import table

    made = table.Table(box=None, pad_edge=False)
    for number, name in enumerate(shown.header, 1):
        whole = not (breaks and number == len(shown.header))
        made.add_column(printable(name), justify="right" if name in shown.figures else "left", no_wrap=whole)
    for row in shown.rows:
        made.add_row(*map(printable, row))
    return made


def _broken(line: str, indent: int, width: int | None) -> list[str]:
    if width is None or len(line) <= width:
        return [line]
    rest = " " * indent
    return textwrap.wrap(line, width, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False) or [line]


def _indent(line: str) -> int:
    """Letters before the text of a line that begins with a name and two spaces; 0 of another."""
    name = re.match(r"\S+(?: \S+)*  +", line)
    return len(name[0]) if name else 0


def _rows(shown: Table, width: int | None) -> list[str]:
    """Rows of a table; where a terminal is narrower, text in its last column breaks, or the columns go on below."""
    widths = [max(len(printable(row[column])) for row in [shown.header, *shown.rows]) for column in range(len(shown.header))]
    whole = sum(widths) + _BETWEEN * (len(widths) - 1)
    if width is None or whole <= width:
        return _drawn(drawing(shown), _WIDE)
    if shown.header[-1] not in shown.figures and whole - widths[-1] + _NARROWEST <= width:
        return _drawn(drawing(shown, breaks=True), width)
    pieces, used = [[0]], widths[0]
    for column in range(1, len(widths)):
        used += _BETWEEN + widths[column]
        if used > width:
            pieces.append([0])  # the first column tells which row it is
            used = widths[0] + _BETWEEN + widths[column]
        pieces[-1].append(column)
    return [row for piece in pieces for row in ["", *_drawn(drawing(_columns(shown, piece)), _WIDE)]][1:]


def _columns(shown: Table, numbers: Sequence[int]) -> Table:
    rows = [[row[number] for number in numbers] for row in shown.rows]
    return replace(shown, header=[shown.header[number] for number in numbers], rows=rows)


def _drawn(table: "table.Table", width: int) -> list[str]:
    """Rows of a table, without spaces at their ends."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, width=width)
    with console.capture() as captured:
        console.print(table)
    return [_SPACES.sub(r"\1", row) for row in captured.get().splitlines()]
