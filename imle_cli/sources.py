"""Files to read: whether they can be, and tables of text in them."""

import csv
import gzip
import math
import stat
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import chain
from pathlib import Path


class SourceError(ValueError):
    """A file that cannot be used; the message is one line and names the file."""

    def __init__(self, path: Path | str, text: str) -> None:
        super().__init__(" ".join(f"{path}: {text}".splitlines()))


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


@dataclass(frozen=True)
class Table:
    """Rows of cells, all of one length, without empty lines.

    Attributes:
        path: the file.
        header: names of the columns; None where the file has none.
        rows: cells, without spaces around them.
        lines: number of each row's line in the file, from 1.
    """

    path: Path
    header: list[str] | None
    rows: list[list[str]]
    lines: list[int]

    def number(self, row: int, column: int) -> float:
        """The number in a cell, perhaps infinite.

        Raises:
            SourceError: something else than a number, or NaN.
        """
        cell = self.rows[row][column]
        value = as_number(cell)
        if value is None:
            got = f"{cell[:40]!r}" if cell else "empty"
            raise SourceError(self.path, f"line {self.lines[row]}: {self.name(column)} is {got}; {NUMBER}; correct it")
        return value

    def column(self, *names: str) -> int | None:
        """The first column with one of these names, in the order of the names and in whatever letter case, or None."""
        folded = [name.casefold() for name in self.header or ()]
        return next((folded.index(name.casefold()) for name in names if name.casefold() in folded), None)

    def name(self, column: int) -> str:
        """What to call a column."""
        return repr(self.header[column]) if self.header else f"value {column + 1}"


NUMBER = "it must be a number below 1e100, or inf"


def as_number(cell: str) -> float | None:
    """The number that a cell holds; None for NaN, and for those whose sums might be too large."""
    try:
        value = float(cell.replace("_", "?"))  # float() would take Python's digit groups: "1_5" is a slip, not fifteen
    except ValueError:
        return None
    return value if abs(value) < 1e100 or math.isinf(value) else None


def read_table(path: Path, names: Collection[str] = ()) -> Table:
    """Reads cells between commas; empty lines are skipped, and lines in front that begin with ``#``.

    A header is a first line with one of ``names``, in whatever letter case, or with a text in every column that has numbers
    in all lines below.

    Raises:
        SourceError: a file that cannot be read, is no text, has no rows, or rows of unequal length.
    """
    check_file(path, "a .csv file", "table")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            above, opening = 0, file.readline()
            while opening.startswith("#"):
                above, opening = above + 1, file.readline()
            reader = csv.reader(chain([opening], file), skipinitialspace=True, strict=True)
            found = [(above + reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except UnicodeDecodeError as error:
        raise SourceError(path, f"is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise SourceError(path, f"cannot be read as a table ({error}); write cells with commas between them") from error
    if not found:
        raise SourceError(path, "holds no rows; write one line for each")
    first, width = found[0][0], len(found[0][1])
    for line, row in found:
        if len(row) != width:
            raise SourceError(
                path, f"line {line} has {len(row)} cells and line {first} has {width}; every line must have the same number"
            )
    numbers, rows = [line for line, _ in found], [row for _, row in found]
    if _is_header(rows[0], rows[1:], names):
        return Table(path, rows[0], rows[1:], numbers[1:])
    return Table(path, None, rows, numbers)


def _is_header(cells: list[str], body: list[list[str]], names: Collection[str]) -> bool:
    if not body:
        return False
    numeric = [column for column in range(len(cells)) if all(as_number(row[column]) is not None for row in body)]
    texts = [cell for cell in cells if as_number(cell) is None]
    known = {name.casefold() for name in names}
    return any(text.casefold() in known for text in texts) or (
        bool(numeric) and all(cells[column] in texts for column in numeric)
    )
