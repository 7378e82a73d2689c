"""Nearest points of hulls of solutions, compiled: a round of a batch, and projections on faces."""

import numpy as np

from imle_core.estimators.projections.kernels.weights import weigh_one
from imle_core.kernels.compiled import compiled

_DEPENDENT = 1e-10
"""A squared length, relative to that of what it is a rest of, that counts as none."""


@compiled
def add_solutions(solutions, points, left, goals, rounds, vertices, grams, products, weights, means, gaps, going):
    """Takes a solution into each of the rows that are left, and moves these to the best combinations.

    Writes the gaps of before, ``<x - m, s - m>``, and whether a row has to go on: its gap is above its goal, its solution is
    a new one, and that one helps. A solution lies where a weight is 0, of which each row has one or more.

    Args:
        solutions: s, ``(L, D)`` float64.
        points: x, ``(N, D)`` float64.
        left: numbers of the rows, ``(L,)``.
        goals: gaps that are small enough, ``(N,)``.
        rounds: vectors that may come in.
        vertices: solutions in use, ``(N, K, D)``; changed, as all that follows.
        grams: their inner products, ``(N, K, K)``.
        products: their inner products with x, ``(N, K)``; -inf where the weight is 0.
        weights: ``(N, K)``.
        means: m, ``(N, D)``.
        gaps: ``(N,)``.
        going: ``(L,)`` bool.
    """
    slots, size = vertices.shape[1:]
    used, factor = np.empty(slots, np.int64), np.empty((slots, slots))
    solved, ones = np.empty(slots), np.empty(slots)
    for i in range(len(left)):
        n, solution = left[i], solutions[i]
        gap = 0.0
        for j in range(size):
            gap += (points[n, j] - means[n, j]) * (solution[j] - means[n, j])
        gaps[n] = max(gap, 0.0)
        going[i] = gap > goals[n] and not _is_in_use(vertices[n], weights[n], solution)
        if not going[i]:
            continue
        slot = 0
        while weights[n, slot] > 0.0:
            slot += 1
        _put(solution, points[n], slot, vertices[n], grams[n], products[n], weights[n])
        weigh_one(grams[n], products[n], weights[n], True, rounds, used, factor, solved, ones)
        means[n] = 0.0
        for k in range(slots):
            if weights[n, k] == 0.0:
                products[n, k] = -np.inf
                continue
            for j in range(size):
                means[n, j] += weights[n, k] * vertices[n, k, j]
        going[i] = weights[n, slot] > 0.0  # else rounding alone said that it helps


@compiled
def _is_in_use(vertices, weights, solution):
    for k in range(len(weights)):
        if weights[k] == 0.0:
            continue
        j = 0
        while j < len(solution) and vertices[k, j] == solution[j]:
            j += 1
        if j == len(solution):
            return True
    return False


@compiled
def _put(solution, point, slot, vertices, gram, product, weights):
    """Writes a solution and its inner products."""
    vertices[slot] = solution
    value = 0.0
    for j in range(len(solution)):
        value += solution[j] * point[j]
    product[slot] = value
    for k in range(len(weights)):
        if k == slot or weights[k] > 0.0:
            value = 0.0
            for j in range(len(solution)):
                value += solution[j] * vertices[k, j]
            gram[slot, k] = gram[k, slot] = value


@compiled
def project_on_faces(vertices, weights, directions, projected):
    """Writes the orthogonal projections of directions on the spans of differences of the vertices whose weights are > 0.

    By a Cholesky factorisation of the inner products of the differences from the first; dependent ones are left out.

    Args:
        vertices: ``(N, K, D)`` float64.
        weights: ``(N, K)``.
        directions: ``(N, D)`` float64.
        projected: likewise; changed.
    """
    slots, size = vertices.shape[1:]
    spans, factor, values = np.empty((slots, size)), np.empty((slots, slots)), np.empty(slots)
    for n in range(len(vertices)):
        first, number = -1, 0
        for k in range(slots):
            if weights[n, k] == 0.0:
                continue
            if first < 0:
                first = k
                continue
            for j in range(size):
                spans[number, j] = vertices[n, k, j] - vertices[n, first, j]
            number += _is_factored(spans, factor, number)
        for i in range(number):
            values[i] = 0.0
            for j in range(size):
                values[i] += spans[i, j] * directions[n, j]
            for k in range(i):
                values[i] -= factor[i, k] * values[k]
            values[i] /= factor[i, i]
        for i in range(number - 1, -1, -1):
            for k in range(i + 1, number):
                values[i] -= factor[k, i] * values[k]
            values[i] /= factor[i, i]
        projected[n] = 0.0
        for i in range(number):
            for j in range(size):
                projected[n, j] += values[i] * spans[i, j]


@compiled
def _is_factored(spans, factor, i):
    """Adds a row to the factor of the inner products of the spans; False where it depends on those before."""
    for j in range(i + 1):
        value = 0.0
        for k in range(spans.shape[1]):
            value += spans[i, k] * spans[j, k]
        length = value
        for k in range(j):
            value -= factor[i, k] * factor[j, k]
        if j < i:
            factor[i, j] = value / factor[j, j]
        elif value <= _DEPENDENT * length:
            return False
        else:
            factor[i, i] = np.sqrt(value)
    return True
