"""The contract of trainings, kept by every kind: it can be left after any record, and another one goes on to the bit."""

import itertools
from functools import cache

import pytest
import torch

from imle_core import SumOfGammaNoiseDistribution, Training, decisions
from imle_core.decisions import DecisionFit, Decisions, DecisionTraining, FittedCosts, make_cost_network
from imle_core.perception import (
    ColourLookup,
    ColourTraining,
    PerceptionTraining,
    make_method,
    make_network,
    terrain_maps,
)
from imle_core.solvers import TopK


@cache
def maps():  # when a test runs, not when it is collected: paths are solved for it
    return terrain_maps(6, 2, seed=(0, 0))


def of_weights():
    gold = torch.tensor([0.0, 1.0, 0.0])
    return Training(TopK(1), gold, noise_distribution=SumOfGammaNoiseDistribution(1.0, 10), nb_samples=2, steps=3)


def of_a_network():
    generator = torch.Generator().manual_seed(0)
    method = make_method("imle", noise_distribution=SumOfGammaNoiseDistribution(2.0, 10), generator=generator)
    return PerceptionTraining(make_network("small", 0), method, maps(), epochs=2, batch=3, generator=generator)


def of_colours():
    return ColourTraining(ColourLookup(), maps())


def choices():
    values = torch.rand(6, 5, generator=torch.Generator().manual_seed(0))
    return Decisions(values[:, :2], values[:, 2:], TopK(1), sense="min")


def of_decisions():
    generator, noise = torch.Generator().manual_seed(0), SumOfGammaNoiseDistribution(2.0, 10)
    method = decisions.make_method("adaptive-imle", choices(), noise_distribution=noise, generator=generator)
    network = make_cost_network("mlp", choices(), 0)
    return DecisionTraining(network, method, choices(), epochs=2, batch=4, generator=generator)


def of_least_squares():
    return DecisionFit("least-squares", FittedCosts(choices().features, (3,)), choices())


KINDS = [pytest.param(of_weights, 4, id="weights"), pytest.param(of_a_network, 4, id="network")]
KINDS += [pytest.param(of_colours, 1, id="colours"), pytest.param(of_decisions, 4, id="decisions")]
KINDS += [pytest.param(of_least_squares, 1, id="least squares")]


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one if "seconds" not in str(name))
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.slow
@pytest.mark.parametrize(("make", "count"), KINDS)
def test_records_are_counted_until_it_is_done(make, count):
    training = make()
    assert (training.step, training.done) == (0, False)
    steps = [training.step for _ in training]
    assert (steps, training.done) == (list(range(1, count + 1)), True)
    assert list(training) == []


@pytest.mark.slow
@pytest.mark.parametrize(("make", "count"), KINDS)
def test_one_that_loads_a_state_goes_on_to_the_bit(make, count):
    whole = make()
    assert len(list(whole)) == count
    for left in range(count + 1):
        begun, other = make(), make()
        assert len(list(itertools.islice(begun, left))) == left
        other.load_state_dict(begun.state_dict())
        assert len(list(other)) == count - left
        assert same(other.state_dict(), whole.state_dict())


@pytest.mark.parametrize(("make", "count"), KINDS)
def test_a_state_is_a_copy(make, count):
    training = make()
    state = training.state_dict()
    before = [value.clone() for value in state.values() if isinstance(value, torch.Tensor)]
    assert len(list(training)) == count
    assert state["step"] == 0
    assert same(before, [value for value in state.values() if isinstance(value, torch.Tensor)])
