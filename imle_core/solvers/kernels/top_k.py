"""The k largest of each row, compiled, for a batch of rows in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled

_FEW = 32  # for k up to this a sorted list of the k best is quicker than selection


@compiled
def choose(theta, out, counts, at_most):
    """Marks the largest entries of each row, among equals the first, in ``out``.

    Args:
        theta: ``(N, n)`` float32 or float64, without NaN.
        out: ``(N, n)``, zeros, same type.
        counts: ``(N,)`` how many to mark, 0 to n, or more if ``at_most``.
        at_most: whether rows with fewer entries above -inf have all of them marked.

    Returns:
        The first row where an entry of -inf would be marked, or -1.
    """
    work = np.empty(theta.shape[1], theta.dtype)
    for n in range(len(theta)):
        row, k = theta[n], counts[n]
        if at_most:
            possible = 0
            for value in row:
                possible += value > -np.inf
            k = min(k, possible)
        if k == 0:
            continue
        threshold = _kth_of_few(row, k, work) if k <= _FEW else _kth(row, k, work)
        if threshold == -np.inf:
            return n
        equal = k
        for i in range(len(row)):
            equal -= row[i] > threshold
        for i in range(len(row)):
            if row[i] >= threshold:
                if row[i] > threshold:
                    out[n, i] = 1
                elif equal > 0:
                    out[n, i] = 1
                    equal -= 1
    return -1


@compiled
def _kth_of_few(row, k, best):
    """The k-th largest entry, by keeping the k largest so far in order."""
    best[:k] = -np.inf
    threshold = best[0]
    for value in row:
        if value > threshold:
            index = k - 1
            while index > 0 and best[index - 1] < value:
                best[index] = best[index - 1]
                index -= 1
            best[index] = value
            threshold = best[k - 1]
    return threshold


@compiled
def _kth(row, k, work):
    """The k-th largest entry, by Hoare's selection (1961): ``first..last`` narrows down to its position."""
    work[:] = row
    first, last = 0, len(work) - 1
    while first < last:
        pivot = work[(first + last) // 2]
        low, high = first, last
        while low <= high:
            while work[low] > pivot:
                low += 1
            while work[high] < pivot:
                high -= 1
            if low <= high:
                work[low], work[high] = work[high], work[low]
                low += 1
                high -= 1
        if k - 1 <= high:
            last = high
        elif k - 1 >= low:
            first = low
        else:
            break
    return work[k - 1]
