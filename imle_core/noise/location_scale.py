"""Draws of ``location + scale * Y`` for a Gumbel, normal or logistic variable Y, compiled and shared among threads."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imle_core.concurrency import in_threads

Law = Literal["gumbel", "normal", "logistic"]

_DRAWS_A_THREAD = 2**16


def fill(out: NDArray[np.floating], law: Law, location: float, scale: float, key: int, threads: int) -> None:
    """Overwrites ``out`` with draws that depend on ``key`` and their places in it, not on the number of threads.

    Args:
        out: ``(n,)`` float32 or float64.
        law: what Y is.
        location: what is added to ``scale * Y``.
        scale: what multiplies Y.
        key: the seed of this array, 0 to 2^63 - 1; other keys give independent draws.
        threads: how many may share the work, if there is enough of it.
    """
    from imle_core.noise.kernels import location_scale as kernel  # here, since numba takes half a second to import

    draw = getattr(kernel, law)
    in_threads(
        lambda first, last: draw(out, first, last, key, location, scale),
        math.ceil(len(out) / kernel.STRIDE),
        min(threads, len(out) // _DRAWS_A_THREAD),
    )
