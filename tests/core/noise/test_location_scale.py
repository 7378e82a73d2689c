"""Compiled Gumbel, normal and logistic draws: their laws out to the tails, and that key and place alone decide a draw."""

import math
import re
from functools import cache

import numba
import numpy as np
import pytest
from scipy import stats

from imle_core.noise import location_scale
from imle_core.noise.kernels import location_scale as kernel

EXACT = {"gumbel": stats.gumbel_r, "normal": stats.norm, "logistic": stats.logistic}
LAWS = pytest.mark.parametrize("law", EXACT)
TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# 309 probabilities from 1e-6 to 1 - 1e-6: a hundred inside, and the rest ever closer to the ends.
OUTER = np.geomspace(1e-6, 0.01, 105)
PROBABILITIES = np.concatenate([OUTER, np.linspace(0.01, 0.99, 101)[1:-1], 1 - OUTER[::-1]])


def filled(count, law, key=7, threads=1, dtype=np.float64, location=0.0, scale=1.0):
    out = np.full(count, np.nan, dtype)
    location_scale.fill(out, law, location, scale, key, threads)
    return out


@pytest.mark.slow
@LAWS
@pytest.mark.parametrize(
    ("dtype", "location", "scale"), [(np.float64, -2.0, 3.0), (np.float32, 0.0, 1.0), (np.float32, 100.0, 0.01)]
)
def test_309_quantiles_and_extreme_tails_have_their_exact_share(law, dtype, location, scale):
    # Among 8 million draws 8 are expected beyond the outermost bounds.
    assert len(PROBABILITIES) == 309
    exact = EXACT[law](location, scale)
    count, part, below = 2**23, 2**21, 0
    half = len(PROBABILITIES) // 2
    bounds = np.concatenate([exact.ppf(PROBABILITIES[:half]), exact.isf(1 - PROBABILITIES[half:])])
    for key in range(count // part):
        values = np.sort(filled(part, law, key, 2, dtype, location, scale))
        below = below + np.searchsorted(values.astype(float), bounds)
    spread = np.sqrt(count * PROBABILITIES * (1 - PROBABILITIES))
    # float32 near 100 has steps of 8e-6, which hold up to 3e-4 of the law.
    steps = count * (exact.cdf(bounds + np.spacing(bounds.astype(dtype))) - exact.cdf(bounds))
    assert (np.abs(below - count * PROBABILITIES) < 4.5 * spread + 1 + steps).all()


@pytest.mark.slow
@LAWS
def test_moments(law):
    count, exact = 2**22, EXACT[law]
    mean, deviation, ends = exact.mean(), exact.std(), (exact.ppf(1e-30), exact.isf(1e-30))
    values = (filled(count, law, key=3) - mean) / deviation

    @cache
    def moment(power):
        return exact.expect(lambda x: ((x - mean) / deviation) ** power, lb=ends[0], ub=ends[1])

    powers = np.ones(count)
    for power in (1, 2, 3, 4):
        powers *= values
        spread = moment(2 * power) - moment(power) ** 2
        assert abs(powers.mean() - moment(power)) < 4.5 * math.sqrt(spread / count), power


@LAWS
@TYPES
def test_threads_do_not_matter(law, dtype, monkeypatch):
    monkeypatch.setattr(location_scale, "_DRAWS_A_THREAD", 1)
    alone = filled(50_001, law, dtype=dtype)
    assert np.isfinite(alone).all()
    for threads in (2, 3, 8):
        assert (filled(50_001, law, threads=threads, dtype=dtype) == alone).all()


@LAWS
@pytest.mark.parametrize("count", [0, 1, kernel.STRIDE // 2, kernel.STRIDE // 2 + 1, kernel.STRIDE - 1, kernel.STRIDE + 1])
def test_a_draw_does_not_depend_on_those_after_it(law, count):
    assert (filled(count, law) == filled(3000, law)[:count]).all()


@LAWS
def test_float32_is_float64_rounded(law):
    assert (filled(9000, law, dtype=np.float32) == filled(9000, law).astype(np.float32)).all()


@LAWS
def test_location_and_scale(law):
    np.testing.assert_allclose(filled(9000, law, location=-2.0, scale=3.0), 3 * filled(9000, law) - 2, rtol=0, atol=1e-14)


@LAWS
def test_places_beyond_the_range_of_32_bits_have_draws_of_their_own(law):
    # All places share one number of memory, in which the last one stays.
    def last(count):
        out = np.lib.stride_tricks.as_strided(np.full(1, np.nan), (count,), (0,))
        stride = (count - 1) // kernel.STRIDE
        getattr(kernel, law)(out, stride, stride + 1, 7, 0.0, 1.0)
        return out[0]

    counts = [2**power + 5 for power in (20, 31, 32, 33, 40)]
    draws = [last(count) for count in counts]
    assert draws[0] == filled(counts[0], law)[-1]
    assert len(set(draws)) == len(draws)


@LAWS
def test_keys_and_strides_are_independent(law):
    rows = np.stack([filled(4 * kernel.STRIDE, law, key) for key in (0, 1, 2, 2**62, 2**63 - 1)])
    strides = rows.reshape(-1, kernel.STRIDE)
    for values in (strides, np.abs(strides), strides > 1):
        correlations = np.corrcoef(values) - np.eye(len(strides))
        assert np.abs(correlations).max() < 5 / math.sqrt(kernel.STRIDE)


@pytest.mark.slow
@LAWS
def test_neighbours_and_pairs_are_independent(law):
    values = filled(1_000_000, law)
    for lag in (1, 2, 3, 4, 8, kernel.STRIDE // 2, kernel.STRIDE):
        for one in (values, np.abs(values), values**2 > 4):
            assert abs(np.corrcoef(one[lag:], one[:-lag])[0, 1]) < 4.5 / math.sqrt(len(values))


@pytest.mark.slow
def test_the_two_of_a_normal_pair_are_a_point_at_a_uniform_angle():
    points = filled(2**20, "normal").reshape(-1, 2, kernel.STRIDE // 2)
    angles = np.arctan2(points[:, 0], points[:, 1]).ravel()
    assert stats.kstest(angles, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3
    distances = (points**2).sum(axis=1).ravel()
    assert stats.kstest(distances, stats.chi2(2).cdf).pvalue > 1e-3


@pytest.mark.slow
@LAWS
def test_all_loops_are_vectorised(law):
    # Draws are then made several at a time on every machine; the numbers do not depend on how many.
    function = numba.njit(nogil=True)(getattr(kernel, law).py_func)
    function(np.empty(9), 0, 1, 7, 0.0, 1.0)
    (code,) = function.inspect_llvm().values()
    divisions = re.findall(r"fdiv (<\d+ x double>|double)", code)
    assert any(kind != "double" for kind in divisions)
    assert not re.search(r"(fdiv|fadd|fmul) (fast|contract)", code)
