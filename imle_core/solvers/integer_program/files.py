"""Constraints from LP and MPS files, packed or not."""

import bz2
import gzip
import io
import lzma
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from imle_core.checks import ArgumentError
from imle_core.solvers.integer_program.linear_model import Arrays, FormatError, LinearModel, shown
from imle_core.solvers.integer_program.lp_format import read_lp
from imle_core.solvers.integer_program.mps_format import read_mps

_UNPACKERS: dict[bytes, Callable[[IO[bytes]], Any]] = {  # keys are the first bytes of packed files
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
_PACKED = (".gz", ".bz2", ".xz")
_LONGEST = 2**24  # characters of a line
_RATIO, _SMALL = 100, 2**24  # a packed file has at most so many times its bytes as characters, or so many
_SHORT = 16  # characters as which a shorter line is counted
_LETTERS = 300  # a message has so many at most


class ProgramWarning(UserWarning):
    """A note on what was left out of a program that was read."""


def read_program(path: Path, order: Sequence[str] | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Constraints as ``IntegerProgram`` takes them, and the names of the variables in their order.

    A variable in no constraint and not in the objective, unless ``order`` has it, is left out with a ProgramWarning.

    Raises:
        ValueError: no such file, or no linear or integer program.
        ArgumentError: an order that is not one.
    """
    try:
        program = _parse(path).arrays()
        columns = _kept(program, order, path)
    except FormatError as error:
        raise ValueError(_message(path, str(error))) from error.__cause__
    names = columns if order is None else list(order)
    _check_names(names, columns, _tail(path))
    position = {name: column for column, name in enumerate(program.names)}
    indices = [position[name] for name in names]
    rows, row_lower, row_upper = program.rows.tocsc()[:, indices].tocsr(), program.row_lower, program.row_upper
    from scipy.sparse import vstack  # here, since scipy takes long to import

    equal = row_lower == row_upper
    above, below = ~equal & (row_upper < np.inf), ~equal & (row_lower > -np.inf)
    constraints = {
        "A": vstack([rows[above], -rows[below]]),
        "b": np.concatenate([row_upper[above], -row_lower[below]]),
        "A_eq": rows[equal],
        "b_eq": row_upper[equal],
        "lower": program.lower[indices],
        "upper": program.upper[indices],
        "integrality": program.integral[indices],
    }
    return constraints, tuple(names)


def _parse(path: Path) -> LinearModel:
    endings = [ending.lower() for ending in path.suffixes if ending.lower() not in _PACKED]
    if endings[-1:] not in ([".lp"], [".mps"]):
        raise FormatError(
            "its name must end in .lp or .mps, or these and .gz, .bz2 or .xz; write the program as one of them"
        )
    if not path.is_file():
        raise FormatError("no such file; check the path")

    def read(encoding: str) -> LinearModel:
        lines = partial(_lines, path, encoding)
        return read_lp(lines()) if endings[-1] == ".lp" else read_mps(lines)

    try:
        try:
            return read("utf-8-sig")
        except UnicodeDecodeError:
            return read("latin-1")
    except (UnicodeError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FormatError(f"it cannot be read ({reason[:80]}); check that the file is whole") from error


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """Lines of a file, unpacked as they are asked for."""
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        unpack = next((unpack for magic, unpack in _UNPACKERS.items() if start.startswith(magic)), io.BufferedReader)
        stream = io.BufferedReader(unpack(file))
        if stream.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
            encoding = "utf-16"
        budget, text = max(_SMALL, _RATIO * path.stat().st_size), io.TextIOWrapper(stream, encoding)
        while line := text.readline(_LONGEST):
            budget -= max(len(line), _SHORT)
            if len(line) == _LONGEST or budget < 0:
                raise OSError("a line of 16 million letters, or 100 times the bytes of the file")
            yield line


def _kept(program: Arrays, order: Sequence[str] | None, path: Path) -> list[str]:
    """The variables that something depends on, or that the order names; a note says which are no such ones."""
    wanted, kept, left_out = set(order or ()), list[str](), list[str]()
    for name, is_used in zip(program.names, program.is_used, strict=True):
        (kept if is_used or name in wanted else left_out).append(name)
    if not kept:
        raise FormatError("no variable is in a constraint or in the objective; a program needs one; check that it is whole")
    if left_out:
        note = f"left out {_some(left_out)}, in no constraint and not in the objective; give an order to keep them"
        warnings.warn(_message(path, note), ProgramWarning, stacklevel=4)
    return kept


def _check_names(names: list[str], columns: list[str], path: str) -> None:
    known, given = set(columns), Counter(names)
    twice = [name for name, count in given.items() if count > 1]
    if twice:
        raise ArgumentError(
            "order", f"{shown(twice[0])} more than once", f"each variable of {path} has one place", "name it once"
        )
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ArgumentError("order", shown(unknown[0]), f"{path} has no such variable", f"it has {_some(columns)}")
    missing = [name for name in columns if name not in given]
    if missing:
        raise ArgumentError(
            "order", f"no {_some(missing)}", f"every variable of {path} needs a place", "add what is missing"
        )


def _some(names: list[str]) -> str:
    first = ", ".join(shown(name)[1:-1] for name in names[: 5 if max(map(len, names[:5])) < 20 else 1])
    remaining = len(names) - (first.count(", ") + 1)
    return first + (f" and {remaining} more" if remaining else "")


def _message(path: Path, text: str) -> str:
    return f"path: {_tail(path, _LETTERS - len(text) - len('path: : '))}: {text}"


def _tail(path: Path, letters: int = _LETTERS // 3) -> str:
    """The end of a path, which has the file's name."""
    name = str(path)
    return name if len(name) <= letters else f"...{name[3 - letters :]}"
