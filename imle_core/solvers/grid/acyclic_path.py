"""Best paths on a grid that never turn back."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.grid.path import typical_tiles
from imle_core.solvers.grid.tuning import TUNING, Tuning, check_tuning
from imle_core.solvers.rows import as_rows, check_below_infinity, shrunk


class AcyclicGridPath:
    """``argmax_z <z, theta>`` over paths from the top left to the bottom right tile that go right, down, or both at once.

    z is 1 on the tiles of the path, both corners included. Since no path returns to a tile, the answer is exact for any
    real theta, positive ones included: by dynamic programming, ``best(v) = theta(v) + max_u best(u)`` over the up to three
    tiles u before v, in float64, ``O(H W)`` operations a map, compiled, on as many threads as torch may use. theta = -inf
    is a wall. Among equally good paths it takes the one found by walking back from the goal to the smallest row-major
    predecessor.

    Args:
        diagonal: whether a step may go right and down at once.
        tuning: numbers that decide about speed alone.

    Raises:
        ArgumentError: when called, parameters that are not ``(N, H, W)``, NaN, infinite gains, or corners that walls
            separate.
        ArgumentTypeError: a ``tuning`` that is none; when called, what is no dense tensor of real numbers.

    >>> AcyclicGridPath()(torch.tensor([[[1.0, 5.0], [-2.0, 1.0]]]))
    tensor([[[1., 1.],
             [0., 1.]]])
    """

    pure, sense, takes_padding = True, "max", False

    def __init__(self, diagonal: bool = True, *, tuning: Tuning = TUNING) -> None:
        check_tuning(tuning)
        self.diagonal, self.tuning = bool(diagonal), tuning

    def __repr__(self) -> str:
        return f"AcyclicGridPath(diagonal={self.diagonal})"

    def typical_ones(self, event: Sequence[int]) -> float:
        """1.3 times the height of a map ``(H, W)``, as of :class:`.GridPath`."""
        return typical_tiles(event)

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks of the best paths, ``(N, H, W)``, in theta's type and on its device."""
        rows = as_rows(theta)
        if rows.ndim != 3 or 0 in rows.shape[1:]:
            raise wrong_shape("theta", theta, "a grid path needs (N, H, W)", "use theta.unsqueeze(0) for one map")
        check_below_infinity(rows, "gains")
        rows = shrunk(rows)
        from imle_core.solvers.grid.kernels.acyclic import best_paths  # here, since numba takes half a second to import

        masks = np.zeros_like(rows)

        def solve(first: int, last: int) -> int:
            row = int(best_paths(rows[first:last], masks[first:last], self.diagonal))
            return first + row if row >= 0 else -1

        threads = min(torch.get_num_threads(), len(rows), rows.size // self.tuning.tiles_a_thread_acyclic)
        cut_off = [row for row in in_threads(solve, len(rows), threads) if row >= 0]
        if cut_off:
            raise ArgumentError(
                "theta",
                f"walls (-inf) that separate the corners of map {cut_off[0]}",
                "a path leads right and down from corner to corner",
                "open a way",
            )
        return torch.from_numpy(masks).to(theta)
