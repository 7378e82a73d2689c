"""Solvers that minimise costs of edges, which a floor can keep from being negative."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_numbers
from imle_core.concurrency import OwnLock
from imle_core.solvers.graph.solver import Graph, GraphSolver, NumNodes, Offsets
from imle_core.solvers.rows import Rows

Floor: TypeAlias = float | Literal["domain"] | None
"""Smallest cost; "domain" for 0 where lower costs have no solutions, and None elsewhere."""


class CostSolver(GraphSolver):
    """A solver that minimises costs ``c = -theta``, which ``floor`` can keep from being negative.

    Attributes:
        clamped: how many costs were raised to ``floor`` so far.
        seen: how many edges that may be chosen were read so far.
        domain: smallest and largest theta that are surely inside its domain and not clamped.

    Args:
        graph: as for :class:`GraphSolver`.
        floor: smallest cost, >= 0, in theta's type, to which lower ones are clamped; "domain" for 0 where lower ones have
            no solutions; None to take costs as they are.
        num_nodes: as for :class:`GraphSolver`.
        directed: likewise.
        ptr: likewise.

    Raises:
        ArgumentError: as for :class:`GraphSolver`; a floor outside its range.
    """

    _alike = -1.0

    def __init__(
        self,
        graph: Graph,
        floor: Floor = "domain",
        num_nodes: NumNodes = None,
        directed: bool = False,
        ptr: Offsets = None,
    ) -> None:
        super().__init__(graph, num_nodes, directed, ptr)
        if floor == "domain":
            floor = self._least_cost
        if floor is not None and not 0 <= floor < np.inf:
            raise ArgumentError("floor", repr(floor), "it must be >= 0 and finite", "use None to take costs as they are")
        self.floor = None if floor is None else float(floor)
        self.clamped = self.seen = 0
        self._counting = OwnLock()

    def _choose(self, number: int) -> None:  # noqa: ARG002
        self.clamped = self.seen = 0
        self._counting = OwnLock()

    @property
    def _least_cost(self) -> float | None:
        """The smallest cost that surely has solutions; None where smaller ones may, too."""
        return 0.0

    def _read(self, theta: Tensor) -> Rows:
        """Minus the costs of edges ``(N, K)``, which are not below the floor: -inf on edges that are never chosen."""
        rows, clamped = super()._read(theta), 0
        if self.floor is None:
            check_sums_finite(rows, "use a large number, or give floor")
        else:
            highest = -self._floors(theta, rows)
            above = rows > highest
            clamped = int(np.count_nonzero(above))
            rows = np.where(above, highest, rows) if clamped else rows
        with self._counting:
            self.clamped += clamped
            self.seen += int(np.count_nonzero(rows != -np.inf))
        return rows

    def _floors(self, theta: Tensor, rows: Rows) -> Any:
        """The floor as a number of the type in which each row is read, also where rows of others are read in float64."""
        narrow = check_numbers(theta) is torch.float32 and rows.dtype == np.float64
        if not narrow or self._graphs.paired.all():
            return rows.dtype.type(self.floor)
        assert self.floor is not None
        floors = np.where(self._graphs.paired, self.floor, float(np.float32(self.floor)))
        return floors[self._owners(rows)][:, None]

    def _check_sign(self, costs: Rows, what: str) -> None:
        negative = (costs < 0).any(axis=1)
        if negative.any():
            row = int(negative.argmax())
            count = int(np.count_nonzero(costs[row] < 0))
            raise ArgumentError(
                "theta",
                f"{count} positive entries{self._where(row, costs)}",
                f"{what} needs costs -theta >= 0",
                "make theta <= 0, also after noise and in targets, or leave floor out, so that costs are clamped",
            )


def check_sums_finite(rows: Rows, remedy: str) -> None:
    """Refuses rows with +inf."""
    if (rows == np.inf).any():
        raise ArgumentError("theta", f"{int(np.isposinf(rows).sum())} +inf", "sums over edges must be finite", remedy)


def whole_numbers(values: Iterable[float]) -> list[int]:
    """Finite floats as whole numbers in the same exact ratios."""
    ratios = [float(value).as_integer_ratio() for value in values]
    scale = max((below for _, below in ratios), default=1)  # all are powers of two
    return [above * (scale // below) for above, below in ratios]
