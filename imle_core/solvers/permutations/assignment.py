"""Pairs of rows and columns with the largest sum of scores."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.solvers.binding import Matrix, normals_at, sums_along
from imle_core.solvers.rows import as_rows, check_below_infinity, shrunk


class Assignment:
    """``argmax_z <z, theta>`` over 0/1 matrices with at most one 1 in each row and each column.

    theta holds the scores of all pairs. A complete assignment has ``min(R, C)`` ones whatever the scores; for R = C it is
    a permutation matrix. A partial one leaves out pairs that do not gain, those with ``theta <= 0``. theta = -inf forbids a
    pair. Each instance takes ``O(min(R, C)^2 max(R, C))`` operations, by shortest augmenting paths (Crouse 2016, "On
    implementing 2D rectangular assignment algorithms") in scipy. The same scores always give the same answer; which of
    equally good ones it is, is that algorithm's choice.

    Args:
        partial: whether pairs that do not gain are left out.

    Raises:
        ArgumentError: when called, parameters that are not ``(N, R, C)``, NaN, infinite scores, or too many forbidden pairs.

    >>> Assignment()(torch.tensor([[[1.0, 2.0], [2.0, 4.0]]]))
    tensor([[[1., 0.],
             [0., 1.]]])
    """

    pure, sense, takes_padding = True, "max", False

    def __init__(self, partial: bool = False) -> None:
        self.partial = bool(partial)

    def __repr__(self) -> str:
        return f"Assignment(partial={self.partial})"

    def typical_ones(self, event: Sequence[int]) -> float:
        """``min(R, C)``, the pairs of a complete assignment and the most of a partial one."""
        return min(event)

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at assignments ``(B, R, C)``, as :class:`imle_core.contracts.BindingSolver` says: lines with a 1, 0 and 1.

        Lines that must have one count as equations.
        """
        if not isinstance(gold, Tensor) or gold.dim() != 3:
            raise wrong_shape("gold", gold, "an assignment needs (B, R, C)", "use gold.unsqueeze(0) for one")
        event = tuple(gold.shape[1:])
        sums, equal = [sums_along(event, axis) for axis in (1, 0)], list[Matrix]()
        if not self.partial:
            equal = [lines for lines in sums if len(lines) == min(event)]
            sums = [lines for lines in sums if len(lines) > min(event)]
        none = np.zeros((0, math.prod(event)))
        return normals_at(
            gold, math.prod(event), np.concatenate([none, *equal]), rows=np.concatenate([none, *sums]), limits=1.0
        )

    def __call__(self, theta: Tensor) -> Tensor:
        """0/1 matrices ``(N, R, C)`` for scores ``(N, R, C)``, in theta's type and on its device."""
        from scipy.optimize import linear_sum_assignment  # here, since scipy takes a while to import

        rows = as_rows(theta)
        if rows.ndim != 3:
            raise wrong_shape("theta", theta, "an assignment needs (N, R, C)", "use theta.unsqueeze(0) for one")
        check_below_infinity(rows, "scores")
        scores = shrunk(rows.astype(np.float64))
        gains = np.maximum(scores, 0.0) if self.partial else scores
        chosen = np.zeros(scores.shape, dtype=bool)
        number = 0
        try:
            for number, matrix in enumerate(gains):
                chosen[number][linear_sum_assignment(matrix, maximize=True)] = True
        except ValueError as error:
            raise ArgumentError(
                "theta",
                f"so many forbidden (-inf) pairs in instance {number} that no complete assignment is left",
                "each row or each column needs a pair",
                "allow more, or take Assignment(partial=True)",
            ) from error
        if self.partial:
            chosen &= scores > 0
        return torch.from_numpy(chosen).to(theta)
