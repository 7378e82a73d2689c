"""Entries of rows from the largest to the smallest, equal ones in their order."""

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers.rows import Rows

_FEW = 2**9  # entries, for which a plain sort is quicker than what prepares a quick one


def best_first(rows: Rows) -> NDArray[np.int64]:
    """Columns of each row ``(N, E)``, without NaN, from the largest entry to the smallest, equal ones by their column.

    Among entries of -inf the order may be any.

    Sorts that keep the order of equal entries know none of the processor's vectors, which take a twentieth of the time: for
    them an entry of float32 and its column are one whole number, and rows of float64 with equal entries are sorted again.
    """
    falling = 0.0 - rows  # 0.0 and -0.0 are one
    if rows.size < _FEW:
        return np.argsort(falling, axis=1, kind="stable")
    if falling.dtype == np.float32:
        bits = falling.view(np.int32)
        rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)
        keys = (rising.astype(np.int64) << 32) | np.arange(rows.shape[1])
        keys.sort(axis=1)
        return keys & 0xFFFFFFFF
    order = np.argsort(falling, axis=1)
    ranked = np.take_along_axis(falling, order, axis=1)
    tied = ((ranked[:, 1:] == ranked[:, :-1]) & (ranked[:, 1:] < np.inf)).any(axis=1)
    if tied.any():
        order[tied] = np.argsort(falling[tied], axis=1, kind="stable")
    return order
