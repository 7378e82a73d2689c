"""Sets of k out of n."""

from itertools import chain, combinations
from math import comb, prod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.checks import ArgumentError, is_whole
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, Shape, choose, log_sum_exp


class KSubset(ExponentialFamily):
    """``p(z) = exp <z, theta> / e_k(exp theta)`` over z with exactly k ones, e_k the elementary symmetric polynomial.

    ``log e_k`` of n entries comes from those of both halves, ``e_j = sum_i e_i(left) e_{j-i}(right)``, all blocks of a
    size at once: ``O(n k)`` sums in about ``log2 n`` steps, and nothing is subtracted. Samples divide k ones among the
    halves, then those among their halves, and so on. The structures are those of :class:`~imle_core.solvers.TopK`.

    Args:
        k: number of ones, from 1 to the number of entries.
        event: shape of a structure, all of whose entries are one set.

    Raises:
        ArgumentError: k outside its range; else as for :class:`ExponentialFamily`.

    Source: Ahmed, Zeng, Niepert, Van den Broeck 2023, "SIMPLE: A Gradient Estimator for k-Subset Sampling",
    arXiv 2210.01941.

    >>> KSubset(1, 2).marginals(torch.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, k: int, event: Shape) -> None:
        super().__init__(event)
        self._size = prod(self.event)
        if not is_whole(k, 1) or k > self._size:
            raise ArgumentError(
                "k", repr(k), f"an instance has {self._size} entries", f"k must be a whole number from 1 to {self._size}"
            )
        self.k = int(k)

    def __repr__(self) -> str:
        return f"KSubset(k={self.k}, event={self.event})"

    def count(self) -> int:
        """``n! / (k! (n - k)!)``."""
        return comb(self._size, self.k)

    def _states(self) -> Tensor:
        entries = chain.from_iterable(combinations(range(self._size), self.k))
        chosen = torch.from_numpy(np.fromiter(entries, np.int64)).view(-1, self.k)
        return torch.zeros(len(chosen), self._size, dtype=torch.float64).scatter_(1, chosen, 1).view(-1, *self.event)

    def _log_partition(self, theta: Tensor) -> Tensor:
        return self._polynomials(theta)[-1][:, 0, self.k]

    def _polynomials(self, theta: Tensor) -> list[Tensor]:
        """``log e_j``, j = 0, 1, ..., of blocks of 1, 2, 4, ... entries: ``(N, blocks, degrees)`` each."""
        width = 1 << (self._size - 1).bit_length()
        entries = pad(theta.flatten(1), (0, width - self._size), value=NEVER)
        levels = [torch.stack([torch.zeros_like(entries), entries], dim=2)]
        while levels[-1].shape[1] > 1:
            levels.append(log_sum_exp(self._divisions(levels[-1]), dim=3))
        return levels

    def _divisions(self, level: Tensor) -> Tensor:
        """``log e_i(left) + log e_{j-i}(right)`` of pairs of blocks, ``(N, pairs, j, degree - i)``."""
        left, right = level[:, 0::2], level[:, 1::2]
        degree = level.shape[2] - 1
        total = min(2 * degree, self.k)
        windows = pad(right, (degree, total - degree), value=NEVER).unfold(2, degree + 1, 1)
        return left.flip(2).unsqueeze(2) + windows

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        ones = torch.full((len(theta), nb_samples, 1), self.k, device=theta.device)
        for level in reversed(self._polynomials(theta)[:-1]):
            divisions = self._divisions(level).unsqueeze(1).expand(-1, nb_samples, -1, -1, -1)
            degrees = level.shape[2]
            of_ones = ones[..., None, None].expand(-1, -1, -1, -1, degrees)
            left = degrees - 1 - choose(divisions.gather(3, of_ones).squeeze(3), generator)
            ones = torch.stack([left, ones - left], dim=3).flatten(2)
        return ones[:, :, : self._size]
