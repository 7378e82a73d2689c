"""Parameters as numbers that solvers reckon with: one table of types for all of them.

float32 and float64 stay as they are. Of the others each has the narrower of these two that holds all its numbers; of 64-bit
integers float64 holds those of up to 53 bits and some above, and what it does not hold is refused, never rounded.
"""

from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_numbers, no_numbers

Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

_LONG = (torch.int64, torch.uint64)
_PEAK, _SHRINK = 2.0**900, 2.0**-100


def numbers(theta: Any) -> Tensor:
    """The entries of ``theta``, exactly, in float32 or float64, on its device; theta itself, detached, where it is such.

    Raises:
        ArgumentTypeError: it is no dense tensor of real numbers.
        ArgumentError: a 64-bit integer that float64 does not hold.
    """
    wide = check_numbers(theta)
    values: Tensor = theta.detach() if theta.requires_grad else theta
    if values.dtype in _LONG:
        return torch.from_numpy(_exactly(values.numpy(force=True))).to(values.device)
    return values if values.dtype is wide else values.to(wide)


def as_rows(theta: Any) -> Rows:
    """The entries of ``theta``, exactly, as a contiguous array: :func:`array_of` its :func:`numbers`."""
    return array_of(numbers(theta))


def array_of(values: Tensor) -> Rows:
    """Values of float32 or float64 as a contiguous array; the two may share memory, so that it is never written into."""
    # torch.compile, which cannot look into the question, warns of it.
    if not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(values):
        raise no_numbers(values)
    rows: Rows = values.contiguous().numpy(force=True)
    return rows


def as_array(argument: Any) -> NDArray[Any]:
    """An argument as an array: tensors come from any device, in float64 where their type is floating."""
    if isinstance(argument, Tensor):
        return (argument.double() if argument.is_floating_point() else argument).numpy(force=True)
    return np.asarray(argument)


def as_full_array(name: str, argument: Any) -> NDArray[Any]:
    """An argument as an array, as :func:`as_array` has it.

    Raises:
        ArgumentError: lists of different lengths side by side.
    """
    try:
        return as_array(argument)
    except ValueError as error:
        rule = "lists side by side have the same length"
        raise ArgumentError(name, "lists of different lengths", rule, "add what is missing") from error


def check_below_infinity(rows: Rows, what: str) -> None:
    """Refuses NaN and +inf; ``what`` names the parameters.

    Raises:
        ArgumentError: there are such.
    """
    if not (rows < np.inf).all():
        nan, infinite = int(np.isnan(rows).sum()), int((rows == np.inf).sum())
        raise ArgumentError("theta", f"{nan} NaN and {infinite} inf", f"{what} must be finite", "use -inf for never")


def shrunk(rows: Rows) -> Rows:
    """Rows ``(N, *event)``, those with huge entries multiplied by a power of two so that sums over a row stay finite."""
    huge = np.abs(rows) > _PEAK if rows.dtype == np.float64 else np.False_
    if not huge.any() or not (huge := huge & np.isfinite(rows)).any():
        return rows
    factors = np.where(huge.reshape(len(rows), -1).any(axis=1), _SHRINK, 1.0)
    small: Rows = rows * factors.reshape(-1, *[1] * (rows.ndim - 1))
    return small


def in_type_of(theta: Tensor, solutions: Rows) -> tuple[Tensor, NDArray[np.bool_]]:
    """Solutions in theta's type, and where it does not hold them: infinite ones of finite ones, or of others than integers.

    Where the types are the same, the two share memory.
    """
    shared = torch.from_numpy(solutions)
    if shared.dtype == theta.dtype:
        return shared, np.zeros(solutions.shape, np.bool_)
    z = shared.to(theta.dtype)
    held = z.double().numpy()
    lost = np.isfinite(solutions) & ~np.isfinite(held) if theta.is_floating_point() else held != solutions
    return z, lost


def _exactly(integers: NDArray[Any]) -> NDArray[np.float64]:
    wide = integers.astype(np.float64)
    inside = wide < float(np.iinfo(integers.dtype).max)  # float() rounds it up to the first integer that is too large
    lost = np.where(inside, wide, 0).astype(integers.dtype) != integers
    if lost.any():
        raise ArgumentError(
            "theta",
            f"{integers[lost][0]} in {integers.dtype}",
            "float64, in which solvers reckon, must hold each entry",
            "use smaller numbers, or theta.double() to round them",
        )
    return wide
