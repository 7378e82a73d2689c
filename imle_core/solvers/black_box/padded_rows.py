"""Rows of a call of a black box, all of one shape, or padded to one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imle_core.checks import ArgumentError
from imle_core.solvers.rows import Rows


class PaddedRows:
    """Parameters ``(N, *event)``, of which the first entries along the first axis of an event are the row's.

    Attributes:
        values: all of them.
        sizes: numbers of entries along that axis, ``(N,)``; None where nothing is padded.

    Raises:
        ArgumentError: NaN, or no axis of rows.
    """

    def __init__(self, values: Rows, sizes: Sequence[int] | None = None) -> None:
        if values.ndim == 0:
            raise ArgumentError(
                "theta", "a single number", "it must be (N, *event)", "use theta.unsqueeze(0) for one instance"
            )
        if np.isnan(values).any():
            row = int(np.isnan(values).reshape(len(values), -1).any(axis=1).argmax())
            raise ArgumentError("theta", f"NaN in row {row}", "it must have none", "look for the cause upstream")
        self.values, self.sizes = values, None if sizes is None else tuple(sizes)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> NDArray[np.floating]:
        """Parameters of a row, without padding."""
        return self.unpadded(self.values[row, ...], row)

    @property
    def event(self) -> tuple[int, ...]:
        """Shape that the rows have in common; -1 for sizes that differ."""
        shape = self.values.shape[1:]
        return shape if self.sizes is None else (-1, *shape[1:])

    def unpadded(self, padded: NDArray[np.floating], row: int) -> NDArray[np.floating]:
        """The entries that are those of the row, such as of its solution."""
        return padded if self.sizes is None else padded[: self.sizes[row]]

    def solutions(self) -> Rows:
        """Memory for solutions, 0 in padding."""
        return np.empty_like(self.values) if self.sizes is None else np.zeros_like(self.values)

    def contents(self) -> list[bytes] | list[tuple[int, bytes]]:
        """The bits of each row, and its size where sizes differ; equal for rows with equal parameters."""
        if self.sizes is not None:
            return [(size, self[row].tobytes()) for row, size in enumerate(self.sizes)]
        content, size = self.values.tobytes(), self.values[:1].nbytes
        return [content[first : first + size] for first in range(0, len(content), size)] if size else [b""] * len(self)

    def is_empty(self, row: int) -> bool:
        """True of a row without entries among others, of which nothing is asked."""
        return self.sizes is not None and self.sizes[row] == 0
