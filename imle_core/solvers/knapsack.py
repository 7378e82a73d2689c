"""The most valuable set of items that fits a knapsack."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole, check_whole_entries, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.rows import as_array, as_rows, check_below_infinity, shrunk

_LARGEST_WEIGHT = 2.0**63  # the first that int64 does not hold
_LARGEST_TABLE = 2**31  # bytes, one for each item and room
_CELLS_A_THREAD = 2**16


class Knapsack:
    """``argmax_z <z, theta>`` over z in ``{0, 1}^n`` with ``<w, z> <= capacity``, for whole weights w.

    theta holds the values of the items; one with ``theta <= 0`` is never taken, so -inf forbids an item. Exact, by dynamic
    programming over items and room left in float64: ``O(n * capacity)`` operations an instance, compiled, on as many
    threads as torch may use. Weights and capacity are divided by what divides all of them, and capacity is cut down to the
    sum of the weights. Of equally good sets it takes the one that has the first item, then the second, and so on.

    Args:
        weights: w, ``(*event)``, whole numbers >= 0.
        capacity: whole number >= 0.

    Raises:
        ArgumentError: weights or a capacity outside their range, or a table of items and room over 2 GiB; when called,
            parameters of another shape than the weights, NaN, or infinite values.

    Source: Bellman 1957, "Dynamic Programming"; Kellerer, Pferschy, Pisinger 2004, "Knapsack Problems", section 2.3.

    >>> Knapsack([2, 3, 4], capacity=6)(torch.tensor([[3.0, 4.0, 5.0]]))
    tensor([[1., 0., 1.]])
    """

    pure, sense, takes_padding = True, "max", False

    def __init__(self, weights: ArrayLike, capacity: int) -> None:
        given = as_array(weights)
        check_whole_entries("weights", given)
        if (given >= _LARGEST_WEIGHT).any():
            raise ArgumentError("weights", str(given.max()), "they must be below 2^63", "measure weights in larger units")
        if given.size == 0:
            raise wrong_shape("weights", given, "a knapsack needs at least one item", "add one")
        check_whole("capacity", capacity, 0, "scale weights and capacity alike")
        self.weights, self.capacity = given.astype(np.int64), int(capacity)
        divisor = int(np.gcd.reduce(self.weights, axis=None)) or 1
        self._weights = self.weights.ravel() // divisor
        self._room = min(self.capacity // divisor, sum(self._weights.tolist()))
        if self._room * self._weights.size > _LARGEST_TABLE:
            raise ArgumentError(
                "capacity",
                f"{capacity} for {self._weights.size} items",
                "the table has a byte for each item and unit of room and may have 2 GiB",
                "measure weights in larger units",
            )

    def __repr__(self) -> str:
        return f"Knapsack({self.weights.size} items, capacity={self.capacity})"

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """Number of items that fit if all are worth the same, the lightest first."""
        return float(np.count_nonzero(np.sort(self.weights, axis=None).astype(np.float64).cumsum() <= self.capacity))

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, *event)`` for values ``(N, *event)``, in theta's type and on its device."""
        rows = as_rows(theta)
        if rows.shape[1:] != self.weights.shape or rows.ndim == 0:
            raise wrong_shape(
                "theta",
                theta,
                "it must be (N, *event) with a value for each weight",
                "give a value an item",
                f" for weights of shape {self.weights.shape}",
            )
        check_below_infinity(rows, "values")
        rows = shrunk(rows.reshape(len(rows), self.weights.size))
        from imle_core.solvers.kernels.knapsack import fill_knapsacks  # here, since numba takes half a second to import

        masks = np.zeros_like(rows)
        threads = min(torch.get_num_threads(), len(rows), rows.size * (self._room + 1) // _CELLS_A_THREAD)
        in_threads(
            lambda first, last: fill_knapsacks(rows[first:last], masks[first:last], self._weights, self._room),
            len(rows),
            threads,
        )
        return torch.from_numpy(masks).to(theta).view(theta.shape)
