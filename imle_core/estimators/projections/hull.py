"""Projections on the convex hull of a solver's solutions, by the solver alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.concurrency import in_threads
from imle_core.estimators.projections.weighing import ENTRIES_A_THREAD, rounds_of

Array = NDArray[np.float64]

_FIRST_SLOTS = 16
"""Solutions of a row that there is memory for at first; doubled as they are needed."""


class Face(NamedTuple):
    """Nearest points of a hull, and the solutions whose combinations they are.

    Attributes:
        point: ``(N, D)`` float64.
        vertices: solutions that are combined, ``(N, A, D)`` float64; 0 where a row has fewer.
        weights: of each, >= 0 with sum 1, ``(N, A)`` float64; 0 where a row has fewer.
        gap: bound of ``|point - x|^2 / 2`` above its optimum, ``(N,)`` float64: the certificate of Frank and Wolfe.
        rounds: calls of the solver.
    """

    point: Tensor
    vertices: Tensor
    weights: Tensor
    gap: Tensor
    rounds: int

    def along(self, direction: Tensor) -> Tensor:
        """Orthogonal projections of directions ``(N, D)`` on the face of each point: its derivative, times the direction."""
        from imle_core.estimators.projections.kernels.hulls import (
            project_on_faces,  # here: numba takes half a second to import
        )

        given = direction.detach().double().cpu().contiguous().numpy()
        projected = np.empty_like(given)
        project_on_faces(self.vertices.numpy(), self.weights.numpy(), given, projected)
        return torch.from_numpy(projected)


def nearest_in_hull(
    solve: Callable[[Tensor], Tensor], points: Tensor, *, tolerance: float = 1e-9, rounds: int = 1000
) -> Face:
    """``argmin |m - x|^2 / 2`` over the convex hull of solutions: fully corrective Frank-Wolfe, for a batch.

    Each round solves once for all rows that are not done, in the direction ``x - m``; the solution joins those in use, and
    the best combination of them is found exactly, which leaves out what it does not need. So it ends, at the exact point
    but for rounding, after about as many rounds as that point's face has vertices. A row is done where its gap ``<x - m, s -
    m>`` is at most the tolerance times ``1 + |x|^2 / 2``, or where its solution is in use already or helps no more.

    Args:
        solve: from parameters to be maximised ``(n, D)`` float64 to solutions ``(n, D)``.
        points: x, ``(N, D)``.
        tolerance: relative gap, >= 0.
        rounds: most calls of the solver, >= 1.

    Source: Wolfe 1976, "Finding the nearest point in a polytope"; Jaggi 2013, "Revisiting Frank-Wolfe", algorithm 4.
    """
    x = points.detach().double().cpu().contiguous()
    state = _Rows.beginning(x.numpy(), solve(x).double().contiguous().numpy())
    goals = tolerance * (1 + np.square(state.points).sum(axis=1) / 2)
    left, calls = np.arange(len(x)), 1
    while len(left) and calls < rounds:
        direction = torch.from_numpy(state.points[left] - state.means[left])
        left = left[state.add(solve(direction).double().contiguous().numpy(), left, goals)]
        calls += 1
    in_use = state.weights > 0
    vertices, weights = torch.from_numpy(state.vertices * in_use[:, :, None]), torch.from_numpy(state.weights)
    return Face(torch.from_numpy(state.means), vertices, weights, torch.from_numpy(state.gaps), calls)


@dataclass
class _Rows:
    """What :func:`imle_core.estimators.projections.kernels.hulls.add_solutions` changes."""

    points: Array
    vertices: Array
    grams: Array
    products: Array
    weights: Array
    means: Array
    gaps: Array

    @classmethod
    def beginning(cls, points: Array, solutions: Array) -> "_Rows":
        """Rows with a solution each."""
        rows, size = points.shape
        slots = min(_FIRST_SLOTS, size + 2)
        vertices, grams = np.zeros((rows, slots, size)), np.zeros((rows, slots, slots))
        products, weights = np.full((rows, slots), -np.inf), np.zeros((rows, slots))
        vertices[:, 0], weights[:, 0] = solutions, 1.0
        grams[:, 0, 0], products[:, 0] = np.square(solutions).sum(axis=1), (solutions * points).sum(axis=1)
        return cls(points, vertices, grams, products, weights, solutions.copy(), np.full(rows, np.inf))

    def add(self, solutions: Array, left: NDArray[np.int64], goals: Array) -> NDArray[np.bool_]:
        """Takes solutions ``(L, D)`` into the rows that are left, and says which of these have to go on."""
        from imle_core.estimators.projections.kernels.hulls import add_solutions  # here: numba takes half a second to import

        if (self.weights[left] > 0).all(axis=1).any():
            self._widen()
        slots, going = self.weights.shape[1], np.empty(len(left), np.bool_)
        changed = self.vertices, self.grams, self.products, self.weights, self.means, self.gaps

        def work(begin: int, end: int) -> None:
            part = slice(begin, end)
            add_solutions(solutions[part], self.points, left[part], goals, rounds_of(slots), *changed, going[part])

        in_threads(work, len(left), min(torch.get_num_threads(), len(left), len(left) * slots**2 // ENTRIES_A_THREAD))
        return going

    def _widen(self) -> None:
        """Doubles the solutions of a row that there is memory for."""
        slots = self.weights.shape[1]
        self.vertices = np.pad(self.vertices, ((0, 0), (0, slots), (0, 0)))
        self.grams = np.pad(self.grams, ((0, 0), (0, slots), (0, slots)))
        self.products = np.pad(self.products, ((0, 0), (0, slots)), constant_values=-np.inf)
        self.weights = np.pad(self.weights, ((0, 0), (0, slots)))
