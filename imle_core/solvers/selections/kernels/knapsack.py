"""Dynamic programming over items and room left, compiled, for a batch of knapsacks in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def fill_knapsacks(theta, out, weights, capacity):
    """Writes the 0/1 masks of the best sets into ``out``.

    Suffix by suffix, ``best_i(r) = max(best_{i+1}(r), theta_i + best_{i+1}(r - w_i))`` for every room r; then the items are
    walked through from the first, which is taken where taking it is as good as leaving it.

    Args:
        theta: ``(N, n)`` float32 or float64, values of the items, without NaN.
        out: ``(N, n)``, zeros, same type.
        weights: ``(n,)`` int64, >= 0.
        capacity: room, >= 0.
    """
    items = len(weights)
    best, before = np.empty(capacity + 1), np.empty(capacity + 1)
    taken = np.empty((items, capacity + 1), np.bool_)
    for n in range(len(theta)):
        best[:] = 0.0
        for i in range(items - 1, -1, -1):
            value, weight = np.float64(theta[n, i]), weights[i]
            if not value > 0.0 or weight > capacity:
                taken[i] = False
                continue
            best, before = before, best
            best[:weight] = before[:weight]
            taken[i, :weight] = False
            _extend(value, before[: capacity + 1 - weight], before[weight:], best[weight:], taken[i, weight:])
        room = capacity
        for i in range(items):
            if taken[i, room]:
                out[n, i] = 1
                room -= weights[i]


@compiled
def _extend(value, with_less_room, left, best, taken):
    """One item at every room that holds it; a function of its own, since then it runs on vectors."""
    for room in range(len(taken)):
        gained = value + with_less_room[room]
        taken[room] = gained >= left[room]
        best[room] = max(gained, left[room])
