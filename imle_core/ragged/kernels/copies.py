"""Copies between entries of instances one after the other and padded ones, as bytes, so that they do for any type."""

from imle_core.kernels.compiled import compiled


@compiled
def pad(flat, padded, starts):
    """Copies the bytes ``starts[b]..starts[b+1]-1`` of each sample of ``flat`` to the beginning of ``padded[b]``.

    Args:
        flat: ``(S, T)`` bytes.
        padded: ``(B, S, n)`` bytes, written to; those beyond an instance stay.
        starts: ``(B + 1,)`` first bytes of the instances, and the end of the last.
    """
    for b in range(padded.shape[0]):
        size = starts[b + 1] - starts[b]
        for s in range(padded.shape[1]):
            source, target = flat[s, starts[b] : starts[b + 1]], padded[b, s]
            for i in range(size):
                target[i] = source[i]


@compiled
def unpad(padded, flat, starts):
    """Copies the beginnings of ``padded`` to ``flat``, with the arguments of :func:`pad`."""
    for b in range(padded.shape[0]):
        size = starts[b + 1] - starts[b]
        for s in range(padded.shape[1]):
            source, target = padded[b, s], flat[s, starts[b] : starts[b + 1]]
            for i in range(size):
                target[i] = source[i]
