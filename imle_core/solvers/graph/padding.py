"""Runs of several graphs, such as their edges, side by side or padded to the longest; and their rows."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers.graph.graphs import Whole

Entry = TypeVar("Entry", bound=np.generic)


class Ragged:
    """Runs of different lengths, side by side or padded to the longest: the edges of graphs.

    Attributes:
        starts: where each run begins, and where the last one ends, ``(B + 1,)``.
        width: length of the longest.
        inside: whether an entry of the padded form is one of the run, ``(B, width)``; None where all are.

    Args:
        starts: as above.
    """

    def __init__(self, starts: Whole) -> None:
        counts = np.diff(starts)
        self.starts, self.width = starts, int(counts.max())
        self.inside: NDArray[np.bool_] | None = None
        if (counts < self.width).any():
            self.inside = np.arange(self.width) < counts[:, None]

    def padded(self, values: NDArray[Entry], fill: Any) -> NDArray[Entry]:
        """Values ``(K,)`` of all runs as ``(B, width)``."""
        if self.inside is None:
            return values.reshape(len(self.starts) - 1, self.width)
        padded = np.full(self.inside.shape, fill, values.dtype)
        padded[self.inside] = values
        return padded


def rows_of(graphs: Whole, count: int) -> Whole:
    """Where in a rising list of graphs, one a row, the rows of each begin, ``(count + 1,)``."""
    return np.array([0, len(graphs)]) if count == 1 else np.searchsorted(graphs, np.arange(count + 1))
