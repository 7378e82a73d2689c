"""Distinct solutions of one shape, kept by their entries that are not 0."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.concurrency import in_threads
from imle_core.solvers.rows import Rows, shrunk

_PRODUCTS_A_THREAD = 2**18


class Entries(NamedTuple):
    """Entries of solutions that are not 0, one solution after the other.

    Attributes:
        starts: where those of each solution begin, and where the last one's end, ``(K + 1,)``.
        numbers: their numbers within an instance, row-major.
        values: the entries.
    """

    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    values: NDArray[np.float64]


class Members:
    """Distinct solutions, in the order in which they came.

    Entries that were read stay what they are when others are added, so that another thread may still look at them.

    Args:
        event: their shape.
    """

    def __init__(self, event: tuple[int, ...]) -> None:
        self.event, self.size = event, math.prod(event)
        self._keys: dict[bytes, None] = {}
        self._starts = np.zeros(1, np.int64)
        self._numbers, self._values = np.zeros(0, np.int64), np.zeros(0)
        self._tensor: Tensor | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, solutions: Tensor, first: int = 0, limit: int | None = None) -> None:
        """Takes in what is new of solutions ``(N, *event)``.

        Args:
            solutions: any, again and again.
            first: number of the oldest that stay whatever comes.
            limit: most members; the oldest others go where there would be more.
        """
        rows = solutions.detach().reshape(len(solutions), self.size).double().numpy(force=True) + 0.0  # -0 as 0
        new = list[int]()
        for row, key in enumerate(_keys(rows)):
            if key not in self._keys:
                self._keys[key] = None
                new.append(row)
        if new:
            self._tensor = None
            self._append(rows[new])
            if limit is not None and len(self) > limit:
                self._leave_out(first, len(self) - limit)

    def _append(self, rows: NDArray[np.float64]) -> None:
        which, numbers = rows.nonzero()
        begun, used = len(self) - len(rows), int(self._starts[len(self) - len(rows)])
        self._starts = _with_room(self._starts, begun + 1, len(self) + 1)
        self._numbers = _with_room(self._numbers, used, used + len(numbers))
        self._values = _with_room(self._values, used, used + len(numbers))
        self._numbers[used : used + len(numbers)] = numbers
        self._values[used : used + len(numbers)] = rows[which, numbers]
        self._starts[begun + 1 : len(self) + 1] = used + np.bincount(which, minlength=len(rows)).cumsum()

    def _leave_out(self, first: int, count: int) -> None:
        """Leaves out so many after the first ones."""
        starts, numbers, values = self.entries()
        begin, end = starts[first], starts[first + count]
        keys = list(self._keys)
        self._keys = dict.fromkeys([*keys[:first], *keys[first + count :]])
        self._starts = np.concatenate([starts[: first + 1], starts[first + count + 1 :] - (end - begin)])
        self._numbers = np.concatenate([numbers[:begin], numbers[end:]])
        self._values = np.concatenate([values[:begin], values[end:]])

    def entries(self) -> Entries:
        """Entries of all members that are not 0."""
        starts = self._starts[: len(self) + 1]
        return Entries(starts, self._numbers[: starts[-1]], self._values[: starts[-1]])

    def tensor(self) -> Tensor:
        """All members, ``(K, *event)``, in float32 if it holds their entries, else in float64."""
        if self._tensor is None:
            starts, numbers, values = self.entries()
            narrow = values.astype(np.float32)
            dense = np.zeros((len(self), self.size), np.float32 if (narrow == values).all() else np.float64)
            dense[np.arange(len(self)).repeat(np.diff(starts)), numbers] = values
            with torch.inference_mode(False):
                self._tensor = torch.from_numpy(dense.reshape(len(self), *self.event))
        return self._tensor


def best_of(entries: Entries, rows: Rows, sign: float, domain: tuple[float, float]) -> tuple[Rows, NDArray[np.bool_]]:
    """The best of solutions for each row ``(N, n)``, and which rows none may answer.

    ``argmax_g <g, sign * theta>`` in float64, the first of equally good ones. None may answer a row with NaN or of which an
    entry is inf, and no solution one where it uses an entry that is -inf, both after the sign.

    Args:
        entries: the solutions.
        rows: theta.
        sign: 1, or -1 to minimise.
        domain: smallest and largest theta, to which finite entries are clamped.
    """
    from imle_core.solvers.pools.kernels.pool import best_members  # here, since numba takes half a second to import

    rows = shrunk(rows)
    z, chosen = np.zeros_like(rows), np.empty(len(rows), np.int64)

    def answer(first: int, last: int) -> None:
        best_members(rows[first:last], z[first:last], chosen[first:last], *entries, sign, *domain)

    threads = min(torch.get_num_threads(), len(rows), len(rows) * len(entries.numbers) // _PRODUCTS_A_THREAD)
    in_threads(answer, len(rows), threads)
    return z, chosen < 0


def _keys(rows: NDArray[np.float64]) -> list[bytes]:
    """Bytes by which rows can be told apart: a bit for each entry where all are 0 or 1, else eight bytes."""
    bits = np.packbits(rows != 0, axis=1)
    are_bits = ((rows == 0) | (rows == 1)).all(axis=1)
    return [(bits if is_bits else rows)[row].tobytes() for row, is_bits in enumerate(are_bits.tolist())]


def _with_room(array: NDArray[Any], used: int, wanted: int) -> NDArray[Any]:
    """The array itself, or one of twice the size with what was used of it."""
    if wanted <= len(array):
        return array
    larger = np.empty(max(wanted, 2 * len(array)), array.dtype)
    larger[:used] = array[:used]
    return larger
