"""Bias, variance and direction of gradients whose distribution is known, and how surely they are found."""

import math

import pytest
import torch

from imle_core.lab.accuracy import error_of, mean_accuracy, measure, noise_of_mean
from imle_core.lab.estimate import symmetric

TRUE = torch.tensor([3.0, 4.0, 0.0, 0.0, 12.0], dtype=torch.float64)


def gaussian(count, generator, shift=0.0, deviation=1.0):
    """Gradients with bias ``shift`` and variance ``5 deviation^2``, both in units of the true gradient."""
    length = TRUE.norm()
    offset = torch.tensor([0.0, 0.0, shift, 0.0, 0.0], dtype=torch.float64) * length
    noise = torch.randn(count, 5, generator=generator, dtype=torch.float64)
    return TRUE + offset + deviation * length * noise


class TestFigures:
    def test_bias_variance_and_error_of_known_gradients(self):
        true = torch.tensor([3.0, 4.0])
        draws = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])
        found = measure(draws, true)
        assert found.variance == pytest.approx(50 / 3 / 25)
        assert found.mse == pytest.approx(50 / 4 / 25)
        assert found.bias == 0.0
        assert found.squared_bias == pytest.approx(-50 / 3 / 25 / 4)
        assert found.mse == pytest.approx(found.squared_bias + found.variance)
        assert found.cosine == pytest.approx(0.75)
        assert (found.zero_share, found.sign_agreement) == (0.25, 1.0)

    def test_the_error_forgives_scale_alone(self):
        true, generator = torch.tensor([3.0, 4.0]), torch.Generator().manual_seed(0)
        draws = true + torch.randn(1000, 2, generator=generator)
        errors = [measure(scale * draws, true).error for scale in (0.01, 1.0, 50.0)]
        assert errors == pytest.approx([errors[0]] * 3)
        assert errors[0].low < 2 / 25 < errors[0].high
        assert measure(-draws, true).error == math.inf
        turned = torch.tensor([[-4.0, 3.0]]) + true
        assert measure(turned.expand(2, 2), true).error == pytest.approx(1.0)

    def test_signs_are_counted_where_neither_is_zero(self):
        found = measure(torch.tensor([[1.0, 0.0, -1.0, 5.0], [1.0, 0.0, -1.0, 5.0]]), torch.tensor([1.0, 1.0, 1.0, 0.0]))
        assert found.sign_agreement == pytest.approx(1 / 2)

    def test_zero_gradients_tell_nothing(self):
        found = measure(torch.zeros(3, 2), torch.tensor([1.0, 1.0]))
        assert (found.bias, found.mse, found.error) == (pytest.approx(1.0), pytest.approx(1.0), math.inf)
        assert (found.variance, found.cosine, found.zero_share, found.sign_agreement) == (0.0, 0.0, 1.0, None)

    def test_random_zeros_leave_what_rare_gradients_may_do(self):
        found = measure(torch.zeros(300, 5), TRUE)
        rare = 1.96**2 / (300 + 1.96**2)  # Wilson's bound for what was never seen
        assert found.alignment.high == -found.alignment.low == pytest.approx(math.sqrt(rare))
        assert (found.cosine.low, found.cosine.high) == pytest.approx((-rare, rare))
        assert (found.error.low, found.error.high) == (pytest.approx(1 / rare - 1), math.inf)
        for unknown in (found.bias, found.squared_bias, found.variance, found.mse):
            assert (unknown.low, unknown.high, unknown.is_wide) == (0.0, math.inf, True)

    def test_zeros_that_are_no_chance_are_known(self):
        found = measure(torch.zeros(300, 5), TRUE, is_random=False)
        assert (found.bias, found.variance, found.mse, found.error) == (1.0, 0.0, 1.0, math.inf)
        assert not any(known.is_wide for known in (found.bias, found.variance, found.mse, found.error, found.alignment))

    @pytest.mark.slow
    @pytest.mark.parametrize("count", [10, 30])
    def test_rare_gradients_are_within_the_bounds_whether_or_not_they_are_seen(self, count):
        generator, runs, hits = torch.Generator().manual_seed(8), 400, 0
        for _ in range(runs):
            rare = (torch.rand(count, 1, generator=generator, dtype=torch.float64) < 0.05) / 0.05
            found = measure(rare * gaussian(count, generator, 0.0, 0.1), TRUE)
            hits += found.error.low <= (1 + 5 * 0.01) / 0.05 - 1 <= found.error.high and found.bias.low == 0.0
        assert hits / runs > 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs)

    def test_rounding_is_no_error(self):
        found = measure(torch.full((3, 2), 0.1), torch.tensor([0.1, 0.1]) * 3)
        assert (found.error, found.error.is_wide) == (0.0, False)
        assert measure(torch.full((7, 2), 0.1) + 0.3, torch.tensor([1.0, 2.0]) / 3).variance == 0.0

    def test_a_share_of_nothing_has_wilsons_upper_bound(self):
        found = measure(TRUE.expand(100, 5), TRUE).zero_share
        assert (found, found.low) == (0.0, 0.0)
        assert found.high == pytest.approx(1.96**2 / (100 + 1.96**2))


class TestIntervals:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("shift", "deviation", "count"), [(0.3, 0.5, 75), (1.5, 0.2, 40), (0.0, 1.0, 75), (0.3, 3.0, 300)]
    )
    def test_they_hold_the_truth_19_times_of_20(self, shift, deviation, count):
        generator, runs = torch.Generator().manual_seed(1), 600
        variance = 5 * deviation**2
        truth = {
            "bias": shift,
            "squared_bias": shift**2,
            "variance": variance,
            "mse": shift**2 + variance,
            "error": shift**2 + variance,
            "alignment": 1 / math.sqrt(1 + shift**2 + variance),
        }
        found = [measure(gaussian(count, generator, shift, deviation), TRUE) for _ in range(runs)]
        for name, value in truth.items():
            hits = sum(getattr(each, name).low - 1e-12 <= value <= getattr(each, name).high for each in found)
            assert hits / runs > 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs), name
            if shift:
                assert hits / runs < 0.99, name

    @pytest.mark.slow
    @pytest.mark.parametrize("count", [3, 5, 40, 300])
    def test_no_bias_is_not_denied_where_one_direction_has_all_of_the_variance(self, count):
        generator, runs = torch.Generator().manual_seed(9), 300
        found = [
            measure(TRUE * (1 + torch.randn(count, 1, generator=generator, dtype=torch.float64)), TRUE) for _ in range(runs)
        ]
        hits = sum(each.squared_bias.low <= 0 <= each.squared_bias.high for each in found)
        assert hits / runs > 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs)
        assert all(each.bias.is_wide for each in found if each.squared_bias < 0)

    @pytest.mark.slow
    def test_squares_are_right_on_average(self):
        generator = torch.Generator().manual_seed(2)
        found = [measure(gaussian(8, generator, 0.5, 1.0), TRUE) for _ in range(1500)]
        for name, truth in (("squared_bias", 0.25), ("variance", 5.0), ("mse", 5.25)):
            values = torch.tensor([float(getattr(each, name)) for each in found])
            assert abs(float(values.mean()) - truth) < 4 * float(values.std()) / math.sqrt(1500), name
        # The squared bias of the mean itself is too large by variance / R = 0.625.
        assert float(torch.tensor([float(each.squared_bias) for each in found]).mean()) < 0.4

    @pytest.mark.slow
    def test_the_squared_progress_is_right_on_average(self):
        generator = torch.Generator().manual_seed(3)
        found = [measure(gaussian(60, generator, 0.0, 2.0), TRUE) for _ in range(1000)]
        squares = torch.tensor([each.alignment**2 - each.alignment.standard_error**2 for each in found])
        assert abs(float(squares.mean()) - 1 / 21) < 5 * float(squares.std()) / math.sqrt(1000)

    @pytest.mark.slow
    def test_standard_errors_are_the_deviations_between_seeds(self):
        generator = torch.Generator().manual_seed(4)
        found = [measure(gaussian(200, generator, 0.5, 0.5), TRUE) for _ in range(400)]
        for name in ("bias", "variance", "mse", "error", "cosine", "sign_agreement"):
            values = torch.tensor([float(getattr(each, name)) for each in found])
            told = sum(getattr(each, name).standard_error for each in found) / 400
            assert told == pytest.approx(float(values.std()), rel=0.15), name

    @pytest.mark.slow
    def test_an_error_that_is_hardly_known_is_a_bound_below_the_truth(self):
        generator = torch.Generator().manual_seed(5)
        found = [measure(gaussian(100, generator, 0.0, 30.0), TRUE).error for _ in range(200)]
        assert all(error.is_wide for error in found)
        assert sum(error.low < 4500 for error in found) > 180
        assert all(error.low > 10 for error in found)

    @pytest.mark.slow
    def test_heavy_tails_leave_no_upper_end(self):
        generator = torch.Generator().manual_seed(6)
        lengths = (
            torch.rand(200, 300, 1, generator=generator, dtype=torch.float64) ** -0.45
        )  # their squares have no variance
        runs = [measure(TRUE + row * (gaussian(300, generator) - TRUE), TRUE) for row in lengths]
        told = [run for run in runs if run.error.high == math.inf]
        assert len(told) > 150
        assert all(run.variance.is_wide and run.mse.is_wide and run.error.is_wide for run in told)
        truth = 5 * 1 / (1 - 0.9)
        assert sum(run.variance.low < truth for run in told) > 0.97 * len(told)

    @pytest.mark.slow
    def test_doubt_of_the_true_gradient_is_taken_out_and_added_to_errors(self):
        generator = torch.Generator().manual_seed(7)
        doubt, squares, hits = 0.3, [], 0
        for _ in range(400):
            deviation = doubt * TRUE.norm() / math.sqrt(5)
            reference = TRUE + deviation * torch.randn(5, generator=generator, dtype=torch.float64)
            found = measure(gaussian(50, generator, 0.5, 0.3), reference, doubt)
            squares.append(float(found.squared_bias))
            hits += found.error.low <= 0.25 + 5 * 0.09 <= found.error.high
        assert sum(squares) / 400 == pytest.approx(0.25, abs=0.06)
        assert hits > 360


class TestInstances:
    def test_one_is_itself(self):
        (found,) = [measure(gaussian(20, torch.Generator().manual_seed(0)), TRUE)]
        assert mean_accuracy([found]) is found

    def test_means_have_the_spread_of_instances(self):
        generator = torch.Generator().manual_seed(0)
        found = [measure(gaussian(400, generator, shift, 0.3), TRUE) for shift in (0.2, 0.4, 0.6)]
        mean = mean_accuracy(found)
        squares = torch.tensor([float(each.squared_bias) for each in found])
        assert mean.squared_bias == pytest.approx(float(squares.mean()))
        assert mean.squared_bias.standard_error == pytest.approx(float(squares.std()) / math.sqrt(3), rel=1e-4)
        assert mean.squared_bias.high - mean.squared_bias == pytest.approx(
            4.3027 * mean.squared_bias.standard_error, rel=1e-4
        )
        assert mean.bias == pytest.approx(math.sqrt(mean.squared_bias))
        alignments = [float(each.alignment) for each in found]
        assert mean.error == pytest.approx(1 / (sum(alignments) / 3) ** 2 - 1, rel=1e-2)

    def test_an_instance_without_progress_leaves_a_finite_mean(self):
        generator = torch.Generator().manual_seed(0)
        draws = gaussian(400, generator, 0.0, 0.1)
        mean = mean_accuracy([measure(draws, TRUE), measure(draws, TRUE), measure(-draws, TRUE)])
        assert 7 < mean.error < 9
        assert mean.error.is_wide

    def test_a_spread_that_is_small_by_chance_is_no_less_than_that_of_repetitions(self):
        found = [measure(gaussian(50, torch.Generator().manual_seed(0)), TRUE)] * 4
        mean = mean_accuracy(found)
        for name in ("variance", "mse", "squared_bias", "cosine", "alignment"):
            assert getattr(mean, name).standard_error == pytest.approx(getattr(found[0], name).standard_error / 2), name
        assert mean.error.low < mean.error < mean.error.high

    def test_an_end_that_is_open_for_one_is_open_for_the_mean(self):
        generator = torch.Generator().manual_seed(0)
        light = [measure(gaussian(300, generator, 0.2, 0.3), TRUE) for _ in range(4)]
        long = torch.rand(300, 1, generator=generator, dtype=torch.float64) ** -0.7
        heavy = measure(TRUE + long * (gaussian(300, generator) - TRUE), TRUE)
        assert heavy.variance.high == math.inf
        mean = mean_accuracy([*light, heavy])
        assert (mean.variance.high, mean.mse.high, mean.variance.is_wide) == (math.inf, math.inf, True)
        plain = sum(each.alignment for each in [*light, heavy]) / 5
        assert mean.alignment.low <= plain - heavy.alignment / 5
        assert mean_accuracy([heavy] * 5).error.high == math.inf
        assert mean_accuracy([*light, measure(torch.zeros(300, 5), TRUE)]).bias.high == math.inf

    def test_a_share_of_nothing_everywhere_keeps_a_bound(self):
        mean = mean_accuracy([measure(TRUE.expand(100, 5), TRUE)] * 3).zero_share
        assert (mean, mean.low, mean.is_wide) == (0.0, 0.0, True)
        assert mean.high == pytest.approx(1.96**2 / (100 + 1.96**2))

    def test_shares_stay_shares(self):
        true = torch.tensor([1.0, 1.0])
        alike, unlike = (measure(torch.tensor([[1.0, sign], [2.0, sign]]), true) for sign in (1.0, -1.0))
        mean = mean_accuracy([alike, unlike]).sign_agreement
        assert (mean, mean.low, mean.high) == (0.75, 0.0, 1.0)

    def test_the_repetitions_part_of_an_error(self):
        generator = torch.Generator().manual_seed(0)
        found = [measure(gaussian(50, generator), TRUE) for _ in range(4)]
        assert noise_of_mean(found) == pytest.approx(sum(each.alignment.standard_error**2 for each in found) ** 0.5 / 4)


def test_the_error_of_an_alignment():
    error = error_of(symmetric(0.5, 0.01, 10**6), 0.0)
    assert error == pytest.approx(3.0)
    assert error.standard_error == pytest.approx(2 * 0.01 / 0.125)
    assert error.low < 3 < error.high
    assert error_of(symmetric(0.5, 0.1, 10**6), 0.1) == pytest.approx(1 / 0.24 - 1)
    none = error_of(symmetric(0.1, 0.2, 10**6), 0.2)
    assert (float(none), none.high) == (math.inf, math.inf)
    assert none.low == pytest.approx(1 / 0.492**2 - 1, rel=1e-3)
    seems = error_of(symmetric(-0.5, 0.2, 10**6), 0.2)
    assert (float(seems), seems.high, seems.is_wide) == (math.inf, math.inf, True)
    assert seems.low == pytest.approx(1 / 0.04 - 1)
    surely = error_of(symmetric(-0.5, 0.01, 10**6), 0.01)
    assert (float(surely), surely.low, surely.is_wide) == (math.inf, math.inf, False)
