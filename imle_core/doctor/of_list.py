"""A solver of certain instances, such as those of a list of graphs, as a solver of one of them, asked in their company."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, in_short
from imle_core.contracts import declared, solutions_in, with_first

_DECLARED = ("pure", "sense", "domain")


class InstanceOfList:
    """The instance with the most entries of a solver that has some for each of its rows; it takes any number of rows.

    The other instances are asked for the first entries of the same rows in another order, as many as they have.

    Args:
        solver: one with ``offsets``; see :class:`imle_core.contracts.ListSolver`.

    Raises:
        ArgumentError: offsets that are no rising whole numbers from 0 on, for an instance at least.
    """

    def __init__(self, solver: Callable[..., Any]) -> None:
        self._solver = solver
        self._sizes = _sizes(declared(solver, "offsets"))
        self._never = torch.inf if declared(solver, "sense") == "min" else -torch.inf
        self.number = int(self._sizes.argmax())
        for name in _DECLARED:
            if (value := declared(solver, name)) is not None:
                setattr(self, name, value)
        if (solve_ragged := declared(solver, "solve_ragged")) is not None:
            self.solve_ragged = _Told(self, solve_ragged)

    @property
    def words(self) -> str:
        """Words for the instance."""
        return f"instance {self.number} of {len(self._sizes)}, the largest"

    def __call__(self, theta: Tensor) -> Any:
        """Solutions ``(N, *event)`` of the instance for parameters ``(N, *event)``."""
        return self.asked(self._solver, theta)

    def asked(self, solver: Callable[..., Any], theta: Tensor, *args: Any) -> Any:
        """The same by a method of the solver, and further arguments; what that writes into its rows is written in theta."""
        rows = self._in_company(theta)
        z, outputs = solutions_in(solver(rows, *args))
        own = slice(self.number * len(theta), (self.number + 1) * len(theta))
        if theta.dim() > 1 and not torch.equal(rows[own, : theta.shape[1]], theta):
            theta.detach().copy_(rows[own, : theta.shape[1]])
        states = z[own] if isinstance(z, Tensor) and z.dim() and len(z) == len(rows) else z
        return states if outputs is None else with_first(states, outputs)

    def sizes(self, rows: int) -> list[int]:
        """Numbers of entries of the rows of all instances, so many of each."""
        sizes: list[int] = self._sizes.repeat(rows).tolist()
        return sizes

    def _in_company(self, theta: Tensor) -> Tensor:
        """Rows of all instances, ``(B * N, *event)``."""
        if theta.dim() < 2:
            return theta
        rows = theta.detach().flip(0).repeat(len(self._sizes), *[1] * (theta.dim() - 1))
        for number, size in enumerate(self._sizes.tolist()):
            own = rows[number * len(theta) : (number + 1) * len(theta)]
            if number == self.number:
                own.copy_(theta.detach())
            else:
                own[:, size:] = self._never
        return rows


class _Told:
    """A method ``solve_ragged``, asked in the company of the other instances."""

    def __init__(self, instance: InstanceOfList, solve_ragged: Callable[..., Any]) -> None:
        self._instance, self._solve_ragged = instance, solve_ragged

    def __call__(self, theta: Tensor, sizes: Sequence[int]) -> Any:
        return self._instance.asked(self._solve_ragged, theta, self._instance.sizes(len(sizes)))


def _sizes(offsets: Any) -> NDArray[np.int64]:
    """Numbers of entries of the instances, ``(B,)``."""
    try:
        given = np.asarray(offsets)
        is_whole = given.ndim == 1 and given.dtype.kind in "iu" and len(given) > 1
    except (TypeError, ValueError, RuntimeError):
        is_whole = False
    starts: NDArray[np.int64] = given.astype(np.int64) if is_whole else np.array([0, -1], np.int64)
    if starts[0] != 0 or (starts[1:] < starts[:-1]).any():
        rule = "they must be whole numbers that rise from 0, (B + 1,)"
        raise ArgumentError("offsets", in_short(offsets), rule, "mend that attribute", "the solver declares")
    return starts[1:] - starts[:-1]
