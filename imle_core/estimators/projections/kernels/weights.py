"""Weights >= 0 of the combination of given vectors that is nearest to a point, from their Gram matrix alone."""

import numpy as np

from imle_core.kernels.compiled import compiled

_TOLERANCE = 1e-12
"""Reduced gradient that counts as none, relative to the sizes of what it is a difference of."""


@compiled
def nearest_weights(grams, products, weights, whole, rounds):
    """Minimises ``w^T G w / 2 - h^T w`` over ``w >= 0``, for each row; with ``sum w = 1`` if ``whole``.

    Active sets: the vector whose reduced gradient is largest comes in, the others are solved for, and those whose weight
    would fall below 0 go out on the way. The vectors in use stay independent, so that each step is a row of a Cholesky
    factor, or the rows after the first that has to go. Under ``whole`` the matrix is ``G + c 1 1^T``, which changes nothing
    where weights sum to 1 and is regular where vectors are only affinely independent.

    Source: Lawson and Hanson 1974, "Solving Least Squares Problems", chapter 23; Wolfe 1976, "Finding the nearest point in a
    polytope".

    Args:
        grams: ``(N, K, K)`` float64, inner products G of the vectors.
        products: ``(N, K)`` float64, inner products h of the vectors and the point; -inf keeps a vector out.
        weights: ``(N, K)`` float64, where to begin, feasible; those > 0 belong to independent vectors. The result.
        whole: whether weights sum to 1.
        rounds: vectors that may come in, for each row.
    """
    size = weights.shape[1]
    used, factor = np.empty(size, np.int64), np.empty((size, size))
    solved, ones = np.empty(size), np.empty(size)
    for n in range(len(weights)):
        weigh_one(grams[n], products[n], weights[n], whole, rounds, used, factor, solved, ones)


@compiled
def weigh_one(gram, product, weight, whole, rounds, used, factor, solved, ones):
    """The same for one row, in memory for numbers ``(K,)``, a matrix ``(K, K)`` and two times ``(K,)``."""
    size, shift = len(weight), 0.0
    for i in range(size):
        shift = max(shift, gram[i, i]) if whole else 0.0
    number, factored = 0, 0
    for i in range(size):
        if weight[i] > 0.0:
            used[number] = i
            number += 1
    for _ in range(rounds):
        coming = _incoming(gram, product, weight, used, number, whole)
        if coming < 0:
            break
        used[number] = coming
        number, factored = _take(gram, product, weight, used, number + 1, factored, shift, whole, factor, solved, ones)
        if number == 0:
            break


@compiled
def _take(gram, product, weight, used, number, factored, shift, whole, factor, solved, ones):
    """Moves to the best weights with the last vector among those in use.

    Gives the number of those in use then, and how many of them have rows in the factor; 0 where rounding alone said that the
    vector helps.
    """
    coming = used[number - 1]
    while number > 0:
        if not _solve(gram, product, used, number, factored, shift, whole, factor, solved, ones):
            return 0, 0
        factored = number
        step, going = 1.0, -1
        for k in range(number):
            if solved[k] <= 0.0:
                now = weight[used[k]]
                share = now / (now - solved[k]) if now > 0.0 else 0.0
                if going < 0 or share < step:
                    step, going = share, k
        for k in range(number):
            weight[used[k]] += step * (solved[k] - weight[used[k]])
        if going < 0:
            return number, factored
        if step == 0.0 and used[going] == coming:
            weight[coming] = 0.0
            return 0, 0
        weight[used[going]] = 0.0
        kept = 0
        for k in range(number):
            if weight[used[k]] > 0.0 or (used[k] == coming and k != going):
                used[kept] = used[k]
                kept += 1
            else:
                factored = min(factored, kept)
        number = kept
    return 0, 0


@compiled
def _incoming(gram, product, weight, used, number, whole):
    """The vector whose reduced gradient is largest, or -1 where none would help."""
    level = 0.0
    if whole:
        for k in range(number):  # the gradient of all vectors in use, which is the price of the sum
            i = used[k]
            value = product[i]
            for j in range(number):
                value -= gram[i, used[j]] * weight[used[j]]
            level += weight[i] * value
    best, coming = 0.0, -1
    for i in range(len(product)):
        if weight[i] > 0.0 or (gram[i, i] == 0.0 and not whole):
            continue
        value, scale = product[i] - level, abs(product[i]) + abs(level)
        for j in range(number):
            change = gram[i, used[j]] * weight[used[j]]
            value -= change
            scale += abs(change)
        size = 1.0 if whole else np.sqrt(gram[i, i])
        if value / size > best and value > _TOLERANCE * scale:
            best, coming = value / size, i
    return coming


@compiled
def _solve(gram, product, used, number, factored, shift, whole, factor, solved, ones):
    """Writes the weights of the vectors in use, without a bound below, into ``solved``; False where these are dependent.

    So many of them have rows in the Cholesky factor already.
    """
    for i in range(factored, number):
        for j in range(i + 1):
            value = gram[used[i], used[j]] + shift
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            if i == j:
                if value <= 1e-13 * (gram[used[i], used[i]] + shift):
                    return False
                factor[i, i] = np.sqrt(value)
            else:
                factor[i, j] = value / factor[j, j]
    for k in range(number):
        solved[k], ones[k] = product[used[k]], 1.0
    _substitute(factor, solved, number)
    if whole:
        _substitute(factor, ones, number)
        sum_solved, sum_ones = 0.0, 0.0
        for k in range(number):
            sum_solved += solved[k]
            sum_ones += ones[k]
        for k in range(number):
            solved[k] += ones[k] * (1.0 - sum_solved) / sum_ones
    return True


@compiled
def _substitute(factor, values, number):
    """Solves ``L L^T x = values`` in their memory."""
    for i in range(number):
        for k in range(i):
            values[i] -= factor[i, k] * values[k]
        values[i] /= factor[i, i]
    for i in range(number - 1, -1, -1):
        for k in range(i + 1, number):
            values[i] -= factor[k, i] * values[k]
        values[i] /= factor[i, i]
