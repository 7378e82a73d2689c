"""Compiled sums of ragged batches, in the order of :mod:`imle_core.ragged.sums`: the same as by torch, to the bit."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def entry_sums(values, sums):
    """Adds up the entries of each row by halves: entry i and entry ``half + i``, and so on with what that leaves.

    Args:
        values: ``(N, n)`` float32 or float64, n >= 1.
        sums: ``(N,)`` of the same type, written to.
    """
    size, half = values.shape[1], _first_half(values.shape[1])
    work = np.empty(half, values.dtype)
    for n in range(len(values)):
        for i in range(size - half):
            work[i] = values[n, i] + values[n, half + i]
        for i in range(size - half, half):
            work[i] = values[n, i]
        sums[n] = _added_by_halves(work)


@compiled
def entry_products(values, others, sums):
    """Adds up products of entries of two rows in the same order.

    Args:
        values: ``(N, n)`` float32 or float64, n >= 1.
        others: likewise.
        sums: ``(N,)`` of the same type, written to.
    """
    size, half = values.shape[1], _first_half(values.shape[1])
    work = np.empty(half, values.dtype)
    for n in range(len(values)):
        for i in range(size - half):
            work[i] = values[n, i] * others[n, i] + values[n, half + i] * others[n, half + i]
        for i in range(size - half, half):
            work[i] = values[n, i] * others[n, i]
        sums[n] = _added_by_halves(work)


@compiled
def _first_half(size):
    """The power of 2 from half of the size on, at least 1."""
    half = 1
    while 2 * half < size:
        half *= 2
    return half


@compiled
def _added_by_halves(work):
    half = len(work)
    while half > 1:
        half //= 2
        for i in range(half):
            work[i] += work[half + i]
    return work[0]


@compiled
def sample_means(rows, next_instance, next_sample, samples, means):
    """Means over samples, adding the second half of them to the first, and the last of an odd number to the first sum.

    Loops over entries are written out here: a function of rows takes twice the time.

    Args:
        rows: ``(R, n)`` float32 or float64; sample s of instance b is row ``b * next_instance + s * next_sample``.
        next_instance: see above.
        next_sample: likewise.
        samples: S, >= 1.
        means: ``(B, n)`` of the same type, written to.
    """
    size, half, divisor = rows.shape[1], samples // 2, rows.dtype.type(samples)
    work = np.empty((max(half, 1), size), rows.dtype)
    for b in range(len(means)):
        begin = b * next_instance
        if samples == 1:
            means[b] = rows[begin]
            continue
        for s in range(half):
            first, second = begin + s * next_sample, begin + (half + s) * next_sample
            for i in range(size):
                work[s, i] = rows[first, i] + rows[second, i]
        if samples % 2:
            last = begin + (samples - 1) * next_sample
            for i in range(size):
                work[0, i] += rows[last, i]
        count = half
        while count > 1:
            count, odd = count // 2, count % 2
            for s in range(count):
                for i in range(size):
                    work[s, i] += work[count + s, i]
            if odd:
                for i in range(size):
                    work[0, i] += work[2 * count, i]
        for i in range(size):
            means[b, i] = work[0, i] / divisor
