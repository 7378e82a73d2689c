"""Vectors of a cone that have their opposites in it, compiled, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def find_opposites(vectors, opposites):
    """Writes, for each vector that has an opposite, the number of that, and else -1, into ``opposites``.

    Each is the opposite of one at most; vectors of 0 are of none.

    Args:
        vectors: ``(N, K, n)`` float64.
        opposites: ``(N, K)`` int64.
    """
    count, size = vectors.shape[1:]
    begins = np.empty(count, np.int64)
    for number in range(len(vectors)):
        for i in range(count):
            opposites[number, i] = -1
            begins[i] = 0
            while begins[i] < size and vectors[number, i, begins[i]] == 0.0:
                begins[i] += 1
        for i in range(count):
            for j in range(i + 1, count):
                if opposites[number, i] >= 0 or begins[i] == size:
                    break
                if begins[i] == begins[j] and opposites[number, j] < 0 and _are_opposite(vectors[number], i, j, begins[i]):
                    opposites[number, i], opposites[number, j] = j, i


@compiled
def _are_opposite(vectors, i, j, begin):
    for k in range(begin, vectors.shape[1]):  # noqa: SIM110 - numba takes no generators
        if vectors[i, k] != -vectors[j, k]:
            return False
    return True
