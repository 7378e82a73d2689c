"""Sums in an order that neither padding nor batch mates change, to the bit.

torch chooses the order of a sum by the shape of the whole tensor. Here, sums are elementwise additions of halves: by torch,
or for what lies on the CPU by compiled code, which gives the same.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from imle_core.concurrency import in_threads
from imle_core.ragged import copies

_ENTRIES_A_THREAD = 2**18


def entry_sums(values: Tensor) -> Tensor:
    """Sums over the entries of each row, ``(N,)``, for values ``(N, *event)``; zeros at the end of a row change no bit."""
    rows = _wide(values.flatten(1))
    sums = _by_kernel("entry_sums", rows) if _are_for_kernels(rows) else _halves(rows)
    return sums.to(values.dtype)


def entry_products(values: Tensor, others: Tensor) -> Tensor:
    """Inner products of rows, ``(N,)``, for values and others ``(N, *event)`` of one type, in float32 at least."""
    rows, factors = _wide(values.flatten(1)), _wide(others.flatten(1))
    return _by_kernel("entry_products", rows, factors) if _are_for_kernels(rows, factors) else _halves(rows * factors)


def entry_norms(values: Tensor) -> Tensor:
    """Euclidean norms of rows, ``(N,)``, for values ``(N, *event)``, in float32 at least."""
    return entry_products(values, values).sqrt()


def _halves(sums: Tensor) -> Tensor:
    if sums.shape[1] == 0:
        return sums.new_zeros(len(sums))
    half = 1 << (sums.shape[1] - 1).bit_length()
    sums = torch.nn.functional.pad(sums, (0, half - sums.shape[1]))
    while half > 1:
        half //= 2
        sums = sums[:, :half] + sums[:, half:]
    return sums[:, 0]


def _by_kernel(name: str, *factors: Tensor) -> Tensor:
    from imle_core.ragged.kernels import sums  # here, since numba takes half a second to import

    add = getattr(sums, name)
    arrays, result = [rows.detach().contiguous().numpy() for rows in factors], factors[0].new_empty(len(factors[0]))
    added = result.numpy()
    _share(lambda first, last: add(*(rows[first:last] for rows in arrays), added[first:last]), *arrays[0].shape)
    return result


def sample_means(values: Tensor) -> Tensor:
    """Means over samples, ``(B, *event)``, for values ``(B, S, *event)``."""
    wide = _wide(values)
    return (_means_by_kernel(wide) if _are_for_kernels(wide) else _means(wide)).to(values.dtype)


def _means(sums: Tensor) -> Tensor:
    samples = sums.shape[1]
    while (count := sums.shape[1]) > 1:
        half = count // 2
        pairs = sums[:, :half] + sums[:, half : 2 * half]
        if count % 2:
            pairs[:, 0] += sums[:, -1]
        sums = pairs
    return sums[:, 0] / samples


def _means_by_kernel(values: Tensor) -> Tensor:
    from imle_core.ragged.kernels import sums  # here, since numba takes half a second to import

    instances, samples, *event = values.shape
    if values.stride(1) == 0:  # the same for all samples
        laid, steps = values[:, 0].contiguous(), (1, 0)
    elif values.transpose(0, 1).is_contiguous():  # as backward passes get them
        laid, steps = values.transpose(0, 1), (1, instances)
    else:
        laid, steps = values.contiguous(), (samples, 1)
    result, size = values.new_empty(instances, *event), math.prod(event)
    rows, means = laid.detach().numpy().reshape(-1, size), result.numpy().reshape(-1, size)
    _share(
        lambda first, last: sums.sample_means(rows[first * steps[0] :], *steps, samples, means[first:last]),
        instances,
        samples * size,
    )
    return result


def _share(work: Callable[[int, int], None], rows: int, entries: int) -> None:
    """Calls ``work(first, last)`` over rows of so many entries, on as many threads as torch may use, if it is worth it."""
    in_threads(work, rows, min(torch.get_num_threads(), rows, rows * entries // _ENTRIES_A_THREAD))


def _wide(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _are_for_kernels(*tensors: Tensor) -> bool:
    """True of tensors with entries on the CPU, through which no gradient flows."""
    if torch.is_grad_enabled() and any(values.requires_grad for values in tensors):
        return False
    return tensors[0].numel() > 0 and all(copies.has_memory(values) for values in tensors)
