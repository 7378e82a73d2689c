"""Paths on a grid that never turn back."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.checks import ArgumentError
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, Shape, choose, log_sum_exp


class AcyclicGridPaths(ExponentialFamily):
    """``p(z) = exp(<z, theta> - A)`` over paths from the top left to the bottom right tile that go right, down, or both.

    z is 1 on the tiles of the path, both corners included, as of :class:`~imle_core.solvers.AcyclicGridPath`.
    ``log a(v) = theta(v) + logsumexp_u log a(u)`` over the up to three tiles u before v, and ``A = log a(goal)``: ``O(H W)``
    sums, one anti-diagonal after another. Samples walk back from the goal, to u with probability ``a(u) / sum_u a(u)``.

    Args:
        shape: ``(H, W)``.
        diagonal: whether a step may go right and down at once.

    Raises:
        ArgumentError: a shape that is not two numbers >= 1; else as for :class:`ExponentialFamily`.

    Source: Mensch, Blondel 2018, "Differentiable Dynamic Programming for Structured Prediction and Attention",
    arXiv 1802.03676.

    >>> AcyclicGridPaths((2, 2), diagonal=False).marginals(torch.zeros(1, 2, 2)).tolist()
    [[[1.0, 0.5], [0.5, 1.0]]]
    """

    def __init__(self, shape: Shape, diagonal: bool = True) -> None:
        super().__init__(shape)
        if len(self.event) != 2:
            raise ArgumentError("shape", repr(shape), "a grid has two axes", "give (H, W)")
        self.diagonal = bool(diagonal)

    def __repr__(self) -> str:
        return f"AcyclicGridPaths(shape={self.event}, diagonal={self.diagonal})"

    def count(self) -> int:
        """A Delannoy number, or a binomial coefficient without diagonal steps."""
        row = [1] * self.event[1]
        for _ in range(self.event[0] - 1):
            below = row[:1]
            for column in range(1, len(row)):
                below.append(below[-1] + row[column] + self.diagonal * row[column - 1])
            row = below
        return row[-1]

    def _states(self) -> Tensor:
        height, width = self.event
        none = torch.zeros(0, height, width, dtype=torch.float64)
        above = [torch.zeros(1, height, width, dtype=torch.float64)] + [none] * width  # the one empty path to the start
        for row in range(height):
            paths = [none]
            for column in range(width):
                before = [paths[-1], above[column + 1]] + [above[column]] * (self.diagonal or row + column == 0)
                paths.append(torch.cat(before))
                paths[-1][:, row, column] = 1
            above = paths
        return above[-1]

    def _log_partition(self, theta: Tensor) -> Tensor:
        return self._sums(theta)[-1][:, -1]

    def _sums(self, theta: Tensor) -> list[Tensor]:
        """``log a``, ``(N, H)`` on each anti-diagonal, by row."""
        height, width = self.event
        length = height + width - 1
        # Each row of a copy that is one tile too wide starts one tile later than the row above it.
        skewed = pad(theta, (0, height), value=NEVER).flatten(1)[:, :-height].unflatten(1, (height, length))
        sums = [skewed[:, :, 0]]
        for diagonal in range(1, length):
            sums.append(skewed[:, :, diagonal] + log_sum_exp(self._before(sums), dim=2))
        return sums

    def _before(self, sums: list[Tensor]) -> Tensor:
        """``log a`` of the tiles left of, above, and left above those of the next anti-diagonal, ``(N, H, moves)``."""
        moves = [sums[-1], _one_row_down(sums[-1])]
        if self.diagonal:
            moves.append(_one_row_down(sums[-2] if len(sums) > 1 else torch.full_like(sums[-1], NEVER)))
        return torch.stack(moves, dim=2)

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        height, width = self.event
        sums = self._sums(theta)
        row = torch.full((len(theta), nb_samples, 1), height - 1, device=theta.device)
        column = torch.full_like(row, width - 1)
        z = theta.new_zeros(len(theta), nb_samples, height * width).scatter_(2, row * width + column, 1)
        for diagonal in range(len(sums) - 1, 0, -1):
            moves = self._before(sums[:diagonal]).unsqueeze(1).expand(-1, nb_samples, -1, -1)
            move = choose(moves.gather(2, row.unsqueeze(3).expand(-1, -1, -1, moves.shape[3])), generator)
            here = row + column == diagonal  # a diagonal step skips an anti-diagonal
            row, column = row - (here & (move > 0)).long(), column - (here & (move != 1)).long()
            z.scatter_(2, row * width + column, 1)
        return z


def _one_row_down(values: Tensor) -> Tensor:
    return pad(values, (1, -1), value=NEVER)
