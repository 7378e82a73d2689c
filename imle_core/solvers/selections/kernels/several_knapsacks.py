"""Branch and bound over the items of a knapsack with several constraints, compiled, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled

_ROUNDING = 1e-12  # of the sum of the values: sums that differ by less are equal


@compiled
def fill_knapsacks_with(theta, out, weights, capacities):
    """Writes the 0/1 masks of the best sets under several constraints into ``out``.

    The bound of a branch is the optimum of its linear program with one constraint, the sum of all with each capacity as the
    unit: items by value for weight, the last one in part. A first search, by value for weight, finds the best value; a
    second one, in the order of the items, the first set of that value in the order in which having an item comes first.

    Args:
        theta: ``(N, n)`` float32 or float64, values of the items, without NaN.
        out: ``(N, n)``, zeros, same type.
        weights: ``(m, n)`` int64, >= 0.
        capacities: ``(m,)`` int64, >= 0.
    """
    constraints, items = weights.shape
    size = np.zeros(items)  # weights under the sum of the constraints
    for i in range(items):
        for j in range(constraints):
            if weights[j, i] > 0:
                size[i] += weights[j, i] / max(capacities[j], 1)
    fits = np.empty(items, np.bool_)
    for i in range(items):
        fits[i] = True
        for j in range(constraints):
            fits[i] &= weights[j, i] <= capacities[j]
    values, keys = np.empty(items), np.empty(items)
    rooms = np.empty((items + 1, constraints), np.int64)
    sums = np.empty(items + 1)
    taken, best = np.zeros(items, np.bool_), np.zeros(items, np.bool_)
    by_index = np.arange(items)
    for n in range(len(theta)):
        count, total = 0, 0.0
        for i in range(items):
            value = np.float64(theta[n, i])
            values[i] = value if fits[i] and value > 0.0 else 0.0
            total += values[i]
            keys[i] = -values[i] / size[i] if size[i] > 0.0 else (-np.inf if values[i] > 0.0 else 0.0)
            count += values[i] > 0.0
        by_ratio = np.argsort(keys, kind="mergesort")[:count]
        # Items without value come last by their keys, and those with one and no weight first.
        most = _search(values, by_ratio, by_ratio, True, weights, capacities, size, 0.0, total, rooms, sums, taken, best)
        at_least = most - _ROUNDING * total
        wanted = by_index[values > 0.0]
        _search(values, wanted, by_ratio, False, weights, capacities, size, at_least, at_least, rooms, sums, taken, best)
        for i in range(items):
            if best[i]:
                out[n, i] = 1


@compiled
def _search(values, order, by_ratio, sorted_alike, weights, capacities, size, at_least, enough, rooms, sums, taken, best):
    """Best value of a set, deciding about items in an order; ``best`` becomes its mask.

    Of equally good sets the first is kept. ``sorted_alike`` says that the order is ``by_ratio``. Sets below ``at_least`` are
    not looked at, and one with ``enough`` ends the search.
    """
    constraints, count = len(capacities), len(order)
    best[:] = False
    taken[:] = False
    decided = np.zeros(len(values), np.bool_)
    rooms[0], sums[0] = capacities, 0.0
    most, depth = -1.0, 0
    while True:
        bound_is_known = False
        while depth < count:
            item = order[depth]
            if not bound_is_known:
                left = 0.0
                for j in range(constraints):
                    left += rooms[depth, j] / max(capacities[j], 1)
                bound = sums[depth] + _bound(values, by_ratio, decided, size, left)
                if bound < at_least or bound <= most:
                    break
            fits = True
            for j in range(constraints):
                fits &= weights[j, item] <= rooms[depth, j]
            decided[item] = True
            taken[item] = fits
            sums[depth + 1] = sums[depth] + values[item] if fits else sums[depth]
            for j in range(constraints):
                rooms[depth + 1, j] = rooms[depth, j] - weights[j, item] if fits else rooms[depth, j]
            # Taking what the bound takes whole leaves the bound as it is, where both have one order.
            bound_is_known = fits and sorted_alike
            depth += 1
        if depth == count and sums[depth] > most and sums[depth] >= at_least:
            most = sums[depth]
            best[:] = taken
            if most >= enough:
                return most
        depth -= 1
        while depth >= 0 and not taken[order[depth]]:
            decided[order[depth]] = False
            depth -= 1
        if depth < 0:
            return most
        item = order[depth]
        taken[item] = False
        sums[depth + 1] = sums[depth]
        rooms[depth + 1] = rooms[depth]
        depth += 1


@compiled
def _bound(values, by_ratio, decided, size, left):
    """Most that items that are not decided about can add in room ``left``, the last one in part."""
    bound = 0.0
    for item in by_ratio:
        if decided[item]:
            continue
        if size[item] > left:
            return bound + values[item] * left / size[item]
        left -= size[item]
        bound += values[item]
    return bound
