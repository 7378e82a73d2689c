"""The most valuable set of items that fits a knapsack, under a constraint or several."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.binding import normals_at
from imle_core.solvers.rows import Rows, as_full_array, as_rows, check_below_infinity, shrunk
from imle_core.solvers.selections.whole_weights import WholeWeights, in_whole_units

_LARGEST_TABLE = 2**31  # bytes, one for each item and room
_CELLS_A_THREAD = 2**16
_SEARCHES_A_THREAD = 64


class Knapsack:
    """``argmax_z <z, theta>`` over z in ``{0, 1}^n`` with ``<w, z> <= capacity``, or with ``W z <= capacity`` for several.

    theta holds the values of the items; one with ``theta <= 0`` is never taken, so -inf forbids an item. Weights are real
    numbers >= 0, and each set is weighed exactly: as whole numbers, times a power of ten, so that 4.02 is 402 hundredths.

    Under one constraint it is exact by dynamic programming over items and room left in float64: ``O(n * capacity)``
    operations an instance. Weights and capacity are divided by what divides all of them, and capacity is cut down to the sum
    of the weights. With a list of capacities it is exact by branch and bound: exponential at worst, a few microseconds
    for 16 items of which six fit. Both are compiled, on as many threads as torch may use. Of equally good sets either takes
    the one that has the first item, then the second, and so on. Where float64 does not hold all sums of values, those are
    equal to branch and bound that rounding alone may have parted: ``(n + 8) 2^-50`` of the sum of all values.

    Args:
        weights: w, ``(*event)``, numbers >= 0; with m capacities W, ``(m, *event)``.
        capacity: number >= 0; a list of m for as many constraints.

    Raises:
        ArgumentError: weights or a capacity outside their range, weights that no scaling makes whole numbers of 63 bits, or
            under one constraint a table of items and room over 2 GiB; when called, parameters of another shape than the
            weights of the items, NaN, or infinite values.

    Source: Bellman 1957, "Dynamic Programming"; Kellerer, Pferschy, Pisinger 2004, "Knapsack Problems", sections 2.3 and
    9.2; Dantzig 1957 for the bound.

    >>> Knapsack([2, 3, 4], capacity=6)(torch.tensor([[3.0, 4.0, 5.0]]))
    tensor([[1., 0., 1.]])
    >>> Knapsack([[2, 3, 4], [1.5, 0.5, 2]], capacity=[6, 2.5])(torch.tensor([[3.0, 4.0, 5.0]]))
    tensor([[1., 1., 0.]])
    """

    pure, sense, takes_padding = True, "max", False

    def __init__(self, weights: ArrayLike, capacity: ArrayLike) -> None:
        given = _as_written("weights", weights)
        is_array = isinstance(capacity, (Sequence, np.ndarray, Tensor)) and not isinstance(capacity, str)
        rooms = _as_written("capacity", capacity) if is_array else np.array(capacity)
        if given.size == 0 or given.ndim == 0:
            raise wrong_shape("weights", given, "a knapsack needs a list of at least one item", "add one")
        self.several = rooms.ndim > 0
        if self.several and (rooms.ndim != 1 or given.ndim < 2 or len(given) != len(rooms)):
            raise wrong_shape(
                "weights",
                given,
                "there is a row of weights for each of a list of capacities",
                "give (m, *event) and m capacities",
                f" for capacities of shape {rooms.shape}",
            )
        blocks = zip(given, rooms, strict=True) if self.several else [(given, rooms[()])]
        self._blocks = [in_whole_units(block, room) for block, room in blocks]
        self._limits = (
            np.stack([block.weights.ravel() for block in self._blocks]),
            np.array([block.capacity for block in self._blocks], np.int64),
        )
        self.capacity: Any = tuple(rooms.tolist()) if self.several else rooms.item()
        self.weights = given.astype(np.float64 if given.dtype.kind == "f" and (given % 1).any() else np.int64)
        self.event = given.shape[1:] if self.several else given.shape
        if not self.several:
            self._check_table()

    def _check_table(self) -> None:
        whole = self.whole
        if whole.capacity * whole.weights.size <= _LARGEST_TABLE:
            return
        if whole.times > 1:
            raise ArgumentError(
                "weights",
                f"numbers that are whole only times {whole.times:g}",
                "the table has a byte for each item and unit of room and may have 2 GiB",
                "round them, or give the capacity as a list, for branch and bound",
            )
        raise ArgumentError(
            "capacity",
            f"{self.capacity} for {whole.weights.size} items",
            "the table has a byte for each item and unit of room and may have 2 GiB",
            "measure weights in larger units",
        )

    @property
    def whole(self) -> WholeWeights:
        """Weights and capacity of the first constraint as whole numbers."""
        return self._blocks[0]

    def __repr__(self) -> str:
        limits = list(self.capacity) if self.several else self.capacity
        return f"Knapsack({np.prod(self.event)} items, capacity={limits})"

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """Number of items that fit if all are worth the same, the lightest first."""
        shares = [block.weights.ravel() / max(block.capacity, 0.5) for block in self._blocks]
        order = np.argsort(sum(shares), kind="stable")
        return float(min((share[order].cumsum() <= 1 + 1e-12).sum() for share in shares))

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at sets ``(B, *event)``, as :class:`imle_core.contracts.BindingSolver` says: full capacities, 0 and 1."""
        size = int(np.prod(self.event))
        weights = self.weights.reshape(len(self._blocks), size)
        return normals_at(gold, size, rows=weights, limits=np.array(self.capacity, np.float64).reshape(-1))

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, *event)`` for values ``(N, *event)``, in theta's type and on its device."""
        rows = as_rows(theta)
        if rows.shape[1:] != self.event or rows.ndim == 0:
            raise wrong_shape(
                "theta",
                theta,
                "it must be (N, *event) with a value for each weight",
                "give a value an item",
                f" for weights of shape {self.event}",
            )
        check_below_infinity(rows, "values")
        rows = shrunk(rows.reshape(len(rows), math.prod(self.event)))
        masks = self._searched(rows) if self.several else self._filled(rows)
        return torch.from_numpy(masks).to(theta).view(theta.shape)

    def _filled(self, rows: Rows) -> Rows:
        """Masks by dynamic programming."""
        from imle_core.solvers.selections.kernels.knapsack import (
            fill_knapsacks,  # here, since numba takes half a second to import
        )

        masks, (weights, room, _) = np.zeros_like(rows), self.whole
        threads = min(torch.get_num_threads(), len(rows), rows.size * (room + 1) // _CELLS_A_THREAD)
        in_threads(
            lambda first, last: fill_knapsacks(rows[first:last], masks[first:last], weights.ravel(), room),
            len(rows),
            threads,
        )
        return masks

    def _searched(self, rows: Rows) -> Rows:
        """Masks by branch and bound."""
        from imle_core.solvers.selections.kernels.several_knapsacks import fill_knapsacks_with

        masks = np.zeros_like(rows)
        in_threads(
            lambda first, last: fill_knapsacks_with(rows[first:last], masks[first:last], *self._limits),
            len(rows),
            min(torch.get_num_threads(), len(rows) // _SEARCHES_A_THREAD),
        )
        return masks


def _as_written(name: str, numbers: Any) -> NDArray[Any]:
    """Numbers as an array of their own type, so that a float32 of 4.02 is read as that."""
    if isinstance(numbers, Tensor) and numbers.dtype in (torch.float16, torch.float32):
        return numbers.numpy(force=True)
    return as_full_array(name, numbers)
