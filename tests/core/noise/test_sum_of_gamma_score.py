"""The gradient of Sum-of-Gamma's log-density: against closed forms, its characteristic function, and expectations."""

import math

import numpy as np
import pytest
import torch

from imle_core import GumbelNoiseDistribution, SumOfGammaNoiseDistribution
from imle_core.noise.sum_of_gamma_score import lacking


@pytest.mark.slow
@pytest.mark.parametrize("iterations", [2, 10, 200])
def test_for_k_1_it_is_that_of_the_largest_of_s_exponential_variables(iterations):
    # X + log s has the distribution function (1 - exp(-u))^s (Renyi 1953); here from quantile 1e-8 to 1 - 1e-8.
    tail = np.geomspace(1e-8, 0.5, 150)
    u = -np.concatenate([np.log1p(-(tail ** (1 / iterations))), np.log(-np.expm1(np.log1p(-tail) / iterations))])
    expected = (iterations - 1) / np.expm1(u) - 1
    law = SumOfGammaNoiseDistribution(1.0, iterations)
    score = law.score(torch.from_numpy(u - math.log(iterations))).numpy()
    np.testing.assert_allclose(score, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("k", "iterations"), [(2.0, 10), (0.5, 3), (20.8, 100)])
def test_it_is_that_of_the_density_behind_the_characteristic_function(k, iterations):
    # X + (log s)/k has the characteristic function prod_i (1 - it/i)^(-1/k); p and p' are its inverse transforms.
    law = SumOfGammaNoiseDistribution(k, iterations)
    deviation = math.sqrt(law.variance)
    step, count = 0.01 / deviation, 60_000
    t = step * (np.arange(count) + 0.5)
    logs = sum(-np.log1p(-1j * t / i) for i in range(1, iterations + 1)) / k
    mean = law.mean + math.log(iterations) / k
    u = np.linspace(max(mean - 1.5 * deviation, 0.2 * mean), mean + 5 * deviation, 15)
    waves = np.exp(logs[None] - 1j * np.outer(u, t))
    density, slope = waves.real.sum(axis=1), (-1j * t * waves).real.sum(axis=1)
    score = law.score(torch.from_numpy(u - math.log(iterations) / k)).numpy()
    np.testing.assert_allclose(score, slope / density, rtol=1e-3, atol=1e-3 / deviation)


def test_it_tends_to_gumbel_s_for_k_1_and_a_long_series():
    x = torch.linspace(-1, 8, 41, dtype=torch.float64)
    score = SumOfGammaNoiseDistribution(1.0, 200).score(x)
    torch.testing.assert_close(score, GumbelNoiseDistribution().score(x), rtol=2e-2, atol=1e-3)


@pytest.mark.parametrize(("k", "iterations"), [(1.0, 10), (2.0, 10)])
def test_it_is_finite_below_the_lower_end_and_far_above(k, iterations):
    law = SumOfGammaNoiseDistribution(k, iterations)
    end = -math.log(iterations) / k
    below = law.score(torch.tensor([end - 1.0, end - 100.0, end], dtype=torch.float64))
    assert below.isfinite().all()
    assert len(below.unique()) == 1
    # The slowest of the sum's terms is left: a gamma of shape 1/k and scale 1, with score (1/k - 1)/u - 1.
    far = law.score(torch.tensor([end + 20.0, 1e4], dtype=torch.float64))
    assert float(far[0]) == pytest.approx((1 / k - 1) / 20 - 1, abs=0.02)
    assert far.isfinite().all()


class TestLacking:
    @pytest.mark.parametrize(("k", "iterations"), [(10.0, 10), (20.8, 10), (1.0, 1)])
    def test_a_density_that_jumps_at_its_lower_end(self, k, iterations):
        reason = (
            f"s/k = {iterations / k:g} is not above 1 and the density does not vanish at its lower end: take more than "
            f"{k:g} iterations"
        )
        assert lacking(k, iterations) == reason
        assert SumOfGammaNoiseDistribution(k, iterations).lacks_score == reason

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "iterations"), [(1.0, math.inf), (1.0, 10**5)])
    def test_a_series_in_several_blocks(self, k, iterations):
        reason = "its series is too long for one table: take fewer iterations"
        assert SumOfGammaNoiseDistribution(k, iterations).lacks_score == reason

    @pytest.mark.parametrize(("k", "iterations"), [(1.0, 2), (9.9, 10), (20.8, 100)])
    def test_nothing(self, k, iterations):
        assert SumOfGammaNoiseDistribution(k, iterations).lacks_score is None
