"""The k entries with the largest parameters."""

import numpy as np
from torch import Tensor


class TopK:
    """``argmax_z <z, theta>`` over z with exactly k ones; among equal entries the first in row-major order are taken.

    Batched, on theta's device. theta = -inf is never chosen.

    Args:
        k: number of ones, from 1 to the number of entries of an instance.

    Raises:
        ValueError: k < 1; when called, parameters without entries, NaN, or fewer than k entries that may be chosen.

    >>> import torch
    >>> TopK(2)(torch.tensor([[1.0, 3.0, 3.0, 3.0]]))
    tensor([[0., 1., 1., 0.]])
    """

    def __init__(self, k: int) -> None:
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise ValueError(f"k: got {k!r}; it must be a whole number >= 1; top-k chooses k entries")
        self.k = int(k)

    def __repr__(self) -> str:
        return f"TopK(k={self.k})"

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, *event)`` for parameters ``(N, *event)``, in theta's type."""
        flat = theta.detach().flatten(1)
        entries = flat.shape[1]
        if self.k > entries:
            raise ValueError(f"k: got {self.k}; an instance has {entries} entries; k must be from 1 to {entries}")
        kth = flat.topk(self.k, dim=1).values[:, -1:]
        if kth.isnan().any() or flat.isnan().any():
            raise ValueError(f"theta: got {int(flat.isnan().sum())} NaN; top-k needs numbers; use -inf for never")
        if kth.isneginf().any():
            row = int(kth.isneginf().flatten().nonzero()[0])
            raise ValueError(f"k: got {self.k}; instance {row} has fewer entries above -inf; choose a smaller k")
        above, equal = flat > kth, flat == kth
        missing = self.k - above.sum(dim=1, keepdim=True)
        chosen = above | (equal & (equal.cumsum(dim=1) <= missing))
        return chosen.to(theta.dtype).view(theta.shape)
