"""Checks of settings: numbers, names, axes, objects with a method, generators."""

import difflib
import inspect
import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks.errors import ArgumentError, ArgumentTypeError, shown, wrong_shape

MOST_TEMPERATURE = 1e30  # times a draw of up to 1e8, still finite in float32


def check_name(name: str, value: Any, known: Iterable[str]) -> None:
    """``value`` must be one of the names ``known``; the nearest of them is suggested."""
    names = list(known)
    if value not in names:
        near = difflib.get_close_matches(str(value), names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"use {names[0]!r} for instance"
        raise ArgumentError(name, shown(value), f"it must be one of {', '.join(map(repr, names))}", remedy)


def is_whole(value: Any, least: int) -> bool:
    """True of a whole number of at least ``least``, of Python or NumPy."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)


def check_whole(name: str, value: Any, least: int, remedy: str) -> None:
    """``value`` must be a whole number >= ``least``."""
    if not is_whole(value, least):
        raise ArgumentError(name, shown(value), f"it must be a whole number >= {least}", remedy)


def counts_of_instances(name: str, value: Any, rows: int, device: torch.device) -> Tensor:
    """``value`` as whole numbers ``(B,)``, one for each instance, where the number of rows is a multiple of B.

    Raises:
        ArgumentError: it is anything else.
    """
    try:
        counts = torch.as_tensor(value, device=device)
    except (TypeError, ValueError):
        raise ArgumentError(name, repr(value), "it must have a whole number for each instance", "give a list") from None
    whole = not (counts.is_floating_point() or counts.is_complex() or counts.dtype == torch.bool)
    if not whole or counts.dim() != 1 or len(counts) == 0 or rows % len(counts):
        raise wrong_shape(
            name,
            counts,
            "it must have a whole number for each instance, and rows a multiple of instances",
            "give a list",
            f", {counts.dtype}, for {rows} rows",
        )
    return counts.long()


def check_event_axis(name: str, value: Any) -> None:
    """``value`` must be the number of an axis, and not that of instances, 0."""
    if not is_whole(value, -(2**31)) or value == 0:
        raise ArgumentError(name, shown(value), "it must be an axis of an instance", "use 1 for the first, -1 for the last")


def event_axis(name: str, axis: int, axes: int) -> int:
    """An axis of ``(N, *event)``, counted from the front, which must be one of an instance.

    Raises:
        ArgumentError: there are not as many.
    """
    front = axis if axis > 0 else axes + axis
    if not 1 <= front < axes:
        raise ArgumentError(name, str(axis), f"theta has {axes} axes, the first of instances", "use -1 for the last")
    return front


def check_whole_entries(name: str, values: NDArray[Any]) -> None:
    """An array must have whole numbers >= 0, of any type."""
    if values.dtype.kind not in "biuf":
        raise ArgumentError(name, f"{values.dtype} entries", "they must be whole numbers >= 0", "give integers")
    unfit = ~((values >= 0) & (values == np.floor(values)) & (values < np.inf))
    if unfit.any():
        raise ArgumentError(name, str(values[unfit][0]), "they must be whole numbers >= 0", "scale and round them")


def check_whole_or_infinite(name: str, value: Any, remedy: str, verb: str = "got") -> None:
    """``value`` must be a whole number >= 1, of any type, or infinite."""
    if not (value >= 1 and (math.isinf(value) or value == int(value))):
        raise ArgumentError(name, repr(value), "it must be a whole number >= 1, or math.inf", remedy, verb)


def check_samples(name: str, value: Any) -> None:
    """A number of samples must be a whole number >= 1."""
    check_whole(name, value, 1, "use 1 for a single sample")
    _check_size(name, value)


def check_steps(name: str, value: Any, usual: int = 1100) -> None:
    """A number of steps, or of what is like steps, must be a whole number >= 1."""
    check_whole(name, value, 1, f"the usual value is {usual}")
    _check_size(name, value)


def _check_size(name: str, value: Any) -> None:
    """A size must be one that torch knows."""
    if value >= 2**63:
        raise ArgumentError(name, shown(value), "it must be below 2^63", "give less")


def check_seed(name: str, value: Any) -> None:
    """A seed must be a whole number of at most 64 bits."""
    if not is_whole(value, 0) or value >= 2**64:
        raise ArgumentError(name, shown(value), "it must be a whole number from 0 to 2^64 - 1", "the usual one is 0")


def check_finite(name: str, value: Any, remedy: str, *, positive: bool = False) -> None:
    """``value`` must be a finite number >= 0, or > 0."""
    try:
        is_fit = math.isfinite(value) and (value > 0 if positive else value >= 0)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # no number, several, or one that no float holds
        is_fit = False
    if not is_fit:
        raise ArgumentError(name, shown(value), f"it must be a finite number {'>' if positive else '>='} 0", remedy)


def check_temperature(name: str, value: Any) -> None:
    """A temperature must be a number from 0 to 1e30."""
    check_not_learned(name, value, "divide theta by it, at temperature 1")
    check_finite(name, value, "use 0 for no noise")
    if value > MOST_TEMPERATURE:
        raise ArgumentError(name, repr(value), f"it must be at most {MOST_TEMPERATURE:g}", "no theta matters above")


def check_not_learned(name: str, value: Any, remedy: str) -> None:
    """A setting must be a number, and no tensor that wants a gradient, since it would get none."""
    if not (hasattr(type(value), "__float__") or hasattr(type(value), "__index__")):
        raise ArgumentTypeError(name, _kind(value), "it must be a number", "give one such as 1.0")
    if isinstance(value, int) and abs(value) > sys.float_info.max:  # no float, so that nothing can be asked about it
        raise ArgumentError(name, shown(value), "it must fit into a float", "give less")
    if isinstance(value, (Tensor, np.ndarray)) and math.prod(value.shape) != 1:
        got = f"{_kind(value)} of shape {tuple(value.shape)}"
        raise ArgumentTypeError(name, got, "it must be a number", "give one such as 1.0")
    if isinstance(value, Tensor) and value.requires_grad:
        raise ArgumentTypeError(
            name,
            f"a {type(value).__name__} that requires grad",
            "no gradient reaches a setting",
            f"give float({name}), or {remedy}",
        )


def check_method(name: str, value: Any, method: str, remedy: str) -> None:
    """``value`` must be an object with a callable attribute ``method``."""
    if isinstance(value, type) and inspect.isfunction(inspect.getattr_static(value, method, None)):
        raise ArgumentTypeError(name, _kind(value), "it must be an object", f"make one: {value.__name__}(...)")
    if not callable(getattr(value, method, None)):
        raise ArgumentTypeError(name, _kind(value), f"it must have a method {method}", remedy)


def check_generator(value: Any) -> None:
    """A source of random numbers is torch's, or None for its global one."""
    if value is not None and not isinstance(value, torch.Generator):
        raise ArgumentTypeError(
            "generator", _kind(value), "it must be a torch.Generator or None", "use torch.Generator().manual_seed(0)"
        )


def _kind(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
