"""Answers of solvers: solutions alone, or with further outputs, ``(z, *others)``."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from imle_core.checks import ArgumentTypeError

Outputs: TypeAlias = tuple[Any, ...] | list[Any]
"""An answer ``(z, *others)`` of a solver, as it was given."""


Solved: TypeAlias = tuple[Tensor, Outputs | None]
"""Solutions in memory of their own, and the answer that they came in; None in place of one without further outputs."""


def solutions_in(given: Any) -> tuple[Any, Outputs | None]:
    """Solutions in a solver's answer, of any kind, and the answer itself where it has further outputs.

    Raises:
        ArgumentTypeError: a tuple or list without entries.
    """
    if isinstance(given, Tensor) or not isinstance(given, tuple | list):
        return given, None
    if not given:
        raise ArgumentTypeError(
            "solver",
            f"an empty {type(given).__name__}",
            "it must give solutions, alone or as the first of (z, *others)",
            "end it with return z",
            "gave",
        )
    return given[0], given


def with_others(states: Any, outputs: Outputs) -> tuple[Any, ...]:
    """``(states, *others)``, a named tuple where the solver gave one, with others that are nobody else's."""
    return with_first(states, outputs, map(kept, outputs[1:]))


def with_first(states: Any, outputs: Outputs, others: Iterable[Any] | None = None) -> tuple[Any, ...]:
    """``(states, *others)``, a named tuple where the solver gave one, with its others if no more is said."""
    others = outputs[1:] if others is None else others
    if isinstance(outputs, tuple) and hasattr(outputs, "_fields"):
        named: Any = type(outputs)
        return named._make([states, *others])  # type: ignore[no-any-return]
    return states, *others


def kept(value: Any) -> Any:
    """A further output in memory of its own: tensors without gradients and arrays, also in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        return value.detach().clone()  # outside of inference mode, also if that of the solver
    if isinstance(value, np.ndarray):
        return value.copy()
    kind = type(value)
    if kind in (list, tuple):
        return kind(map(kept, value))
    if kind is dict:
        return {name: kept(entry) for name, entry in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named: Any = kind
        return named._make(map(kept, value))
    return value
