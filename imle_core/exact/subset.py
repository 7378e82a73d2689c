"""Sets of k out of n."""

from collections.abc import Sequence
from itertools import chain, combinations
from math import comb, prod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.checks import ArgumentError, counts_of_instances, event_axis, is_whole
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, Shape, choose, log_sum_exp


class KSubset(ExponentialFamily):
    """``p(z) = exp <z, theta> / e_k(exp theta)`` over z with exactly k ones, e_k the elementary symmetric polynomial.

    ``log e_k`` of n entries comes from those of both halves, ``e_j = sum_i e_i(left) e_{j-i}(right)``, all blocks of a
    size at once: ``O(n k)`` sums in about ``log2 n`` steps, and nothing is subtracted. Samples divide k ones among the
    halves, then those among their halves, and so on. The structures are those of :class:`~imle_core.solvers.TopK`.

    Args:
        k: number of ones, from 0 to the number of entries; or one for each instance, ``(B,)``, for theta of a multiple of B
            rows. Then the structures differ from row to row, and are not listed.
        event: shape of a structure, all of whose entries are one set unless ``dim`` is given.
        at_most: whether a row with fewer than k entries above -inf has all of them chosen. All sets of at most k ones are
            listed; a row's distribution is over the largest that its theta leaves.
        dim: axis of theta along which k entries are chosen, each line along it being a set of its own.

    Raises:
        ArgumentError: k outside its range; an axis that is none of an instance; else as for :class:`ExponentialFamily`.

    Source: Ahmed, Zeng, Niepert, Van den Broeck 2023, "SIMPLE: A Gradient Estimator for k-Subset Sampling",
    arXiv 2210.01941.

    >>> KSubset(1, 2).marginals(torch.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    >>> KSubset([1, 2], 2).marginals(torch.zeros(2, 2)).tolist()
    [[0.5, 0.5], [1.0, 1.0]]
    """

    def __init__(
        self, k: int | Sequence[int] | Tensor, event: Shape, *, at_most: bool = False, dim: int | None = None
    ) -> None:
        super().__init__(event)
        self.at_most, self.dim = at_most, dim
        self._axis = None if dim is None else event_axis("dim", dim, len(self.event) + 1) - 1
        self._size = prod(self.event) if self._axis is None else self.event[self._axis]
        self._sets = prod(self.event) // self._size
        self.k = (
            tuple(counts_of_instances("k", k, 0, torch.device("cpu")).tolist())
            if isinstance(k, (Sequence, Tensor, np.ndarray))
            else k
        )
        for number in self._numbers():
            if not is_whole(number, 0) or (number > self._size and not at_most):
                most = f"k must be a whole number from 0 to {self._size}"
                raise ArgumentError("k", repr(number), f"an instance has {self._size} entries", most)
        self._most = min(self._size, max(self._numbers()))

    def __repr__(self) -> str:
        options = (", at_most=True" if self.at_most else "") + ("" if self.dim is None else f", dim={self.dim}")
        return f"KSubset(k={self.k}, event={self.event}{options})"

    def count(self) -> int:
        """``n! / (k! (n - k)!)`` for each set."""
        return int(sum(comb(self._size, ones) for ones in self._listed()) ** self._sets)

    def _numbers(self) -> tuple[int, ...]:
        return self.k if isinstance(self.k, tuple) else (self.k,)

    def _listed(self) -> range:
        """Numbers of ones in the sets that are listed."""
        if isinstance(self.k, tuple):
            raise ArgumentError(
                "states", f"k={self.k}", "instances of different k have different structures", "give one k", "there are"
            )
        return range(0 if self.at_most else self._most, self._most + 1)

    def _states(self) -> Tensor:
        sets = torch.cat([self._sets_of_size(ones) for ones in self._listed()])
        if self._sets > 1:
            sets = sets[torch.cartesian_prod(*[torch.arange(len(sets))] * self._sets)]
        return self._events(sets.view(-1, self._sets, self._size))

    def _sets_of_size(self, ones: int) -> Tensor:
        """All sets of so many ones, ``(M, n)``."""
        entries = chain.from_iterable(combinations(range(self._size), ones))
        chosen = torch.from_numpy(np.fromiter(entries, np.int64)).view(comb(self._size, ones), ones)
        return torch.zeros(len(chosen), self._size, dtype=torch.float64).scatter_(1, chosen, 1)

    def _log_partition(self, theta: Tensor) -> Tensor:
        rows, ones = self._rows(theta)
        logs = self._polynomials(rows)[-1][:, 0]
        return logs.gather(1, ones[:, None]).view(len(theta), self._sets).sum(dim=1)

    def _scores(self, theta: Tensor, states: Tensor) -> Tensor:
        scores = super()._scores(theta, states)
        if not self.at_most:
            return scores
        ones = self._rows(theta)[1].view(len(theta), 1, self._sets)
        return scores.masked_fill((self._sets_of(states).sum(dim=2).long() != ones).any(dim=2), NEVER)

    def _sets_of(self, events: Tensor) -> Tensor:
        """Sets ``(M, sets, n)`` of events ``(M, *event)``."""
        lines = events if self._axis is None else events.movedim(self._axis + 1, -1)
        return lines.reshape(len(events), self._sets, self._size)

    def _events(self, sets: Tensor) -> Tensor:
        """Events ``(M, *event)`` of sets ``(M, sets, n)``."""
        if self._axis is None:
            return sets.view(-1, *self.event)
        lines = [*self.event[: self._axis], *self.event[self._axis + 1 :], self._size]
        return sets.view(-1, *lines).movedim(-1, self._axis + 1)

    def _rows(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Parameters ``(L, n)`` of all sets, and how many ones each has, ``(L,)``."""
        rows = self._sets_of(theta).flatten(0, 1)
        if not isinstance(self.k, tuple):
            ones = torch.full((len(rows),), self._most, device=theta.device)
        else:
            counts = counts_of_instances("k", self.k, len(theta), theta.device)
            ones = counts.repeat_interleave(len(rows) // len(counts))
        return rows, ones.minimum((rows.detach() > NEVER).sum(dim=1)) if self.at_most else ones

    def _polynomials(self, rows: Tensor) -> list[Tensor]:
        """``log e_j``, j = 0, 1, ..., of blocks of 1, 2, 4, ... entries: ``(L, blocks, degrees)`` each."""
        width = 1 << (self._size - 1).bit_length()
        entries = pad(rows, (0, width - self._size), value=NEVER)
        levels = [torch.stack([torch.zeros_like(entries), entries], dim=2)]
        while levels[-1].shape[1] > 1:
            levels.append(log_sum_exp(self._divisions(levels[-1]), dim=3))
        return levels

    def _divisions(self, level: Tensor) -> Tensor:
        """``log e_i(left) + log e_{j-i}(right)`` of pairs of blocks, ``(L, pairs, j, degree - i)``."""
        left, right = level[:, 0::2], level[:, 1::2]
        degree = level.shape[2] - 1
        total = min(2 * degree, self._most)
        windows = pad(right, (degree, total - degree), value=NEVER).unfold(2, degree + 1, 1)
        return left.flip(2).unsqueeze(2) + windows

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        rows, numbers = self._rows(theta)
        ones = numbers[:, None, None].expand(-1, nb_samples, 1)
        for level in reversed(self._polynomials(rows)[:-1]):
            divisions = self._divisions(level).unsqueeze(1).expand(-1, nb_samples, -1, -1, -1)
            degrees = level.shape[2]
            of_ones = ones[..., None, None].expand(-1, -1, -1, -1, degrees)
            left = degrees - 1 - choose(divisions.gather(3, of_ones).squeeze(3), generator)
            ones = torch.stack([left, ones - left], dim=3).flatten(2)
        sets = ones[:, :, : self._size].view(len(theta), self._sets, nb_samples, self._size)
        return self._events(sets.transpose(1, 2).reshape(-1, self._sets, self._size))
