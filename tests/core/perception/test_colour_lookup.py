"""The look-up by mean colour: what it knows, what it guesses, and that it stands in for a training."""

import re

import pytest
import torch

from imle_core.perception import ColourLookup, ColourTraining, ImageMaps, PerceptionStep, make_network, plan
from imle_core.solvers import GridPath


def painted(colours, costs, grain=0):
    """Maps whose tiles have colours ``(N, H, W, 3)``, with grain of mean 0 within them."""
    pixels = colours.to(torch.int64).repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)
    board = (torch.arange(pixels.shape[1])[:, None] + torch.arange(pixels.shape[2])) % 2 * 2 - 1
    return ImageMaps((pixels + grain * board[:, :, None]).to(torch.uint8), costs, GridPath()(-costs))


@pytest.fixture(scope="module")
def maps():
    """300 maps of 8 colours, each of one cost, in more than one part of what is read at a time."""
    kinds = torch.randint(8, (300, 2, 3), generator=torch.Generator().manual_seed(0))
    colours = torch.tensor([[20 * kind, 100 + 3 * (kind % 2), 240 - 9 * kind] for kind in range(8)])
    costs = torch.tensor([0.8, 1.2, 5.3, 7.7, 9.2, 0.1, 3.3, 1.7])
    return painted(colours[kinds], costs[kinds], grain=10)


class TestLookup:
    def test_costs_that_are_a_function_of_the_mean_colour_are_recovered_exactly(self, maps):
        plans = plan(ColourLookup().fit(maps), maps)
        assert torch.equal(plans.costs, maps.costs)
        assert plans.optimal.all()

    def test_all_costs_are_one_before(self, maps):
        assert (ColourLookup()(maps.images) == 1).all()

    def test_a_cost_is_the_mean_over_tiles_of_a_colour(self):
        costs = torch.tensor([[[1.0, 4.0, 2.0]], [[9.0, 7.0, 6.0]]])
        colours = torch.tensor([10, 10, 200]).view(1, 1, 3, 1).expand(2, 1, 3, 3)
        known = ColourLookup().fit(painted(colours, costs))
        assert known(painted(colours, costs).images).tolist() == [[[5.25, 5.25, 4.0]]] * 2

    def test_an_unseen_colour_has_the_cost_of_the_nearest(self):
        known = ColourLookup().fit(
            painted(torch.tensor([[[[40, 40, 40], [200, 40, 40], [40, 40, 200]]]]), torch.tensor([[[1.0, 2.0, 3.0]]]))
        )
        asked = torch.tensor([[[[100, 40, 40], [140, 40, 40], [40, 255, 140], [0, 0, 0], [255, 255, 0], [60, 200, 255]]]])
        assert known(painted(asked, torch.ones(1, 1, 6)).images).tolist() == [[[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]]]

    def test_channels_are_told_apart_and_colours_have_64_levels(self):
        colours = torch.tensor([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [4, 0, 0], [3, 0, 0]]]])
        costs = torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 7.0]]])
        maps = painted(colours, costs)
        assert ColourLookup().fit(maps)(maps.images).tolist() == [[[1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 6.0]]]


class TestTraining:
    def test_it_takes_one_step(self, maps):
        network = ColourLookup()
        training = ColourTraining(network, maps)
        assert (training.steps, training.steps_an_epoch, training.step) == (1, 1, 0)
        assert list(training) == [PerceptionStep(1, 1, 0.0, 0.0, True)]
        assert training.step == 1
        assert training.network is network
        assert torch.equal(network(maps.images), maps.costs)
        record = training.epoch_record
        assert (record.loss, record.zeros, record.solver_seconds, record.noise_seconds) == (0, 0, 0, 0)
        assert record.seconds == record.network_seconds > 0
        assert list(training) == []

    def test_its_loss_is_that_of_regression(self):
        costs = torch.tensor([[[1.0, 4.0, 2.0]], [[9.0, 7.0, 6.0]]])
        colours = torch.tensor([10, 10, 200]).view(1, 1, 3, 1).expand(2, 1, 3, 3)
        training = ColourTraining(ColourLookup(), painted(colours, costs))
        (step,) = training
        squares = [(4.25**2 + 1.25**2 + 2**2), (3.75**2 + 1.75**2 + 2**2)]
        assert step.loss == training.epoch_record.loss == pytest.approx(sum(squares) / 2)

    def test_a_state_goes_around(self, maps, tmp_path):
        first = ColourTraining(ColourLookup(), maps)
        unfitted = first.state_dict()
        list(first)
        assert (unfitted["network"]["table"] == 1).all()
        torch.save(first.state_dict(), tmp_path / "state")
        second = ColourTraining(ColourLookup(), maps)
        second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
        assert second.step == 1
        assert list(second) == []
        assert torch.equal(second.network(maps.images), maps.costs)
        second.load_state_dict(unfitted)
        assert [step.step for step in second] == [1]

    def test_a_state_of_another_network(self, maps):
        state = {"step": 1, "network": make_network("small", 0).state_dict()}
        message = "state: got that of another network; its weights do not fit; take the state of the same training"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            ColourTraining(ColourLookup(), maps).load_state_dict(state)
