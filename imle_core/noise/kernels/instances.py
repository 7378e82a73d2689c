"""Draws of an instance in its samples, which are padded to one length."""

from imle_core.kernels.compiled import compiled


@compiled
def copy_to(rows, draws):
    """Copies draws, one sample's after the other's, ``(S * size,)``, to the beginnings of the samples ``(S, n)``."""
    size = len(draws) // max(len(rows), 1)
    for s in range(len(rows)):
        row, begin = rows[s], s * size
        for i in range(size):
            row[i] = draws[begin + i]
