"""Structures of tensors of instances of several sizes: nodes and edges of a batch of graphs, each with offsets of their own.

The entries of all tensors of an instance are laid side by side, and those of instances one after the other, ``(T,)``: that
is a ragged batch of one tensor, which layers know. The solver gets the structure, each tensor padded by itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from math import copysign, prod
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core import contracts, ragged
from imle_core.checks import ArgumentError, ArgumentTypeError, check_numbers, in_short
from imle_core.contracts import Form, declared, in_words, is_container, is_pure, mapped, named_values
from imle_core.estimators.target import KnownTargetDistribution
from imle_core.ragged import Instances
from imle_core.solvers import BlackBox


class Estimator(Protocol):
    """What is needed of a layer, which documents it."""

    @property
    def solver(self) -> Any: ...  # noqa: D102
    @property
    def target(self) -> Any: ...  # noqa: D102
    @property
    def takes_costs(self) -> bool: ...  # noqa: D102

    def check_packed(self, solver: Any) -> None: ...  # noqa: D102


SomeEstimator = TypeVar("SomeEstimator", bound=Estimator)


class RaggedForm:
    """Containers and sizes of a structure of tensors ``(T, *rest)``, each of which has its entries of every instance.

    Attributes:
        form: containers and padded shapes of the tensors.
        parts: instances of each tensor.
        instances: those of all tensors together.

    Args:
        values: structure of tensors.
        offsets: structure of the same containers, with offsets ``(B + 1,)`` in place of tensors.

    Raises:
        ArgumentError: as for offsets of a single tensor; offsets of other containers, or of other numbers of instances.
        ArgumentTypeError: tensors of several types or devices; or as for a single one.
    """

    def __init__(self, values: Any, offsets: Any) -> None:
        entries = list(named_values(values))
        if not entries:
            rule = "it must have a tensor or more"
            raise ArgumentTypeError("values", in_words(values), rule, "give one for each kind of parameter")
        self.parts: list[Instances] = []
        for (name, value), (where, starts) in zip(entries, _aligned(values, offsets), strict=True):
            with _at(name, where):
                self.parts.append(ragged.instances_of(value, starts))
            self._check(f"values{name}", value, entries[0][1], f"offsets{where}")
        numbers = iter(range(len(entries)))
        rests = [tuple(value.shape[1:]) for _, value in entries]
        events = [torch.Size((part.longest, *rest)) for part, rest in zip(self.parts, rests, strict=True)]
        self.form = Form(mapped(values, lambda _: next(numbers)), tuple(name for name, _ in entries), tuple(events))
        self._rests = rests
        self._widths = np.array([prod(rest) for rest in rests])
        sizes = np.stack([part.sizes for part in self.parts]) * self._widths[:, None]
        self._sizes: NDArray[np.int64] = sizes
        self._firsts: NDArray[np.int64] = np.cumsum(sizes, axis=0) - sizes
        self.instances = Instances(np.append(0, sizes.sum(axis=0).cumsum()))

    def _check(self, name: str, value: Tensor, first: Tensor, offsets: str) -> None:
        if len(self.parts[-1]) != len(self.parts[0]):
            got, rule = f"{len(self.parts[-1])} instances", f"all tensors must have as many, {len(self.parts[0])}"
            raise ArgumentError(offsets, got, rule, "give each instance its entries, or none")
        if (value.dtype, value.device) != (first.dtype, first.device):
            got, rule = f"{value.dtype} on {value.device}", f"all tensors must be {first.dtype} on {first.device}"
            raise ArgumentTypeError(name, got, rule, "convert one of them by .to(...)")

    @cached_property
    def _positions(self) -> NDArray[np.int64]:
        """Where each entry of all tensors, one after the other, is among the packed ones, ``(T,)``."""
        columns = []
        for sizes, firsts in zip(self._sizes, self._firsts, strict=True):
            within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            columns.append(np.repeat(self.instances.starts[:-1] + firsts, sizes) + within)
        return np.concatenate(columns)

    def packed(self, structure: Any) -> Tensor:
        """Values ``(T,)`` of a structure of this form."""
        flat = torch.cat([value.flatten() for value in self.form.tensors(structure)])
        return flat[torch.from_numpy(np.argsort(self._positions)).to(flat.device)]

    def packed_given(self, structure: Any, name: str, verb: str = "got") -> Tensor:
        """Packed values of a structure that should be of this form, without gradients.

        Raises:
            ArgumentTypeError: another outline, or something else than tensors.
            ArgumentError: other shapes.
        """
        if not self.form.has_outline(structure):
            rule = f"it must have the structure of the values, {in_words(self.form.containers)}"
            raise ArgumentTypeError(name, in_words(structure), rule, "give a tensor for each", verb)
        values = self.form.tensors(structure)
        for where, value, part, rest in zip(self.form.names, values, self.parts, self._rests, strict=True):
            check_numbers(value, f"{name}{where}", verb)
            if value.shape != (shape := (int(part.starts[-1]), *rest)):
                got, rule = f"shape {tuple(value.shape)}", f"it must be that of the values, {shape}"
                raise ArgumentError(f"{name}{where}", got, rule, "give one for each entry", verb)
        return self.packed(self.form.filled(value.detach() for value in values))

    def unpacked(self, states: Tensor) -> Any:
        """Structure of tensors ``(..., T, *rest)`` for packed states ``(..., T)``."""
        flat = states[..., torch.from_numpy(self._positions).to(states.device)]
        pieces = flat.split(self._sizes.sum(axis=1).tolist(), dim=-1)
        counts = [int(part.starts[-1]) for part in self.parts]
        return self.form.filled(
            piece.reshape(*states.shape[:-1], count, *rest)
            for piece, count, rest in zip(pieces, counts, self._rests, strict=True)
        )

    def padded_rows(self, rows: Tensor, never: float) -> Any:
        """Structure of tensors ``(N, n, *rest)``, each padded, for packed rows ``(N, total)``."""
        batch, count = len(self.instances), len(rows)
        ended = torch.cat([rows, rows.new_full((count, 1), never), rows.new_full((count, 1), copysign(1.0, never))], dim=1)
        by_instance = ended.view(batch, -1, ended.shape[1]) if batch else ended.view(0, 0, ended.shape[1])
        values = []
        for index, event in zip(self._columns(rows.shape[1]), self.form.events, strict=True):
            columns = torch.from_numpy(index).to(rows.device)[:, None].expand(-1, by_instance.shape[1], -1)
            values.append(by_instance.gather(2, columns).reshape(count, *event))
        return self.form.filled(values)

    def packed_rows(self, values: Sequence[Tensor], like: Tensor) -> Tensor:
        """Packed rows ``(N, total)``, 0 beyond each instance, of tensors ``(N, n, *rest)``."""
        batch, count = len(self.instances), len(like)
        ended = like.new_zeros(batch, count // max(batch, 1), like.shape[1] + 2)
        for index, value in zip(self._columns(like.shape[1]), values, strict=True):
            columns = torch.from_numpy(index).to(like.device)[:, None].expand(-1, ended.shape[1], -1)
            ended.scatter_(2, columns, value.detach().to(like).reshape(*ended.shape[:2], -1))
        return ended[:, :, :-2].reshape(like.shape)

    def _columns(self, total: int) -> Iterable[NDArray[np.int64]]:
        """Columns of each padded tensor among packed ones, ``(B, n)``; ``total`` for padding, 1 more without entries."""
        for sizes, firsts in zip(self._sizes, self._firsts, strict=True):
            numbers = np.arange(sizes.max(initial=0))
            padding = np.where(sizes == 0, total + 1, total)
            yield np.where(numbers < sizes[:, None], firsts[:, None] + numbers, padding[:, None])

    def of_instance(self, rows: Tensor, number: int) -> Any:
        """Structure of tensors ``(R, size, *rest)``, without padding, for packed rows of one instance."""
        values = []
        for sizes, firsts, part, rest in zip(self._sizes, self._firsts, self.parts, self._rests, strict=True):
            piece = rows[:, firsts[number] : firsts[number] + sizes[number]]
            values.append(piece.reshape(len(rows), int(part.sizes[number]), *rest))
        return self.form.filled(values)


def ragged_packed_layer(layer: SomeEstimator, form: RaggedForm) -> SomeEstimator:
    """The same layer, generator, state of its target and all, for packed instances ``(T,)`` of that form.

    Raises:
        ArgumentTypeError: an estimator that knows solvers of one tensor only.
    """
    twin = copy(layer)
    solver = RaggedPackedSolver(layer.solver, form, torch.inf if layer.takes_costs else -torch.inf)
    layer.check_packed(solver)
    target = layer.target
    if isinstance(target, KnownTargetDistribution):
        target = KnownTargetDistribution(form.packed_given(target.theta, "theta", "the known target has"))
    for name, value in (("solver", solver), ("target", target)):
        object.__setattr__(twin, name, value)
    return twin


class RaggedPackedSolver:
    """A solver of structures, for packed rows of instances of several sizes.

    It gets each tensor padded by itself; one that takes no padding, or one instance at a time, gets instance by instance.
    """

    def __init__(self, solver: Any, form: RaggedForm, never: float) -> None:
        self.solver, self.form, self.never = solver, form, never

    def __repr__(self) -> str:
        return f"{in_short(self.solver)} of several tensors"

    @property
    def pure(self) -> bool:
        """True where the solver is."""
        return is_pure(self.solver)

    def __call__(self, rows: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Packed solutions ``(N, total)``."""
        return self.solve_ragged(rows, [], *args, **kwargs)

    def solve_ragged(self, theta: Tensor, sizes: Sequence[int], /, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """The same; sizes are those of the form."""
        if isinstance(self.solver, BlackBox) or declared(self.solver, "takes_padding") is False:
            return self._one_by_one(theta, args, kwargs)
        answer = self.solver(self.form.padded_rows(theta, self.never), *args, **kwargs)
        values, outputs = self.form.form.answered(answer, len(theta))
        z = self.form.packed_rows(values, theta)
        return z if outputs is None else contracts.with_first(z, outputs)

    def _one_by_one(self, theta: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        instances, z = self.form.instances, torch.zeros_like(theta)
        samples = len(theta) // max(len(instances), 1)
        for number, size in enumerate(instances.sizes.tolist()):
            if not size:
                continue
            some_args, some_kwargs = ragged.solvers.selected(args, kwargs, np.array([number]), len(instances))
            rows = slice(number * samples, (number + 1) * samples)
            structure = self.form.of_instance(theta[rows], number)
            answer = self.solver(structure, *some_args, **some_kwargs)
            values, outputs = Form.of(structure).answered(answer, samples)
            if outputs is not None:
                raise ArgumentTypeError(
                    "solver",
                    "further outputs",
                    "structures of several sizes are solved one by one for it",
                    "give solutions alone, or take padding",
                    "gave",
                )
            z[rows, :size] = torch.cat([value.detach().to(z).reshape(samples, -1) for value in values], dim=1)
        return z


def is_structure(values: Any) -> bool:
    """True of containers of tensors, or of nothing."""
    return is_container(values) and (not values or any(isinstance(value, Tensor) for _, value in named_values(values)))


def _aligned(values: Any, offsets: Any, where: str = "") -> Iterable[tuple[str, Any]]:
    """Names and offsets for each tensor of a structure, in order."""
    if isinstance(values, Mapping):
        keys: Any = list(values)
        fits = isinstance(offsets, Mapping) and set(offsets) == set(keys)
    elif isinstance(values, tuple | list):
        keys = range(len(values))
        fits = isinstance(offsets, tuple | list) and len(offsets) == len(values)
    else:
        yield where, offsets
        return
    if not fits:
        got = in_words(offsets) if is_container(offsets) else type(offsets).__name__
        rule = f"it must have the structure of the values, {in_words(values)}"
        raise ArgumentTypeError(f"offsets{where}", got, rule, "give the offsets of each tensor")
    for key in keys:
        yield from _aligned(values[key], offsets[key], f"{where}[{key!r}]")


@contextmanager
def _at(name: str, where: str) -> Iterator[None]:
    """Adds to errors which tensor they are about."""
    names = {"values": f"values{name}", "offsets": f"offsets{where}"}
    try:
        yield
    except ArgumentError as error:
        if error.name not in names:
            raise
        raise type(error)(names[error.name], error.got, error.rule, error.remedy, error.verb) from None
