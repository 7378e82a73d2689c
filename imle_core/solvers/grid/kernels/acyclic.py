"""Best paths that only go right, down or both at once, compiled, for a batch of maps in one call."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def best_paths(theta, out, diagonal):
    """Writes the 0/1 masks of the best paths between opposite corners into ``out``.

    Args:
        theta: ``(N, H, W)`` float32 or float64, gains of tiles; -inf is a wall, NaN and inf are not allowed.
        out: ``(N, H, W)``, zeros, same type.
        diagonal: whether a step may go right and down at once.

    Returns:
        The first map whose corners no path connects, or -1.
    """
    count, height, width = theta.shape
    # A frame of -inf above and to the left saves all bound checks.
    best = np.full((height + 1, width + 1), -np.inf)
    for n in range(count):
        for row in range(height):
            for column in range(width):
                before = max(best[row, column + 1], best[row + 1, column])
                if diagonal:
                    before = max(before, best[row, column])
                if row == 0 and column == 0:
                    before = 0.0
                best[row + 1, column + 1] = before + np.float64(theta[n, row, column])
        if best[height, width] == -np.inf:
            return n
        row, column = height - 1, width - 1
        out[n, row, column] = 1
        while row > 0 or column > 0:
            slant = best[row, column] if diagonal else -np.inf
            above, left = best[row, column + 1], best[row + 1, column]
            if slant >= above and slant >= left and slant > -np.inf:
                row, column = row - 1, column - 1
            elif above >= left:
                row -= 1
            else:
                column -= 1
            out[n, row, column] = 1
    return -1
