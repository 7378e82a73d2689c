"""Sets of items that fit a knapsack."""

from math import gcd

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import pad

from imle_core.checks import ArgumentError, check_whole, check_whole_entries, wrong_shape
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, flips, log_sum_exp

_LARGEST_TABLE = 2**31  # bytes, eight for each item and room of an instance


class KnapsackSets(ExponentialFamily):
    """``p(z) = exp(<z, theta> - A)`` over z in ``{0, 1}^n`` with ``<w, z> <= capacity``, for whole weights w.

    ``log a_i(r) = logaddexp(log a_{i-1}(r), theta_i + log a_{i-1}(r - w_i))`` over items i and room r, and
    ``A = log a_n(capacity)``: ``O(n * capacity)`` sums. Samples decide about the last item, then the one before it, and so
    on. The structures are those that :class:`~imle_core.solvers.Knapsack` chooses from.

    Args:
        weights: w, ``(*event)``, whole numbers >= 0.
        capacity: whole number >= 0.

    Raises:
        ArgumentError: weights or a capacity outside their range, or a table of items and room over 2 GiB; else as for
            :class:`ExponentialFamily`.

    Source: Kellerer, Pferschy, Pisinger 2004, "Knapsack Problems", section 2.3, with sums in place of maxima.

    >>> KnapsackSets([2, 3, 4], capacity=6).count()
    6
    """

    def __init__(self, weights: ArrayLike, capacity: int) -> None:
        given = np.asarray(weights)
        check_whole_entries("weights", given)
        if given.size == 0 or given.ndim == 0:
            raise wrong_shape("weights", given, "a knapsack needs a list of at least one item", "add one")
        check_whole("capacity", capacity, 0, "scale weights and capacity alike")
        super().__init__(given.shape)
        self.capacity = int(capacity)
        weights_ = [int(weight) for weight in given.ravel().tolist()]
        divisor = gcd(*weights_) or 1
        self._room = min(self.capacity, sum(weights_)) // divisor
        self._weights = [min(weight // divisor, self._room + 1) for weight in weights_]
        if 8 * (self._room + 1) * len(weights_) > _LARGEST_TABLE:
            raise ArgumentError(
                "capacity",
                f"{capacity} for {len(weights_)} items",
                "the table has eight bytes for each item and unit of room and may have 2 GiB",
                "measure weights in larger units",
            )

    def __repr__(self) -> str:
        return f"KnapsackSets({len(self._weights)} items, capacity={self.capacity})"

    def count(self) -> int:
        """Number of sets that fit."""
        ways = np.full(self._room + 1, 1, dtype=object)
        for weight in self._weights:
            extended = ways.copy()
            extended[weight:] += ways[: len(ways) - weight]
            ways = extended
        return int(ways[-1])

    def _states(self) -> Tensor:
        sets = torch.zeros(1, 0, dtype=torch.float64)
        room = torch.tensor([self._room])
        for weight in self._weights:
            fits = room >= weight
            sets = torch.cat([pad(sets, (0, 1)), pad(sets[fits], (0, 1), value=1.0)])
            room = torch.cat([room, room[fits] - weight])
        return sets.view(-1, *self.event)

    def _log_partition(self, theta: Tensor) -> Tensor:
        return self._sums(theta)[-1][:, -1]

    def _sums(self, theta: Tensor) -> list[Tensor]:
        """``log a_i(r)``, ``(N, rooms)`` after each number i of items."""
        values = theta.flatten(1)
        sums = [values.new_zeros(len(values), self._room + 1)]
        for item, weight in enumerate(self._weights):
            taken = pad(sums[-1], (weight, -weight), value=NEVER) + values[:, item : item + 1]
            sums.append(log_sum_exp(torch.stack([sums[-1], taken], dim=2), dim=2))
        return sums

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        values, sums = theta.flatten(1), self._sums(theta)
        room = torch.full((len(theta), nb_samples), self._room, device=theta.device)
        z = theta.new_empty(len(theta), nb_samples, len(self._weights))
        for item in range(len(self._weights) - 1, -1, -1):
            weight = self._weights[item]
            before = pad(sums[item], (weight, -weight), value=NEVER)
            taken = flips(before.gather(1, room) + values[:, item : item + 1] - sums[item].gather(1, room), generator)
            z[:, :, item] = taken
            room = room - weight * taken.long()
        return z
