"""Structures of tensors in code that torch compiles, which follows plain containers and functions.

Containers are tuples, lists and dicts themselves, whose names are text or numbers; whatever else is left to Python.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from torch import Tensor


def numbered(structure: Any, values: list[Any]) -> Any:
    """The structure with the number of each of its values in its place; None if a container is none of the above.

    Args:
        structure: of values.
        values: to which they are added, in order.
    """
    if isinstance(structure, Tensor):
        values.append(structure)
        return len(values) - 1
    if type(structure) is dict:
        if not all(isinstance(key, (str, int)) for key in structure):
            return None
        named = {key: numbered(entry, values) for key, entry in structure.items()}
        return None if any(entry is None for entry in named.values()) else named
    if type(structure) in (tuple, list):
        entries = [numbered(entry, values) for entry in structure]
        return None if any(entry is None for entry in entries) else type(structure)(entries)
    return None


def are_alike(values: Sequence[Tensor]) -> bool:
    """True of one or more dense floating tensors ``(B, *event)`` of one B, type and device."""
    return len(values) > 0 and all(
        value.is_floating_point()
        and not value.is_nested
        and value.dim() > 1
        and value.shape[0] == values[0].shape[0]
        and value.dtype == values[0].dtype
        and value.device == values[0].device
        for value in values
    )


def filled(containers: Any, values: Sequence[Any]) -> Any:
    """The structure of numbered values, with others in their places."""
    return mapped(containers, lambda number: values[number])


def mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    """The structure with results of a function in place of its values."""
    if type(structure) is dict:
        return {key: mapped(entry, function) for key, entry in structure.items()}
    if type(structure) in (tuple, list):
        return type(structure)([mapped(entry, function) for entry in structure])
    return function(structure)


def parts(rows: Tensor, events: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """Tensors ``(..., *event)`` of packed ones ``(..., total)``, in memory of their own."""
    values, start = [], 0
    for event in events:
        size = prod(event)
        values.append(rows.narrow(-1, start, size).reshape((*rows.shape[:-1], *event)).clone())
        start += size
    return values
