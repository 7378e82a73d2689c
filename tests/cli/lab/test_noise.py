"""Draws of noise beside their exact law."""

import numpy as np
import pytest
import torch

from imle_cli.lab import noise
from imle_cli.lab.noise import draw_noise
from imle_cli.problems.noise import in_words
from imle_core import GumbelNoiseDistribution, NormalNoiseDistribution, SumOfGammaNoiseDistribution


def drawn(law, samples=1000, seed=0, advance=lambda _: None):
    return draw_noise(law, samples, seed, torch.device("cpu"), advance)


def test_whole_k_gives_sums_of_k_draws():
    law = SumOfGammaNoiseDistribution(3, 10)
    result = drawn(law, 5)
    expected = law.sample((5, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(0)).sum(dim=1)
    np.testing.assert_array_equal(result.values, expected.numpy())
    assert (result.fold, result.exact_mean, result.exact_variance) == (3, 3 * law.mean, 3 * law.variance)
    assert (result.title, result.curve) == ("Sum of 3 draws of Sum-of-Gamma noise, 10 terms each", "Gumbel(0, 1)")


def test_the_exact_law_of_a_sum_is_that_of_its_truncation_and_the_shown_one_the_limit():
    result, x = drawn(SumOfGammaNoiseDistribution(2, 5)), np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(result.exact(x), (1 - np.exp(-x) / 5) ** 5)
    np.testing.assert_allclose(result.shown(x), np.exp(-np.exp(-x)))


@pytest.mark.parametrize(
    "law", [SumOfGammaNoiseDistribution(2.5, 10), SumOfGammaNoiseDistribution(1e30, 10), GumbelNoiseDistribution(1.0, 2.0)]
)
def test_otherwise_single_draws_and_their_own_law(law):
    result, x = drawn(law, 7), np.linspace(-3, 3, 5)
    expected = law.sample((7, 1), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(result.values, expected[:, 0].numpy())
    np.testing.assert_array_equal(result.exact(x), law.cdf(x))
    np.testing.assert_array_equal(result.shown(x), law.cdf(x))
    assert (result.fold, result.curve, result.title) == (1, "exact density", in_words(law))


def test_long_sums_are_drawn_in_parts_that_report_progress(monkeypatch):
    monkeypatch.setattr(noise, "_DRAWS_AT_ONCE", 40)
    seen = []
    result = drawn(SumOfGammaNoiseDistribution(20, 10), 5, advance=seen.append)
    assert (seen, len(np.unique(result.values))) == ([2, 4, 5], 5)


class TestHistogram:
    def test_edges_hold_nearly_all_values_and_the_density_sums_to_nearly_1(self):
        result = drawn(NormalNoiseDistribution(), 20_000)
        edges, density = result.histogram(50)
        assert len(edges) == len(density) + 1 == 51
        assert np.mean((result.values > edges[0]) & (result.values < edges[-1])) > 0.999
        assert 0.998 < (density * np.diff(edges)).sum() < 1
        assert density.max() == pytest.approx(1 / np.sqrt(2 * np.pi), rel=0.01)

    def test_a_single_value(self):
        edges, density = drawn(NormalNoiseDistribution(), 1).histogram(3)
        assert (np.diff(edges) > 0).all()
        assert np.isfinite(density).all()

    @pytest.mark.slow
    def test_an_unknown_law_has_neither_density_nor_statistic(self):
        result = drawn(SumOfGammaNoiseDistribution(50_000.5, 400_000), 10)
        assert (result.histogram(5)[1], result.statistic) == (None, None)
