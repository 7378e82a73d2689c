"""Distance of draws from the distribution that they are to follow."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imle_core.checks import ArgumentError


def kolmogorov_smirnov(samples: ArrayLike, cdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    """``sup_x |F_n(x) - F(x)|`` between the empirical distribution of ``samples`` and ``cdf``.

    Values that stand for a whole interval because they were rounded are compared at the ends of that interval, so that
    a distribution with much mass near one point is not blamed for the atoms that rounding makes.

    Args:
        samples: draws, any shape, at least one; float64 precision is assumed.
        cdf: F, from an array to an array of the same shape.

    Raises:
        ArgumentError: no samples.
    """
    values, counts = np.unique(np.asarray(samples, dtype=np.float64), return_counts=True)
    if not len(values):
        raise ArgumentError("samples", "none", "the statistic needs at least one", "draw some")
    after = np.cumsum(counts) / counts.sum()
    before = after - counts / counts.sum()
    above = cdf(np.nextafter(values, np.inf))
    below = cdf(np.nextafter(values, -np.inf))
    return float(max(np.max(after - above), np.max(below - before), 0.0))
