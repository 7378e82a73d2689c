"""Projections on the convex hull of a solver's solutions, by the solver alone."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from imle_core.projections.weighing import weigh

_FIRST_SLOTS = 8
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
        spread = (self.vertices - self.point.unsqueeze(1)).masked_fill(self.weights.unsqueeze(2) == 0, 0.0)
        inverse = torch.linalg.pinv(spread @ spread.mT, rtol=1e-10, hermitian=True)
        along: Tensor = spread.mT @ (inverse @ (spread @ direction.double().unsqueeze(2)))
        return along.squeeze(2)


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
    x = points.detach().double().cpu()
    rows, size = x.shape
    vertices = x.new_zeros(rows, min(_FIRST_SLOTS, size + 2), size)
    vertices[:, 0] = solve(x).double()
    weights = x.new_zeros(vertices.shape[:2])
    weights[:, 0] = 1.0
    mean, gap, goal = vertices[:, 0].clone(), x.new_full((rows,), torch.inf), tolerance * (1 + x.square().sum(1) / 2)
    left, calls = torch.arange(rows), 1
    while len(left) and calls < rounds:
        direction = x[left] - mean[left]
        best = solve(direction).double()
        calls += 1
        gap[left] = (direction * (best - mean[left])).sum(1).clamp(min=0.0)
        is_new = ~(vertices[left] == best.unsqueeze(1)).all(2).logical_and(weights[left] > 0).any(1)
        keep = (gap[left] > goal[left]) & is_new
        left, best = left[keep], best[keep]
        if not len(left):
            break
        if (weights[left] > 0).all(1).any():  # no slot is free
            vertices, weights = (torch.cat([part, torch.zeros_like(part)], dim=1) for part in (vertices, weights))
        slot = (weights[left] > 0).int().argmin(1)
        vertices[left, slot] = best
        used, combined = vertices[left], weights[left]
        is_free = (combined == 0).scatter_(1, slot.unsqueeze(1), False)
        products = (used @ x[left].unsqueeze(2)).squeeze(2).masked_fill_(is_free, -torch.inf)
        weigh(used @ used.mT, products, combined, whole=True)
        weights[left] = combined
        mean[left] = (combined.unsqueeze(1) @ used).squeeze(1)
        left = left[combined.gather(1, slot.unsqueeze(1)).squeeze(1) > 0]  # else rounding alone said that it helps
    in_use = (weights > 0).unsqueeze(2)
    return Face(mean, vertices * in_use, weights, gap, calls)
