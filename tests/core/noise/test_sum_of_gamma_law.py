"""The law of Sum-of-Gamma noise: one gamma variate must have exactly the law of the series."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from draws import generator
from imle_core.noise import SumOfGammaNoiseDistribution, kolmogorov_smirnov, sum_of_gamma_law

QUANTILES = np.load(Path(__file__).parent / "data" / "sum_of_gamma_quantiles.npz")
LAWS = [(1.0, 1), (1.0, 2), (0.3, 7), (2.5, 10), (20.8, 100), (1.0, 1000), (300.0, 50), (1.0, 100_000), (3.7, 2_000_000)]
LIMITS = [(0.5, math.inf), (1.0, math.inf), (20.8, math.inf)]


def draws(k, iterations, count, seed=0):
    law = SumOfGammaNoiseDistribution(k, iterations)
    return law.sample((count,), dtype=torch.float64, generator=generator(seed)).numpy()


def series(k, iterations, count, seed=0):
    """The series itself, term by term."""
    random = np.random.default_rng(seed)
    total = np.zeros(count)
    for i in range(1, iterations + 1):
        total += random.gamma(1 / k, k / i, count)
    return (total - math.log(iterations)) / k


def bound_of_distance(values, cdf, every):
    """At least the Kolmogorov-Smirnov distance: between values at which ``cdf`` is asked, it may jump to its next value."""
    ranks = np.append(np.arange(0, len(values) - 1, every), len(values) - 1)
    probabilities = cdf(np.sort(values)[ranks])
    least, most = np.append(0, ranks[:-1] + 1) / len(values), np.append(ranks[1:], len(values)) / len(values)
    return max((most - probabilities).max(), (probabilities - least).max())


class TestMoments:
    @pytest.mark.parametrize(("k", "iterations"), LAWS[:7])
    def test_mean_and_variance_are_the_sums_of_the_terms(self, k, iterations):
        terms = np.arange(1, iterations + 1, dtype=float)
        mean, variance = sum_of_gamma_law.mean_and_variance(k, float(iterations))
        assert mean == pytest.approx(((1 / terms).sum() - math.log(iterations)) / k, rel=1e-12)
        assert variance == pytest.approx((1 / terms**2).sum() / k, rel=1e-12)

    def test_limits_are_euler_s_constant_and_pi_squared_over_six(self):
        mean, variance = sum_of_gamma_law.mean_and_variance(2.0, math.inf)
        assert mean == pytest.approx(np.euler_gamma / 2, rel=1e-12)
        assert variance == pytest.approx(math.pi**2 / 12, rel=1e-12)

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), LAWS + LIMITS)
    def test_moments_of_draws(self, k, iterations):
        count = 200_000
        values = draws(k, iterations, count)
        mean, variance = sum_of_gamma_law.mean_and_variance(k, float(iterations))
        assert abs(values.mean() - mean) < 4.5 * math.sqrt(variance / count)
        fourth = np.mean((values - mean) ** 4)
        assert abs(np.mean((values - mean) ** 2) - variance) < 4.5 * math.sqrt((fourth - variance**2) / count)


class TestAgainstTheSeries:
    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), [(1.0, 1), (0.3, 7), (2.5, 10), (20.8, 100)])
    def test_two_samples_cannot_be_told_apart(self, k, iterations):
        result = stats.ks_2samp(draws(k, iterations, 50_000), series(k, iterations, 50_000))
        assert result.pvalue > 1e-3

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), LAWS[:6])
    def test_tails_have_their_exact_share(self, k, iterations):
        law, values = SumOfGammaNoiseDistribution(k, iterations), draws(k, iterations, 400_000, seed=3)
        grid = np.linspace(values.min(), values.max(), 4001)
        function = law.cdf(grid)
        for share in (1e-4, 1e-3, 1e-2):
            low = min(np.searchsorted(function, share), 4000)
            high = np.searchsorted(function, 1 - share) - 1
            for exact, seen in ((function[low], values <= grid[low]), (1 - function[high], values > grid[high])):
                if 0 < exact < 1:
                    assert abs(seen.mean() - exact) < 4.5 * math.sqrt(exact * (1 - exact) / 400_000) + 1e-9

    @pytest.mark.parametrize("name", QUANTILES.files)
    def test_quantiles_of_the_reference_implementation(self, name):
        # Rows: probabilities, and quantiles estimated from draws of the reference implementation.
        k, iterations = (float(part[1:]) for part in name.split("_"))
        probabilities, quantiles = QUANTILES[name]
        function = SumOfGammaNoiseDistribution(k, iterations).cdf(quantiles)
        inner = (probabilities > 0) & (probabilities < 1)
        assert inner.sum() > 50
        np.testing.assert_allclose(function[inner], probabilities[inner], atol=0.004)


class TestTable:
    @pytest.mark.parametrize(("k", "iterations"), [(1.0, 3), (2.5, 6), (20.8, 12)])
    def test_the_law_of_j_is_the_convolution_of_negative_binomials(self, k, iterations):
        (block,) = sum_of_gamma_law.blocks(k, float(iterations))
        size = block.offset + len(block.pmf)
        convolved = np.array([1.0])
        for i in range(1, iterations):
            convolved = np.convolve(convolved, stats.nbinom.pmf(np.arange(size), 1 / k, i / iterations))[:size]
        np.testing.assert_allclose(block.pmf, convolved[block.offset :], atol=1e-15)
        assert block.offset == 0 or convolved[: block.offset].sum() < 1e-15

    @pytest.mark.parametrize(("k", "iterations"), [(1.0, 3), (20.8, 100), (1.0, 1000)])
    def test_the_alias_table_has_exactly_that_law(self, k, iterations):
        (block,) = sum_of_gamma_law.blocks(k, float(iterations))
        law = block.keep.numpy() / len(block.keep)
        np.add.at(law, block.alias.numpy(), (1 - block.keep.numpy()) / len(block.keep))
        np.testing.assert_allclose(law, block.pmf, atol=1e-16)

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), [(1.0, 1000), (1.0, 100_000), (3.7, 2_000_000)])
    def test_blocks_have_the_series_s_mean_and_variance(self, k, iterations):
        mean = variance = 0.0
        for block in sum_of_gamma_law.blocks(k, float(iterations)):
            j = block.offset + np.arange(1 if block.pmf is None else len(block.pmf))
            weights = np.ones(1) if block.pmf is None else block.pmf
            centre = weights @ j
            mean += block.shift + block.scale * (block.shape + centre)
            variance += block.scale**2 * (block.shape + centre + weights @ (j - centre) ** 2)
        exact = sum_of_gamma_law.mean_and_variance(k, float(iterations))
        assert mean == pytest.approx(exact[0], abs=1e-9)
        assert variance == pytest.approx(exact[1], rel=1e-8)

    def test_a_single_term_needs_no_table(self):
        (block,) = sum_of_gamma_law.blocks(2.0, 1.0)
        assert (block.shape, block.scale, block.shift, block.keep) == (0.5, 1.0, 0.0, None)


class TestDistributionFunction:
    @pytest.mark.parametrize("iterations", [1, 2, 10, 1000, 10**6, 10**12])
    def test_for_k_1_it_is_that_of_the_largest_exponential(self, iterations):
        x = np.linspace(-5, 12, 300)
        with np.errstate(divide="ignore"):
            exact = np.exp(iterations * np.log1p(-np.minimum(np.exp(-x) / iterations, 1)))
        np.testing.assert_allclose(sum_of_gamma_law.cdf(1.0, float(iterations), x), exact, atol=2e-7)

    def test_for_k_1_in_the_limit_it_is_gumbel_s(self):
        x = np.linspace(-4, 15, 300)
        np.testing.assert_allclose(sum_of_gamma_law.cdf(1.0, math.inf, x), np.exp(-np.exp(-x)), atol=2e-7)

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), [(2.5, 29), (2.5, 30), (20.8, 249), (20.8, 250)])
    def test_mixture_and_inversion_meet(self, k, iterations):
        mean, variance = sum_of_gamma_law.mean_and_variance(k, float(iterations))
        x = mean + math.sqrt(variance) * np.linspace(-3, 8, 50)
        inverted = sum_of_gamma_law._by_inversion(k, float(iterations), x)
        np.testing.assert_allclose(sum_of_gamma_law.cdf(k, float(iterations), x), inverted, atol=1e-5)

    @pytest.mark.parametrize(("k", "iterations"), [(2.0, 2), (3.0, 40), (5.0, 60)])
    def test_the_k_fold_convolution_is_the_law_of_the_sum(self, k, iterations):
        law = SumOfGammaNoiseDistribution(k, iterations)
        sums = law.sample((40_000, int(k)), dtype=torch.float64, generator=generator(5)).sum(dim=1).numpy()
        assert kolmogorov_smirnov(sums, law.fold_distribution_function) < 1.95 / math.sqrt(40_000)

    @pytest.mark.parametrize("every", [1, 10])
    def test_the_bound_of_a_distance_is_one(self, every):
        values = np.random.default_rng(0).gumbel(size=3000)
        exact = kolmogorov_smirnov(values, stats.gumbel_r.cdf)
        assert exact <= bound_of_distance(values, stats.gumbel_r.cdf, every) <= exact + every / 3000 + 1e-12

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), LAWS[:8] + LIMITS)
    def test_draws_follow_it(self, k, iterations):
        law, values = SumOfGammaNoiseDistribution(k, iterations), draws(k, iterations, 50_000, seed=8)
        assert bound_of_distance(values, law.cdf, 10) < 1.95 / math.sqrt(50_000)

    @pytest.mark.slow
    def test_a_long_series_with_large_k_is_refused(self):
        message = (
            r"^distribution function: got k=50000.5 with 400000 iterations; a series this long needs at least 12 k "
            r"iterations; take 600006 or more$"
        )
        with pytest.raises(ValueError, match=message):
            SumOfGammaNoiseDistribution(50_000.5, 400_000).cdf(0.0)

    @pytest.mark.parametrize("iterations", [512, 513, 5000])
    def test_characteristic_function_is_the_product_over_the_terms(self, iterations):
        t, terms = np.array([0.01, 1.0, 30.0, 500.0]), np.arange(1, iterations + 1)[:, None]
        exact = -1j * t * math.log(iterations) - np.log(1 - 1j * t / terms).sum(axis=0)
        np.testing.assert_allclose(sum_of_gamma_law._log_characteristic(iterations, t), exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 50), (3, 700), (10, 5000)])
def test_sums_of_reciprocals(first, last):
    terms = np.arange(first, last + 1, dtype=float)
    assert sum_of_gamma_law.harmonic(first, last) == pytest.approx((1 / terms).sum(), rel=1e-12)
    assert sum_of_gamma_law.inverse_squares(first, last) == pytest.approx((1 / terms**2).sum(), rel=1e-12)
    shifted = sum_of_gamma_law._sum_log(first, last, np.array([1.0 + 0j]), np.array([-2.5j]))
    assert shifted[0] == pytest.approx(np.log(terms - 2.5j).sum(), rel=1e-12)
