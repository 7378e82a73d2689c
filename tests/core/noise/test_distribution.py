"""Noise: laws, types, devices, generators, errors."""

import math
import re

import numpy as np
import pytest
import torch
from scipy import stats

from draws import generator
from imle_core import (
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    kolmogorov_smirnov,
)
from threads import torch_threads

COUNT = 200_000
EXACT = {
    "gumbel": (GumbelNoiseDistribution, stats.gumbel_r),
    "normal": (NormalNoiseDistribution, stats.norm),
    "logistic": (LogisticNoiseDistribution, stats.logistic),
}
ALL = [GumbelNoiseDistribution(), NormalNoiseDistribution(), LogisticNoiseDistribution(), SumOfGammaNoiseDistribution(3.5)]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("location", "scale"), [(0.0, 1.0), (-2.0, 3.0), (100.0, 0.01)])
class TestLaws:
    def test_moments_and_distribution_function(self, name, location, scale):
        law, exact = EXACT[name][0](location, scale), EXACT[name][1](location, scale)
        assert law.mean == pytest.approx(exact.mean(), rel=1e-12)
        assert law.variance == pytest.approx(exact.var(), rel=1e-12)
        x = location + scale * np.linspace(-8, 12, 60).reshape(3, 20)
        assert law.cdf(x).shape == (3, 20)
        np.testing.assert_allclose(law.cdf(x), exact.cdf(x), rtol=1e-9, atol=1e-15)

    @pytest.mark.slow
    def test_draws(self, name, location, scale):
        law, exact = EXACT[name][0](location, scale), EXACT[name][1](location, scale)
        values = law.sample((COUNT,), dtype=torch.float64, generator=generator()).numpy()
        assert kolmogorov_smirnov(values, exact.cdf) < 1.95 / math.sqrt(COUNT)
        assert abs(values.mean() - exact.mean()) < 4.5 * exact.std() / math.sqrt(COUNT)
        kurtosis = float(exact.stats(moments="k")) + 2
        assert abs(values.var() / exact.var() - 1) < 4.5 * math.sqrt(kurtosis / COUNT)
        for share in (1e-4, 1e-2):
            bound = 4.5 * math.sqrt(share / COUNT)
            assert abs((values < exact.ppf(share)).mean() - share) < bound
            assert abs((values > exact.isf(share)).mean() - share) < bound


@pytest.mark.parametrize("name", EXACT)
def test_draws_without_the_kernel_have_the_same_law(name):
    # What other devices than the CPU run.
    law = EXACT[name][0](-2.0, 3.0)
    values = law._draw(COUNT, torch.device("cpu"), torch.float64, generator())
    assert kolmogorov_smirnov(values, law.cdf) < 1.95 / math.sqrt(COUNT)


@pytest.mark.parametrize("law", ALL, ids=str)
class TestSample:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_type(self, law, dtype):
        values = law.sample((2, 3), dtype=dtype, generator=generator())
        assert (values.dtype, values.shape) == (dtype, (2, 3))
        exact = law.sample((2, 3), dtype=torch.float64, generator=generator())
        assert torch.equal(values, exact.to(dtype))

    def test_type_by_default(self, law):
        assert law.sample((2,)).dtype == torch.float32
        torch.set_default_dtype(torch.float64)
        try:
            assert law.sample((2,)).dtype == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)

    @pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), torch.Size((2, 2)), [4]])
    def test_shape(self, law, shape):
        assert law.sample(shape).shape == torch.Size(shape)

    def test_device_by_default(self, law):
        assert law.sample((2,), device="cpu").device == torch.device("cpu")
        assert law.sample((2,), device=torch.device("cpu")).device == torch.device("cpu")

    def test_another_default_device_does_not_matter(self, law):
        expected = law.sample((5,), generator=generator())
        with torch.device("meta"):
            drawn = law.sample((5,), device="cpu", generator=generator())
        assert torch.equal(drawn, expected)

    def test_generator(self, law):
        before = torch.get_rng_state()
        first, second = law.sample((9,), generator=generator(1)), law.sample((9,), generator=generator(1))
        assert torch.equal(first, second)
        assert not torch.equal(first, law.sample((9,), generator=generator(2)))
        assert torch.equal(torch.get_rng_state(), before)

    def test_the_global_generator_where_none_is_given(self, law):
        torch.manual_seed(4)
        first = law.sample((9,))
        torch.manual_seed(4)
        assert torch.equal(first, law.sample((9,)))

    def test_threads_do_not_matter(self, law):
        drawn = []
        for threads in (1, 2):
            with torch_threads(threads):
                drawn.append(law.sample((200_000,), generator=generator()))
        assert torch.equal(*drawn)

    def test_draws_are_finite_and_uncorrelated(self, law):
        values = law.sample((COUNT,), generator=generator(2)).double().numpy()
        assert np.isfinite(values).all()
        assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 4.5 / math.sqrt(COUNT)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    def test_gpu(self, law):
        values = law.sample((COUNT,), dtype=torch.float64, device="cuda")
        assert values.device.type == "cuda"
        assert kolmogorov_smirnov(values.cpu(), law.cdf) < 1.95 / math.sqrt(COUNT)


class TestSumOfGamma:
    def test_device_of_the_constructor_gives_way_to_that_of_the_call(self):
        law = SumOfGammaNoiseDistribution(2.0, device="cpu")
        assert law.sample((2,)).device == torch.device("cpu")
        assert SumOfGammaNoiseDistribution(2.0, device="meta").sample((2,), device="cpu").device == torch.device("cpu")

    def test_defaults_and_repr(self):
        assert repr(SumOfGammaNoiseDistribution(20.8)) == "SumOfGammaNoiseDistribution(k=20.8, nb_iterations=10)"
        assert repr(GumbelNoiseDistribution()) == "GumbelNoiseDistribution(location=0, scale=1)"

    @pytest.mark.parametrize("iterations", [1, 10, math.inf])
    def test_k_fold_law(self, iterations):
        x = np.array([-10.0, -1.0, 0.0, 3.0])
        law = SumOfGammaNoiseDistribution(4, iterations)
        limit, truncated = np.exp(-np.exp(-x)), np.maximum(1 - np.exp(-x) / iterations, 0) ** min(iterations, 10)
        exact = limit if math.isinf(iterations) else truncated
        np.testing.assert_allclose(law.fold_distribution_function(x), exact)

    def test_a_fold_needs_a_whole_k(self):
        message = "k: got 2.5; a k-fold sum needs a whole number; take the distribution of a single draw"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            SumOfGammaNoiseDistribution(2.5).fold_distribution_function(0.0)


ERRORS = {
    "k: got 0; it must be a finite number > 0; use about the size of a solution": lambda: SumOfGammaNoiseDistribution(0),
    "k: got nan; it must be a finite number > 0; use about the size of a solution": lambda: SumOfGammaNoiseDistribution(
        math.nan
    ),
    "nb_iterations: got 0; it must be a whole number >= 1, or math.inf; the usual value is 10": lambda: (
        SumOfGammaNoiseDistribution(1.0, 0)
    ),
    "nb_iterations: got 2.5; it must be a whole number >= 1, or math.inf; the usual value is 10": lambda: (
        SumOfGammaNoiseDistribution(1.0, 2.5)
    ),
    "nb_iterations: got nan; it must be a whole number >= 1, or math.inf; the usual value is 10": lambda: (
        SumOfGammaNoiseDistribution(1.0, math.nan)
    ),
    "location: got inf; it must be finite; the usual value is 0": lambda: NormalNoiseDistribution(math.inf),
    "scale: got 0; it must be a finite number > 0; for no noise set temperatures to 0": lambda: GumbelNoiseDistribution(
        0.0, 0
    ),
    "scale: got nan; it must be a finite number > 0; for no noise set temperatures to 0": lambda: LogisticNoiseDistribution(
        0.0, math.nan
    ),
}


TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class TestRange:
    """Noise that its type cannot hold is refused, and all other noise is finite and varies."""

    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", TYPES, ids=str)
    @pytest.mark.parametrize("iterations", [1, 10])
    def test_every_k_gives_finite_draws_that_differ_or_is_refused(self, dtype, iterations):
        refused = []
        for k in [float(f"1e{exponent}") for exponent in range(-320, 1)]:
            try:
                values = SumOfGammaNoiseDistribution(k, iterations).sample((64,), dtype=dtype, generator=generator())
            except ValueError as error:
                refused.append((k, str(error)))
                continue
            assert values.isfinite().all(), k
            assert len(values.unique()) > 1, k
        assert all(re.match(rf"k: got {k:g}; draws of mean .* in torch\.", text) for k, text in refused)
        assert max(len(text) for _, text in refused) <= 300
        # Means near 1/k must be finite, and deviations sqrt(1/k) be seen beside them.
        kind = torch.finfo(dtype)
        assert 0.01 < refused[-1][0] / max(1 / kind.max, kind.eps**2) < 10

    @pytest.mark.parametrize("dtype", TYPES, ids=str)
    @pytest.mark.parametrize("name", EXACT)
    def test_a_scale_that_the_type_does_not_hold(self, name, dtype):
        kind = torch.finfo(dtype)
        for scale in (kind.max, max(kind.smallest_normal * kind.eps / 8, 1e-323)):
            with pytest.raises(ValueError, match=r"^location, scale: got 0, "):
                EXACT[name][0](0.0, scale).sample((3,), dtype=dtype)
        values = EXACT[name][0](0.0, kind.max**0.4).sample((64,), dtype=dtype, generator=generator())
        assert values.isfinite().all()
        assert len(values.unique()) > 1

    @pytest.mark.parametrize(("location", "dtype"), [(4096.0, torch.float16), (1e9, torch.float32), (1e17, torch.float64)])
    def test_a_location_beside_which_the_noise_is_lost(self, location, dtype):
        with pytest.raises(ValueError, match=rf"^location, scale: got {re.escape(f'{location:g}')}, 1; draws of mean"):
            NormalNoiseDistribution(location).sample((3,), dtype=dtype)

    @pytest.mark.slow
    def test_a_draw_of_too_many_gamma_variables(self):
        # The first would never end, the others take minutes or stand still where terms no longer differ in float64.
        for k, iterations in ((1e-20, math.inf), (1e-9, 10**6), (20.0, 10**17), (1e300, math.inf)):
            with pytest.raises(
                ValueError, match=r"^k: got \S+ with \S+ iterations; each draw would be a sum of more than 256"
            ):
                SumOfGammaNoiseDistribution(k, iterations)

    def test_numbers_that_no_float_holds(self):
        with pytest.raises(ValueError, match=r"^k: got a whole number of 1329 bits; it must fit into a float; give less$"):
            SumOfGammaNoiseDistribution(10**400)
        with pytest.raises(TypeError, match=r"^nb_iterations: got str; it must be a number; give one such as 1\.0$"):
            SumOfGammaNoiseDistribution(1.0, "10")

    def test_a_huge_k_has_no_distribution_function_that_takes_all_memory(self):
        with pytest.raises(ValueError, match=r"^distribution function: got k=1e\+09 with inf iterations; for so many it is"):
            SumOfGammaNoiseDistribution(1e9, math.inf).cdf(0.0)


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()


def test_each_type_is_checked_for_itself():
    law = NormalNoiseDistribution(scale=1e6)
    for _ in range(2):
        assert law.sample((2, 0, 3)).shape == (2, 0, 3)
    with pytest.raises(ValueError, match=r"^location, scale: got 0, 1e\+06; draws .* in torch.float16, which ends at"):
        law.sample((2,), dtype=torch.float16)
