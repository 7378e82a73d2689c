"""Solvers of rows of several sizes, padded or not as each wants them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core import contracts
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.contracts import Solver, declared
from imle_core.ragged.instances import Instances


def for_padded_rows(solver: Solver, instances: Instances) -> Solver:
    """The solver for padded rows ``(N, n, *rest)``, N a multiple of B.

    One with ``solve_ragged`` is told the sizes; one that says it does not take padding gets rows of one size at a time,
    without it; any other is given as it is.
    """
    at_once = None if isinstance(solver, partial) else declared(solver, "solve_ragged")
    if at_once is not None:
        return _told_sizes(at_once, instances)
    if declared(solver, "takes_padding") is False:
        return partial(_by_size, solver, instances)
    return solver


def _told_sizes(solve_ragged: Callable[..., Tensor], instances: Instances) -> Solver:
    def solve(theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        sizes = np.repeat(instances.sizes, len(theta) // max(len(instances), 1)).tolist()
        return solve_ragged(theta, sizes, *args, **kwargs)

    return solve


def _by_size(solver: Solver, instances: Instances, theta: Tensor, /, *args: Any, **kwargs: Any) -> Any:
    """Solutions ``(N, n, *rest)``, 0 in padding: those of rows of one size at a time, with their arguments.

    Of further outputs, which must have an entry for each row, there is a list of N entries; None for a row of size 0.
    """
    z, others = torch.zeros_like(theta), list[list[Any]]()
    pure = contracts.is_pure(solver)
    for size, rows in instances.rows_by_size(len(theta)).items():
        rows = rows.to(theta.device)
        some_args, some_kwargs = selected(args, kwargs, instances.by_size[size], len(instances))
        parameters = theta[rows, :size]
        given = solver(parameters if pure else parameters.clone(), *some_args, **some_kwargs)
        z[rows, :size], outputs = contracts.solutions(given, parameters.shape, theta, pure)
        for number, entries in enumerate((outputs or ())[1:]):
            if number == len(others):
                others.append([None] * len(theta))
            for row, entry in zip(rows.tolist(), _of_rows(entries, len(rows)), strict=True):
                others[number][row] = entry
    return (z, *others) if others else z


def _of_rows(entries: Any, rows: int) -> Any:
    """A further output of so many rows, which has an entry for each.

    Raises:
        ArgumentTypeError: it has not.
    """
    listed = isinstance(entries, (Sequence, np.ndarray)) or getattr(entries, "ndim", 0) > 0
    count = len(entries) if listed else 0
    if count != rows:
        raise ArgumentTypeError(
            "solver",
            f"a further output that is no list of {rows} entries",
            "rows of one size are solved at a time, and their further outputs joined row by row",
            "give an entry for each row, or take padding",
            "gave",
        )
    return entries


def selected(
    args: Sequence[Any], kwargs: Mapping[str, Any], which: NDArray[np.int64], instances: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Further arguments of some of the instances: entries of tensors, arrays and lists, and all else as it is.

    Raises:
        ArgumentError: a tensor, an array or a list that does not have one entry for each instance.
    """
    by_position = tuple(_entries(f"argument {number}", value, which, instances) for number, value in enumerate(args, 1))
    return by_position, {name: _entries(name, value, which, instances) for name, value in kwargs.items()}


def _entries(name: str, value: Any, which: NDArray[np.int64], instances: int) -> Any:
    listed = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    if not listed and not getattr(value, "ndim", 0):
        return value
    if len(value) != instances:
        raise ArgumentError(
            name,
            f"{len(value)} entries for {instances} instances",
            "instances of several sizes are solved a size at a time, each with its own entry",
            "give one for each instance, or functools.partial for what all have in common",
        )
    if isinstance(value, Tensor):
        return value[torch.from_numpy(which).to(value.device)]
    return value[which] if isinstance(value, np.ndarray) else [value[number] for number in which]
