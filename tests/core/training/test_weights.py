"""Training: it learns, it resumes to the bit, it keeps nothing, its records mean what they say."""

import itertools
import math
import re

import pytest
import torch

from imle_core import (
    GumbelNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    Training,
    hamming,
    imle,
    train,
)
from imle_core.solvers import GridPath, TopK

COSTS = torch.ones(6, 7)
COSTS[1:3, :5] = COSTS[4, 2:] = 9.0
GOLD = GridPath(engine="networkx")(-COSTS[None])[0]  # it compiles nothing, while tests are collected
TARGET = TargetDistribution(1.0, 10.0)
NOISE = SumOfGammaNoiseDistribution(8.0)


def settings(**changes):
    return {"target_distribution": TARGET, "noise_distribution": NOISE, "nb_samples": 4, "steps": 60, "lr": 0.02} | changes


class TestLearning:
    @pytest.mark.slow
    @pytest.mark.parametrize("temperatures", [(0.0, 0.0), (1.0, 1.0), (5.0, 0.0), (2.0, 5.0)])
    def test_it_ends_with_the_gold_path(self, temperatures):
        names = "input_noise_temperature", "target_noise_temperature"
        *_, last = train(GridPath(), GOLD, **settings(steps=250, **dict(zip(names, temperatures, strict=True))))
        assert last.distance == 0
        assert torch.equal(last.solution, GOLD)

    @pytest.mark.slow
    def test_walls_are_never_on_a_path(self):
        walls = torch.zeros(6, 7, dtype=torch.bool)
        walls[3, 1:] = True
        gold = GridPath()(-COSTS.masked_fill(walls, torch.inf)[None])[0]
        for record in train(GridPath(), gold, walls=walls, **settings(steps=200)):
            assert not record.sample[walls].any()
            assert record.weights[walls].isinf().all()
            assert record.weights[~walls].isfinite().all()
        assert record.distance == 0

    @pytest.mark.slow
    def test_other_solvers(self):
        gold = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.0])
        *_, last = train(TopK(2), gold, **settings(noise_distribution=GumbelNoiseDistribution(), steps=200))
        assert last.distance == 0

    @pytest.mark.slow
    def test_a_mean_over_samples_divides_lambda(self):
        def distances(**changes):
            return [record.distance for record in train(GridPath(), GOLD, **settings(nb_samples=200, **changes))]

        assert distances() != distances(loss_reduction="mean")
        # 200 samples and beta 10 under a mean are 200 samples and beta 0.05 under a sum; Adam ignores the scale.
        divided = TargetDistribution(1.0, 0.05)
        assert distances(loss_reduction="mean") == distances(target_distribution=divided)


class TestRecords:
    def test_there_is_one_before_each_step_and_one_after_the_last(self):
        assert [record.step for record in train(GridPath(), GOLD, **settings(steps=5))] == [0, 1, 2, 3, 4, 5]

    def test_they_hold_what_the_step_saw(self):
        generator = torch.Generator().manual_seed(3)
        weights = torch.empty_like(GOLD).uniform_(-0.1, 0.1, generator=generator)
        layer = imle(GridPath(), TARGET, NOISE, 4, 0.5, 2.0, generator=generator)
        changes = {"input_noise_temperature": 0.5, "target_noise_temperature": 2.0, "seed": 3}
        record = next(train(GridPath(), GOLD, **settings(**changes)))
        z = layer(-weights[None])
        assert torch.equal(record.weights, weights)
        assert torch.equal(record.sample, z[0])
        assert record.loss == pytest.approx(hamming(z, GOLD).mean().item())
        assert torch.equal(record.solution, GridPath()(-weights[None])[0])
        assert record.distance == (record.solution != GOLD).sum()

    def test_the_first_step_is_adam_s(self):
        first, second = itertools.islice(train(GridPath(), GOLD, **settings(lr=0.01)), 2)
        weights = first.weights.clone().requires_grad_()
        generator = torch.Generator().manual_seed(0)
        torch.empty_like(GOLD).uniform_(generator=generator)
        layer = imle(GridPath(), TARGET, NOISE, 4, generator=generator)
        hamming(layer(-weights[None]), GOLD).sum().backward()
        moved = first.weights - 0.01 * weights.grad / (weights.grad.abs() + 1e-8)
        torch.testing.assert_close(second.weights, moved)

    def test_earlier_ones_do_not_change(self):
        records = list(train(GridPath(), GOLD, **settings(steps=3)))
        again = list(train(GridPath(), GOLD, **settings(steps=3)))
        for one, other in zip(records, again, strict=True):
            assert torch.equal(one.weights, other.weights)
            assert not one.weights.requires_grad

    def test_one_that_is_kept_keeps_no_other_samples(self):
        record = next(train(GridPath(), GOLD, **settings(nb_samples=50)))
        assert record.sample.untyped_storage().nbytes() == 4 * GOLD.numel()

    def test_gradients_may_be_off_outside(self):
        weights = [record.weights for record in train(GridPath(), GOLD, **settings(steps=3))]
        with torch.no_grad():
            assert all(
                map(torch.equal, weights, (record.weights for record in train(GridPath(), GOLD, **settings(steps=3))))
            )

    @pytest.mark.slow
    def test_the_cosine_takes_the_step_to_zero_and_a_constant_does_not(self):
        def last_moves(schedule):
            records = list(train(GridPath(), GOLD, **settings(schedule=schedule, input_noise_temperature=5.0)))
            return [(one.weights - other.weights).abs().max().item() for one, other in itertools.pairwise(records)]

        cosine, constant = last_moves("cosine"), last_moves("constant")
        assert cosine[0] == pytest.approx(constant[0])
        assert cosine[30] < 0.7 * constant[30]
        assert 0 < cosine[-1] < 1e-3 < constant[-1]

    def test_weights_to_begin_with(self):
        weights = torch.linspace(0, 1, 42).view(6, 7)
        assert torch.equal(next(train(GridPath(), GOLD, weights=weights)).weights, weights)

    def test_the_seed_decides(self):
        def last(seed):
            *_, record = train(GridPath(), GOLD, **settings(steps=10, seed=seed))
            return record.weights

        before = torch.get_rng_state()
        assert torch.equal(last(1), last(1))
        assert not torch.equal(last(1), last(2))
        assert torch.equal(torch.get_rng_state(), before)


class TestResuming:
    @pytest.mark.slow
    @pytest.mark.parametrize("stop", [0, 1, 17, 59, 60, 61])
    def test_the_rest_is_the_same_to_the_bit(self, stop, tmp_path):
        whole = list(train(GridPath(), GOLD, **settings()))
        first = Training(GridPath(), GOLD, **settings())
        done = list(itertools.islice(first, stop))
        torch.save(first.state_dict(), tmp_path / "state")
        second = Training(GridPath(), GOLD, **settings(seed=99))
        second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
        joined = done + list(second)
        assert [record.step for record in joined] == list(range(61))
        for one, other in zip(joined, whole, strict=True):
            assert torch.equal(one.weights, other.weights)
            assert torch.equal(one.sample, other.sample)
            assert (one.loss, one.distance) == (other.loss, other.distance)

    def test_a_state_is_a_copy(self):
        training = Training(GridPath(), GOLD, **settings())
        steps = iter(training)
        next(steps)
        state = training.state_dict()
        before = state["weights"].clone(), state["optimizer"]["state"][0]["exp_avg"].clone()
        for _ in steps:
            pass
        assert torch.equal(state["weights"], before[0])
        assert torch.equal(state["optimizer"]["state"][0]["exp_avg"], before[1])

    def test_a_state_of_another_shape(self):
        state = Training(TopK(1), torch.zeros(3)).state_dict()
        message = "state: got weights of shape (3,); the training has (6, 7); take the state of the same training"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            Training(GridPath(), GOLD).load_state_dict(state)


ERRORS = {
    "steps: got 0; it must be a whole number >= 1; the usual value is 1100": {"steps": 0},
    "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0": {"seed": -1},
    "schedule: got 'linear'; it must be one of 'cosine', 'constant'; use 'cosine' for instance": {"schedule": "linear"},
    "loss_reduction: got 'max'; it must be one of 'sum', 'mean'; use 'sum' for instance": {"loss_reduction": "max"},
    "lr: got 0; it must be a number > 0 and at most 1e+30; the usual value is 0.005": {"lr": 0},
    "lr: got nan; it must be a number > 0 and at most 1e+30; the usual value is 0.005": {"lr": float("nan")},
    "weights: got shape (3,) for a gold solution of shape (6, 7); the two must be equal; give one of shape (6, 7)": {
        "weights": torch.zeros(3)
    },
    "nb_samples: got 0; it must be a whole number >= 1; use 1 for a single sample": {"nb_samples": 0},
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors_come_at_once(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        train(GridPath(), GOLD, **ERRORS[message])


@pytest.mark.parametrize(("gold", "got"), [(torch.ones(2, dtype=torch.int64), "torch.int64"), ([0.0, 1.0], "list")])
def test_a_gold_solution_is_a_floating_tensor(gold, got):
    message = f"gold: got {got}; it must be a tensor of a floating type; use torch.as_tensor(gold).float()"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        train(TopK(1), gold)


SETTINGS = ("difference", "loss_reduction", "lr", "nb_samples", "schedule", "seed", "steps", "walls", "weights")
TEMPERATURES = ("input_noise_temperature", "target_noise_temperature")
WRONG = ("1", [1], {}, TopK, math.nan, torch.ones(2), torch.ones(3, requires_grad=True), 10**400, b"x" * 1000)


@pytest.mark.slow
@pytest.mark.parametrize("value", WRONG, ids=[type(value).__name__ + f"-{number}" for number, value in enumerate(WRONG)])
@pytest.mark.parametrize("name", SETTINGS + TEMPERATURES)
def test_a_setting_of_a_wrong_type_is_named_in_a_short_message(name, value):
    if name == "weights" and isinstance(value, torch.Tensor) and len(value) == 3:
        pytest.skip("these are weights")
    if name == "walls" and isinstance(value, torch.Tensor) and len(value) == 3:
        value = value.detach()[:1]
    settings = {"steps": 1, "nb_samples": 1, name: value}
    with pytest.raises((TypeError, ValueError), match=f"^{name}: got ") as error:
        train(TopK(1), torch.tensor([0.0, 1.0, 0.0]), **settings)
    assert len(str(error.value)) <= 300


NO_GOLD = {
    "nan": (
        torch.full((3,), math.nan),
        "3 entries of 3 that are NaN or infinite; it must be of ones and zeros; take them out",
    ),
    "sparse": (
        torch.ones(3).to_sparse(),
        "a tensor of layout torch.sparse_coo; it must be a dense tensor of real numbers; use .to_dense()",
    ),
}


@pytest.mark.parametrize(("gold", "message"), NO_GOLD.values(), ids=NO_GOLD)
def test_a_gold_solution_that_is_none(gold, message):
    with pytest.raises((TypeError, ValueError), match=f"^gold: got {re.escape(message)}$"):
        train(TopK(1), gold)
