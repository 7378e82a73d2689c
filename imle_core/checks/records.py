"""Representations that say what an object is in a line: tensors by their shapes, functions by their names."""

from collections.abc import Mapping
from dataclasses import fields
from types import FunctionType, MethodType
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

_MOST_LETTERS = 100


class Record:
    """Base of data classes that hold tensors; they are made with ``repr=False``.

    >>> import torch
    >>> from dataclasses import dataclass
    >>> @dataclass(repr=False)
    ... class Mean(Record):
    ...     value: torch.Tensor
    ...     samples: int
    >>> Mean(torch.zeros(1, 16, 16), 10)
    Mean(value=tensor of (1, 16, 16), samples=10)
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __repr__(self) -> str:
        shown = (f"{entry.name}={in_short(getattr(self, entry.name))}" for entry in fields(self) if entry.repr)
        return f"{type(self).__name__}({', '.join(shown)})"


def tuple_in_short(value: Any) -> str:
    """Representation of a named tuple of tensors, to be its ``__repr__``."""
    shown = (f"{name}={in_short(entry)}" for name, entry in zip(value._fields, value, strict=True))
    return f"{type(value).__name__}({', '.join(shown)})"


def in_short(value: Any) -> str:
    """A value in one line: a tensor or an array by its shape, a function by its name, a long text cut short."""
    if isinstance(value, (Tensor, np.ndarray)):
        return f"{'tensor' if isinstance(value, Tensor) else 'array'} of {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {in_short(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, (FunctionType, MethodType)):
        return value.__qualname__
    if "__repr__" not in {name for kind in type(value).__mro__[:-1] for name in vars(kind)}:  # object's tells an address
        return f"a {type(value).__name__}"
    text = " ".join(repr(value).split())
    return text if len(text) <= _MOST_LETTERS or not isinstance(value, (str, bytes)) else f"{text[:_MOST_LETTERS]}..."
