"""Calibration: closed forms, brute force, known figures, no floor, independence of chunks, the search, and refusals."""

import math
import re
from itertools import permutations

import pytest
import torch

from draws import normal
from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    stream_samples,
)
from imle_core.exact import Categorical, Chain, Enumeration, Hypercube, KSubset, SpanningTrees
from imle_core.lab import Calibration, Estimate, calibrate, calibration, closest, make_problem
from imle_core.lab.calibration import is_enumerable
from imle_core.solvers import ArgMax, TopK

GUMBEL = GumbelNoiseDistribution()


def at(theta, solver, family, noise, temperature=1.0, **settings):
    """The record of a single temperature."""
    (record,) = calibrate(theta, solver, family, noise, [temperature], **settings)
    return record


def assert_is(estimate, truth, errors=4.0):
    assert ((estimate.value - truth).abs() <= errors * estimate.standard_error + 1e-12).all(), (estimate, truth)


def top_k_law(theta, k):
    """The law of Gumbel top-k over all sets, ``(M,)`` in the order of the family: Plackett-Luce, over orders."""
    orders = torch.tensor(list(permutations(range(len(theta)), k)))
    weights = theta.exp()[orders]
    left = theta.exp().sum() - weights.cumsum(dim=1) + weights
    states = KSubset(k, len(theta)).states()
    numbers = (2**orders).sum(dim=1)
    law = torch.zeros(2 ** len(theta), dtype=theta.dtype).scatter_add_(0, numbers, (weights / left).prod(dim=1))
    return law[(states.long() * 2 ** torch.arange(len(theta))).sum(dim=1)]


def top_k_distances(theta, k):
    """Total variation and largest marginal error of Gumbel top-k."""
    family = KSubset(k, len(theta))
    states = family.states()
    law = top_k_law(theta, k)
    exact = family.log_probability(states, theta.expand(len(states), -1)).exp()
    return float((law - exact).abs().sum() / 2), float(((law - exact) @ states).abs().max())


def hypercube(theta):
    return (theta > 0).to(theta)


class TestClosedForms:
    @pytest.mark.parametrize("family", [KSubset(1, 6), Categorical(6)], ids=repr)
    def test_gumbel_top_1_is_exact(self, family):
        solver = TopK(1) if isinstance(family, KSubset) else ArgMax()
        record = at(normal(6, 6), solver, family, GUMBEL, nb_samples=20_000)
        assert_is(record.total_variation, 0.0)
        assert_is(record.marginal_error, 0.0)
        assert record.total_variation.standard_error.max() < 0.0055
        assert abs(record.total_variation.mean) < 4 * record.total_variation.mean_standard_error < 0.01

    def test_logistic_noise_on_a_hypercube_is_exact(self):
        record = at(normal(4, 2, 3), hypercube, Hypercube((2, 3)), LogisticNoiseDistribution(), nb_samples=40_000)
        assert_is(record.total_variation, 0.0)
        assert_is(record.marginal_error, 0.0)

    def test_there_is_no_floor_where_the_law_is_exact(self):
        # With 4096 states and as many samples, frequencies are far from probabilities, and the estimate is not.
        noise, theta = LogisticNoiseDistribution(), torch.zeros(6, 12, dtype=torch.float64)
        record = at(theta, hypercube, Hypercube(12), noise, nb_samples=4096)
        assert_is(record.total_variation, 0.0)
        assert (record.most_total_variation > 0.3).all()

    def test_a_bit_has_the_difference_of_two_probabilities(self):
        theta, tau = torch.tensor([[0.3], [1.5], [-2.0]], dtype=torch.float64), 2.5
        truth = (torch.sigmoid(theta / tau) - torch.sigmoid(theta)).abs()[:, 0]
        record = at(theta, hypercube, Hypercube(1), LogisticNoiseDistribution(), tau, nb_samples=60_000)
        assert_is(record.total_variation, truth)
        assert_is(record.marginal_error, truth)
        assert (record.most_total_variation - truth).abs().max() < 0.01

    @pytest.mark.slow
    def test_without_noise_all_is_on_the_best_state(self):
        theta = normal(3, 5)
        record = at(theta, TopK(2), KSubset(2, 5), GUMBEL, 0.0, nb_samples=10)
        best = TopK(2)(theta)
        expected = 1 - KSubset(2, 5).log_probability(best, theta).exp()
        torch.testing.assert_close(record.total_variation.value, expected)
        torch.testing.assert_close(record.most_total_variation, expected)
        assert record.total_variation.standard_error.tolist() == [0, 0, 0]
        torch.testing.assert_close(record.marginal_error.value, (best - KSubset(2, 5).marginals(theta)).abs().amax(dim=1))


class TestBruteForce:
    def test_top_2_of_5_with_many_samples(self):
        theta = normal(3, 5, seed=3)
        truth = torch.tensor([top_k_distances(row, 2) for row in theta])
        record = at(theta, TopK(2), KSubset(2, 5), GUMBEL, nb_samples=100_000)
        assert truth.min() > 0.02
        assert_is(record.total_variation, truth[:, 0])
        assert_is(record.marginal_error, truth[:, 1])
        assert (record.most_total_variation - truth[:, 0]).abs().max() < 0.008

    def test_counts_are_those_of_the_samples(self):
        theta, family = normal(2, 6), KSubset(3, 6)
        record = at(theta, TopK(3), family, GUMBEL, 0.7, nb_samples=2001, seed=5)
        samples = torch.cat(list(stream_samples(TopK(3), theta, GUMBEL, nb_samples=2001, temperature=0.7, seed=5)), dim=1)
        states = family.states()
        hits = (samples[:, :, None] == states).all(dim=3).double()
        exact = torch.stack([family.log_probability(states, row.expand(len(states), -1)).exp() for row in theta])
        first, second = hits[:, :1000].mean(dim=1), hits[:, 1000:].mean(dim=1)
        expected = (((second - exact) * (first > exact)).sum(1) + ((first - exact) * (second > exact)).sum(1)) / 2
        torch.testing.assert_close(record.total_variation.value, expected)
        torch.testing.assert_close(record.most_total_variation, (hits.mean(dim=1) - exact).abs().sum(dim=1) / 2)

    @pytest.mark.slow
    @pytest.mark.parametrize(("k", "temperature"), [(2, 2.0), (1, 1.0)])
    def test_the_standard_error_is_the_spread_or_a_little_more(self, k, temperature):
        theta = normal(1, 5).expand(150, 5)
        record = at(theta, TopK(k), KSubset(k, 5), GUMBEL, temperature, nb_samples=2000)
        for estimate in (record.total_variation, record.marginal_error):
            assert 0.85 / math.sqrt(2) < estimate.value.std() / estimate.standard_error.mean() < 1.2

    def test_the_estimate_is_a_lower_bound_and_the_other_an_upper_one(self):
        theta = normal(1, 8).expand(40, 8)
        truth = top_k_distances(theta[0], 4)[0]
        few = at(theta, TopK(4), KSubset(4, 8), GUMBEL, nb_samples=60)
        more = at(theta, TopK(4), KSubset(4, 8), GUMBEL, nb_samples=3000)
        assert few.total_variation.mean < more.total_variation.mean < truth + 3 * more.total_variation.mean_standard_error
        assert few.most_total_variation.mean() > more.most_total_variation.mean() > truth


def known_figures(noise, temperatures, nb_samples):
    """Records of top-5 of 10 for theta ~ N(0, 1) from RandomState(0..4)."""
    theta = torch.cat([make_problem("top-k", None, seed).theta for seed in range(5)])
    return list(calibrate(theta, TopK(5), KSubset(5, 10), noise, temperatures, nb_samples=nb_samples, refinements=0))


def assert_range(record, least, most):
    """The known least and largest figure of the instances, of two digits, lie between both bounds, which are near."""
    lower, upper = record.total_variation.value, record.most_total_variation
    assert (upper - lower).max() < 0.03
    assert lower.min() - 0.01 < least < upper.min() + 0.01
    assert lower.max() - 0.01 < most < upper.max() + 0.01


class TestKnownFigures:
    """Top-5 of 10."""

    def test_sum_of_gamma(self):
        one, four = known_figures(SumOfGammaNoiseDistribution(5, 10), [1, 4], 20_000)
        assert_range(one, 0.52, 0.69)
        assert_range(four, 0.07, 0.13)

    @pytest.mark.slow
    def test_gumbel(self):
        (record,) = known_figures(GUMBEL, [1], 20_000)
        assert_range(record, 0.12, 0.20)
        theta = [make_problem("top-k", None, seed).theta[0] for seed in range(5)]
        truth = torch.tensor([top_k_distances(row, 5)[0] for row in theta])
        assert (record.total_variation.value - truth < 4 * record.total_variation.standard_error).all()
        assert (truth - record.most_total_variation < 4 * record.total_variation.standard_error).all()

    @pytest.mark.slow
    def test_normal(self):
        (record,) = known_figures(NormalNoiseDistribution(), [1.5], 60_000)
        assert_range(record, 0.01, 0.02)


class TestChunks:
    def test_results_do_not_depend_on_them(self):
        theta = normal(3, 200)
        settings = {"nb_samples": 301, "seed": 2}
        whole = at(theta, TopK(1), KSubset(1, 200), GUMBEL, **settings)
        for chunk_size in (1, 60, 150):
            part = at(theta, TopK(1), KSubset(1, 200), GUMBEL, chunk_size=chunk_size, **settings)
            assert torch.equal(part.total_variation.value, whole.total_variation.value)
            assert torch.equal(part.total_variation.standard_error, whole.total_variation.standard_error)
            assert torch.equal(part.most_total_variation, whole.most_total_variation)
            assert torch.equal(part.marginal_error.value, whole.marginal_error.value)
            assert torch.equal(part.marginal_error.standard_error, whole.marginal_error.standard_error)

    def test_rows_of_a_call_do_not_grow_with_the_samples_and_progress_is_told(self):
        rows, seen = [], []

        def solver(theta):
            rows.append(len(theta))
            return TopK(1)(theta)

        theta = normal(2, 200)
        settings = {"nb_samples": 1000, "chunk_size": 1, "observe": seen.append}
        list(calibrate(theta, solver, KSubset(1, 200), GUMBEL, [1.0, 2.0], refinements=1, **settings))
        assert max(rows) < 200
        assert seen == sorted(seen)
        assert seen[-1] == 3000
        assert len(seen) == len(rows)

    def test_narrow_parameters(self):
        record = at(normal(2, 5, dtype=torch.float32), TopK(1), KSubset(1, 5), GUMBEL, nb_samples=20_000)
        assert record.total_variation.value.dtype == torch.float64
        assert_is(record.total_variation, 0.0)


class TestSearch:
    @pytest.mark.slow
    def test_it_finds_where_the_law_is_exact(self):
        theta = normal(3, 6)
        settings = {"nb_samples": 20_000, "refinements": 6}
        records = list(calibrate(theta, TopK(1), KSubset(1, 6), GUMBEL, [3, 0.4, 1.7, 0.4], **settings))
        assert [record.temperature for record in records[:3]] == [0.4, 1.7, 3]
        assert len(records) == 9
        assert closest(records).temperature == pytest.approx(1.0, abs=0.05)

    def test_every_step_is_inside_the_interval_that_is_left(self):
        tried = []

        def measure(temperature):
            tried.append(temperature)
            return record(temperature, (temperature - math.pi) ** 2)

        assert len(list(calibration._search(measure, [1.0, 2.0, 4.0, 8.0], 30))) == 34
        assert closest([measure(one) for one in tuple(tried)]).temperature == pytest.approx(math.pi, abs=1e-4)
        assert all(2 < one < 8 for one in tried[4:34])

    @pytest.mark.parametrize(("slope", "end"), [(1.0, 1.0), (-1.0, 4.0)])
    def test_a_best_one_at_the_end_stays_the_best(self, slope, end):
        found = list(calibration._search(lambda tau: record(tau, slope * tau), [1.0, 2.0, 4.0], 5))
        assert closest(found).temperature == end
        assert all(1 <= one.temperature <= 4 for one in found)

    def test_one_temperature_is_not_refined(self):
        assert at(normal(1, 3), TopK(1), KSubset(1, 3), GUMBEL, nb_samples=10).temperature == 1.0

    def test_noise_is_the_same_at_all_temperatures(self):
        theta = normal(2, 6)
        one, again = (
            next(
                one
                for one in calibrate(theta, TopK(2), KSubset(2, 6), GUMBEL, temperatures, nb_samples=100)
                if one.temperature == 2.0
            )
            for temperatures in ([2.0], [0.5, 1.0, 2.0])
        )
        assert torch.equal(one.total_variation.value, again.total_variation.value)


def record(temperature, distance):
    estimate = Estimate(torch.tensor([distance, distance]), torch.zeros(2))
    return Calibration(temperature, estimate, torch.zeros(2), estimate, 10)


class TestStates:
    def test_too_many_leave_the_marginals(self):
        family = KSubset(20, 60)
        assert not is_enumerable(family)
        found = at(normal(2, 60), TopK(20), family, GUMBEL, 2.0, nb_samples=2000)
        assert (found.total_variation, found.most_total_variation) == (None, None)
        assert found.distance is found.marginal_error
        assert (found.marginal_error.value > 0.02).all()

    def test_how_many_are_enumerated(self):
        assert is_enumerable(Hypercube(20))
        assert not is_enumerable(Hypercube(21))
        assert is_enumerable(KSubset(2, 400))
        assert not is_enumerable(KSubset(2, 600))  # 180,000 states of 600 entries
        assert is_enumerable(Hypercube(20), 64)
        assert not is_enumerable(Hypercube(20), 65)

    def test_an_entry_that_is_never_chosen(self):
        theta = normal(2, 5)
        theta[:, 2] = -torch.inf
        assert_is(at(theta, TopK(1), KSubset(1, 5), GUMBEL, nb_samples=20_000).total_variation, 0.0)

    def test_a_base_measure(self):
        # Labels of a chain whose transitions never change them: its solver is a softmax over sums.
        stay = torch.full((3, 3), -torch.inf, dtype=torch.float64).fill_diagonal_(0.0)

        def solver(theta):
            return torch.nn.functional.one_hot(theta.sum(dim=1).argmax(dim=1), 3).unsqueeze(1).expand(-1, 2, -1)

        theta = normal(1, 2, 3)
        found = at(theta, solver, Chain(stay, 2), GUMBEL, 0.0, nb_samples=4)
        expected = 1 - theta.sum(dim=1).softmax(dim=1).max(dim=1).values
        torch.testing.assert_close(found.total_variation.value, expected)

    def test_whole_numbers_beyond_one(self):
        ranks = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [-2.0, 7.0, 0.0]])
        theta = normal(2, 3)

        def solver(theta):
            return ranks.to(theta)[(theta @ ranks.to(theta).T).argmax(dim=1)]

        found = at(theta, solver, Enumeration(ranks), GUMBEL, 0.0, nb_samples=4)
        torch.testing.assert_close(found.total_variation.value, 1 - (theta @ ranks.double().T).softmax(1).amax(1))

    def test_hashes_that_collide_are_drawn_again(self, monkeypatch):
        draw, attempts = calibration._random_weights, []

        def weights(entries, attempt):
            attempts.append(attempt)
            return draw(entries, attempt) * (attempt > 1)

        monkeypatch.setattr(calibration, "_random_weights", weights)
        found = at(normal(2, 5), TopK(2), KSubset(2, 5), GUMBEL, nb_samples=1000)
        assert attempts == [0, 1, 2]
        monkeypatch.undo()
        again = at(normal(2, 5), TopK(2), KSubset(2, 5), GUMBEL, nb_samples=1000)
        torch.testing.assert_close(found.total_variation.value, again.total_variation.value)

    def test_under_inference_mode(self):
        with torch.inference_mode():
            found = at(normal(2, 5), TopK(1), KSubset(1, 5), GUMBEL, nb_samples=1000)
        assert_is(found.total_variation, 0.0)

    def test_the_global_generator_is_left_alone(self):
        before = torch.get_rng_state()
        at(normal(1, 5), TopK(1), KSubset(1, 5), GUMBEL, nb_samples=10)
        assert torch.equal(torch.get_rng_state(), before)


def exactly(message):
    return f"^{re.escape(message)}$"


class TestRefusals:
    def test_dependent_samples(self):
        noise = AntitheticNoiseDistribution(GUMBEL)
        with pytest.raises(ValueError, match=r"^noise_distribution: got Antithetic.*; use the distribution itself, such as"):
            calibrate(normal(1, 4), TopK(2), KSubset(2, 4), noise, [1.0])

    def test_a_state_outside_the_family(self):
        message = (
            "solver: gave a state that is not among the 10 states of KSubset(k=2, event=(5,)); it chooses 0, 1, 2 of 5 "
            "entries; give the family of the solver's own solutions"
        )
        with pytest.raises(ValueError, match=exactly(message)):
            at(torch.arange(5.0).flip(0)[None], TopK(3), KSubset(2, 5), GUMBEL, 0.0, nb_samples=4)

    @pytest.mark.parametrize(
        ("state", "chosen"),
        [(torch.zeros(20), "nothing"), (torch.full((20,), 0.5), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...")],
    )
    def test_nothing_or_fractions(self, state, chosen):
        with pytest.raises(ValueError, match=rf"; it chooses {chosen} of 20 entries; give the family"):
            at(normal(1, 20), lambda theta: state.expand_as(theta), KSubset(2, 20), GUMBEL, nb_samples=4)

    def test_states_with_fractions(self):
        family = Enumeration(torch.tensor([[0.5, 1.0], [1.0, 0.0]]))
        message = (
            "family: got Enumeration(2 states, event=(2,)) with fractions in its states; only whole numbers are counted; "
            "scale them"
        )
        with pytest.raises(ValueError, match=exactly(message)):
            calibrate(normal(1, 2), TopK(1), family, GUMBEL, [1.0])

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"nb_samples": 1}, "nb_samples: got 1; it must be >= 2, since one half is judged by the other; use 100000"),
            ({"nb_samples": 0}, "nb_samples: got 0; it must be a whole number >= 1; use 1 for a single sample"),
            ({"seed": -1}, "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0"),
            ({"refinements": -1}, "refinements: got -1; it must be a whole number >= 0; use 0 for none"),
            ({"chunk_size": 0}, "chunk_size: got 0; it must be a whole number >= 1; use 1 for a single sample"),
            ({"temperatures": []}, "temperatures: got none; there must be at least one; use [0.5, 1, 2, 4]"),
            ({"temperatures": [1, -1]}, "temperatures: got -1.0; it must be a finite number >= 0; use 0 for no noise"),
            (
                {"temperatures": [math.nan]},
                "temperatures: got nan; it must be a finite number >= 0; use 0 for no noise",
            ),
            (
                {"theta": torch.zeros(0, 5)},
                "theta: got shape (0, 5); there must be an instance; its batch axis is empty",
            ),
            (
                {"theta": torch.zeros(2, 4)},
                "theta: got shape (2, 4); KSubset(k=2, event=(5,)) needs (N, 5); use theta.unsqueeze(0) for one instance",
            ),
        ],
        ids=str,
    )
    def test_arguments(self, settings, message):
        arguments = {"theta": normal(1, 5), "temperatures": [1.0]} | settings
        with pytest.raises(ValueError, match=exactly(message)):
            calibrate(arguments.pop("theta"), TopK(2), KSubset(2, 5), GUMBEL, **arguments)

    def test_no_records(self):
        with pytest.raises(ValueError, match=r"empty"):
            closest([])


def test_spanning_trees():
    problem = make_problem("spanning-tree", "4")
    assert isinstance(problem.family, SpanningTrees)
    found = at(problem.theta, problem.solver, problem.family, GUMBEL, 0.0, nb_samples=4)
    best = problem.solver(problem.theta)
    expected = 1 - problem.family.log_probability(best, problem.theta).exp()
    torch.testing.assert_close(found.total_variation.value, expected)
