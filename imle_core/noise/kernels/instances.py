"""Draws of an instance in its samples, which are padded to one length."""

import numpy as np

from imle_core.kernels.compiled import compiled


@compiled
def room_for(rows, size):
    """Room for the draws of an instance, ``(S * size,)``: its samples ``(S, n)`` themselves where these have no padding."""
    return rows.reshape(-1) if size == rows.shape[1] else np.empty(len(rows) * size, rows.dtype)


@compiled
def copy_to(rows, size, draws):
    """Copies draws, one sample's after the other's, from what :func:`room_for` gave to the beginnings of the samples."""
    if size == rows.shape[1]:
        return
    for s in range(len(rows)):
        row, begin = rows[s], s * size
        for i in range(size):
            row[i] = draws[begin + i]
