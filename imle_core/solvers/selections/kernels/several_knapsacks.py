"""Branch and bound over the items of a knapsack with several constraints, compiled, for a batch in one call."""

import math

import numpy as np

from imle_core.kernels.compiled import compiled

_FRACTION, _IMPLICIT = np.int64(2**52 - 1), np.int64(2**52)
_ROUNDING = 2.0**-50  # of the sum of the values, for each item: more than additions and a bound lose


@compiled
def fill_knapsacks_with(theta, out, weights, capacities):
    """Writes the 0/1 masks of the best sets under several constraints into ``out``.

    The bound of a branch is the optimum of its linear program with one constraint, the sum of all with each capacity as the
    unit: items by value for weight, the last one in part. A first search, by value for weight, finds the best value; a
    second one, in the order of the items, the first set of that value in the order in which having an item comes first.
    Values that are whole in a unit in which float64 holds all sums and bounds well are counted in it: ties are ties then.
    Of others, sums that rounding alone may have parted are equal.

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
        rounding = _ROUNDING * (items + 8)
        unit = int(_unit(values))  # of Python, where it is interpreted
        digits = math.frexp(total)[1] - unit  # of the sum in binary
        whole = digits < 64 and math.ldexp(rounding, digits) < 0.5
        if whole:
            for i in range(items):
                values[i] = math.ldexp(values[i], -unit)
        by_ratio = np.argsort(keys, kind="mergesort")[:count]
        # Items without value come last by their keys, and those with one and no weight first.
        goal = (0.0, values.sum(), whole)
        most = _search(values, by_ratio, by_ratio, True, weights, capacities, size, goal, rooms, sums, taken, best)
        at_least = most if whole else most - rounding * total
        wanted, goal = by_index[values > 0.0], (at_least, at_least, whole)
        _search(values, wanted, by_ratio, False, weights, capacities, size, goal, rooms, sums, taken, best)
        for i in range(items):
            if best[i]:
                out[n, i] = 1


@compiled
def _unit(values):
    """The largest power of two, by its exponent, of which all values >= 0 are whole multiples; 1024 where all are 0."""
    least = 1024
    for i in range(len(values)):
        bits = np.float64(values[i]).view(np.int64)
        exponent, digits = bits >> 52, bits & _FRACTION
        if exponent > 0:
            digits |= _IMPLICIT
        else:
            exponent = 1
        if digits > 0:
            exponent -= 1075
            while digits & 1 == 0:
                digits >>= 1
                exponent += 1
            least = min(least, exponent)
    return least


@compiled
def _search(values, order, by_ratio, sorted_alike, weights, capacities, size, goal, rooms, sums, taken, best):
    """Best value of a set, deciding about items in an order; ``best`` becomes its mask.

    Of equally good sets the first is kept. ``sorted_alike`` says that the order is ``by_ratio``. Of the three of ``goal``,
    sets below the first are not looked at, one with the second ends the search, and the third says that sums are whole.
    """
    at_least, enough, whole = goal
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
                if whole:
                    bound = math.floor(bound + 0.5)  # rounding loses less than half a unit
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
