"""Numbers as people write them in tables: decimal commas, and signs between thousands."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imle_cli.files.sources import SourceError

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_OTHER_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}([ \u00a0\u202f'’])\d{3}(?:\1\d{3})*(?:[.,]\d+)?")
_OTHER_SIGNS = str.maketrans("", "", " \u00a0\u202f'’")


def as_number(cell: str) -> float | None:
    """The number that a cell holds; None for NaN, and for those whose sums might be too large."""
    try:
        value = float(cell.replace("_", "?"))  # float() would take Python's digit groups: "1_5" is a slip, not fifteen
    except ValueError:
        return None
    return value if abs(value) < 1e100 or math.isinf(value) else None


def is_numeric(cell: str) -> bool:
    """True of a cell that is a number in any of the forms that are known here."""
    forms = (_DECIMAL_COMMA, _COMMA_GROUPS, _POINT_GROUPS, _OTHER_GROUPS)
    return as_number(cell) is not None or any(form.fullmatch(cell) for form in forms)


def doubt(cell: str) -> str:
    """A remark on a cell whose comma may be a decimal one or stand between thousands; else nothing."""
    if _DECIMAL_COMMA.fullmatch(cell) and _COMMA_GROUPS.fullmatch(cell):
        return f" (it may be {cell.replace(',', '')} or {cell.replace(',', '.')})"
    return ""


@dataclass(frozen=True)
class NumberFormat:
    """Signs in the numbers of a file; those between thousands that are no points or commas are always left out.

    Attributes:
        decimal: the decimal sign, a point or a comma.
        groups: the sign between thousands, a point, a comma, or none.
    """

    decimal: str = "."
    groups: str = ""

    def plain(self, cell: str) -> str:
        """The same number as Python writes it; what is no number in this format is none afterwards either."""
        if _OTHER_GROUPS.fullmatch(cell):
            cell = cell.translate(_OTHER_SIGNS)
        if self.groups == "," and _COMMA_GROUPS.fullmatch(cell):
            return cell.replace(",", "")
        if self.decimal != ",":
            return cell
        if self.groups == "." and _POINT_GROUPS.fullmatch(cell):
            cell = cell.replace(".", "")
        return cell.replace(".", "?").replace(",", ".")

    def number(self, cell: str) -> float | None:
        """The number in a cell, as :func:`as_number`."""
        return as_number(self.plain(cell))


POINT = NumberFormat()


def read_number(path: Path, line: int, column: int, cell: str, signs: NumberFormat, remedy: str) -> float:
    """The number in a cell, perhaps NaN or infinite; the line and the column count from 1.

    Raises:
        SourceError: something else.
    """
    try:
        return float(signs.plain(cell).replace("_", "?"))
    except ValueError as error:
        got = f"value {column} of line {line} is {cell[:40]!r}{doubt(cell)}, not a number"
        raise SourceError(path, f"{got}; {remedy}") from error


def find_format(cells: Iterable[str]) -> NumberFormat:
    """The format of most cells that leave no doubt.

    ``1,234`` alone may be either; beside ``1,5`` its comma is a decimal one, beside ``1.5`` or ``1,234,567`` one between
    thousands.
    """
    decimals = comma_groups = point_groups = points = doubtful = 0
    for cell in cells:
        if "," in cell:
            cell = cell.translate(_OTHER_SIGNS) if _OTHER_GROUPS.fullmatch(cell) else cell
            decimal, grouped = _DECIMAL_COMMA.fullmatch(cell), _COMMA_GROUPS.fullmatch(cell)
            doubtful += bool(decimal and grouped)
            decimals += bool(decimal and not grouped)
            comma_groups += bool(grouped and not decimal)
            point_groups += bool(not decimal and not grouped and _POINT_GROUPS.fullmatch(cell))
        elif "." in cell:
            points += as_number(cell) is not None and not _POINT_GROUPS.fullmatch(cell)
    decimals += point_groups
    if decimals > points + comma_groups:
        return NumberFormat(",", "." if point_groups else "")
    return NumberFormat(".", ",") if comma_groups or (points and doubtful) else POINT
