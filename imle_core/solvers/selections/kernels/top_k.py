"""The k largest of each row, compiled, for a batch of rows in one call."""

from functools import partial

import numpy as np

from imle_core.kernels.compiled import compiled

_FEW = 32  # for k up to this a sorted list of the k best is quicker than selection
_FEWEST, _SHARE = 4, 64  # from 4 and from 1 of 64 entries on, halving is quicker than that list; than selection, always
_HALVINGS = 24  # most rows take 6 to 16, unless entries are equal

_vectorised = partial(compiled, fastmath={"nnan", "nsz"})  # loops over extremes, where no entry is NaN


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
    best, numbers = np.empty(_FEW, theta.dtype), np.empty(_FEW, np.int64)
    for n in range(len(theta)):
        row, marks, k = theta[n], out[n], counts[n]
        is_many = k > _FEW or (k >= _FEWEST and k * _SHARE >= len(row))
        if is_many and _mark_by_halving(row, marks, k):
            continue
        if at_most and k > _FEW:
            k = min(k, _possible(row))
        if k <= _FEW:
            possible = _best_few(row, k, best, numbers)
            if possible < k and not at_most:
                return n
            for i in range(possible):
                marks[numbers[i]] = 1
            continue
        threshold = _kth(row, k, work)
        if threshold == -np.inf:
            return n
        equal = k
        for i in range(len(row)):
            equal -= row[i] > threshold
        for i in range(len(row)):
            if row[i] >= threshold:
                if row[i] > threshold:
                    marks[i] = 1
                elif equal > 0:
                    marks[i] = 1
                    equal -= 1
    return -1


@compiled
def _mark_by_halving(row, marks, k):
    """Marks the ``k`` largest entries where it finds a bound that as many reach; True if it did.

    The range of the entries above -inf is halved. There is no such bound where the k-th and the next entry are equal.
    """
    lowest, highest = _range(row)
    bound = lowest
    if _reaching(row, bound) < k:
        return False
    for _ in range(_HALVINGS):
        count = _reaching(row, bound)
        if count == k:
            for i in range(len(row)):
                marks[i] = row[i] >= bound
            return True
        if count > k:
            lowest = bound
        else:
            highest = bound
        half = row.dtype.type(0.5)
        bound = half * lowest + half * highest
        if not lowest < bound < highest:
            return False
    return False


@_vectorised
def _range(row):
    """The smallest entry above -inf, and the largest."""
    never = row.dtype.type(-np.inf)
    lowest, highest = -never, never
    for i in range(len(row)):
        lowest = min(lowest, row[i] if row[i] > never else -never)
        highest = max(highest, row[i])
    return lowest, highest


@compiled
def _reaching(row, bound):
    """Number of entries that are at least ``bound``."""
    count = 0
    for i in range(len(row)):
        count += row[i] >= bound
    return count


@compiled
def _possible(row):
    """Number of entries above -inf."""
    count = 0
    for i in range(len(row)):
        count += row[i] > -np.inf
    return count


@compiled
def _best_few(row, k, best, numbers):
    """Puts the ``k`` largest entries into ``best``, in order, and their numbers into ``numbers``; gives how many there are.

    Entries of -inf are none. Of equal ones the first comes first, since later ones are put behind it.
    """
    possible, threshold = 0, -np.inf
    for i in range(len(row) if k else 0):
        value = row[i]
        if value > threshold:
            index = min(possible, k - 1)
            while index > 0 and best[index - 1] < value:
                best[index], numbers[index] = best[index - 1], numbers[index - 1]
                index -= 1
            best[index], numbers[index] = value, i
            possible = min(possible + 1, k)
            if possible == k:
                threshold = best[k - 1]
    return possible


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
