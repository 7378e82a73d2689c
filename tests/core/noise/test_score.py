"""Gradients of log-densities: against differences, scipy's densities, and identities of expectations."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)

COUNT = 200_000
EXACT = {
    "gumbel": (GumbelNoiseDistribution, stats.gumbel_r, (-6.0, 40.0)),
    "normal": (NormalNoiseDistribution, stats.norm, (-30.0, 30.0)),
    "logistic": (LogisticNoiseDistribution, stats.logistic, (-60.0, 60.0)),
}
LAWS = [
    GumbelNoiseDistribution(0.5, 2.0),
    NormalNoiseDistribution(-1.0, 0.5),
    LogisticNoiseDistribution(0.3, 3.0),
    SumOfGammaNoiseDistribution(2.0, 10),
    SumOfGammaNoiseDistribution(7.5, 100),
    AntitheticNoiseDistribution(GumbelNoiseDistribution(0.5, 2.0)),
]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("location", "scale"), [(0.0, 1.0), (-2.0, 3.0), (1.0, 0.01)])
class TestLocationAndScale:
    def test_differences_of_the_log_density_far_into_the_tails(self, name, location, scale):
        law, exact, (low, high) = EXACT[name][0](location, scale), EXACT[name][1](location, scale), EXACT[name][2]
        y = np.linspace(low, high, 93).reshape(3, 31)
        x, step = location + scale * y, 1e-5 * scale
        expected = (exact.logpdf(x + step) - exact.logpdf(x - step)) / (2 * step)
        score = law.score(torch.from_numpy(x))
        assert (score.dtype, score.shape) == (torch.float64, (3, 31))
        np.testing.assert_allclose(score, expected, rtol=1e-6, atol=1e-6 / scale)

    def test_second_differences_of_the_distribution_function(self, name, location, scale):
        law = EXACT[name][0](location, scale)
        x, step = location + scale * np.linspace(-1.5, 3.0, 19), 1e-3 * scale
        below, middle, above = (law.cdf(x + shift) for shift in (-step, 0, step))
        expected = (above - 2 * middle + below) / step**2 / ((above - below) / (2 * step))
        np.testing.assert_allclose(law.score(torch.from_numpy(x)), expected, rtol=1e-5, atol=1e-5 / scale)


@pytest.mark.parametrize("law", LAWS, ids=str)
class TestExpectations:
    def test_the_score_has_mean_zero_and_its_product_with_the_noise_mean_minus_one(self, law):
        # E score = 0, and by parts E (X - mean) score = -1: a wrong factor or sign fails the second.
        x = law.sample((1, COUNT), dtype=torch.float64, generator=torch.Generator().manual_seed(3))[0]
        if isinstance(law, AntitheticNoiseDistribution):
            x = x[::2]
        score = law.score(x)
        for values, exact in ((score, 0.0), (score * (x - law.mean), -1.0)):
            error = float(values.std()) / math.sqrt(len(x))
            assert abs(float(values.mean()) - exact) < 4.5 * error
            assert 4.5 * error < 0.05 * max(1.0, float(score.std()))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_types(self, law, dtype):
        x = law.sample((2, 5), dtype=dtype, generator=torch.Generator().manual_seed(3))
        score = law.score(x)
        assert (score.dtype, score.shape) == (dtype, (2, 5))
        wide = law.score(x.double())
        torch.testing.assert_close(score.double(), wide, rtol=8 * torch.finfo(dtype).eps, atol=16 * torch.finfo(dtype).eps)

    def test_none_lacks_it(self, law):
        assert law.lacks_score is None
