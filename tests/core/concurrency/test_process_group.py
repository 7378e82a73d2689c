"""Two processes that train one network do what one does with batches of twice the size; alone, nothing is sent.

Run as a program this file is one of the two processes; it saves what it found.
"""

import itertools
import sys
import threading
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from torch import distributed

import warm
from image_maps import painted
from imle_core.concurrency.process_group import gathered, rank, size, summed
from imle_core.noise import GumbelNoiseDistribution
from imle_core.perception import PerceptionTraining, judge, make_method, make_network, plan

PATIENCE = 120  # seconds


def begun(name, count, batch, generator=None, **settings):
    """A training of a new network."""
    if generator is not None:
        settings = {"noise_distribution": GumbelNoiseDistribution(), "generator": generator} | settings
    method = make_method(name, beta=5.0, **settings)
    if name.startswith("adaptive"):
        method.layer.target.step = 0.2  # else nothing moves for long
    network, maps = make_network("small", 0), painted(count, 4, 4)
    return PerceptionTraining(network, method, maps, epochs=2, batch=batch, lr=1e-3, augment=True, generator=generator)


def outcome(training):
    """Losses, shares of zeros, last gradients, weights and running statistics."""
    records = [(record.loss, record.zeros, training.epoch_record.loss) for record in training]
    state = dict(training.network.state_dict())
    state |= {f"gradient of {name}": part.grad for name, part in training.network.named_parameters()}
    return {"records": records, "state": state, "maps": training.sums["instances"]}


def judged(maps):
    return judge(plan(make_network("small", 0), maps), maps)


def resumed():
    """Whether a training with noise goes on to the bit, and how it ends."""
    whole, first, second = (begun("imle", 21, 4, torch.Generator().manual_seed(rank())) for _ in range(3))
    records = list(whole)
    done = list(itertools.islice(first, 2))
    state = first.state_dict()
    second.generator.manual_seed(99)
    second.load_state_dict(state)
    same = done + list(second) == records
    ends = [training.network.state_dict() for training in (whole, second)]
    return same and all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0]), state


def sums():
    """A sum, and its gradient where each process weighs it in its own way."""
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).t() * (rank() + 1)
    values.requires_grad_()
    total = summed(values)
    (total * torch.tensor([[1.0, 10.0], [100.0, 1000.0]]) * (rank() + 1)).sum().backward()
    return total.detach(), values.grad, values.detach()


def refused():
    try:
        begun("regression", 1, 4)
    except ValueError as error:
        return str(error)
    return None


def main(folder, place):
    """What one of two processes does."""
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    distributed.init_process_group("gloo", store, timedelta(seconds=PATIENCE / 2), world_size=2, rank=place)
    same, state = resumed()
    adaptive = begun("adaptive-imle", 21, 4)
    found = {
        "place": (rank(), size()),
        "sums": sums(),
        "gathered": gathered({"rank": rank()}),
        "regression": outcome(begun("regression", 21, 4)),
        "imle": outcome(begun("imle", 21, 4)),
        "left out": outcome(begun("imle", 17, 4)),
        "few": outcome(begun("imle", 3, 4)),
        "adaptive": outcome(adaptive),
        "beta": float(adaptive.method.layer.target.beta),
        "judged": judged(painted(21, 4, 4).part(slice(rank(), None, size()))),
        "resumed": same,
        "state": state,
        "refused": refused(),
    }
    torch.save(found, folder / f"found_{place}")
    distributed.destroy_process_group()


def begun_as_program(folder, place, said):
    """One of two processes, which writes what goes wrong to a file."""
    with said.open("w") as errors:
        return warm.start(__file__, folder, place, stderr=errors)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What the two processes found."""
    folder = tmp_path_factory.mktemp("processes")
    complaints = [folder / f"said_{place}" for place in range(2)]
    processes = [begun_as_program(folder, place, said) for place, said in enumerate(complaints)]
    patience = threading.Timer(PATIENCE, lambda: [process.kill() for process in processes])
    patience.start()
    codes = [process.wait() for process in processes]
    patience.cancel()
    assert codes == [0, 0], "\n".join(said.read_text() for said in complaints)
    return [torch.load(folder / f"found_{place}", weights_only=False) for place in range(2)]


@pytest.mark.slow
@pytest.mark.process
class TestTwo:
    def test_each_knows_which_it_is(self, both):
        assert [found["place"] for found in both] == [(0, 2), (1, 2)]

    def test_parts_are_gathered_in_order(self, both):
        for found in both:
            assert found["gathered"] == [{"rank": 0}, {"rank": 1}]

    def test_sums_are_over_both_and_so_are_their_gradients(self, both):
        for place, found in enumerate(both):
            total, gradient, values = found["sums"]
            assert total.tolist() == [[3, 9], [6, 12]]
            assert gradient.tolist() == [[3, 30], [300, 3000]]
            assert values.tolist() == [[place + 1, 3 * (place + 1)], [2 * (place + 1), 4 * (place + 1)]]

    @pytest.mark.parametrize("name", ["regression", "imle"])
    def test_they_do_what_one_does_with_batches_of_both(self, name, both):
        alone = outcome(begun(name, 21, 8))
        assert alone["maps"] == both[0][name]["maps"] == 21 - 2 * 8 + 16
        assert len(alone["records"]) == 6
        for found in both:
            torch.testing.assert_close(
                torch.tensor(found[name]["records"]), torch.tensor(alone["records"]), rtol=1e-4, atol=0
            )
            assert found[name]["state"].keys() == alone["state"].keys()
            for part, value in alone["state"].items():
                torch.testing.assert_close(found[name]["state"][part], value, rtol=2e-3, atol=2e-5)

    def test_learning_moved_more_than_that(self, both):
        before = make_network("small", 0).state_dict()
        for part, value in before.items():
            assert (both[0]["imle"]["state"][part] - value).abs().max() > 1e-3

    @pytest.mark.parametrize("name", ["regression", "imle", "left out", "few", "adaptive"])
    def test_both_hold_the_same_weights_and_statistics(self, name, both):
        one, other = (found[name] for found in both)
        assert one["records"] == other["records"]
        for part in one["state"]:
            assert torch.equal(one["state"][part], other["state"][part])

    def test_a_single_map_that_is_left_is_left_out(self, both):
        assert both[0]["left out"]["maps"] == 16
        assert len(both[0]["left out"]["records"]) == 4
        assert len(outcome(begun("imle", 17, 8))["records"]) == 6

    def test_fewer_maps_than_a_batch_are_shared(self, both):
        alone = outcome(begun("imle", 3, 8))
        assert both[0]["few"]["maps"] == 3
        torch.testing.assert_close(
            torch.tensor(both[0]["few"]["records"]), torch.tensor(alone["records"]), rtol=1e-4, atol=0
        )

    def test_an_adaptive_step_is_that_of_one(self, both):
        training = begun("adaptive-imle", 21, 8)
        alone = outcome(training)
        assert min(zeros for _, zeros, _ in alone["records"]) < 1
        for found in both:
            assert found["beta"] == pytest.approx(float(training.method.layer.target.beta))
            records = torch.tensor(found["adaptive"]["records"])
            torch.testing.assert_close(records, torch.tensor(alone["records"]), rtol=1e-4, atol=0)

    def test_they_judge_shares_as_one_judges_all(self, both):
        alone = judged(painted(21, 4, 4))
        for found in both:
            assert found["judged"].regret == pytest.approx(alone.regret)
            assert found["judged"].optimal == alone.optimal
            assert found["judged"].unique == alone.unique
            assert found["judged"].exact_on_unique == alone.exact_on_unique
        assert 0 < alone.optimal < 1

    def test_they_go_on_to_the_bit_each_with_its_own_noise(self, both):
        assert [found["resumed"] for found in both] == [True, True]
        noises = [found["state"]["generators"] for found in both]
        assert len(noises[0]) == 2
        assert torch.equal(noises[0][0], noises[1][0])
        assert torch.equal(noises[0][1], noises[1][1])
        assert not torch.equal(*noises[0])

    def test_their_state_is_none_for_one(self, both):
        message = "state: got that of 2 processes, here are 1; their noise could not go on; start as many"
        with pytest.raises(ValueError, match=f"^{message}$"):
            begun("imle", 21, 4, torch.Generator()).load_state_dict(both[0]["state"])

    def test_each_needs_a_map(self, both):
        assert {found["refused"] for found in both} == {"maps: got 1 for 2 processes; each needs one; use fewer processes"}


class TestAlone:
    def test_nothing_is_sent(self):
        values = torch.ones(2)
        assert (rank(), size()) == (0, 1)
        assert summed(values) is values
        assert gathered(values) == [values]


if __name__ == "__main__":
    warnings.simplefilter("error")
    main(Path(sys.argv[1]), int(sys.argv[2]))
