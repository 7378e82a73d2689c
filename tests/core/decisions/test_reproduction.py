"""The published protocols: baselines to the digit, figures of their authors, and what a reproduction has of each seed."""

import pickle

import pytest
import torch

from imle_core import ArgumentError
from imle_core.decisions import BASELINES, LEARNERS, METHODS, PROTOCOLS, judge, reproduce_protocol
from imle_core.decisions.reproduction import _training

PATHS, KNAPSACK = PROTOCOLS["paths"], PROTOCOLS["knapsack"]
BARS = {
    "paths": {"spo-plus": 0.077, "imle": 0.077, "fenchel-young": 0.077, "adaptive-imle": 0.077},
    "knapsack": {"spo-plus": 0.069, "imle": 0.069},
}


@pytest.mark.parametrize(
    ("protocol", "method", "percent"),
    [
        ("paths", "least-squares", 8.5787),
        ("paths", "mean-costs", 49.3629),
        ("knapsack", "least-squares", 10.7327),
        ("knapsack", "mean-costs", 36.7358),
    ],
)
def test_baselines_that_are_computed(protocol, method, percent):
    outcome = reproduce_protocol(PROTOCOLS[protocol], METHODS[method], [4, 5])
    assert 100 * outcome.mean == pytest.approx(percent, abs=1e-4)
    assert (outcome.regrets.shape, outcome.deviation, outcome.solves.tolist()) == ((1, 1), 0, [0])


def test_data_are_split_as_the_authors_do():
    for protocol, sizes in ((PATHS, (1000, 1000)), (KNAPSACK, (100, 1000))):
        assert tuple(map(len, protocol.make())) == sizes
        assert protocol.make()[0] is protocol.make()[0]  # solved once


def test_every_method_is_a_learner_and_every_published_one_is_here():
    assert all(method.learner in {*LEARNERS, *BASELINES} for method in METHODS.values())
    assert len(METHODS) >= 16
    assert {*PATHS.published, *KNAPSACK.published} <= {*METHODS}


def test_seconds_of_the_authors_clock_are_corrected():
    # After batch i of n it adds the time of all i, which is i times that of a batch.
    too_long = sum(range(1, 33)) / 32
    assert PATHS.published["spo-plus"].seconds == pytest.approx(165 / too_long)
    assert {entry.seconds for entry in KNAPSACK.published.values()} == {None}


def test_each_seed_is_a_training_of_its_own():
    both = reproduce_protocol(KNAPSACK, METHODS["spo-plus"], [3, 1], epochs=3)
    alone = reproduce_protocol(KNAPSACK, METHODS["spo-plus"], [1], epochs=3)
    assert both.regrets.shape == (2, 3)
    assert torch.equal(both.regrets[1:], alone.regrets)
    assert not torch.equal(both.regrets[0], both.regrets[1])
    assert both.solves.tolist() == [300, 300]
    assert both.epoch_seconds.shape == (2, 3)
    assert (both.epoch_seconds > 0).all()
    assert both.seconds == pytest.approx(float(both.epoch_seconds.sum()) / 2)
    assert both.fastest_epoch == both.epoch_seconds.min()
    assert both.mean == pytest.approx(float(both.regrets[:, -1].mean()))
    assert both.deviation == pytest.approx(abs(float(both.regrets[0, -1] - both.regrets[1, -1])) / 2**0.5)
    assert both.best == pytest.approx(float(both.regrets.amin(dim=1).mean()))
    assert both.published == KNAPSACK.published["spo-plus"]


def test_the_last_regret_is_that_of_the_network():
    training = _training(KNAPSACK, METHODS["fenchel-young"], KNAPSACK.make()[0], 7, 2, "cosine")
    for _ in training:
        pass
    outcome = reproduce_protocol(KNAPSACK, METHODS["fenchel-young"], [7], epochs=2)
    assert judge(training.network, KNAPSACK.make()[1]).regret == pytest.approx(outcome.mean)


def test_a_pool_solves_seldom():
    often, seldom = (reproduce_protocol(KNAPSACK, METHODS[name], [0], epochs=5) for name in ("spo-plus", "spo-plus-pool"))
    assert 0 < seldom.solves.item() < often.solves.item() / 4


def test_the_schedule_is_that_of_the_step_size():
    cosine, constant = (
        reproduce_protocol(KNAPSACK, METHODS["regression"], [0], epochs=4, schedule=name) for name in ("cosine", "constant")
    )
    assert not torch.equal(cosine.regrets, constant.regrets)


def test_progress():
    told = []
    reproduce_protocol(KNAPSACK, METHODS["regression"], [0, 1], epochs=1, observe=told.append)
    assert told == [1, 2]


def test_a_protocol_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(PATHS)).make()[0] is PATHS.make()[0]


@pytest.mark.parametrize(
    ("seeds", "epochs", "message"),
    [
        ([], 1, "seeds: got none; it takes one or more; the usual ones are 0, 1, 2"),
        ([-1], 1, "seeds: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0"),
        ([0], 0, "epochs: got 0; it must be a whole number >= 1; the usual value is 20"),
    ],
)
def test_refused(seeds, epochs, message):
    with pytest.raises(ArgumentError) as raised:
        reproduce_protocol(PATHS, METHODS["regression"], seeds, epochs=epochs)
    assert str(raised.value) == message


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "method"), [(name, method) for name, bars in BARS.items() for method in bars])
def test_regret_of_three_seeds(protocol, method):
    assert reproduce_protocol(PROTOCOLS[protocol], METHODS[method]).mean <= BARS[protocol][method]
