"""Rows, bounds and kinds of variables, collected while a program is read from a file."""

import math
import re
from array import array
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_INFINITE = 1e20  # bounds and right-hand sides from here on stand for infinity, as in all solvers
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.IGNORECASE | re.ASCII)
_SHOWN = 40  # characters of a name in a message


class FormatError(ValueError):
    """A program that cannot be used; the message says where and why, and whoever knows the file's name puts it in front."""


def mistake(line: int, got: str, rule: str, remedy: str) -> FormatError:
    """An error of syntax."""
    return FormatError(f"line {line}: got {shown(got)}; {rule}; {remedy}")


def unsupported(kind: str, line: int, name: str, remedy: str) -> FormatError:
    """An error for what is right in the format but no linear or integer program."""
    return FormatError(
        f"it has {kind} (line {line}, {shown(name)[1:-1]}); constraints and objective must be linear; {remedy}"
    )


def shown(name: str) -> str:
    """A name as a message shows it: quoted, in one line and not too long."""
    return repr(name if len(name) <= _SHOWN else f"{name[: _SHOWN - 3]}...")


def number(text: str, line: int, limits: bool = False) -> float:
    """The finite number that a text stands for; where it limits something, 1e20 or more and ``inf`` stand for infinity."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if limits and abs(value) >= _INFINITE:
        return math.copysign(math.inf, value)
    if not math.isfinite(value):
        raise mistake(line, text, "a finite number belongs here", "write it with a decimal point and digits")
    return value


class Arrays(NamedTuple):
    """A program as arrays: ``row_lower <= rows z <= row_upper``, ``lower <= z <= upper``.

    Attributes:
        names: of the variables.
        rows: ``(m, n)``, of scipy.sparse.
        row_lower: ``(m,)``.
        row_upper: ``(m,)``.
        lower: ``(n,)``.
        upper: ``(n,)``.
        integral: ``(n,)``.
        is_used: ``(n,)``, which variables are in a row or in the objective.
    """

    names: list[str]
    rows: Any
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integral: NDArray[np.bool_]
    is_used: NDArray[np.bool_]


class LinearModel:
    """A program while it is read: variables are numbered in the order of first mention, from 0 up, continuous and >= 0."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}
        self.lower, self.upper = array("d"), array("d")
        self.integral, self.is_used = bytearray(), bytearray()
        self.row_lower, self.row_upper = array("d"), array("d")
        self._entries, self._row_of, self._column_of = array("d"), array("l"), array("l")

    def column(self, name: str) -> int:
        """The number of a variable, a new one at its first mention."""
        known = self.columns.get(name)
        if known is not None:
            return known
        self.lower.append(0.0)
        self.upper.append(math.inf)
        self.integral.append(False)
        self.is_used.append(False)
        self.columns[name] = len(self.columns)
        return self.columns[name]

    def add_row(self, lower: float, upper: float) -> int:
        """The number of a new row, without entries."""
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1

    def add_entry(self, row: int, column: int, value: float) -> None:
        """Adds to what multiplies a variable in a row."""
        self._row_of.append(row)
        self._column_of.append(column)
        self._entries.append(value)

    def arrays(self) -> Arrays:
        """The program as arrays.

        Raises:
            FormatError: no variables, or bounds that leave one of them nothing.
        """
        from scipy.sparse import csr_array  # here, since scipy takes long to import

        if not self.columns:
            raise FormatError("it has no variables; a program needs at least one; check that it is whole")
        for name, low, high in zip(self.columns, self.lower, self.upper, strict=True):
            if not low <= high or low == math.inf or high == -math.inf:
                raise FormatError(
                    f"variable {shown(name)} has lower bound {low:g} and upper bound {high:g}; the lower one must be finite "
                    "or -inf and no larger (it is 0 where none is given); give both"
                )
        entries = (np.array(self._entries), (np.array(self._row_of), np.array(self._column_of)))
        rows = csr_array(entries, shape=(len(self.row_lower), len(self.columns)))  # sums entries of the same position
        if not np.isfinite(rows.data).all():
            raise FormatError("a variable's numbers add up to infinity in a constraint; they must be finite; scale it")
        return Arrays(
            list(self.columns),
            rows,
            *(np.array(limits) for limits in (self.row_lower, self.row_upper, self.lower, self.upper)),
            *(np.frombuffer(flags, np.bool_) for flags in (self.integral, self.is_used)),
        )
