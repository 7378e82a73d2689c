"""What a layer is called with, as a text for operators, which take tensors, numbers and text."""

import ast
from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

from torch import Tensor

from imle_core.checks import ArgumentTypeError


class Call(NamedTuple):
    """What a layer is called with, but for theta.

    Attributes:
        args: further arguments of the solver.
        kwargs: likewise.
        form: containers and event shapes of a structure whose tensors theta has side by side; None for one tensor.
        offsets: of instances of several sizes; None for those of one size.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    form: Any
    offsets: Tensor | None


def is_ragged(call: str) -> bool:
    """True of a call for instances of several sizes."""
    return ast.literal_eval(call)[3] is not None


def can_be_written(value: Any) -> bool:
    """True of tensors, numbers and text, and of lists and dictionaries of them."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and can_be_written(entry) for key, entry in value.items())
    if isinstance(value, (tuple, list)):
        return all(can_be_written(entry) for entry in value)
    return value is None or isinstance(value, (Tensor, bool, int, float, str))


def written(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Tensor], str]:
    """Tensors of further arguments, and a text of all.

    Raises:
        ArgumentTypeError: an argument that has anything else than tensors, numbers and text.
    """
    if not can_be_written((args, kwargs)):
        raise ArgumentTypeError(
            "argument",
            ", ".join(type(value).__name__ for value in (*args, *kwargs.values())),
            "further arguments of a solver must be tensors, numbers, text, or lists of these, to be part of a program",
            "give the solver what it needs when it is made",
        )
    tensors: list[Tensor] = []
    return tensors, as_text((args, kwargs), tensors)


def as_text(value: Any, tensors: list[Tensor]) -> str:
    """Further arguments as a literal of Python, in which ``{n}`` stands for the n-th of the tensors, which are added."""
    if isinstance(value, Tensor):
        tensors.append(value.detach())
        return "{" + str(len(tensors) - 1) + "}"
    if isinstance(value, tuple):
        return "(" + "".join([as_text(entry, tensors) + ", " for entry in value]) + ")"
    if isinstance(value, list):
        return "[" + ", ".join([as_text(entry, tensors) for entry in value]) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join([repr(key) + ": " + as_text(entry, tensors) for key, entry in value.items()]) + "}"
    if isinstance(value, float) and abs(value) == inf:
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


def read(text: str, tensors: Sequence[Tensor]) -> Any:
    """Further arguments that were written down."""

    def filled(value: Any) -> Any:
        if isinstance(value, set):
            return tensors[value.pop()]
        if isinstance(value, dict):
            return {key: filled(entry) for key, entry in value.items()}
        return type(value)(map(filled, value)) if isinstance(value, (tuple, list)) else value

    return filled(ast.literal_eval(text))
