"""Files to read: whether they can be, and tables of text in them."""

import gzip
import stat
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from imle_cli.files.decoding import decode
from imle_cli.files.endings import foreign
from imle_cli.files.tables.layout import Layout, is_index, lay_out, mostly_numeric
from imle_cli.files.tables.number_formats import POINT, NumberFormat, doubt, find_format
from imle_cli.files.tables.number_formats import as_number as as_number
from imle_cli.notes import note

MAX_LETTERS = 300  # of a message
_END = 90  # letters of it that are kept where it is cut, since the remedy comes last


def one_line(name: Path | str, text: str) -> str:
    """Message about a file, in one line of at most ``MAX_LETTERS``; what does not fit is left out in the middle."""
    message = " ".join(f"{name}: {text}".splitlines())
    if len(message) <= MAX_LETTERS:
        return message
    name = " ".join(str(name).splitlines())
    message = f"{name if len(name) <= 120 else f'...{name[-117:]}'}: {' '.join(text.splitlines())}"
    return message if len(message) <= MAX_LETTERS else f"{message[: MAX_LETTERS - _END - 5]} ... {message[-_END:]}"


class SourceError(ValueError):
    """A file that cannot be used; the message is one line, names the file and has at most 300 letters."""

    def __init__(self, path: Path | str, text: str) -> None:
        super().__init__(one_line(path, text))


def check_file(path: Path, kinds: str, thing: str, error: Callable[[Path, str], ValueError] = SourceError) -> None:
    """Refuses what is no file, cannot be read or is empty.

    Args:
        path: the file.
        kinds: what to give in place of a folder, "a picture or a .npy file" for instance.
        thing: what the file holds, "map" for instance.
        error: makes what is raised.

    Raises:
        SourceError: or whatever ``error`` makes.
    """
    try:
        status = path.stat()
        ordinary = stat.S_ISREG(status.st_mode)
        if ordinary:
            path.open("rb").close()
    except FileNotFoundError as reason:
        raise error(path, "no such file; check the path") from reason
    except PermissionError as reason:
        raise error(path, "no permission to read this file; change its permissions or copy it") from reason
    except (OSError, ValueError) as reason:
        raise error(path, f"cannot be opened ({getattr(reason, 'strerror', None) or reason}); check the path") from reason
    if stat.S_ISDIR(status.st_mode):
        raise error(path, f"is a folder; give {kinds} in it")
    if not ordinary:
        raise error(path, f"is not a regular file; save the {thing} to a file first")
    if not status.st_size:
        raise error(path, f"the file is empty (0 bytes); save the {thing} again")


MAX_BYTES = 2**30  # of a file that is read whole, after decompression


def ending(path: Path) -> str:
    """Ending of the file's name in lower case, ``.csv`` for instance; of what is inside where the name ends in ``.gz``."""
    last = path.suffix.lower()
    return path.with_suffix("").suffix.lower() if last == ".gz" else last


def read_bytes(path: Path, kinds: str, thing: str, error: Callable[[Path, str], ValueError] = SourceError) -> bytes:
    """Content of a file, decompressed where its name ends in ``.gz``; arguments as in :func:`check_file`.

    Raises:
        SourceError: a file that cannot be read, is empty, is damaged, or holds more than ``MAX_BYTES``; or whatever
            ``error`` makes.
    """
    check_file(path, kinds, thing, error)
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            content: bytes = file.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as reason:
        raise error(path, f"cannot be decompressed ({reason}); save the {thing} again") from reason
    except OSError as reason:
        raise error(path, f"cannot be read ({reason.strerror or reason}); copy it to another disk") from reason
    if len(content) > MAX_BYTES:
        raise error(path, f"holds more than {MAX_BYTES} bytes; give a smaller {thing}")
    if not content:
        raise error(path, f"holds nothing once decompressed; save the {thing} again")
    return content


def read_beginning(path: Path, count: int) -> bytes:
    """The first bytes of a file that may be read, decompressed where its name ends in ``.gz``; none of a damaged one."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            return bytes(file.read(count))
    except (OSError, EOFError, zlib.error):
        return b""


def read_text(path: Path, kinds: str, thing: str, error: Callable[[Path, str], ValueError] = SourceError) -> str:
    """Text of a file, decompressed where its name ends in ``.gz``; arguments and errors as in :func:`read_bytes`."""
    content = read_bytes(path, kinds, thing, error)
    if wrong := foreign(content):
        raise error(path, wrong)
    try:
        text, guessed = decode(content)
    except ValueError as reason:
        raise error(path, str(reason)) from reason
    if guessed:
        note(f"{path}: is not UTF-8; read as Western European text (Windows-1252)")
    return text


@dataclass(frozen=True)
class Table:
    """Rows of cells, all of one length, without empty lines.

    Attributes:
        path: the file.
        header: names of the columns; None where the file has none.
        rows: cells, without spaces around them; in columns of numbers, these with decimal points.
        written: the same cells as the file has them, for names.
        lines: number of each row's line in the file, from 1.
    """

    path: Path
    header: list[str] | None
    rows: list[list[str]]
    written: list[list[str]]
    lines: list[int]

    def number(self, row: int, column: int) -> float:
        """The number in a cell, perhaps infinite.

        Raises:
            SourceError: something else than a number, or NaN.
        """
        cell = self.rows[row][column]
        value = as_number(cell)
        if value is None:
            got = f"{cell[:40]!r}{doubt(cell)}" if cell else "empty"
            raise SourceError(self.path, f"line {self.lines[row]}: {self.name(column)} is {got}; {NUMBER}; correct it")
        return value

    def column(self, *names: str) -> int | None:
        """The first column with one of these names, in the order of the names and in whatever letter case, or None."""
        folded = [name.casefold() for name in self.header or ()]
        return next((folded.index(name.casefold()) for name in names if name.casefold() in folded), None)

    def name(self, column: int) -> str:
        """What to call a column."""
        return repr(self.header[column][:40]) if self.header else f"value {column + 1}"

    @property
    def has_index(self) -> bool:
        """Whether its first column, which has no name of its own, only counts the rows."""
        return is_index(self.header, [row[0] for row in self.rows])

    def without_index(self) -> "Table":
        """The same without a first column that only counts the rows, which a note tells."""
        if not self.has_index or self.header is None:
            return self
        note(f"{self.path}: the first column only counts the rows and is left out")
        rows, written = ([row[1:] for row in cells] for cells in (self.rows, self.written))
        return replace(self, header=self.header[1:], rows=rows, written=written)


NUMBER = "it must be a number below 1e100, or inf"


def read_layout(path: Path, names: Collection[str] = (), *, comments: bool = False) -> Layout:
    """How the text of a file is a table; guesses are told in notes. Arguments as in :func:`lay_out`.

    Raises:
        SourceError: a file that cannot be read, is no text, or is no table.
    """
    text = read_text(path, "a table such as a .csv file", "table")
    try:
        layout = lay_out(text, names, is_csv=ending(path) == ".csv", comments=comments)
    except ValueError as reason:
        raise SourceError(path, str(reason)) from reason
    for remark in layout.notes:
        note(f"{path}: {remark}")
    return layout


def read_table(path: Path, names: Collection[str] = ()) -> Table:
    """Reads a table of text, whatever is between its cells: commas, semicolons, tabs, bars or spaces.

    Empty lines are skipped, and so are lines in front that begin with ``#``, ``%`` or ``//``. See
    :func:`~imle_cli.files.tables.layout.lay_out` for titles and names of columns.

    Raises:
        SourceError: a file that cannot be read, is no text, has no rows, or rows of unequal length.
    """
    layout = read_layout(path, names)
    try:
        rows = list(layout)
    except ValueError as reason:
        raise SourceError(path, str(reason)) from reason
    if not rows:
        raise SourceError(path, "holds no rows; write one line for each")
    cells, lines = [cells for _, cells in rows], [number for number, _ in rows]
    table = Table(path, layout.header, cells, [list(row) for row in cells], lines)
    read = [_write_plainly(table, column, layout.format) for column in range(layout.width)]
    for cell, plain in [pair for pair in read if pair][:1]:
        note(f"{path}: numbers such as {cell} are read as {plain}")
    return table


def _write_plainly(table: Table, column: int, usual: NumberFormat) -> tuple[str, str] | None:
    """Gives the numbers of a column decimal points, and an example; ``usual`` is the format where the column is in doubt."""
    cells = [row[column] for row in table.rows]
    if all(cell.replace(".", "", 1).isalnum() for cell in cells) or not mostly_numeric(cells):
        return None
    own, example = find_format(cells), None
    # Points elsewhere may be those of dates or versions, so they tell nothing of the commas here.
    signs = usual if own == POINT and usual.decimal == "," else own
    for row, cell in enumerate(cells):
        if signs.number(cell) is not None:
            table.rows[row][column] = signs.plain(cell)
            example = example or (None if signs.plain(cell) == cell else (cell, signs.plain(cell)))
        elif as_number(cell) is not None:
            got = f"line {table.lines[row]}: {table.name(column)} is {cell[:40]!r} in a column with decimal commas"
            raise SourceError(table.path, f"{got}; write all its numbers alike")
    return example
