"""Checks of arguments: numbers, parameters, names, settings. Each error is a line: what was got, the rule, the remedy."""

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

MOST_TEMPERATURE = 1e30  # times a draw of up to 1e8, still finite in float32

_MOST_BITS, _MOST_LETTERS = 256, 80  # a value in a message has so many at most
_IN_FLOAT32 = "bool int8 uint8 int16 bfloat16 float16 float32 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz"
_IN_FLOAT64 = "uint16 int32 uint32 int64 uint64 float64"
_WIDE: dict[torch.dtype, torch.dtype] = {
    getattr(torch, name): wide
    for names, wide in ((_IN_FLOAT32, torch.float32), (_IN_FLOAT64, torch.float64))
    for name in names.split()
}
# Arithmetic is defined for these; narrower ones are for storage.
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class ArgumentError(ValueError):
    """``name: got ...; rule; remedy``: the refusal of an argument, in parts that a caller may word anew.

    Attributes:
        name: the argument, or what the error is about.
        got: what it was, in words.
        rule: what it must be, or why it cannot be used.
        remedy: what to do.
        verb: what comes before ``got`` in the text; nothing if empty.
    """

    def __init__(self, name: str, got: str, rule: str, remedy: str, verb: str = "got") -> None:
        super().__init__(name, got, rule, remedy, verb)  # pickles and copies make the error again of these
        self.name, self.got, self.rule, self.remedy, self.verb = name, got, rule, remedy, verb

    def __str__(self) -> str:
        what = f"{self.verb} {self.got}" if self.verb else self.got
        return f"{self.name}: {what}; {self.rule}; {self.remedy}"


class ArgumentTypeError(ArgumentError, TypeError):
    """The refusal of an argument for its type."""


def wrong_shape(name: str, value: Any, rule: str, remedy: str, beside: str = "", verb: str = "got") -> ArgumentError:
    """The error of a tensor or array of a wrong shape; ``beside`` goes on after it, such as " for 3 rows"."""
    return ArgumentError(name, f"shape {tuple(value.shape)}{beside}", rule, remedy, verb)


def check_numbers(value: Any, name: str = "theta", verb: str = "got", must: str = "be") -> torch.dtype:
    """Refuses what is no dense tensor of real numbers; else gives the narrower of float32 and float64 that holds them.

    Of 64-bit integers float64 holds those of up to 53 bits and some above.

    Args:
        value: anything.
        name: the argument.
        verb: what was done with the value: it was got, or what a function gave.
        must: what had to be done with such a tensor.

    Raises:
        ArgumentTypeError: it is no such tensor.
    """
    wide = _WIDE.get(value.dtype) if isinstance(value, Tensor) else None
    if wide is None or value.layout is not torch.strided or value.is_nested or value.is_meta or _intercepts(value):
        raise no_numbers(value, name, verb, must)
    return wide


def no_numbers(value: Any, name: str = "theta", verb: str = "got", must: str = "be") -> ArgumentTypeError:
    """The error of what is no dense tensor of real numbers; arguments as in :func:`check_numbers`."""
    what, remedy = _lacking(value)
    return ArgumentTypeError(name, what, f"it must {must} a dense tensor of real numbers", remedy, verb)


def _lacking(value: Any) -> tuple[str, str]:
    """Reasons why it is none, and a remedy."""
    if not isinstance(value, Tensor):
        return type(value).__name__, "give one tensor" if isinstance(value, dict) else "use torch.as_tensor"
    if value.is_nested:
        return "a nested tensor", "use torch.nested.to_padded_tensor"
    if value.layout is not torch.strided:
        return f"a tensor of layout {value.layout}", "use .to_dense()"
    if value.is_quantized:
        return f"a quantised tensor ({value.dtype})", "use .dequantize()"
    if value.is_complex():
        return f"{value.dtype}", "use .real or .abs()"
    if value.dtype not in _WIDE:
        return f"{value.dtype}", "use .float()"
    return "a tensor without numbers of its own", "call solvers outside of tracing, torch.func and the meta device"


def _intercepts(tensor: Tensor) -> bool:
    """True of a class that intercepts operations, as while tracing; what stands for a tensor then has no data."""
    return type(tensor) is not Tensor and type(tensor).__torch_dispatch__ is not Tensor.__torch_dispatch__


def check_theta(theta: Any, name: str = "theta") -> bool:
    """Parameters must be a dense tensor ``(B, *event)`` of a floating type, without NaN.

    Returns:
        True where none is infinite; False where this is not known.
    """
    check_form(theta, name)
    return check_values(theta, name)


def check_form(theta: Any, name: str = "theta") -> None:
    """Parameters must be a dense tensor ``(B, *event)`` of a floating type."""
    check_floats(theta, name)
    if theta.dim() < 2:
        raise wrong_shape(
            name,
            theta,
            "it must be (B, *event) with a batch axis in front",
            "use theta.unsqueeze(0) for one instance, theta.unsqueeze(-1) for B single numbers",
        )


def check_floats(value: Any, name: str = "theta", remedy: str = "use theta.float()") -> None:
    """``value`` must be a dense tensor of a floating type."""
    check_numbers(value, name)
    if value.dtype not in _FLOATS:
        raise ArgumentTypeError(name, str(value.dtype), "it must have a floating type", remedy)


def check_values(theta: Tensor, name: str = "theta") -> bool:
    """Parameters must have no NaN; True where none is infinite, False where this is not known."""
    finite = sum_is_finite(theta.detach())
    if not finite and theta.isnan().any():
        count = int(theta.isnan().sum())
        raise ArgumentError(
            name, f"{count} NaN of {theta.numel()} entries", "it must have none", "look for the cause upstream"
        )
    return finite


def check_upstream(dy: Tensor) -> None:
    """An upstream gradient must be finite."""
    if not sum_is_finite(dy) and not dy.isfinite().all():
        count = int((~dy.isfinite()).sum())
        raise ArgumentError(
            "upstream gradient",
            f"{count} entries of {dy.numel()} that are NaN or infinite",
            "it must be finite",
            "look at the loss",
        )


def sum_is_finite(values: Tensor) -> bool:
    """True where the sum is finite, which is quick to find out: then all its terms are finite, too."""
    return math.isfinite(float(values.sum()))


def are_hidden() -> bool:
    """True where nobody can look at the numbers in a tensor: under the compiler of torch, and under its transforms."""
    return torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()


def shown(value: Any) -> str:
    """A value as a message can show it, which a number of thousands of digits or a long text cannot be."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a whole number of {value.bit_length()} bits"
    text = " ".join(repr(value).split())  # tensors take several lines
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."


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
