"""Different solutions and their shares: against counting, independent of chunks and capacity, with honest errors."""

import math
import re
from collections import Counter

import pytest
import torch

from draws import normal
from imle_core import AntitheticNoiseDistribution, GumbelNoiseDistribution, distinct_solutions, stream_samples
from imle_core.sampling import distinct
from imle_core.solvers import GridPath, Ranking, TopK

GUMBEL = GumbelNoiseDistribution()


def counted(solver, theta, noise, **settings):
    """Counts of all solutions of each instance, in the order of appearance."""
    samples = torch.cat(list(stream_samples(solver, theta, noise, **settings)), dim=1)
    return [Counter(tuple(z.flatten().tolist()) for z in instance) for instance in samples]


def told(record):
    return list(zip((tuple(z.flatten().tolist()) for z in record.solutions), record.shares.tolist(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "event"), [(TopK(2), (5,)), (GridPath(), (4, 4)), (Ranking(), (4,))])
@pytest.mark.parametrize("chunk_size", [None, 1])
def test_they_are_counts_of_samples_the_most_frequent_first(monkeypatch, solver, event, chunk_size):
    monkeypatch.setattr("imle_core.sampling.averages._BLOCK_ENTRIES", 500)
    theta = normal(3, *event)
    settings = {"nb_samples": 700, "temperature": 0.7, "seed": 3}
    records = distinct_solutions(solver, theta, GUMBEL, **settings, chunk_size=chunk_size)
    for record, counts in zip(records, counted(solver, theta, GUMBEL, **settings), strict=True):
        assert told(record) == [(z, pytest.approx(count / 700)) for z, count in counts.most_common()]
        assert record.solutions.dtype == theta.dtype
        p = record.shares
        torch.testing.assert_close(record.standard_errors, (p * (1 - p) / 699).sqrt())


@pytest.mark.slow
def test_a_small_capacity_keeps_every_frequent_solution_and_counts_it_exactly(monkeypatch):
    monkeypatch.setattr("imle_core.sampling.averages._BLOCK_ENTRIES", 400)
    monkeypatch.setattr("imle_core.sampling.averages._CHUNK_ENTRIES", 400)
    theta, settings = normal(2, 8), {"nb_samples": 3000, "seed": 1}
    full = distinct_solutions(TopK(3), theta, GUMBEL, **settings)
    for capacity in (1, 7, 30):
        for all_of_them, record in zip(
            full, distinct_solutions(TopK(3), theta, GUMBEL, **settings, capacity=capacity), strict=True
        ):
            assert len(all_of_them.shares) > capacity >= len(record.shares)
            exact = dict(zip(told(all_of_them), all_of_them.standard_errors.tolist(), strict=True))
            assert all(
                exact[solution] == pytest.approx(error)
                for solution, error in zip(told(record), record.standard_errors.tolist(), strict=True)
            )
            assert (all_of_them.nb_distinct, all_of_them.left_out, record.nb_distinct) == (len(exact), 0, None)
            surely = int((all_of_them.shares > record.left_out).sum())
            assert told(record)[:surely] == told(all_of_them)[:surely]
            assert (
                max(share for solution, share in told(all_of_them) if solution not in dict(told(record))) <= record.left_out
            )


@pytest.mark.slow
def test_of_many_rare_solutions_the_most_frequent_are_there(monkeypatch):
    """Of 6000 samples 5000 differ, none has a share above 0.5%: each is rarer than one in the capacity."""
    monkeypatch.setattr("imle_core.sampling.averages._CHUNK_ENTRIES", 50_000)
    theta, settings = normal(1, 40) * 1.2, {"nb_samples": 6000, "seed": 2}
    (full,) = distinct_solutions(TopK(6), theta, GUMBEL, **settings)
    for chunk_size in (None, 900):
        (record,) = distinct_solutions(TopK(6), theta, GUMBEL, **settings, capacity=200, chunk_size=chunk_size)
        surely = int((full.shares > record.left_out).sum())
        assert len(full.shares) > 5000
        assert full.shares[0] < 1 / 200
        assert surely >= 15
        assert told(record)[:surely] == told(full)[:surely]
        assert (record.left_out, len(record.shares)) == (pytest.approx(3 / 6000), 200)


def test_the_most_frequent_alone():
    theta = normal(2, 6)
    records = distinct_solutions(TopK(2), theta, GUMBEL, nb_samples=400)
    for record, few in zip(records, distinct_solutions(TopK(2), theta, GUMBEL, nb_samples=400, most=3), strict=True):
        assert told(few) == told(record)[:3]
        assert (few.nb_distinct, few.left_out) == (len(record.shares), record.shares[3])


def test_the_second_pass_begins_anew():
    done = []
    settings = {"nb_samples": 3000, "chunk_size": 1, "observe": done.append}
    distinct_solutions(TopK(4), torch.zeros(1, 99), GUMBEL, **settings, capacity=5)
    assert done[len(done) // 2 - 1 :: len(done) // 2] == [3000, 3000]


def test_errors_of_pairs_are_those_of_their_means():
    """Antithetic samples of one of two: a pair has one of each, or twice the same."""
    noise = AntitheticNoiseDistribution(GUMBEL)
    theta = torch.tensor([[0.3, 0.0]], dtype=torch.float64)
    (record,) = distinct_solutions(TopK(1), theta, noise, nb_samples=2000)
    first = torch.cat(list(stream_samples(TopK(1), theta, noise, nb_samples=2000)), dim=1)[0, :, 0]
    means = first.view(-1, 2).mean(dim=1)
    expected = means.std() / math.sqrt(1000)
    torch.testing.assert_close(record.standard_errors, expected.expand(2))
    assert expected < (record.shares.prod() / 1999).sqrt()  # of independent samples


def test_without_noise_there_is_one_and_no_doubt():
    (record,) = distinct_solutions(TopK(1), torch.tensor([[0.0, 1.0]]), GUMBEL, nb_samples=5, temperature=0)
    assert (told(record), record.standard_errors.tolist()) == ([((0, 1), 1.0)], [0.0])


def test_samples_that_agree_leave_the_doubt_of_their_number():
    (record,) = distinct_solutions(TopK(1), torch.tensor([[0.0, 99.0]]), GUMBEL, nb_samples=100)
    assert record.standard_errors.tolist() == [pytest.approx(1.96 / (100 + 1.96**2))]
    (single,) = distinct_solutions(TopK(1), torch.tensor([[0.0, 99.0]]), GUMBEL, nb_samples=1)
    assert single.standard_errors.isnan().all()


def test_zeros_of_either_sign_are_the_same_solution_and_sets_are_known_among_numbers():
    rows = torch.tensor([[0.0, 1.0], [-0.0, 1.0], [0.5, 1.0], [-0.0, 0.5], [0.0, 0.5], [0.0, 1.0]], dtype=torch.float64)
    names, which, samples = distinct._keys(list(distinct._encoded(rows.numpy())))
    assert sorted(zip(samples.tolist(), which.tolist(), strict=True)) == [*enumerate([0, 0, 1, 2, 2, 0])]
    assert [distinct._solution(name, 2).tolist() for name in names] == [[0, 1], [0.5, 1], [0, 0.5]]


def test_no_instances_and_no_entries():
    assert distinct_solutions(TopK(1), torch.zeros(0, 3), GUMBEL) == []
    (record,) = distinct_solutions(TopK(0), torch.zeros(1, 0), GUMBEL, nb_samples=4)
    assert (record.solutions.shape, record.shares.tolist()) == ((1, 0), [1.0])


@pytest.mark.slow
def test_memory_does_not_grow_with_samples(bounded):
    """Samples of a map, of which many differ, would take 20 MB a copy in float32."""

    def record_of(nb_samples):
        theta = -torch.ones(1, 16, 16)
        return distinct_solutions(GridPath(), theta, GUMBEL, nb_samples=nb_samples, temperature=2.0, capacity=100, most=12)[
            0
        ]

    record_of(1_000)  # kernels may have to be compiled
    with bounded():
        record = record_of(20_000)
    assert len(record.shares) <= 12


ERRORS = {
    "capacity: got 0; it must be a whole number >= 1; a solution is what is counted": {"capacity": 0},
    "most: got 0; it must be a whole number >= 1; leave it out for all": {"most": 0},
    "nb_samples: got 0; it must be a whole number >= 1; use 1 for a single sample": {"nb_samples": 0},
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        distinct_solutions(TopK(1), torch.zeros(1, 2), GUMBEL, **ERRORS[message])


def test_several_parameters_are_refused():
    with pytest.raises(ValueError, match=r"^theta: got tuple; it must be a dense tensor") as refused:
        distinct_solutions(TopK(1), (torch.zeros(1, 2), torch.zeros(1, 2)), GUMBEL)
    assert refused.value.name == "theta"
