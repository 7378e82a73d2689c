"""Figures that know how sure they are, against closed forms."""

import copy
import math
import pickle

import pytest
import torch

from draws import normal
from imle_core.lab import IntervalEstimate, mean_of, positive, ratio
from imle_core.lab.estimate import is_heavy_tailed, jackknife, root, symmetric


def without(values):
    return (values.sum() - values) / (len(values) - 1)


def test_a_figure_is_a_number_that_keeps_its_interval():
    figure = IntervalEstimate(2.0, 0.5, 1.0, 3.0)
    assert figure + 1 == 3.0
    for same in (copy.deepcopy(figure), pickle.loads(pickle.dumps(figure))):
        assert (same, same.standard_error, same.low, same.high) == (2.0, 0.5, 1.0, 3.0)
    assert (IntervalEstimate(2.0).low, IntervalEstimate(2.0).high, IntervalEstimate(2.0).is_wide) == (2.0, 2.0, False)


@pytest.mark.parametrize(
    ("figure", "is_wide"),
    [
        (IntervalEstimate(3.0, 0.9, 1.0, 5.0), False),
        (IntervalEstimate(3.0, 1.1, 1.0, 5.0), True),
        (IntervalEstimate(3.0, 0.1, 2.8, math.inf), True),
        (IntervalEstimate(math.inf, math.inf, 900.0, math.inf), True),
        (IntervalEstimate(math.inf, 0.0, math.inf, math.inf), False),
        (IntervalEstimate(0.0, 0.0, 0.0, 0.01), True),
    ],
)
def test_a_wide_figure_has_an_error_above_a_third_of_it_or_an_open_end(figure, is_wide):
    assert figure.is_wide == is_wide


def test_the_jackknife_of_a_mean_is_the_mean_and_its_error():
    values = normal(20)
    value, error = jackknife(float(values.mean()), without(values))
    assert value == pytest.approx(float(values.mean()))
    assert error == pytest.approx(float(values.std()) / math.sqrt(20))
    mean = mean_of([IntervalEstimate(each) for each in values.tolist()], symmetric)
    assert (float(mean), mean.standard_error) == pytest.approx((value, error))


def test_a_mean_is_no_surer_than_its_estimates_are():
    alike = [IntervalEstimate(2.0, 0.3, 1.4, 2.6)] * 9
    mean = mean_of(alike, positive)
    assert (float(mean), mean.standard_error) == (2.0, pytest.approx(0.1))
    assert mean.low == pytest.approx(2 * math.exp(-2.306 * 0.05), rel=1e-3)
    is_open = mean_of([*alike, IntervalEstimate(2.0, math.inf, 1.0, math.inf)], positive)
    assert (is_open.high, is_open.is_wide, is_open.standard_error) == (math.inf, True, pytest.approx(0.09))


def test_the_jackknife_takes_what_repetitions_add_to_a_square_out_exactly():
    values = 0.3 + normal(20)
    value, _ = jackknife(float(values.mean()) ** 2, without(values).square())
    assert value == pytest.approx(float(values.mean() ** 2 - values.var() / 20))


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    draws = 0.5 + normal(4000, 12)
    symmetric_hits = exponential_hits = 0
    for row in draws:
        figure = symmetric(float(row.mean()), float(row.std()) / math.sqrt(12), 11)
        symmetric_hits += figure.low <= 0.5 <= figure.high
        square = positive(float(row.square().mean()), float(row.square().std()) / math.sqrt(12), 11)
        exponential_hits += square.low <= 1.25 <= square.high
    assert abs(symmetric_hits / 4000 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 4000)
    assert 0.88 < exponential_hits / 4000 < 0.97


def test_the_root_of_a_square_that_may_be_0_is_a_bound():
    assert root(symmetric(0.25, 0.01, 10**6)) == 0.5
    assert root(symmetric(0.25, 0.01, 10**6)).standard_error == pytest.approx(0.01)
    below = root(symmetric(-0.01, 0.1, 10**6))
    assert (below, below.low, below.is_wide) == (0.0, 0.0, True)
    assert below.high == pytest.approx(math.sqrt(-0.01 + 1.96 * 0.1), rel=1e-3)


class TestRatio:
    def test_relative_errors_add_up_as_squares_do(self):
        found = ratio(positive(6.0, 0.3, 10**6), positive(2.0, 0.1, 10**6))
        assert found == 3.0
        assert found.standard_error == pytest.approx(3 * math.hypot(0.05, 0.05))
        assert found.low == pytest.approx(3 * math.exp(-1.96 * math.hypot(0.05, 0.05)), rel=1e-3)
        assert found.low * found.high == pytest.approx(9)

    def test_open_ends_stay_open(self):
        sure = positive(2.0, 0.1, 10**6)
        assert ratio(IntervalEstimate(6.0, 3.0, 1.0, math.inf), sure).high == math.inf
        assert ratio(sure, IntervalEstimate(6.0, 3.0, 1.0, math.inf)).low == 0.0
        assert ratio(IntervalEstimate(math.inf, math.inf, 900.0, math.inf), sure).low == pytest.approx(900 / sure.high)
        assert ratio(IntervalEstimate(0.0), sure) == 0.0


class TestTails:
    @pytest.mark.slow
    @pytest.mark.parametrize("size", [75, 300, 3000])
    def test_bounded_exponential_and_normal_tails_are_light(self, size):
        draws = normal(200, size, 3, seed=size)
        assert sum(is_heavy_tailed(row.square().sum(dim=1)) for row in draws) <= 10
        assert sum(is_heavy_tailed(-row[:, 0].abs().clamp(min=1e-9).neg().exp().log()) for row in draws) <= 10

    def test_an_infinite_variance_is_seen(self):
        uniform = torch.rand(200, 300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        assert sum(is_heavy_tailed(row**-0.9) for row in uniform) > 160

    def test_of_few_numbers_those_are_heavy_of_which_one_has_nearly_all(self):
        generator = torch.Generator().manual_seed(0)
        light = torch.randn(400, 10, 8, generator=generator, dtype=torch.float64).square().sum(dim=2)
        heavy = (4 * torch.randn(400, 10, generator=generator, dtype=torch.float64)).exp()
        assert sum(is_heavy_tailed(row) for row in light) <= 8
        assert sum(is_heavy_tailed(row) for row in heavy) >= 392

    def test_ties_zeros_and_two_numbers_tell_nothing(self):
        assert not is_heavy_tailed(torch.ones(100))
        assert not is_heavy_tailed(torch.cat([torch.zeros(500), torch.ones(30)]))
        assert not is_heavy_tailed(torch.tensor([1.0, 1e9]))
        assert not is_heavy_tailed(torch.zeros(100))
