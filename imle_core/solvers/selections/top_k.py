"""The k entries with the largest parameters."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import (
    ArgumentError,
    check_event_axis,
    check_numbers,
    check_whole,
    counts_of_instances,
    event_axis,
    wrong_shape,
)
from imle_core.concurrency import in_threads
from imle_core.solvers.binding import normals_at, sums_along
from imle_core.solvers.rows import array_of, numbers

_ENTRIES_A_THREAD = 2**15


class TopK:
    """``argmax_z <z, theta>`` over z with exactly k ones; among equal entries the first in row-major order are taken.

    ``O(n)`` operations an instance, compiled on the CPU on as many threads as torch may use, and ``O(n log n)`` on other
    devices. theta = -inf is never chosen.

    Args:
        k: number of ones, from 0 to the number of entries of an instance; None where each call says it for each instance.
        at_most: whether an instance with fewer than k entries above -inf has all of them chosen, rather than refused.
        dim: axis of theta along which k entries are chosen, each line along it being a choice of its own, as in
            ``torch.topk``; None for k of all entries of an instance.

    Raises:
        ArgumentError: k < 0, or axis 0, which is that of instances; when called, NaN, or fewer than k entries that may be
            chosen, if not ``at_most``.

    >>> TopK(2)(torch.tensor([[1.0, 3.0, 3.0, 3.0]]))
    tensor([[0., 1., 1., 0.]])
    >>> TopK()(torch.tensor([[1.0, 3.0], [1.0, 3.0]]), k=[1, 2])
    tensor([[0., 1.],
            [1., 1.]])
    >>> TopK(2, at_most=True)(torch.tensor([[1.0, -torch.inf, 3.0], [-torch.inf, -torch.inf, 3.0]]))
    tensor([[1., 0., 1.],
            [0., 0., 1.]])
    >>> TopK(1, dim=-1)(torch.tensor([[[1.0, 3.0], [2.0, 1.0]]]))
    tensor([[[0., 1.],
             [1., 0.]]])
    """

    pure, sense, by_instance = True, "max", True

    def __init__(self, k: int | None = None, *, at_most: bool = False, dim: int | None = None) -> None:
        if k is not None:
            check_whole("k", k, 0, "top-k chooses k entries")
        if dim is not None:
            check_event_axis("dim", dim)
        self.k = None if k is None else int(k)
        self.at_most, self.dim = bool(at_most), dim

    def __repr__(self) -> str:
        options = (", at_most=True" if self.at_most else "") + ("" if self.dim is None else f", dim={self.dim}")
        return f"TopK(k={self.k}{options})"

    @property
    def takes_padding(self) -> bool | None:
        """None, for padding does no harm, unless lines across it are choices of their own: then False."""
        return None if self.dim in (None, 1) else False

    def typical_ones(self, event: Sequence[int]) -> float | None:
        """K of each choice, at most its entries; None where each call says k."""
        if self.k is None:
            return None
        entries = math.prod(event)
        size = entries if self.dim is None else event[event_axis("dim", self.dim, len(event) + 1) - 1]
        return min(self.k, size) * entries / size

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at masks ``(B, *event)``, as :class:`imle_core.contracts.BindingSolver` says: sums of choices, 0 and 1."""
        check_numbers(gold, "gold")
        event = tuple(gold.shape[1:])
        size = math.prod(event)
        if self.dim is None:
            return normals_at(gold, size, np.ones((1, size)))
        return normals_at(gold, size, sums_along(event, event_axis("dim", self.dim, gold.dim()) - 1))

    def __call__(self, theta: Tensor, k: Sequence[int] | Tensor | None = None) -> Tensor:
        """Masks ``(N, *event)`` for parameters ``(N, *event)``, in theta's type.

        Args:
            theta: parameters.
            k: number of ones of each instance, ``(B,)`` with N a multiple of B: instance b has the rows from ``b*N/B`` on,
                as in a layer that draws ``S = N/B`` samples. That of the constructor for all if None.
        """
        values = numbers(theta)
        if values.dim() < 2:
            raise wrong_shape("theta", theta, "top-k needs (N, *event)", "use theta.unsqueeze(0) for one instance")
        if math.isnan(float(values.sum())) and values.isnan().any():  # the sum, quick to take, is NaN where an entry is
            raise ArgumentError("theta", f"{int(values.isnan().sum())} NaN", "top-k needs numbers", "use -inf for never")
        if self.dim is None:
            return self._chosen(values if values.dim() == 2 else values.flatten(1), k).to(theta.dtype).view_as(theta)
        lines = values.movedim(event_axis("dim", self.dim, values.dim()), -1)
        chosen = self._chosen(lines.reshape(math.prod(lines.shape[:-1]), lines.shape[-1]), k, len(theta))
        return chosen.to(theta.dtype).view(lines.shape).movedim(-1, self.dim).contiguous()

    def _chosen(self, flat: Tensor, k: Sequence[int] | Tensor | None, rows: int | None = None) -> Tensor:
        """Masks of choices ``(L, n)``, of which each of so many rows has as many."""
        counts = self._counts(flat, k, len(flat) if rows is None else rows)
        engine = _compiled if flat.device.type == "cpu" else _sorted
        chosen, closed = engine(flat, counts, self.at_most)
        if closed >= 0:
            raise ArgumentError(
                "k",
                str(int(counts[closed])),
                f"instance {closed if rows is None else closed * rows // len(flat)} has fewer entries above -inf",
                "choose a smaller k, or at_most=True",
            )
        return chosen

    def _counts(self, flat: Tensor, k: Sequence[int] | Tensor | None, rows: int) -> Tensor:
        """Number of ones of each choice, ``(L,)``."""
        lines, entries = flat.shape
        if k is None:
            if self.k is None:
                raise ArgumentError("k", "None", "TopK() needs one for each instance", "call it with k=[...]")
            self._check_count(self.k, entries)
            return torch.full((lines,), min(self.k, entries), device=flat.device)
        counts = counts_of_instances("k", k, rows, flat.device)
        for count in counts[(counts < 0) | (counts > entries)][:1].tolist():
            self._check_count(count, entries)
        return counts.repeat_interleave(lines // len(counts))

    def _check_count(self, k: int, entries: int) -> None:
        if k < 0 or (k > entries and not self.at_most):
            raise ArgumentError(
                "k", str(k), f"an instance has {entries} entries", f"k must be from 0 to {entries}, or at_most=True"
            )


def _compiled(flat: Tensor, counts: Tensor, at_most: bool) -> tuple[Tensor, int]:
    """Masks ``(N, n)``, and the first row with too few entries above -inf, or -1."""
    from imle_core.solvers.selections.kernels.top_k import choose  # here, since numba takes half a second to import

    rows, wanted = array_of(flat), counts.numpy()
    masks = np.zeros(rows.shape, rows.dtype)

    def solve(first: int, last: int) -> int:
        row = int(choose(rows[first:last], masks[first:last], wanted[first:last], at_most))
        return first + row if row >= 0 else -1

    threads = min(torch.get_num_threads(), len(rows), rows.size // _ENTRIES_A_THREAD)
    closed = [row for row in in_threads(solve, len(rows), threads) if row >= 0]
    return torch.from_numpy(masks), min(closed, default=-1)


def _sorted(flat: Tensor, counts: Tensor, at_most: bool) -> tuple[Tensor, int]:
    """Masks ``(N, n)`` by sorting in torch, and the first row with too few entries above -inf, or -1."""
    order = flat.add(0.0).argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(flat.shape[1], device=flat.device).expand_as(flat)
    chosen = torch.empty_like(order).scatter_(1, order, ranks) < counts[:, None]
    if at_most:
        return chosen & ~flat.isneginf(), -1
    closed = (chosen & flat.isneginf()).any(dim=1).nonzero()
    return chosen, int(closed[0]) if len(closed) else -1
