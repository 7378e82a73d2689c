"""Antithetic pairs: reflections, layout, law, types, errors."""

import math
import re

import numpy as np
import pytest
import torch
from scipy import stats

from draws import generator
from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    imle,
    kolmogorov_smirnov,
)
from imle_core.solvers import TopK

COUNT = 200_000
EXACT = {
    "gumbel": (GumbelNoiseDistribution, stats.gumbel_r, (-3.5, 36.0)),
    "normal": (NormalNoiseDistribution, stats.norm, (-8.0, 8.0)),
    "logistic": (LogisticNoiseDistribution, stats.logistic, (-36.0, 36.0)),
}
LAWS = [GumbelNoiseDistribution(0.5, 2.0), NormalNoiseDistribution(-1.0, 0.5), LogisticNoiseDistribution(0.3, 3.0)]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("location", "scale"), [(0.0, 1.0), (-2.0, 3.0)])
def test_a_reflection_swaps_the_two_tail_probabilities_over_a_wide_range(name, location, scale):
    law, exact, (low, high) = EXACT[name][0](location, scale), EXACT[name][1](location, scale), EXACT[name][2]
    x = location + scale * np.linspace(low, high, 200)
    reflected = law.reflected(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(exact.cdf(reflected), exact.sf(x), rtol=1e-9, atol=0)
    np.testing.assert_allclose(exact.sf(reflected), exact.cdf(x), rtol=1e-9, atol=0)
    twice = law.reflected(torch.from_numpy(reflected)).numpy()
    np.testing.assert_allclose(twice, x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=str)
class TestPairs:
    def test_samples_2i_and_2i_plus_1_of_an_instance_are_opposed(self, law):
        pairs = AntitheticNoiseDistribution(law).sample((3, 6, 2, 5), dtype=torch.float64, generator=generator())
        assert pairs.shape == (3, 6, 2, 5)
        assert pairs.is_contiguous()
        assert torch.equal(pairs[:, 1::2], law.reflected(pairs[:, 0::2]))
        assert torch.equal(pairs[:, 0::2], law.sample((3, 3, 2, 5), dtype=torch.float64, generator=generator()))

    def test_the_last_of_an_odd_number_has_no_partner(self, law):
        noise = AntitheticNoiseDistribution(law)
        odd, even = (noise.sample((3, samples, 4), generator=generator()) for samples in (5, 6))
        assert odd.shape == (3, 5, 4)
        assert odd.is_contiguous()
        assert torch.equal(odd, even[:, :5])
        assert torch.equal(noise.sample((3, 1, 4), generator=generator()), law.sample((3, 1, 4), generator=generator()))

    def test_each_of_a_pair_has_the_law_and_they_are_opposed(self, law):
        noise = AntitheticNoiseDistribution(law)
        one, other = noise.sample((COUNT, 2), dtype=torch.float64, generator=generator(1)).T.numpy()
        for values in (one, other):
            assert kolmogorov_smirnov(values, law.cdf) < 1.95 / math.sqrt(COUNT)
        assert np.corrcoef(one, other)[0, 1] < -0.7
        x = np.linspace(-2, 3, 9)
        np.testing.assert_array_equal(noise.cdf(x), law.cdf(x))
        assert (noise.mean, noise.variance) == (law.mean, law.variance)
        assert torch.equal(noise.score(torch.from_numpy(x)), law.score(torch.from_numpy(x)))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_type_device_and_generator(self, law, dtype):
        noise, before = AntitheticNoiseDistribution(law), torch.get_rng_state()
        values = noise.sample((50, 40, 10), dtype=dtype, device="cpu", generator=generator())
        assert (values.dtype, values.device.type) == (dtype, "cpu")
        exact = noise.sample((50, 40, 10), dtype=torch.float64, generator=generator())
        # A step of the type near the value, and float32's near the value that was reflected.
        bound = torch.finfo(dtype).eps * exact.abs() + 4e-6
        assert ((values.double() - exact).abs() <= bound).all()
        assert torch.equal(torch.get_rng_state(), before)
        assert not torch.equal(values, noise.sample((50, 40, 10), dtype=dtype, generator=generator(1)))

    def test_type_by_default(self, law):
        noise = AntitheticNoiseDistribution(law)
        torch.set_default_dtype(torch.float64)
        try:
            assert noise.sample((1, 2)).dtype == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)
        assert noise.sample((1, 2)).dtype == torch.float32

    @pytest.mark.parametrize("shape", [(0, 4, 3), (2, 0, 3), (2, 4, 0), (2, 3)])
    def test_empty_shapes_and_single_numbers(self, law, shape):
        assert AntitheticNoiseDistribution(law).sample(shape).shape == shape

    def test_errors_and_repr(self, law):
        noise = AntitheticNoiseDistribution(law)
        message = "shape: got (4,); antithetic pairs need (B, S, *event); S is the axis of samples"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            noise.sample((4,))
        assert repr(noise) == f"AntitheticNoiseDistribution({law!r})"


@pytest.mark.parametrize(
    "law", [SumOfGammaNoiseDistribution(2.0, 10), AntitheticNoiseDistribution(NormalNoiseDistribution()), None], ids=str
)
def test_laws_without_a_reflection_are_refused(law):
    message = (
        f"law: got {law!r}; antithetic pairs need a distribution that is symmetric or drawn by its quantiles; use "
        "NormalNoiseDistribution(), LogisticNoiseDistribution() or GumbelNoiseDistribution()"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        AntitheticNoiseDistribution(law)


def test_a_layer_s_mean_keeps_its_expectation_and_symmetric_pairs_take_out_what_is_odd():
    theta = torch.tensor([[0.3, -0.5, 1.0, 0.0]], dtype=torch.float64).expand(50_000, 4)
    noise = AntitheticNoiseDistribution(GumbelNoiseDistribution())
    means = imle(TopK(1), TargetDistribution(), noise, 2, reduction="mean", generator=generator())(theta)
    exact, error = theta[0].softmax(0), means.std(dim=0) / math.sqrt(50_000)
    assert ((means.mean(dim=0) - exact).abs() < 4.5 * error).all()
    assert (means.var(dim=0) < 0.95 * exact * (1 - exact) / 2).all()
    symmetric = AntitheticNoiseDistribution(NormalNoiseDistribution(2.0, 3.0))
    means = imle(lambda rows: rows, None, symmetric, 4, reduction="mean", generator=generator())(theta[:9])
    torch.testing.assert_close(means, theta[:9] + 2.0)
