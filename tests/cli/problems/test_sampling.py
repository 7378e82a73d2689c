"""Samples of a problem: the typical one, and what is told of all."""

import numpy as np
import pytest

from imle_cli.options.inputs import MapOptions, NoiseOptions, SolverOptions
from imle_cli.problems import sampling
from imle_cli.problems.map import read_map_problem
from imle_cli.problems.sampling import facts_of_samples, read_sampling


def problem():
    return read_map_problem(MapOptions(), SolverOptions(), "cpu")


def test_the_sample_beside_marginals_is_the_one_that_differs_least_from_the_others():
    built_in, chosen = problem(), read_sampling(NoiseOptions(), 20.8, 3.0, 40, 0)
    sampled = chosen.measure(built_in, lambda _: None)
    masks = chosen.draw(problem(), lambda _: None)
    differences = (masks[:, None] != masks[None]).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(sampled.sample, masks[differences.argmin()])
    assert built_in.solver.seen == 40 * 256  # the samples that were counted, and no others


def test_of_large_maps_it_is_one_of_few(monkeypatch):
    monkeypatch.setattr(sampling, "_ENTRIES", 600)  # two of 16x16
    chosen = read_sampling(NoiseOptions(), 20.8, 3.0, 40, 0)
    monkeypatch.setattr(
        sampling.Sampling, "draw", lambda few, *_: drawn.append(few.samples) or np.zeros((few.samples, 16, 16), np.uint8)
    )
    drawn = []
    assert chosen.measure(problem(), lambda _: None).sample.shape == (16, 16)
    assert drawn == [2]


@pytest.mark.parametrize(("temperature", "length"), [(0.0, "47 tiles"), (9.0, " to ")])
def test_a_range_of_one_number_is_that_number(temperature, length):
    masks = read_sampling(NoiseOptions(), 20.8, temperature, 8, 0).draw(problem(), lambda _: None)
    lines = dict(facts_of_samples(problem(), masks)[1])
    assert (lines["length"] == length) == (temperature == 0)
    assert (" to " in lines["cost"]) == (temperature > 0)
