"""The compiled draws: their normal variable, and that nothing but key and place decides a draw."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from imle_core.kernels.compiled import compiled
from imle_core.noise import SumOfGammaNoiseDistribution, sum_of_gamma_law
from imle_core.noise.kernels import sum_of_gamma as kernel

LAWS = [(20.8, 100.0), (300.0, 50.0), (1.0, 1.0), (2.5, math.inf), (3.7, 2_000_000.0)]


def filled(count, law, key=7, threads=1, dtype=np.float64):
    out = np.full(count, np.nan, dtype)
    sum_of_gamma_law.fill(out, *law, key, threads)
    return out


@compiled
def normals(out, state):
    for i in range(len(out)):
        out[i], state = kernel._normal(state)


class TestNormal:
    def test_the_layers_have_one_area_and_close_at_the_top(self):
        ends = kernel._ENDS
        heights = np.exp(-(ends**2) / 2)
        areas = ends[1:-1] * np.diff(heights)[1:]
        np.testing.assert_allclose(areas, ends[0] * math.exp(-(kernel._TAIL**2) / 2), rtol=1e-11)
        assert ends[-1] == 0
        assert (np.diff(ends) < 0).all()

    @pytest.mark.slow
    def test_its_law(self):
        values = np.empty(1_000_000)
        normals(values, tuple(map(np.uint64, (5, 6, 7, 8))))
        assert stats.kstest(values, "norm").pvalue > 1e-3
        for bound in (2.0, 3.0, kernel._TAIL, 4.0):
            for share in ((values > bound).mean(), (values < -bound).mean()):
                exact = stats.norm.sf(bound)
                assert abs(share - exact) < 4.5 * math.sqrt(exact / len(values))


class TestFill:
    @pytest.mark.slow
    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_threads_do_not_matter(self, law, dtype):
        alone = filled(50_001, law, dtype=dtype)
        assert np.isfinite(alone).all()
        for threads in (2, 3, 8):
            assert (filled(50_001, law, threads=threads, dtype=dtype) == alone).all()

    @pytest.mark.parametrize("count", [0, 1, 4095, 4096, 4097])
    def test_a_draw_does_not_depend_on_those_after_it(self, count):
        assert (filled(count, LAWS[0]) == filled(9000, LAWS[0])[:count]).all()

    def test_float32_is_float64_rounded(self):
        assert (filled(9000, LAWS[0], dtype=np.float32) == filled(9000, LAWS[0]).astype(np.float32)).all()

    def test_keys_and_strides_are_independent(self):
        rows = np.stack([filled(3 * kernel.STRIDE, LAWS[0], key) for key in (0, 1, 2, 2**62, 2**63 - 1)])
        strides = rows.reshape(-1, kernel.STRIDE)
        correlations = np.corrcoef(strides) - np.eye(len(strides))
        assert np.abs(correlations).max() < 5 / math.sqrt(kernel.STRIDE)

    def test_neighbours_are_independent(self):
        values = filled(200_000, LAWS[0])
        for lag in (1, 2, 3, 4):
            assert abs(np.corrcoef(values[lag:], values[:-lag])[0, 1]) < 4.5 / math.sqrt(len(values))


@pytest.mark.slow
@pytest.mark.parametrize("law", [(20.8, 100.0), (0.3, 7.0), (300.0, 50.0), (1.0, 1000.0), (2.5, math.inf)])
def test_extreme_tails_have_their_exact_share(law):
    # Among 20 million draws some 20 are expected beyond the outermost bounds.
    noise, count, part = SumOfGammaNoiseDistribution(*law), 20 * 2**20, 2**20
    mean, deviation = noise.mean, math.sqrt(noise.variance)
    grid = np.linspace(mean - 8 * deviation, mean + 8 * deviation + 15, 3001)  # beyond, the tail falls as exp(-x)
    function = noise.cdf(grid)
    bounds = {}
    for share in (1e-6, 1e-5):
        bounds[share] = np.searchsorted(function, share), np.searchsorted(function, 1 - share)
    seen = dict.fromkeys(bounds, np.zeros(2))
    out = np.empty(part)
    for key in range(count // part):
        sum_of_gamma_law.fill(out, *law, key, 1)
        for share, (low, high) in bounds.items():
            seen[share] = seen[share] + [(out <= grid[low]).sum(), (out > grid[high]).sum()]
    for share, (low, high) in bounds.items():
        for exact, number in zip((function[low], 1 - function[high]), seen[share], strict=True):
            if exact < 10 * share:  # else the law has an atom-like edge there, and no tail
                assert abs(number - count * exact) < 4.5 * math.sqrt(count * exact) + 1, (law, share)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_draws_without_the_kernel_have_the_same_law(law):
    # What other devices than the CPU run.
    noise = SumOfGammaNoiseDistribution(*law)
    source = torch.Generator().manual_seed(0)
    values = noise._draw(50_000, torch.device("cpu"), torch.float64, source).numpy()
    assert stats.ks_2samp(values, filled(50_000, law)).pvalue > 1e-3
