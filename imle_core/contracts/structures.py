"""Structures of several tensors, ``{"nodes": (B, n), "edges": (B, e)}``, and one tensor ``(B, n + e)`` that holds them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, ArgumentTypeError, check_form, check_numbers, check_theta
from imle_core.contracts.outputs import Outputs, solutions_in, with_first
from imle_core.contracts.user_code import kind_of

Parameters: TypeAlias = Tensor | tuple[Any, ...] | list[Any] | dict[Any, Any]
"""Parameters of a layer: a tensor, or a tuple, list or dict of tensors, or of such structures."""


@dataclass(frozen=True, eq=False, repr=False)
class Form:
    """Containers and shapes of a structure, whose tensors lie side by side in a packed one: ``(B, total)``.

    Attributes:
        containers: the structure, with the number of each tensor in its place.
        names: words for where each tensor is, such as ``['nodes']`` or ``[0]``.
        events: event shape of each.
    """

    containers: Any
    names: tuple[str, ...]
    events: tuple[torch.Size, ...]

    def __repr__(self) -> str:
        pairs = zip(self.names, self.events, strict=True)
        return f"Form({', '.join(f'{name}: {tuple(event)}' for name, event in pairs)})"

    @classmethod
    def of(cls, theta: Any) -> "Form":
        """Form of parameters.

        Raises:
            ArgumentTypeError: something else than floating tensors in tuples, lists and dicts; several types or devices.
            ArgumentError: none, one that is not ``(B, *event)`` or has NaN, or several batch sizes.
        """
        entries = list(named_values(theta, ""))
        if not entries:
            got, rule = f"an empty {type(theta).__name__}", "it must have a tensor or more"
            raise ArgumentTypeError("theta", got, rule, "give one for each kind of parameter")
        transformed = not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active()
        check: Callable[..., Any] = check_form if transformed else check_theta
        if not any(isinstance(value, Tensor) for _, value in entries):
            check(theta)
        for name, value in entries:
            check(value, f"theta{name}")
            _check_alike(f"theta{name}", value, f"theta{entries[0][0]}", entries[0][1])
        numbers = iter(range(len(entries)))
        containers = mapped(theta, lambda _: next(numbers))
        return cls(containers, tuple(name for name, _ in entries), tuple(value.shape[1:] for _, value in entries))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of entries of an instance in each tensor."""
        return tuple(map(prod, self.events))

    def packed(self, structure: Any) -> Tensor:
        """Structure of this form, tensors ``(N, *event)``, as one tensor ``(N, total)``."""
        return self.side_by_side(self.tensors(structure))

    def side_by_side(self, values: Sequence[Tensor]) -> Tensor:
        """Tensors ``(N, *event)`` as one tensor ``(N, total)``, in memory of its own."""
        return torch.cat([value.reshape(len(value), size) for value, size in zip(values, self.sizes, strict=True)], dim=1)

    def packed_given(self, structure: Any, like: Tensor, name: str, verb: str = "got") -> Tensor:
        """Values for each instance or for all, ``(*event)`` or ``(B, *event)``, packed in the type of ``like``.

        Args:
            structure: of tensors.
            like: packed parameters.
            name: the argument.
            verb: what was done with it.

        Returns:
            ``(total,)``, or ``(B, total)`` where a tensor has instances.

        Raises:
            ArgumentTypeError: another outline than that of theta, or something else than tensors.
            ArgumentError: other shapes.
        """
        if not self.has_outline(structure):
            rule = f"it must have the structure of theta, {in_words(self.containers)}"
            raise ArgumentTypeError(name, in_words(structure), rule, "give a tensor for each of them", verb)
        values = self.tensors(structure)
        for where, value in zip(self.names, values, strict=True):
            check_numbers(value, f"{name}{where}", verb)
        batch = next(
            (len(value) for value, event in zip(values, self.events, strict=True) if value.dim() > len(event)), None
        )
        for where, value, event in zip(self.names, values, self.events, strict=True):
            if value.shape not in (event, (batch, *event)):
                raise ArgumentError(
                    f"{name}{where}",
                    f"shape {tuple(value.shape)} for parameters of shape {tuple(event)} an instance",
                    "it must be (*event), or (B, *event) with the B instances of theta",
                    "give one for all instances, or one for each",
                    verb,
                )
        rows = [value.detach().to(like).expand(batch or 1, *event) for value, event in zip(values, self.events, strict=True)]
        packed = self.side_by_side(rows)
        return packed[0] if batch is None else packed

    def unpacked(self, rows: Tensor) -> Any:
        """Structure of tensors ``(..., *event)`` in memory of their own, for ``(..., total)``."""
        return self.filled(part.clone(memory_format=torch.contiguous_format) for part in self.parts(rows))

    def parts(self, rows: Tensor) -> Iterator[Tensor]:
        """Views ``(..., *event)`` of ``(..., total)``."""
        start = 0
        for size, event in zip(self.sizes, self.events, strict=True):
            yield rows.narrow(-1, start, size).view(*rows.shape[:-1], *event)
            start += size

    def filled(self, values: Iterable[Any]) -> Any:
        """Structure of this form with other values, in order."""
        given = list(values)
        return mapped(self.containers, lambda number: given[number])

    def tensors(self, structure: Any) -> list[Any]:
        """Values of a structure of the same outline, in the order of this form's."""
        values: list[Any] = [None] * len(self.names)
        _align(self.containers, structure, values)
        return values

    def unpacked_answer(self, answer: Any) -> Any:
        """Answer of a layer, ``(..., total)`` or ``(that, *others)``, with the structure in place of its tensor."""
        z, outputs = solutions_in(answer)
        return self.unpacked(z) if outputs is None else with_first(self.unpacked(z), outputs)

    def has_outline(self, structure: Any) -> bool:
        """True of a structure of the same containers, whatever these hold; lists stand for tuples."""
        return bool(_outline(structure) == _outline(self.containers))

    def answered(self, answer: Any, rows: int) -> tuple[list[Tensor], Outputs | None]:
        """Tensors of the solutions in a solver's answer for so many rows, and the answer if it has further outputs.

        An answer with the outline of theta is its solutions; else it is ``(solutions, *others)``.

        Raises:
            ArgumentTypeError: solutions of another outline, or what is no dense tensor of real numbers.
            ArgumentError: another shape.
        """
        z, outputs = (answer, None) if self.has_outline(answer) else solutions_in(answer)
        gave = (
            "gave" if outputs is None else f"gave a {'list' if isinstance(outputs, list) else 'tuple'} whose first entry is"
        )
        if not self.has_outline(z):
            remedy = "give a solution for each tensor of theta, and further outputs as (solutions, *others)"
            rule = f"it must have the structure of theta, {in_words(self.containers)}"
            shown, verb = (z, gave) if is_container(z) else (answer, "gave")
            raise ArgumentTypeError("solver", in_words(shown), rule, remedy, verb)
        values = self.tensors(z)
        for name, value, event in zip(self.names, values, self.events, strict=True):
            check_numbers(value, "solver", f"gave, at {name},", "give")
            if value.shape != (rows, *event):
                raise ArgumentError(
                    "solver",
                    f"shape {tuple(value.shape)} for parameters of shape {(rows, *event)}",
                    "each solution must have the shape of its tensor of theta",
                    "give (N, *event) for (N, *event), N is batch x samples",
                    f"gave, at {name},",
                )
        return values, outputs


def is_container(value: Any) -> bool:
    """True of what holds tensors in a structure."""
    return isinstance(value, tuple | list | Mapping)


def _check_alike(name: str, value: Tensor, first: str, reference: Tensor) -> None:
    """A tensor must have as many instances as the first of its structure, its type and its device."""
    if len(value) != len(reference):
        raise ArgumentError(
            name,
            f"{len(value)} instances",
            f"all tensors must have as many as {first}, {len(reference)}",
            "give one row for each instance",
        )
    for what, got, wanted in (("type", value.dtype, reference.dtype), ("device", value.device, reference.device)):
        if got != wanted:
            rule = f"all tensors must have the {what} of {first}, {wanted}"
            raise ArgumentTypeError(name, str(got), rule, "convert one of them by .to(...)")


def named_values(structure: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of a structure, in order."""
    if isinstance(structure, Mapping):
        for key, value in structure.items():
            yield from named_values(value, f"{name}[{key!r}]")
    elif isinstance(structure, tuple | list):
        fields = getattr(structure, "_fields", None)
        for number, value in enumerate(structure):
            yield from named_values(value, f"{name}.{fields[number]}" if fields else f"{name}[{number}]")
    else:
        yield name, structure


def mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    """The structure with the results of a function in place of its values."""
    if isinstance(structure, Mapping):
        entries = {key: mapped(value, function) for key, value in structure.items()}
        if type(structure) is dict or not isinstance(structure, dict):
            return entries
        same = copy(structure)  # an ordered one, or one with a default
        same.update(entries)
        return same
    if isinstance(structure, tuple | list):
        values = [mapped(value, function) for value in structure]
        named: Any = type(structure)
        return named._make(values) if hasattr(structure, "_fields") else named(values)
    return function(structure)


def _align(containers: Any, structure: Any, values: list[Any]) -> None:
    if isinstance(containers, Mapping):
        for key, container in containers.items():
            _align(container, structure[key], values)
    elif isinstance(containers, tuple | list):
        for container, value in zip(containers, structure, strict=True):
            _align(container, value, values)
    else:
        values[containers] = structure


def _outline(structure: Any) -> Any:
    """Containers of a structure alone, in a form that can be compared."""
    if isinstance(structure, Mapping):
        return {key: _outline(value) for key, value in structure.items()}
    if isinstance(structure, tuple | list):
        return tuple(map(_outline, structure))
    return None


def in_words(structure: Any) -> str:
    """A structure in words, without its tensors."""
    if isinstance(structure, Mapping):
        return f"a {type(structure).__name__} with {', '.join(map(repr, structure)) or 'nothing'}"
    if isinstance(structure, tuple | list):
        return f"a {type(structure).__name__} of {len(structure)}"
    return kind_of(structure)
