"""Constraints of a program as arrays, refused where HiGHS could not take them."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.solvers.rows import as_array

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = Any  # a dense array or one of scipy.sparse, which has no types

_INFINITE = 1e15  # where HiGHS takes a coefficient for infinite


def system(name: str, matrix: Matrix | None, side: str, right: ArrayLike | None, infinity: float | None) -> Any:
    """Rows as a sparse array, with their right-hand sides; None for none. Sides may be ``infinity``, unless None."""
    from scipy.sparse import csr_array, issparse

    if matrix is None and right is None:
        return None
    if matrix is None or right is None:
        raise ArgumentError(
            name if matrix is None else side, "None", f"{name} and {side} go together", "give both or neither"
        )
    if not issparse(matrix):
        matrix = _numbers(name, matrix)
        if matrix.ndim != 2:
            raise wrong_shape(name, matrix, "it must be (rows, variables)", "give one row a constraint")
    elif matrix.dtype.kind == "c":
        raise _complex(name, matrix)
    rows, sides = csr_array(matrix, dtype=np.float64), _numbers(side, right)
    if sides.shape != rows.shape[:1]:
        raise wrong_shape(side, sides, f"{name} has {rows.shape[0]} rows", f"{side} must be ({rows.shape[0]},)")
    if not np.isfinite(rows.data).all():
        raise ArgumentError(name, "NaN or infinite coefficients", "they must be finite", "leave out what does not bind")
    if rows.nnz and (largest := np.abs(rows.data).max()) >= _INFINITE:
        raise ArgumentError(name, f"a coefficient of {largest:.3g}", "HiGHS takes those below 1e15", "scale the row")
    if not (np.isfinite(sides) | (sides == infinity)).all():
        rule = "finite" if infinity is None else "finite or +inf"
        raise ArgumentError(
            side, str(sides[~np.isfinite(sides)].min()), f"it must be {rule}", "leave out what does not bind"
        )
    return rows, sides


def vector_of(name: str, value: ArrayLike) -> Vector:
    """One number for all variables, or one for each."""
    vector = _numbers(name, value)
    if vector.ndim > 1:
        raise wrong_shape(name, vector, "it must be one number or (variables,)", "flatten it")
    return vector


def _numbers(name: str, value: Any) -> Vector:
    try:
        given = as_array(value)
        if given.dtype.kind != "c":
            return given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            name, f"{type(value).__name__} without numbers throughout", "it must be an array of numbers", "use numpy.array"
        ) from error
    raise _complex(name, given)


def _complex(name: str, given: Any) -> ArgumentError:
    return ArgumentError(name, str(given.dtype), "it must have real numbers", "take their real parts")


def check_bounds(low: Vector, high: Vector, whole: Vector) -> None:
    """Bounds must leave room between them, and which entries are integer be said by 0 and 1."""
    if not np.isin(whole, (0, 1)).all():
        raise ArgumentError(
            "integrality", "other numbers than 0 and 1", "it must say which entries are integer", "use True or False"
        )
    wrong = np.flatnonzero(~(low <= high) | (low == np.inf) | (high == -np.inf))
    if len(wrong):
        raise ArgumentError(
            "lower",
            f"{low[wrong[0]]} for entry {wrong[0]}, with upper {high[wrong[0]]}",
            "lower must be <= upper",
            "-inf and inf are no bounds",
        )
