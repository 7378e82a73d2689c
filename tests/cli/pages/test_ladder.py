"""A ladder of temperatures: the one that was asked for is on it, and every rung has the same noise."""

from dataclasses import replace

import numpy as np
import pytest

from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.pages.ladder import climb, ladder
from imle_cli.problems.map import make_map_problem
from imle_cli.problems.sampling import read_sampling

COSTS = np.random.default_rng(0).uniform(1, 9, (5, 6))


@pytest.fixture
def problem():
    return make_map_problem(MapOptions(), COSTS, MapSolverOptions(), "cpu")


def sampling(temperature=1.0, samples=130, noise="gumbel"):
    return read_sampling(NoiseOptions(noise=noise), 6.5, temperature, samples, 3)


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 0.3, 1.0, 5.0, 1e30])
@pytest.mark.parametrize("entries", [30, 2**17, 2**25])
def test_temperatures_rise_from_0_and_have_the_one_that_was_asked_for(temperature, entries):
    temperatures = ladder(sampling(temperature), entries)
    assert temperatures == sorted(set(temperatures))
    assert temperature in temperatures
    assert temperatures[0] == 0
    assert max(temperatures) <= 1e30
    assert len(temperatures) in (4, 7, 13, 3, 6, 2, 14)


def test_large_problems_get_few():
    counts = [len(ladder(sampling(), entries)) for entries in (30, 2**17, 2**25)]
    assert counts == [13, 7, 4]


def test_without_noise_there_is_one():
    assert ladder(sampling(2.0, noise="none"), 30) == [2.0]


def test_each_rung_is_a_sampling_of_its_own(problem):
    asked, told = sampling(), []
    rungs = list(climb(problem, asked, [0.0, 1.0, 4.0], told.append))
    assert told == [130, 260, 390]
    for rung in rungs:
        masks = replace(asked, input_temp=rung.temperature).draw(problem, lambda _: None)
        np.testing.assert_array_equal(rung.counts, masks.sum(axis=0))
        np.testing.assert_array_equal(rung.kept, masks[:100])
        assert rung.distinct == len({mask.tobytes() for mask in masks})
    assert rungs[0].distinct == 1 < rungs[1].distinct < rungs[2].distinct
    assert 0 == rungs[0].clamped < rungs[2].clamped


def test_the_problem_s_own_solver_counts_nothing(problem):
    list(climb(problem, sampling(), [0.0, 4.0], lambda _: None))
    assert problem.clamped_share == 0
