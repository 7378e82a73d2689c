"""Training a network to predict costs: it learns, it turns maps whole, it goes on to the bit, lambda is a map's own."""

import copy
import itertools
import math
import re
from functools import cache

import pytest
import torch
from torch import nn

from image_maps import CostTable, painted
from imle_core import SumOfGammaNoiseDistribution
from imle_core.perception import (
    Clock,
    ImageMaps,
    PerceptionTraining,
    judge,
    make_method,
    make_network,
    path_costs,
    plan,
    terrain_maps,
)
from imle_core.solvers import GridPath
from imle_core.training import EpochRecord, LearningMethod


def colours(images):
    """Costs that the colours tell, ``(N, H, W)``."""
    return images.float().mean(dim=3).unflatten(2, (-1, 8)).unflatten(1, (-1, 8)).mean(dim=(2, 4)) / 20


class Flat(nn.Module):
    """Predicts one cost for all tiles, and keeps the images it saw."""

    def __init__(self, cost=1.0):
        super().__init__()
        self.cost, self.seen = nn.Parameter(torch.tensor(cost)), []

    def forward(self, images):
        self.seen.append(images)
        return self.cost.expand(len(images), images.shape[1] // 8, images.shape[2] // 8)


class Watching(LearningMethod):
    """A regression that keeps the paths and costs it saw."""

    def __init__(self):
        self.seen = []

    def losses(self, costs, paths, truth):
        self.seen.append((paths, truth))
        return (costs - truth).square().flatten(1).sum(dim=1)


def watched(maps, **settings):
    """Images, paths and costs of a training's batches, and its records."""
    network, method = Flat(), Watching()
    records = list(PerceptionTraining(network, method, maps, **settings))
    return [(images, *seen) for images, seen in zip(network.seen, method.seen, strict=True)], records


def joined(batches):
    return tuple(torch.cat(parts) for parts in zip(*batches, strict=True))


class TestAugmentation:
    @pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
    def test_images_paths_and_costs_turn_together(self, shape):
        batches, _ = watched(painted(9, *shape), epochs=4, batch=4, augment=True)
        images, paths, costs = joined(batches)
        torch.testing.assert_close(colours(images), costs, atol=0.25, rtol=0)
        torch.testing.assert_close(path_costs(paths, costs), path_costs(GridPath()(-costs), costs))

    def test_pixels_turn_along(self):
        maps = painted(9, 4, 4)
        images, _, costs = joined(watched(maps, epochs=6, batch=4, augment=True)[0])
        kinds = set()
        for image, cost in zip(images, costs, strict=True):
            (turn,) = self.turns_of(cost, maps.costs)
            number, kind = turn
            assert torch.equal(image, self.turned(maps.images[number], kind))
            kinds.add(kind)
        assert kinds == {0, 1, 2, 3}

    @pytest.mark.slow
    def test_all_four_turns_of_a_square_map_are_as_frequent(self):
        maps = painted(100, 3, 3)
        _, _, costs = joined(watched(maps, epochs=2, batch=50, augment=True)[0])
        counts = [0] * 4
        for cost in costs:
            ((_, kind),) = self.turns_of(cost, maps.costs)
            counts[kind] += 1
        assert sum(counts) == 200
        assert min(counts) > 30

    def test_maps_that_are_not_square_are_only_turned_by_180_degrees(self):
        maps = painted(30, 3, 5)
        _, _, costs = joined(watched(maps, epochs=2, batch=8, augment=True)[0])
        kinds = [kind for cost in costs for _, kind in self.turns_of(cost, maps.costs)]
        assert len(kinds) == 60
        assert set(kinds) == {0, 2}
        assert 15 < kinds.count(2) < 45

    def test_without_it_maps_are_as_they_are(self):
        maps = painted(10, 3, 3)
        images, paths, costs = joined(watched(maps, epochs=1, batch=4)[0])
        order = [number for cost in costs for number, _ in self.turns_of(cost, maps.costs)]
        assert sorted(order) == list(range(10)) != order
        for got, whole in ((images, maps.images), (paths, maps.paths), (costs, maps.costs)):
            assert torch.equal(got, whole[order])

    @staticmethod
    def turned(rows, kind):
        flipped = rows.transpose(0, 1) if kind in (1, 3) else rows
        return flipped.flip(0, 1) if kind in (2, 3) else flipped

    def turns_of(self, cost, originals):
        """Which maps, turned in which ways, have these costs."""
        return [
            (number, kind)
            for kind in range(4)
            for number, other in enumerate(originals)
            if torch.equal(self.turned(other, kind), cost)
        ]


class TestOrder:
    @pytest.mark.parametrize("augment", [True, False])
    @pytest.mark.parametrize("batch", [4, 5, 11, 20])
    def test_an_epoch_sees_each_map_once(self, augment, batch):
        maps = painted(11, 3, 3)
        batches, records = watched(maps, epochs=3, batch=batch, augment=augment)
        steps = math.ceil(11 / batch)
        assert len(batches) == len(records) == 3 * steps
        orders = []
        for epoch in range(3):
            sums = self.tenths(joined(batches[epoch * steps : (epoch + 1) * steps])[2])
            assert len(set(sums)) > 7
            assert sorted(sums) == sorted(self.tenths(maps.costs))
            orders.append(sums)
        assert orders[0] != orders[1]

    @staticmethod
    def tenths(costs):
        """What tells a map, however it is turned."""
        return (10 * costs).round().long().sum(dim=(1, 2)).tolist()

    @pytest.mark.parametrize(("batch", "steps"), [(1, 11), (4, 3), (5, 3), (11, 1), (12, 1)])
    def test_a_last_smaller_batch_is_a_step(self, batch, steps):
        training = PerceptionTraining(Flat(), Watching(), painted(11, 2, 2), epochs=2, batch=batch)
        assert (training.steps_an_epoch, training.steps) == (steps, 2 * steps)
        records = list(training)
        assert [record.step for record in records] == list(range(1, 2 * steps + 1))
        assert [record.epoch for record in records] == [1] * steps + [2] * steps
        assert [record.ends_epoch for record in records] == ([False] * (steps - 1) + [True]) * 2
        assert [len(images) for images in training.network.seen] == (
            [batch] * (11 // batch) + [11 % batch][: 11 % batch]
        ) * 2


class TestRecords:
    def test_a_loss_is_the_mean_over_the_batch_before_the_step(self):
        maps = painted(11, 3, 3)
        network, method = Flat(), Watching()
        training = PerceptionTraining(network, method, maps, epochs=2, batch=4)
        losses = []
        cost = network.cost.item()
        for record in training:
            _, truth = method.seen[-1]
            assert record.loss == pytest.approx(((cost - truth) ** 2).sum(dim=(1, 2)).mean().item(), rel=1e-5)
            losses.append(record.loss * len(truth))
            cost = network.cost.item()
            within = losses[3 * (record.epoch - 1) :]
            maps_seen = 11 if record.ends_epoch else 4 * len(within)
            assert training.epoch_record.loss == pytest.approx(sum(within) / maps_seen)

    def test_zeros_are_the_share_of_maps_whose_gradient_is_zero(self):
        maps = ImageMaps(numbered(4), learned_costs()[:4], GridPath()(-learned_costs()[:4]))
        for loss, zeros in (("squared", 0.5), ("hamming", 0.0)):
            table = CostTable(torch.cat([learned_costs()[:2], 10 - learned_costs()[2:4]]))
            training = PerceptionTraining(table, make_method("straight-through", loss=loss), maps, epochs=1, batch=4)
            (record,) = training
            assert record.zeros == training.epoch_record.zeros == zeros

    def test_time_goes_where_it_is_spent(self):
        clock = Clock()
        noise = SumOfGammaNoiseDistribution(5.0)
        method = make_method("imle", noise_distribution=noise, nb_samples=20, clock=clock)
        training = PerceptionTraining(make_network("small", 0), method, painted(8, 4, 4), epochs=1, batch=4, clock=clock)
        list(training)
        record = training.epoch_record
        assert record.solver_seconds == pytest.approx(clock.solver)
        assert record.noise_seconds == pytest.approx(clock.noise)
        assert min(record.solver_seconds, record.noise_seconds, record.network_seconds) > 0
        assert EpochRecord(0.0, 0.0, 10.0, 3.0, 2.0).network_seconds == 5

    def test_an_epoch_without_steps_has_zeros(self):
        assert PerceptionTraining(Flat(), Watching(), painted(2, 2, 2)).epoch_record == EpochRecord(0.0, 0.0, 0.0, 0.0, 0.0)

    def test_it_trains_in_training_mode_whatever_happens_between_steps(self):
        modes = []
        network = make_network("small", 0)
        network.register_forward_hook(lambda module, *_: modes.append(module.training))
        for _ in PerceptionTraining(network, make_method("regression"), painted(8, 2, 2), epochs=2, batch=4):
            network.eval()
        assert modes == [True] * 4


def numbered(count, tiles=4):
    """Images that tell nothing but their number."""
    return torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 8 * tiles, 8 * tiles, 3)


@cache
def learned_costs():  # when a test runs, not when it is collected: paths are solved for it
    return painted(8, 4, 4).costs


class TestSteps:
    def first_gradients(self, batch, reduction="sum", beta=3.0):
        """Gradients of the costs of eight maps, from one epoch in which hardly anything moves."""
        truth = painted(8, 4, 4, seed=1).costs
        maps = ImageMaps(numbered(8), truth, GridPath()(-truth))
        table, gradients = CostTable(learned_costs()), torch.zeros_like(learned_costs())
        method = make_method("imle", beta=beta)
        for _ in PerceptionTraining(table, method, maps, epochs=1, batch=batch, lr=1e-12, loss_reduction=reduction):
            gradients += table.costs.grad
        signs = 1 - 2 * maps.paths
        return gradients, GridPath()(-(learned_costs() + beta * signs)) - GridPath()(-learned_costs())

    @pytest.mark.parametrize("batch", [1, 2, 4, 8, 3])
    def test_lambda_is_that_of_a_single_map_whatever_the_batch(self, batch):
        gradients, single = self.first_gradients(batch)
        assert (single.abs().flatten(1).sum(dim=1) > 0).sum() >= 4
        sizes = gradients.abs().flatten(1).max(dim=1).values[:, None, None].clamp(min=1e-9)
        assert torch.equal((gradients / sizes).round(), single)
        counts = sorted({round(1 / size.item()) for size in sizes.flatten() if size > 1e-9})
        assert set(counts) <= {min(batch, 8), 8 % batch} - {0}  # gradients are averaged over the batch
        assert batch in counts

    def test_a_mean_divides_lambda_by_the_batch(self):
        gradients, whole = self.first_gradients(8, "mean", beta=4.0)
        _, single = self.first_gradients(8, beta=0.5)
        assert torch.equal(8 * gradients, single)
        assert single.any()
        assert not torch.equal(single, whole)

    def test_weights_take_adam_s_steps(self):
        maps = painted(12, 3, 3)
        network, method = Flat(), Watching()
        reference = nn.Parameter(torch.tensor(1.0))
        optimizer = torch.optim.Adam([reference])
        for step, _ in enumerate(PerceptionTraining(network, method, maps, epochs=10, batch=4, lr=0.1)):
            optimizer.param_groups[0]["lr"] = 0.1 * min(1.0, (step + 1) / 3) * 0.5 * (1 + math.cos(math.pi * step / 30))
            _, truth = method.seen[-1]
            reference.grad = (2 * (reference.detach() - truth)).sum(dim=(1, 2)).mean()
            optimizer.step()
            torch.testing.assert_close(network.cost, reference)

    @pytest.mark.slow
    @pytest.mark.parametrize(("steps", "warm"), [(1, 1), (9, 1), (40, 4), (800, 50)])
    def test_the_learning_rate_rises_and_then_falls_to_zero(self, steps, warm):
        training = PerceptionTraining(Flat(), Watching(), painted(1, 1, 1), epochs=steps, batch=1, lr=0.25)
        rates = [group["lr"] for _ in training for group in training.optimizer.param_groups]
        assert len(rates) == steps
        assert rates[0] == pytest.approx(0.25 / warm)
        assert max(rates) <= 0.25
        peak = rates.index(max(rates))
        assert peak == warm - 1
        assert rates[:peak] == sorted(rates[:peak])
        assert rates[peak:] == sorted(rates[peak:], reverse=True)
        if steps > 1:
            assert 0 < rates[-1] == pytest.approx(0.25 * math.sin(math.pi / 2 / steps) ** 2)
            assert rates[steps // 2] == pytest.approx(0.125, rel=0.3)


def noisy_training(name="imle", seed=0, maps=None):
    """A training with noise and augmentation, of everything new."""
    generator, clock = torch.Generator().manual_seed(seed), Clock()
    noise = SumOfGammaNoiseDistribution(5.0)
    settings = {"noise_distribution": noise, "nb_samples": 2, "beta": 3.0, "generator": generator, "clock": clock}
    method = make_method(name, **settings)
    if name.startswith("adaptive"):
        method.layer.target.step = 0.2  # else nothing moves for long
    settings = {"seed": seed, "generator": generator, "clock": clock}
    maps = painted(11, 3, 3) if maps is None else maps
    return PerceptionTraining(make_network("small", seed), method, maps, epochs=3, batch=4, augment=True, **settings)


def timeless(record):
    return record.loss, record.zeros


def same_state(one, other):
    """Whether two states agree to the bit, times aside."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        names = {name for name in one if not str(name).endswith("seconds")}
        return one.keys() == other.keys() and all(same_state(one[name], other[name]) for name in names)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same_state, one, other))
    return one == other


class TestSeeds:
    @pytest.mark.slow
    def test_the_seed_decides_to_the_bit(self):
        one, same, other = (noisy_training(seed=seed) for seed in (0, 0, 1))
        records = [list(training) for training in (one, same, other)]
        assert records[0] == records[1] != records[2]
        assert same_state(one.state_dict(), same.state_dict())
        assert not same_state(one.state_dict(), other.state_dict())

    def test_order_and_turns_depend_on_the_seed_of_the_training(self):
        costs = [watched(painted(9, 3, 3), epochs=1, augment=True, seed=seed)[0][0][2] for seed in (0, 0, 1, 2**32)]
        assert torch.equal(costs[0], costs[1])
        assert not torch.equal(costs[0], costs[2])
        assert not torch.equal(costs[0], costs[3])

    def test_torch_s_generator_stays_as_it_is(self):
        before = torch.get_rng_state()
        list(noisy_training())
        assert torch.equal(torch.get_rng_state(), before)


class TestResuming:
    @pytest.mark.slow
    @pytest.mark.parametrize("stop", [0, 1, 2, 3, 4, 8, 9])
    def test_the_rest_is_the_same_to_the_bit(self, stop, tmp_path):
        self.check("imle", stop, tmp_path)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "name",
        [
            "central-imle",
            "fenchel-young",
            "adaptive-imle",
        ],
    )
    def test_other_estimators(self, name, tmp_path):
        self.check(name, 4, tmp_path)

    @staticmethod
    def check(name, stop, folder):
        whole = noisy_training(name)
        records = [(record, timeless(whole.epoch_record)) for record in whole]
        first = noisy_training(name)
        done = [(record, timeless(first.epoch_record)) for record in itertools.islice(first, stop)]
        torch.save(first.state_dict(), folder / "state")
        second = noisy_training(name)
        second.generator.manual_seed(99)
        nn.init.zeros_(second.network.head.weight)
        second.load_state_dict(torch.load(folder / "state", weights_only=True))
        assert timeless(second.epoch_record) == timeless(first.epoch_record)
        assert second.epoch_record.seconds == first.epoch_record.seconds
        rest = [(record, timeless(second.epoch_record)) for record in second]
        assert done + rest == records
        assert len(rest) == 9 - stop
        assert same_state(second.state_dict(), whole.state_dict())
        assert torch.equal(second.method.layer.generator.get_state(), whole.generator.get_state())

    @pytest.mark.slow
    def test_a_look_at_the_network_between_steps_changes_nothing(self):
        whole, looked_at = noisy_training(), noisy_training()
        records = list(whole)
        again = []
        for record in looked_at:
            plan(looked_at.network, looked_at.maps)
            looked_at.state_dict()
            again.append(record)
        assert again == records
        assert same_state(whole.state_dict(), looked_at.state_dict())

    @pytest.mark.slow
    def test_a_state_is_a_copy_on_both_ways(self):
        training = noisy_training()
        steps = iter(training)
        for _ in itertools.islice(steps, 2):
            pass
        state = training.state_dict()
        kept = copy.deepcopy(state)
        assert same_state(state, kept)
        list(steps)
        assert same_state(state, kept)
        assert not same_state(state, training.state_dict())
        other = noisy_training()
        other.load_state_dict(state)
        list(other)
        assert same_state(state, kept)

    def test_a_state_of_another_network(self):
        state = PerceptionTraining(Flat(), Watching(), painted(2, 2, 2)).state_dict()
        message = "state: got that of another network; its weights do not fit; take the state of the same training"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            noisy_training().load_state_dict(state)

    def test_a_state_of_more_processes(self):
        training = noisy_training()
        state = training.state_dict()
        state["generators"] *= 2
        message = "state: got that of 2 processes, here are 1; their noise could not go on; start as many"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            training.load_state_dict(state)


class TestErrors:
    @pytest.mark.parametrize(
        ("message", "changes"),
        {
            "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0": {"seed": -1},
            "lr: got 0; it must be finite and > 0; the usual value is 0.003": {"lr": 0},
            "lr: got -0.1; it must be finite and > 0; the usual value is 0.003": {"lr": -0.1},
            "lr: got nan; it must be finite and > 0; the usual value is 0.003": {"lr": float("nan")},
            "lr: got inf; it must be finite and > 0; the usual value is 0.003": {"lr": float("inf")},
            "loss_reduction: got 'max'; it must be one of 'sum', 'mean'; use 'sum' for instance": {"loss_reduction": "max"},
        }.items(),
    )
    def test_they_come_at_once(self, message, changes):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            PerceptionTraining(Flat(), Watching(), painted(2, 2, 2), **changes)

    @pytest.mark.parametrize(("name", "usual"), [("epochs", 10), ("batch", 16)])
    @pytest.mark.parametrize("value", [0, -1, 1.5, True])
    def test_numbers_of_epochs_and_maps_are_whole(self, name, usual, value):
        message = f"^{name}: got {value!r}; it must be a whole number >= 1; the usual value is {usual}$"
        with pytest.raises(ValueError, match=message):
            PerceptionTraining(Flat(), Watching(), painted(2, 2, 2), **{name: value})

    @pytest.mark.parametrize("cost", [float("nan"), float("inf")])
    def test_costs_that_are_no_numbers(self, cost):
        training = PerceptionTraining(Flat(cost), Watching(), painted(2, 2, 2))
        message = "costs: got NaN or infinite ones from the network in step 1; training has diverged; use a smaller lr"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            next(iter(training))


class TestLearning:
    @pytest.mark.slow
    def test_imle_learns_to_plan(self):
        maps = terrain_maps(60, 5, seed=0)
        network = make_network("small", 0)
        before = judge(plan(network, maps), maps)
        noise, generator = SumOfGammaNoiseDistribution(5.0), torch.Generator().manual_seed(0)
        method = make_method("imle", noise_distribution=noise, generator=generator)
        training = PerceptionTraining(network, method, maps, epochs=20, batch=10, lr=0.01, augment=True, generator=generator)
        epochs = [training.epoch_record for record in training if record.ends_epoch]
        after = judge(plan(network, maps), maps)
        assert len(epochs) == 20
        assert after.optimal > before.optimal + 0.3
        assert after.regret < before.regret / 3
        assert epochs[-1].loss < epochs[0].loss / 2

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["regression", "tiles"])
    def test_baselines_learn(self, name):
        maps = terrain_maps(60, 5, seed=0)
        network = make_network("small", 0)
        before = judge(plan(network, maps), maps)
        list(PerceptionTraining(network, make_method(name), maps, epochs=20, batch=10, lr=0.01))
        assert judge(plan(network, maps), maps).regret < before.regret / 2
