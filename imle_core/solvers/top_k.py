"""The k entries with the largest parameters."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor


class TopK:
    """``argmax_z <z, theta>`` over z with exactly k ones; among equal entries the first in row-major order are taken.

    Batched, on theta's device. theta = -inf is never chosen.

    Args:
        k: number of ones, from 1 to the number of entries of an instance; None where each call says it for each instance.

    Raises:
        ValueError: k < 1; when called, parameters without entries, NaN, or fewer than k entries that may be chosen.

    >>> TopK(2)(torch.tensor([[1.0, 3.0, 3.0, 3.0]]))
    tensor([[0., 1., 1., 0.]])
    >>> TopK()(torch.tensor([[1.0, 3.0], [1.0, 3.0]]), k=[1, 2])
    tensor([[0., 1.],
            [1., 1.]])
    """

    def __init__(self, k: int | None = None) -> None:
        if k is not None and (not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1):
            raise ValueError(f"k: got {k!r}; it must be a whole number >= 1; top-k chooses k entries")
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
        flat = theta.detach().flatten(1)
        if flat.isnan().any():
            raise ValueError(f"theta: got {int(flat.isnan().sum())} NaN; top-k needs numbers; use -inf for never")
        chosen = _first(flat, self._shared(flat)) if k is None else _first_of_each(flat, _counts(flat, k))
        return chosen.to(theta.dtype).view(theta.shape)

    def _shared(self, flat: Tensor) -> int:
        if self.k is None:
            raise ValueError("k: got None; TopK() needs one for each instance; call it with k=[...]")
        _check_at_most(self.k, flat.shape[1])
        return self.k


def _counts(flat: Tensor, k: Sequence[int] | Tensor) -> Tensor:
    """Number of ones of each row, ``(N,)``."""
    counts = torch.as_tensor(k, device=flat.device)
    if counts.dim() != 1 or counts.is_floating_point() or len(counts) == 0 or len(flat) % len(counts):
        raise ValueError(
            f"k: got shape {tuple(counts.shape)}, {counts.dtype}, for {len(flat)} rows; it must have a whole number for "
            "each instance, and rows a multiple of instances"
        )
    if len(wrong := counts[(counts < 1) | (counts > flat.shape[1])]):
        _check_at_most(int(wrong[0]), flat.shape[1])
    return counts.repeat_interleave(len(flat) // len(counts))


def _first(flat: Tensor, k: int) -> Tensor:
    kth = flat.topk(k, dim=1).values[:, -1:]
    _check_open(kth, lambda _: k)
    above, equal = flat > kth, flat == kth
    missing = k - above.sum(dim=1, keepdim=True)
    return above | (equal & (equal.cumsum(dim=1) <= missing))


def _first_of_each(flat: Tensor, counts: Tensor) -> Tensor:
    order = flat.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(flat.shape[1], device=flat.device).expand_as(flat)
    chosen = torch.empty_like(order).scatter_(1, order, places) < counts[:, None]
    _check_open(flat.masked_fill(~chosen, 0.0).amin(dim=1, keepdim=True), lambda row: int(counts[row]))
    return chosen


def _check_at_most(k: int, entries: int) -> None:
    if not 1 <= k <= entries:
        raise ValueError(f"k: got {k}; an instance has {entries} entries; k must be from 1 to {entries}")


def _check_open(least: Tensor, k: Callable[[int], int]) -> None:
    """The ``least`` chosen parameters ``(N, 1)`` must not be -inf."""
    if least.isneginf().any():
        row = int(least.isneginf().flatten().nonzero()[0])
        raise ValueError(f"k: got {k(row)}; instance {row} has fewer entries above -inf; choose a smaller k")
