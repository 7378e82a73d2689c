"""Projections on cones whose generators are projected first, off the space that lines span, compiled, for a batch."""

import numpy as np

from imle_core.estimators.projections.kernels.weights import weigh_one
from imle_core.kernels.compiled import compiled


@compiled
def project_beside_lines(points, generators, kept, projector, nearest, dependent, rounds):
    """Writes the nearest points to ``points`` of cones of generators ``P a`` into ``nearest``.

    Generators may be sparse: it takes operations for entries that are not 0.

    Args:
        points: ``(N, n)`` float64, which P leaves as they are.
        generators: a, ``(N, K, n)`` float64.
        kept: numbers of those in use, ``(k,)`` int64.
        projector: P, ``(n, n)`` float64, symmetric.
        nearest: ``(N, n)`` float64.
        dependent: length of ``P a``, relative to that of a, which counts as 0.
        rounds: generators that may come in, for each point.
    """
    count, size = len(kept), points.shape[1]
    rests, gram, product, weight = np.empty((count, size)), np.empty((count, count)), np.empty(count), np.empty(count)
    entries, numbers = np.empty((count, size), np.int64), np.empty(count, np.int64)
    used, factor, solved, ones = np.empty(count, np.int64), np.empty((count, count)), np.empty(count), np.empty(count)
    for n in range(len(points)):
        for g in range(count):
            numbers[g] = _rest(generators[n, kept[g]], projector, entries[g], rests[g], dependent)
            vector, value = generators[n, kept[g]], 0.0
            for at in range(numbers[g]):
                value += vector[entries[g, at]] * points[n, entries[g, at]]
            product[g], weight[g] = value, 0.0
            for h in range(g + 1):
                value, vector = 0.0, generators[n, kept[h]]
                for at in range(numbers[h]):
                    value += vector[entries[h, at]] * rests[g, entries[h, at]]
                gram[g, h] = gram[h, g] = value
        weigh_one(gram, product, weight, False, rounds, used, factor, solved, ones)
        nearest[n] = 0.0
        for g in range(count):
            if weight[g] > 0.0:
                for j in range(size):
                    nearest[n, j] += weight[g] * rests[g, j]


@compiled
def _rest(vector, projector, entries, rest, dependent):
    """Writes ``P a`` and the entries of a that are not 0; gives their number, or 0 where the rest counts as none."""
    number, before, after = 0, 0.0, 0.0
    rest[:] = 0.0
    for j in range(len(vector)):
        if vector[j] != 0.0:
            entries[number] = j
            number += 1
            before += vector[j] ** 2
            for i in range(len(rest)):
                rest[i] += vector[j] * projector[j, i]
    for i in range(len(rest)):
        after += rest[i] ** 2
    if after <= dependent**2 * before:
        rest[:] = 0.0
        return 0
    return number
