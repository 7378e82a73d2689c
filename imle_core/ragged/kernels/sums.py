"""Compiled sums of ragged batches, in the order of :mod:`imle_core.ragged.sums`: the same as by torch, to the bit."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def entry_sums(values, sums, squared):
    """Adds up the entries of each row by halves: entry i and entry ``half + i``, and so on with what that leaves.

    Args:
        values: ``(N, n)`` float32 or float64, n >= 1.
        sums: ``(N,)`` of the same type, written to.
        squared: whether squares of entries are added up.
    """
    size, first = values.shape[1], 1
    while 2 * first < size:
        first *= 2
    squares, work = np.empty(size, values.dtype), np.empty(first, values.dtype)
    for n in range(len(values)):
        row, half = values[n], first
        if squared:
            for i in range(size):
                squares[i] = row[i] * row[i]
            row = squares
        for i in range(first):
            work[i] = row[i]
        for i in range(size - first):
            work[i] += row[first + i]
        while half > 1:
            half //= 2
            for i in range(half):
                work[i] += work[half + i]
        sums[n] = work[0]


@compiled
def sample_means(rows, next_instance, next_sample, samples, means):
    """Means over samples, adding the second half of them to the first, and the last of an odd number to the first sum.

    Args:
        rows: ``(R, n)`` float32 or float64; sample s of instance b is row ``b * next_instance + s * next_sample``.
        next_instance: see above.
        next_sample: likewise.
        samples: S, >= 1.
        means: ``(B, n)`` of the same type, written to.
    """
    size, half = rows.shape[1], samples // 2
    work = np.empty((max(half, 1), size), rows.dtype)
    for b in range(len(means)):
        if samples == 1:
            means[b] = rows[b * next_instance]
            continue
        _add_halves(rows, b * next_instance, next_sample, samples, work)
        count = half
        while count > 1:
            _add_halves(work, 0, 1, count, work)
            count //= 2
        for i in range(size):
            means[b, i] = work[0, i] / rows.dtype.type(samples)


@compiled
def _add_halves(rows, begin, step, count, sums):
    """Adds rows ``begin + s * step`` of the second half to those of the first, the last of an odd number to row 0."""
    half = count // 2
    for s in range(half):
        first, second, row = rows[begin + s * step], rows[begin + (half + s) * step], sums[s]
        for i in range(len(row)):
            row[i] = first[i] + second[i]
    if count % 2:
        last, row = rows[begin + (count - 1) * step], sums[0]
        for i in range(len(row)):
            row[i] += last[i]
