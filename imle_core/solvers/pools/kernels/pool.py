"""The best of known solutions for each row of parameters, compiled, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled

LANES = 16
"""Rows whose products with a solution are taken together; each is added up in the same order, whatever its neighbours."""


@compiled
def best_members(theta, out, chosen, starts, entries, values, sign, low, high):
    """Writes the best members of a pool into ``out``, and their numbers, or -1 for none, into ``chosen``.

    ``argmax_g <g, sign * theta>`` in float64, the first of equally good members; those that use an entry of which sign *
    theta is -inf are left out. A row with NaN, or with an entry of which it is inf, has none.

    Args:
        theta: ``(N, n)`` float32 or float64.
        out: ``(N, n)``, zeros, same type.
        chosen: ``(N,)`` int64.
        starts: where the entries of each member begin, and where the last one's end, ``(K + 1,)`` int64.
        entries: numbers of the entries of members that are not 0, one member after the other, int64.
        values: these entries, float64.
        sign: 1.0, or -1.0 to minimise.
        low: finite theta below are taken to be this.
        high: likewise, above.
    """
    turned = np.zeros((theta.shape[1], LANES))
    score, best, answered = np.empty(LANES), np.empty(LANES), np.empty(LANES, np.bool_)
    for first in range(0, len(theta), LANES):
        rows = min(LANES, len(theta) - first)
        _turn(theta[first : first + rows], turned, answered, sign, low, high)
        best[:] = -np.inf
        numbers = chosen[first : first + rows]
        numbers[:] = -1
        for k in range(len(starts) - 1):
            score[:] = 0.0
            for at in range(starts[k], starts[k + 1]):
                _add(turned[entries[at]], values[at], score)
            for row in range(rows):
                if score[row] > best[row]:
                    best[row] = score[row]
                    numbers[row] = k
        for row in range(rows):
            if not answered[row]:
                numbers[row] = -1
            if numbers[row] >= 0:
                for at in range(starts[numbers[row]], starts[numbers[row] + 1]):
                    out[first + row, entries[at]] = values[at]


@compiled
def _turn(theta, turned, answered, sign, low, high):
    """Writes rows as columns, times the sign, and which of them members may answer."""
    for row in range(len(theta)):
        answered[row] = True
        for j in range(theta.shape[1]):
            x = np.float64(theta[row, j])
            if np.isfinite(x):
                x = min(max(x, low), high)
            turned[j, row] = sign * x
            if not sign * x < np.inf:
                answered[row] = False


@compiled
def _add(parameters, value, score):
    """Adds one entry of a member; a function of its own, since then it runs on vectors."""
    if value > 0.0:
        for lane in range(LANES):
            score[lane] += value * parameters[lane]
    else:  # of an entry that is never used, not even times a negative number
        for lane in range(LANES):
            x = parameters[lane]
            score[lane] += -np.inf if x == -np.inf else value * x
