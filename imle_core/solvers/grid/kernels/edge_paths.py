"""Best paths over the edges of a grid that go right or down, compiled, for a batch in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def best_edge_paths(theta, out, height, width):
    """Writes the 0/1 masks of the best paths between opposite corners into ``out``.

    ``best(v) = max(best(above v) + theta(edge down), best(left of v) + theta(edge right))``, in float64.

    Args:
        theta: ``(N, E)`` float32 or float64, gains of edges, those to the right of a row before those down from it; -inf is
            an edge that is never taken, NaN and inf are not allowed.
        out: ``(N, E)``, zeros, same type.
        height: rows of nodes.
        width: columns of nodes.

    Returns:
        The first instance whose corners no path connects, or -1.
    """
    best = np.empty(width)  # of the row that is being visited, and of the one above where it has not been yet
    from_above = np.empty((height, width), np.bool_)
    stride = 2 * width - 1  # edges from one row to the next
    for n in range(len(theta)):
        for row in range(height):
            right, down = row * stride, (row - 1) * stride + width - 1
            for column in range(width):
                above, left = -np.inf, -np.inf
                if row > 0:
                    above = best[column] + np.float64(theta[n, down + column])
                if column > 0:
                    left = best[column - 1] + np.float64(theta[n, right + column - 1])
                from_above[row, column] = row > 0 and (column == 0 or above >= left)
                best[column] = max(above, left)
            if row == 0:
                best[0] = 0.0
                for column in range(1, width):
                    best[column] = best[column - 1] + np.float64(theta[n, column - 1])
        if best[width - 1] == -np.inf:
            return n
        row, column = height - 1, width - 1
        while row > 0 or column > 0:
            if from_above[row, column]:
                row -= 1
                out[n, row * stride + width - 1 + column] = 1
            else:
                column -= 1
                out[n, row * stride + column] = 1
    return -1
