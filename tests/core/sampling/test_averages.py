"""Streamed marginals: closed forms, standard errors, and independence of chunks and threads."""

import itertools
import re

import numpy as np
import pytest
import torch

from draws import normal
from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    marginals,
    perturb_and_map,
    stream_marginals,
    stream_samples,
)
from imle_core.solvers import GridPath, TopK
from threads import torch_threads

SUM_OF_GAMMA = SumOfGammaNoiseDistribution(3.0)


def samples(*arguments, **settings):
    return torch.cat(list(stream_samples(*arguments, **settings)), dim=1)


class TestStream:
    def test_chunks_make_up_the_samples(self):
        chunks = list(stream_samples(TopK(2), normal(3, 50), SUM_OF_GAMMA, nb_samples=1000, chunk_size=1))
        assert len(chunks) > 1
        assert sum(chunk.shape[1] for chunk in chunks) == 1000
        assert all(chunk.shape[0::2] == (3, 50) for chunk in chunks)

    @pytest.mark.parametrize("noise", [SUM_OF_GAMMA, NormalNoiseDistribution()], ids=str)
    def test_samples_depend_neither_on_chunks_nor_on_threads(self, noise):
        theta = normal(2, 40, 50)
        whole = samples(TopK(9), theta, noise, nb_samples=70)
        for threads, chunk in ((1, 1), (2, 7), (2, 33)):
            with torch_threads(threads):
                assert torch.equal(samples(TopK(9), theta, noise, nb_samples=70, chunk_size=chunk), whole)

    def test_a_longer_run_begins_with_a_shorter_one(self):
        theta = normal(2, 40, 50)
        long, short = (samples(TopK(9), theta, SUM_OF_GAMMA, nb_samples=count) for count in (53, 20))
        assert torch.equal(long[:, :20], short)

    def test_seeds_differ_and_repeat(self):
        theta = normal(1, 50)
        first, second, again = (samples(TopK(5), theta, SUM_OF_GAMMA, nb_samples=9, seed=seed) for seed in (0, 1, 0))
        assert torch.equal(first, again)
        assert not torch.equal(first, second)

    def test_the_global_generator_is_left_alone(self):
        before = torch.get_rng_state()
        samples(TopK(5), normal(1, 50), SUM_OF_GAMMA, nb_samples=9)
        assert torch.equal(torch.get_rng_state(), before)

    def test_the_temperature_scales_the_noise(self):
        theta = normal(2, 3)
        cold, warm = (samples(lambda z: z, theta, SUM_OF_GAMMA, nb_samples=5, temperature=tau) for tau in (1.0, 2.5))
        torch.testing.assert_close(warm - theta[:, None], 2.5 * (cold - theta[:, None]))

    @pytest.mark.parametrize("settings", [{"temperature": 0.0, "noise_distribution": SUM_OF_GAMMA}, {}])
    def test_without_noise_every_sample_is_the_map_state(self, settings):
        theta = normal(2, 9)
        z = samples(TopK(3), theta, nb_samples=4, **settings)
        assert torch.equal(z, TopK(3)(theta)[:, None].expand(2, 4, 9))

    @pytest.mark.slow
    def test_rows_handed_to_the_solver_do_not_grow_with_the_samples(self):
        rows = []

        def solver(theta):
            rows.append(len(theta))
            return theta

        for count in (50_000, 100_000):
            rows.clear()
            for _ in stream_samples(solver, torch.zeros(2, 100), NormalNoiseDistribution(), nb_samples=count):
                pass
            assert max(rows) * 100 <= 2**22
            assert sum(rows) == 2 * count

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
    def test_type(self, dtype):
        z = samples(lambda theta: (theta > 0).int(), normal(2, 9).to(dtype), NormalNoiseDistribution(), nb_samples=4)
        assert z.dtype == dtype

    def test_walls(self):
        theta = torch.tensor([[0.0, -torch.inf, 0.0]])
        assert samples(TopK(2), theta, SUM_OF_GAMMA, nb_samples=50).sum(dim=(0, 1)).tolist() == [50, 0, 50]

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"nb_samples": 0}, "nb_samples: got 0; it must be a whole number >= 1; use 1 for a single sample"),
            ({"chunk_size": 0}, "chunk_size: got 0; it must be a whole number >= 1; use 1 for a single sample"),
            ({"temperature": -1}, "temperature: got -1; it must be a finite number >= 0; use 0 for no noise"),
            ({"seed": -1}, "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0"),
            ({"seed": 0.5}, "seed: got 0.5; it must be a whole number from 0 to 2^64 - 1; the usual one is 0"),
        ],
    )
    def test_errors(self, settings, message):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            next(stream_samples(TopK(1), normal(1, 3), SUM_OF_GAMMA, **settings))


class TestMarginals:
    @pytest.mark.parametrize("solver", [TopK(3), lambda theta: theta**2], ids=["top-k", "square"])
    def test_mean_and_standard_error_over_the_samples(self, solver):
        theta = normal(3, 4, 5)
        z = samples(solver, theta, SUM_OF_GAMMA, nb_samples=90, temperature=0.5, seed=2)
        result = marginals(solver, theta, SUM_OF_GAMMA, nb_samples=90, temperature=0.5, seed=2)
        np.testing.assert_allclose(result.mean, z.numpy().mean(axis=1), rtol=1e-12, atol=1e-15)
        expected = z.numpy().std(axis=1, ddof=1) / np.sqrt(90)
        expected[(z == z[:, :1]).all(dim=1).numpy()] = 1.96 / (90 + 1.96**2)
        np.testing.assert_allclose(result.standard_error, expected, rtol=1e-6, atol=1e-9)
        assert result.nb_samples == 90
        assert torch.equal(result.first_state, z[:, 0])
        assert (result.mean.dtype, result.standard_error.dtype) == (torch.float64, torch.float64)

    def test_the_result_depends_neither_on_chunks_nor_on_threads(self):
        theta = normal(2, 40, 50, dtype=torch.float32)
        whole = marginals(lambda z: z, theta, SUM_OF_GAMMA, nb_samples=70)
        for threads, chunk in ((1, 1), (2, 7)):
            with torch_threads(threads):
                part = marginals(lambda z: z, theta, SUM_OF_GAMMA, nb_samples=70, chunk_size=chunk)
                assert torch.equal(part.mean, whole.mean)
                assert torch.equal(part.standard_error, whole.standard_error)

    def test_records_run_over_all_samples_so_far(self):
        theta = normal(2, 40, 50)
        counts = []
        for record in stream_marginals(TopK(9), theta, SUM_OF_GAMMA, nb_samples=40, chunk_size=8):
            alone = marginals(TopK(9), theta, SUM_OF_GAMMA, nb_samples=record.nb_samples)
            assert torch.equal(record.mean, alone.mean)
            counts.append(record.nb_samples)
        assert counts == [8, 16, 24, 32, 40]

    def test_a_single_sample_has_no_standard_error(self):
        result = marginals(TopK(2), normal(1, 5), SUM_OF_GAMMA, nb_samples=1)
        assert result.standard_error.isnan().all()
        assert torch.equal(result.mean, result.first_state)

    def test_one_sample_for_each_of_two_instances_is_a_single_one(self):
        assert marginals(TopK(2), normal(2, 5), None, nb_samples=1).standard_error.isnan().all()

    @pytest.mark.parametrize("settings", [{"noise_distribution": None}, {"temperature": 0.0}])
    def test_without_noise_the_standard_error_is_0(self, settings):
        result = marginals(TopK(2), normal(2, 5), **{"noise_distribution": SUM_OF_GAMMA, "nb_samples": 7} | settings)
        assert (result.standard_error == 0).all()

    def test_an_empty_batch(self):
        assert marginals(TopK(2), torch.zeros(0, 5), SUM_OF_GAMMA, nb_samples=3).mean.shape == (0, 5)


@pytest.mark.parametrize("draw", [samples, marginals, lambda *a, **b: list(stream_marginals(*a, **b))[-1], perturb_and_map])
def test_the_temperature_is_1_unless_it_is_told(draw):
    def values(**settings):
        noise = _Copies(1, 1)  # which takes a generator or does without
        result = draw(lambda rows: rows, torch.tensor([[0.5, -1.0]]), noise, nb_samples=3, **settings)
        return result if isinstance(result, torch.Tensor) else result.mean

    torch.manual_seed(0)
    default = values()
    torch.manual_seed(0)
    assert torch.equal(default, values(temperature=1.0))
    torch.manual_seed(0)
    assert not torch.equal(default, values(temperature=1.01))


class TestAgreement:
    @pytest.mark.parametrize("nb_samples", [2, 3, 100, 5000])
    @pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 7.0])
    def test_where_all_samples_agree_the_standard_error_is_wilson_s(self, nb_samples, value):
        result = marginals(lambda rows: torch.full_like(rows, value), normal(2, 7), SUM_OF_GAMMA, nb_samples=nb_samples)
        # Wilson's interval for 0 of S, at 1.96 deviations, is [0, 1.96^2 / (S + 1.96^2)].
        ends = torch.full((2, 7), 1.96**2 / (nb_samples + 1.96**2), dtype=torch.float64)
        torch.testing.assert_close(1.96 * result.standard_error, ends)

    def test_it_is_not_claimed_for_entries_that_differ_once(self):
        marked = iter([True])

        def solver(rows):
            states = torch.zeros_like(rows)
            if next(marked, False):
                states[0, 1] = 1.0
            return states

        result = marginals(solver, torch.zeros(1, 3), SUM_OF_GAMMA, nb_samples=30_000, chunk_size=1)
        assert result.mean[0].tolist() == [0, 1 / 30_000, 0]
        expected = torch.tensor([1.96 / (30_000 + 1.96**2), 1 / 30_000, 1.96 / (30_000 + 1.96**2)], dtype=torch.float64)
        torch.testing.assert_close(result.standard_error[0], expected)

    @pytest.mark.slow
    def test_a_state_too_rare_to_be_seen_is_within_two_standard_errors_almost_always(self):
        # A probability of 2/S: in about e^-2 of the runs no sample shows it.
        theta, rare = torch.tensor([[0.0, float(np.log(2 / 998))]], dtype=torch.float64), 0.002
        runs = [marginals(TopK(1), theta, GumbelNoiseDistribution(), nb_samples=1000, seed=seed) for seed in range(150)]
        unseen = [run for run in runs if run.mean[0, 1] == 0]
        assert 0.05 < len(unseen) / len(runs) < 0.25
        assert all(1.9 * run.standard_error[0, 1] > rare for run in unseen)


class _Copies:
    """Normal noise in which samples of a group are the same."""

    def __init__(self, dependent_samples, size):
        self.dependent_samples, self.size = dependent_samples, size

    def sample(self, shape, dtype, generator):
        size = min(self.size, shape[1])
        few = NormalNoiseDistribution().sample(
            (shape[0], -(-shape[1] // size), *shape[2:]), dtype=dtype, generator=generator
        )
        return few.repeat_interleave(size, dim=1)[:, : shape[1]]


class TestDependentSamples:
    THETA = torch.tensor([[0.4, -0.3, 0.6, 0.1, -0.5]], dtype=torch.float64)  # none so rare that all samples agree

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("solver", "noise"),
        [
            (lambda rows: rows > 0, AntitheticNoiseDistribution(LogisticNoiseDistribution())),
            (lambda rows: rows.abs() < 1, AntitheticNoiseDistribution(NormalNoiseDistribution())),
            (TopK(2), AntitheticNoiseDistribution(GumbelNoiseDistribution())),
            (lambda rows: rows > 0, _Copies(5, 5)),
            (lambda rows: rows > 0, NormalNoiseDistribution()),
        ],
        ids=["switches", "even", "top-k", "copies", "independent"],
    )
    @pytest.mark.parametrize("nb_samples", [200, 101])
    def test_the_standard_error_is_the_spread_of_runs(self, solver, noise, nb_samples):
        theta = self.THETA.expand(25, -1)  # as many as have all samples in one block, as one alone has
        calls = [marginals(solver, theta, noise, nb_samples=nb_samples, seed=seed) for seed in range(16)]
        spread = torch.cat([call.mean for call in calls]).std(dim=0)
        claimed = torch.cat([call.standard_error for call in calls]).square().mean(dim=0).sqrt()
        # The spread of 400 runs is known to 3.5%; below, to four of these and the few groups of copies.
        torch.testing.assert_close(claimed, spread, rtol=0.2, atol=0.0)

    @pytest.mark.parametrize("nb_samples", [7, 40])
    def test_antithetic_pairs_have_the_error_of_pair_means(self, nb_samples):
        noise = AntitheticNoiseDistribution(NormalNoiseDistribution())
        z = samples(TopK(2), self.THETA, noise, nb_samples=nb_samples)
        result = marginals(TopK(2), self.THETA, noise, nb_samples=nb_samples)
        assert torch.equal(result.mean, z.mean(dim=1))
        groups = [z[:, first : first + 2] for first in range(0, nb_samples, 2)]
        squares = sum((group - result.mean[:, None]).sum(dim=1).square() for group in groups)
        expected = (squares * len(groups) / (len(groups) - 1)).sqrt() / nb_samples
        agree = torch.stack([(group.mean(dim=1) == groups[0].mean(dim=1)) for group in groups]).all(dim=0)
        expected[agree] = 1.96 / (len(groups) + 1.96**2)
        torch.testing.assert_close(result.standard_error, expected)

    def test_pairs_do_not_span_blocks_of_an_odd_number_of_samples(self):
        theta = normal(1, 4681)  # 7 samples a block, of which the last has no partner
        noise = AntitheticNoiseDistribution(NormalNoiseDistribution())
        z = samples(lambda rows: rows, theta, noise, nb_samples=21, temperature=2.0)
        result = marginals(lambda rows: rows, theta, noise, nb_samples=21, temperature=2.0)
        # A pair's mean is theta; so all that is uncertain are the 3 of 21 without a partner.
        alone = (z[:, 6::7] - result.mean[:, None]).square().sum(dim=1)
        paired = 9 * (2 * (theta - result.mean)).square()
        torch.testing.assert_close(result.standard_error, ((alone + paired) * 12 / 11).sqrt() / 21)

    def test_pairs_that_are_always_opposed_agree(self):
        noise = AntitheticNoiseDistribution(LogisticNoiseDistribution())
        result = marginals(lambda rows: rows > 0, torch.zeros(1, 3), noise, nb_samples=100)
        assert result.mean.tolist() == [[0.5, 0.5, 0.5]]
        torch.testing.assert_close(result.standard_error, torch.full((1, 3), 1.96 / (50 + 1.96**2), dtype=torch.float64))

    def test_a_single_group_has_no_standard_error(self):
        pair = AntitheticNoiseDistribution(NormalNoiseDistribution())
        assert marginals(TopK(2), self.THETA, pair, nb_samples=2).standard_error.isnan().all()
        assert not marginals(TopK(2), self.THETA, pair, nb_samples=3).standard_error.isnan().any()
        whole = _Copies(np.inf, 10**9)
        assert marginals(TopK(2), self.THETA, whole, nb_samples=100).standard_error.isnan().all()

    def test_whole_draws(self):
        theta = normal(1, 2**13)  # 4 samples a block
        result = marginals(lambda rows: rows, theta, _Copies(np.inf, 10**9), nb_samples=40)
        z = samples(lambda rows: rows, theta, _Copies(np.inf, 10**9), nb_samples=40)[:, ::4]
        torch.testing.assert_close(result.standard_error, z.std(dim=1) / np.sqrt(10))

    @pytest.mark.parametrize("count", [0, -2, 1.5, float("nan")])
    def test_a_number_that_is_none_is_refused(self, count):
        message = (
            f"noise_distribution: _Copies.dependent_samples is {count!r}; it must be a whole number >= 1, or math.inf; "
            "use 1 for independent samples, 2 for pairs"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            marginals(TopK(2), self.THETA, _Copies(count, 5))


class TestClosedForms:
    def check(self, solver, noise, theta, exact, temperature=1.0):
        result = marginals(solver, theta, noise, nb_samples=100_000, temperature=temperature, seed=5)
        error = (exact * (1 - exact) / 100_000).sqrt()
        assert ((result.mean[0] - exact).abs() < 4.5 * error).all()
        torch.testing.assert_close(result.standard_error[0], error, rtol=0.05, atol=1e-5)

    @pytest.mark.parametrize("temperature", [0.5, 3.0])
    def test_top_1_under_gumbel_noise_is_the_softmax(self, temperature):
        theta = normal(1, 6)
        self.check(TopK(1), GumbelNoiseDistribution(), theta, (theta[0] / temperature).softmax(0), temperature)

    def test_top_k_under_gumbel_noise_is_plackett_luce(self):
        theta = normal(1, 5)
        weights, exact = theta[0].exp(), torch.zeros(5, dtype=torch.float64)
        for chosen in itertools.permutations(range(5), 3):
            left, probability = weights.sum(), 1.0
            for entry in chosen:
                probability, left = probability * weights[entry] / left, left - weights[entry]
            exact[list(chosen)] += probability
        assert exact.sum() == pytest.approx(3)
        self.check(TopK(3), GumbelNoiseDistribution(), theta, exact)

    def test_switches_under_logistic_noise_are_sigmoids(self):
        theta = normal(1, 6)
        self.check(lambda rows: rows > 0, LogisticNoiseDistribution(), theta, (theta[0] / 2).sigmoid(), 2.0)

    def test_a_fork_in_the_road_is_a_logistic_of_the_difference(self):
        # A wall in the middle of 2x3 tiles leaves two ways; each gathers the noise of tiles that only it has.
        theta = torch.tensor([[[-5.0, -5.0, -5.0], [-5.0, -torch.inf, -5.0], [-5.0, -6.0, -5.0]]], dtype=torch.float64)
        noise = NormalNoiseDistribution()
        result = marginals(GridPath(moves=4), theta, noise, nb_samples=100_000, temperature=0.5, seed=1)
        # Upper way: tiles 01 02 12; lower way: 10 20 21, dearer by 1; the difference has variance 6 * 0.25.
        upper = torch.special.ndtr(torch.tensor(1.0 / np.sqrt(1.5), dtype=torch.float64))
        error = torch.sqrt(upper * (1 - upper) / 100_000)
        assert abs(result.mean[0, 0, 1] - upper) < 4.5 * error
        assert abs(result.mean[0, 2, 1] - (1 - upper)) < 4.5 * error
        assert result.mean[0, 0, 0] == result.mean[0, 2, 2] == 1
        assert result.mean[0, 1, 1] == 0
