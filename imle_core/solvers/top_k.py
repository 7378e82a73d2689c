"""The k entries with the largest parameters."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.rows import array_of, numbers

_ENTRIES_A_THREAD = 2**15


class TopK:
    """``argmax_z <z, theta>`` over z with exactly k ones; among equal entries the first in row-major order are taken.

    ``O(n)`` operations an instance, compiled on the CPU on as many threads as torch may use, and ``O(n log n)`` on other
    devices. theta = -inf is never chosen.

    Args:
        k: number of ones, from 1 to the number of entries of an instance; None where each call says it for each instance.

    Raises:
        ArgumentError: k < 1; when called, parameters without entries, NaN, or fewer than k entries that may be chosen.

    >>> TopK(2)(torch.tensor([[1.0, 3.0, 3.0, 3.0]]))
    tensor([[0., 1., 1., 0.]])
    >>> TopK()(torch.tensor([[1.0, 3.0], [1.0, 3.0]]), k=[1, 2])
    tensor([[0., 1.],
            [1., 1.]])
    """

    pure, sense = True, "max"

    def __init__(self, k: int | None = None) -> None:
        if k is not None:
            check_whole("k", k, 1, "top-k chooses k entries")
        self.k = None if k is None else int(k)

    def __repr__(self) -> str:
        return f"TopK(k={self.k})"

    def __call__(self, theta: Tensor, k: Sequence[int] | Tensor | None = None) -> Tensor:
        """Masks ``(N, *event)`` for parameters ``(N, *event)``, in theta's type.

        Args:
            theta: parameters.
            k: number of ones of each instance, ``(B,)`` with N a multiple of B: instance b has the rows from ``b*N/B`` on,
                as in a layer that draws ``S = N/B`` samples. That of the constructor for all if None.
        """
        flat = numbers(theta)
        if flat.dim() < 2:
            raise wrong_shape("theta", theta, "top-k needs (N, *event)", "use theta.unsqueeze(0) for one instance")
        flat = flat if flat.dim() == 2 else flat.flatten(1)
        if math.isnan(float(flat.sum())) and flat.isnan().any():  # the sum, quick to take, is NaN where an entry is
            raise ArgumentError("theta", f"{int(flat.isnan().sum())} NaN", "top-k needs numbers", "use -inf for never")
        counts = self._counts(flat, k)
        chosen, closed = _compiled(flat, counts) if flat.device.type == "cpu" else _sorted(flat, counts)
        if closed >= 0:
            raise ArgumentError(
                "k", str(int(counts[closed])), f"instance {closed} has fewer entries above -inf", "choose a smaller k"
            )
        return chosen.to(theta.dtype).view_as(theta)

    def _counts(self, flat: Tensor, k: Sequence[int] | Tensor | None) -> Tensor:
        """Number of ones of each row, ``(N,)``."""
        rows, entries = flat.shape
        if k is None:
            if self.k is None:
                raise ArgumentError("k", "None", "TopK() needs one for each instance", "call it with k=[...]")
            _check_count(self.k, entries)
            return torch.full((rows,), self.k, device=flat.device)
        try:
            counts = torch.as_tensor(k, device=flat.device)
        except (TypeError, ValueError):
            raise ArgumentError("k", repr(k), "it must have a whole number for each instance", "give a list") from None
        whole = not (counts.is_floating_point() or counts.is_complex() or counts.dtype == torch.bool)
        if not whole or counts.dim() != 1 or len(counts) == 0 or rows % len(counts):
            raise wrong_shape(
                "k",
                counts,
                "it must have a whole number for each instance, and rows a multiple of instances",
                "give a list",
                f", {counts.dtype}, for {rows} rows",
            )
        counts = counts.long()
        for count in counts[(counts < 1) | (counts > entries)][:1].tolist():
            _check_count(count, entries)
        return counts.repeat_interleave(rows // len(counts))


def _check_count(k: int, entries: int) -> None:
    if not 1 <= k <= entries:
        raise ArgumentError("k", str(k), f"an instance has {entries} entries", f"k must be from 1 to {entries}")


def _compiled(flat: Tensor, counts: Tensor) -> tuple[Tensor, int]:
    """Masks ``(N, n)``, and the first row with too few entries above -inf, or -1."""
    from imle_core.solvers.kernels.top_k import choose  # here, since numba takes half a second to import

    rows, wanted = array_of(flat), counts.numpy()
    masks = np.zeros(rows.shape, rows.dtype)

    def solve(first: int, last: int) -> int:
        row = int(choose(rows[first:last], masks[first:last], wanted[first:last]))
        return first + row if row >= 0 else -1

    threads = min(torch.get_num_threads(), len(rows), rows.size // _ENTRIES_A_THREAD)
    closed = [row for row in in_threads(solve, len(rows), threads) if row >= 0]
    return torch.from_numpy(masks), min(closed, default=-1)


def _sorted(flat: Tensor, counts: Tensor) -> tuple[Tensor, int]:
    """Masks ``(N, n)`` by sorting in torch, and the first row with too few entries above -inf, or -1."""
    order = flat.add(0.0).argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(flat.shape[1], device=flat.device).expand_as(flat)
    chosen = torch.empty_like(order).scatter_(1, order, ranks) < counts[:, None]
    closed = (chosen & flat.isneginf()).any(dim=1).nonzero()
    return chosen, int(closed[0]) if len(closed) else -1
