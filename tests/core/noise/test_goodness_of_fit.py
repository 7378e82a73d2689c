"""The Kolmogorov-Smirnov statistic: against scipy's, and what it must see and must not."""

import math

import numpy as np
import pytest
from scipy import stats

from imle_core import kolmogorov_smirnov


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_it_is_scipy_s(count):
    values = np.random.default_rng(0).normal(size=count)
    assert kolmogorov_smirnov(values, stats.norm.cdf) == pytest.approx(stats.kstest(values, "norm").statistic, abs=1e-12)


def test_it_sees_a_shift():
    values = np.random.default_rng(0).normal(0.1, 1, 100_000)
    assert kolmogorov_smirnov(values, stats.norm.cdf) == pytest.approx(0.0399, abs=0.005)


def test_atoms_that_rounding_makes_are_not_blamed():
    # A gamma variable of shape 1e-3 has half its mass below the least double next to -1.
    values = np.random.default_rng(0).gamma(1e-3, size=50_000) - 1
    assert kolmogorov_smirnov(values, lambda x: stats.gamma(1e-3).cdf(x + 1)) < 1.95 / math.sqrt(50_000)


def test_it_needs_a_sample():
    with pytest.raises(ValueError, match=r"^samples: got none; the statistic needs at least one; draw some$"):
        kolmogorov_smirnov([], np.exp)
