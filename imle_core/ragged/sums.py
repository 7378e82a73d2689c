"""Sums in an order that neither padding nor batch mates change, to the bit.

torch chooses the order of a sum by the shape of the whole tensor. Here, sums are elementwise additions of halves.
"""

import torch
from torch import Tensor


def entry_sums(values: Tensor) -> Tensor:
    """Sums over the entries of each row, ``(N,)``, for values ``(N, *event)``; zeros at the end of a row change no bit."""
    wide = torch.promote_types(values.dtype, torch.float32)
    sums = values.flatten(1).to(wide)
    if sums.shape[1] == 0:
        return sums.new_zeros(len(sums)).to(values.dtype)
    half = 1 << (sums.shape[1] - 1).bit_length()
    sums = torch.nn.functional.pad(sums, (0, half - sums.shape[1]))
    while half > 1:
        half //= 2
        sums = sums[:, :half] + sums[:, half:]
    return sums[:, 0].to(values.dtype)


def entry_norms(values: Tensor) -> Tensor:
    """Euclidean norms of rows, ``(N,)``, for values ``(N, *event)``, in float32 at least."""
    wide = values.to(torch.promote_types(values.dtype, torch.float32))
    return entry_sums(wide * wide).sqrt()


def sample_means(values: Tensor) -> Tensor:
    """Means over samples, ``(B, *event)``, for values ``(B, S, *event)``."""
    samples = values.shape[1]
    sums = values.to(torch.promote_types(values.dtype, torch.float32))
    while (count := sums.shape[1]) > 1:
        half = count // 2
        pairs = sums[:, :half] + sums[:, half : 2 * half]
        if count % 2:
            pairs[:, 0] += sums[:, -1]
        sums = pairs
    return (sums[:, 0] / samples).to(values.dtype)
