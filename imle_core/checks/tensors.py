"""Checks of tensors: their types, shapes and numbers."""

import math
from typing import Any

import torch
from torch import Tensor

from imle_core.checks.errors import ArgumentError, ArgumentTypeError, wrong_shape

_IN_FLOAT32 = "bool int8 uint8 int16 bfloat16 float16 float32 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz"
_IN_FLOAT64 = "uint16 int32 uint32 int64 uint64 float64"
_WIDE: dict[torch.dtype, torch.dtype] = {
    getattr(torch, name): wide
    for names, wide in ((_IN_FLOAT32, torch.float32), (_IN_FLOAT64, torch.float64))
    for name in names.split()
}
# Arithmetic is defined for these; narrower ones are for storage.
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


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
