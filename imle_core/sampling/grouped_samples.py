"""Standard errors of means over samples of which neighbours may depend on one another."""

from math import inf, nan

import torch
from torch import Tensor

_DEVIATIONS = 1.96  # a normal variable is within so many of its mean with probability 95%


class GroupedSamples:
    """Standard error of the mean of samples that come in groups, each of them independent of the others.

        SE^2 = G/(G-1) sum_g (t_g - n_g m)^2 / S^2

    for the mean m of S samples in G groups, group g of n_g samples with sum t_g. For groups of one this is
    ``sum_s (z_s - m)^2 / (S (S-1))``, for groups of equal size the same formula over the means of groups.

    Where the means of all groups are equal their spread is 0, which says little about states not yet seen. There the
    standard error is ``1.96 / (G + 1.96^2)``, about 2/G: so that 1.96 of it reach as far from 0 or 1 as Wilson's interval.

    Sources: Cochran 1977, chapter 9 (groups); Wilson 1927.

    Args:
        like: a sample, ``(B, *event)``, for its shape, type and device.
        group: n_g, the last of a block may have fewer; infinite for groups that are whole blocks.
    """

    def __init__(self, like: Tensor, group: float = 1) -> None:
        self._group, self._groups, self._squared_sizes = group, 0, 0
        # Over groups: of t_g^2, and of n_g t_g.
        self._squares, self._products = like.new_zeros(2, *like.shape, dtype=torch.float64)
        # Extremes of the means t_g / n_g.
        self._smallest, self._largest = torch.full_like(like, inf), torch.full_like(like, -inf)

    def add(self, block: Tensor) -> None:
        """Takes in a block of samples ``(B, n, *event)``, n >= 1; a group begins with it."""
        wide = block.to(torch.promote_types(block.dtype, torch.float32))  # squares of large states overflow in float16
        count = wide.shape[1]
        size = int(min(self._group, count))
        whole, rest = wide.split([count - count % size, count % size], dim=1)
        self._add_groups(whole if size == 1 else whole.unflatten(1, (-1, size)).sum(dim=2), size)
        if count % size:
            self._add_groups(rest.sum(dim=1, keepdim=True), count % size)

    def _add_groups(self, sums: Tensor, size: int) -> None:
        """Takes in groups of one size by their sums, ``(B, G, *event)``."""
        self._groups += sums.shape[1]
        self._squared_sizes += sums.shape[1] * size**2
        self._squares += sums.square().sum(dim=1, dtype=torch.float64)
        self._products += size * sums.sum(dim=1, dtype=torch.float64)
        means = sums if size == 1 else sums / size
        self._smallest = torch.minimum(self._smallest, means.amin(dim=1))
        self._largest = torch.maximum(self._largest, means.amax(dim=1))

    def standard_error(self, mean: Tensor, nb_samples: int) -> Tensor:
        """Standard error of the mean of all S samples so far, ``(B, *event)``; NaN for a single group."""
        if self._groups == 1:
            return torch.full_like(mean, nan)
        spread = self._squares - 2 * mean * self._products + mean.square() * self._squared_sizes
        error = (spread.clamp_(min=0.0) * (self._groups / (self._groups - 1))).sqrt_() / nb_samples
        bounded: Tensor = error.masked_fill_(self._smallest == self._largest, bound_of_agreement(self._groups))
        return bounded


def bound_of_agreement(groups: int) -> float:
    """Standard error, ``1.96 / (G + 1.96^2)``, of a mean of G groups that all have the same mean."""
    return _DEVIATIONS / (groups + _DEVIATIONS**2)
