"""Tables of text, read by the names or the numbers of their columns."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from imle_cli.files.sources import SourceError
from imle_cli.files.tables.layout import is_index, mostly_numeric, read_layout
from imle_cli.files.tables.number_formats import POINT, NumberFormat, as_number, doubt, find_format
from imle_cli.messages import note


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
        """A column's name."""
        return repr(self.header[column][:40]) if self.header else f"value {column + 1}"

    @property
    def has_index(self) -> bool:
        """True where the first column, which has no name of its own, only counts the rows."""
        return is_index(self.header, [row[0] for row in self.rows])

    def without_index(self) -> "Table":
        """The same without a first column that only counts the rows, which a note tells."""
        if not self.has_index or self.header is None:
            return self
        note(f"{self.path}: the first column only counts the rows and is left out")
        rows, written = ([row[1:] for row in cells] for cells in (self.rows, self.written))
        return replace(self, header=self.header[1:], rows=rows, written=written)


NUMBER = "it must be a number below 1e100, or inf"


def read_table(path: Path, names: Collection[str] = ()) -> Table:
    """Reads a table of text, whatever is between its cells: commas, semicolons, tabs, bars or spaces.

    Empty lines are skipped, and so are lines in front that begin with ``#``, ``%`` or ``//``. See
    :func:`~imle_cli.files.tables.layout.read_layout` for titles and names of columns.

    Raises:
        SourceError: a file that cannot be read, is no text, has no rows, or rows of unequal length.
    """
    layout = read_layout(path, names)
    rows = list(layout)
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
