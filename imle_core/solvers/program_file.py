"""Constraints from LP and MPS files, read by HiGHS."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def read_program(path: Path, order: Sequence[str] | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Constraints as ``IntegerProgram`` takes them, and the names of the variables in their order.

    Raises:
        ModuleNotFoundError: highspy is not installed.
        ValueError: no such file, not a program, a variable that is neither continuous nor integer, or an order that is not
            one.
    """
    model = _read(path)
    columns = [str(name) for name in model.col_names_]
    _check_names("path", columns, columns, path)
    names = columns if order is None else list(order)
    _check_names("order", names, columns, path)
    kinds = [int(kind) for kind in model.integrality_] or [0] * len(columns)
    for name, kind in zip(columns, kinds, strict=True):
        if kind not in (0, 1):
            raise ValueError(
                f"path: {path}: variable {name} is semi-continuous or semi-integer; "
                "it must be continuous or integer; model it with a binary variable"
            )
    from scipy.sparse import csc_array, vstack  # here, since scipy takes long to import

    position = {name: column for column, name in enumerate(columns)}
    place = [position[name] for name in names]
    matrix = model.a_matrix_
    held = (np.array(matrix.value_), np.array(matrix.index_, dtype=np.int32), np.array(matrix.start_, dtype=np.int32))
    rows = csc_array(held, shape=(model.num_row_, len(columns)))[:, place].tocsr()
    least, most = np.array(model.row_lower_), np.array(model.row_upper_)
    equal = least == most
    above, below = ~equal & (most < np.inf), ~equal & (least > -np.inf)
    constraints = {
        "A": vstack([rows[above], -rows[below]]),
        "b": np.concatenate([most[above], -least[below]]),
        "A_eq": rows[equal],
        "b_eq": most[equal],
        "lower": np.array(model.col_lower_)[place],
        "upper": np.array(model.col_upper_)[place],
        "integrality": np.array(kinds)[place],
    }
    return constraints, tuple(names)


def _read(path: Path) -> Any:
    try:
        from highspy import HighsStatus
        from highspy._core import _Highs as Reader  # Highs itself prints a banner before it can be silenced
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "highspy is not installed; pip install 'imle[highs]' to read programs from files, or give arrays"
        ) from error
    if path.suffix.lower() not in (".lp", ".mps"):
        raise ValueError(f"path: got {path}; its name must end in .lp or .mps; write the program in one of these formats")
    if not path.is_file():
        raise ValueError(f"path: {path}: no such file; check the path")
    reader = Reader()
    reader.setOptionValue("output_flag", False)
    if reader.readModel(str(path)) == HighsStatus.kError:
        raise ValueError(f"path: {path} cannot be read as a program; it must be a valid LP or MPS file; check its syntax")
    return reader.getLp()


def _check_names(argument: str, names: list[str], columns: list[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{argument}: got {twice[0]!r} more than once; each variable of {path} has one place; name it once")
    known, given = set(columns), set(names)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{argument}: got {unknown[0]!r}; {path} has no such variable; it has {_some(columns)}")
    missing = [name for name in columns if name not in given]
    if missing:
        raise ValueError(f"{argument}: got no {_some(missing)}; every variable of {path} needs a place; add what is missing")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
