"""Best round tours through a few nodes, compiled, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def best_tours(theta, out, nodes):
    """Writes the 0/1 masks of the best tours into ``out``, by dynamic programming over sets of visited nodes.

    ``best(S, j) = max over k in S - {j} of best(S - {j}, k) + theta(k, j)`` is that of the paths from node 0 through all of
    S that end in j, in float64.

    Args:
        theta: ``(N, E)`` float32 or float64, gains of the edges (0, 1), (0, 2), ..., (1, 2), ...; -inf is an edge that is
            never taken, NaN and inf are not allowed.
        out: ``(N, E)``, zeros, same type.
        nodes: their number, >= 3; memory and time grow with ``2^nodes``.

    Returns:
        The first instance without a tour, or -1.
    """
    rest = nodes - 1  # node j + 1 is bit j
    every = (1 << rest) - 1
    gains, edge = np.empty((nodes, nodes)), np.empty((nodes, nodes), np.int64)
    best = np.empty((every + 1, rest))
    number = 0
    for i in range(nodes):
        for j in range(i + 1, nodes):
            edge[i, j] = edge[j, i] = number
            number += 1
    for n in range(len(theta)):
        for i in range(nodes):
            for j in range(i + 1, nodes):
                gains[i, j] = gains[j, i] = np.float64(theta[n, edge[i, j]])
        for visited in range(1, every + 1):
            for j in range(rest):
                if not visited >> j & 1:
                    continue
                before = visited ^ (1 << j)
                most = gains[0, j + 1] if before == 0 else -np.inf
                for k in range(rest):
                    if before >> k & 1:
                        most = max(most, best[before, k] + gains[k + 1, j + 1])
                best[visited, j] = most
        last = _last(best, every, gains, 0)
        if best[every, last] + gains[last + 1, 0] == -np.inf:
            return n
        visited, node = every, 0
        while visited:
            last = _last(best, visited, gains, node)
            out[n, edge[node, last + 1]] = 1
            visited, node = visited ^ (1 << last), last + 1
        out[n, edge[node, 0]] = 1
    return -1


@compiled
def _last(best, visited, gains, node):
    """Bit of the last of the nodes visited before ``node`` on the best path, the smallest of equally good ones."""
    chosen, most = -1, -np.inf
    for j in range(best.shape[1]):
        if visited >> j & 1:
            gain = best[visited, j] + gains[j + 1, node]
            if chosen < 0 or gain > most:
                chosen, most = j, gain
    return chosen
