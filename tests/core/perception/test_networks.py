"""Networks that predict costs: shapes, where they begin, what the seed decides."""

import re
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from imle_core.concurrency import process_group
from imle_core.perception import NETWORKS, make_network, networks, terrain_maps
from imle_core.perception.networks import BatchNorm


def noise(*shape, seed=0):
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def images():
    return terrain_maps(8, 5, seed=0).images


class TestShapes:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", NETWORKS)
    @pytest.mark.parametrize("shape", [(2, 12, 12), (1, 24, 24), (3, 2, 5), (1, 12, 12), (2, 1, 2)])
    @pytest.mark.parametrize("training", [True, False])
    def test_there_is_a_cost_for_each_tile(self, name, shape, training):
        count, height, width = shape
        costs = make_network(name, 0).train(training)(noise(count, 8 * height, 8 * width, 3))
        assert (costs.shape, costs.dtype) == (shape, torch.float32)
        assert costs.isfinite().all()
        assert (costs > 0).all()

    @pytest.mark.parametrize("name", NETWORKS)
    def test_images_of_a_batch_do_not_mix_in_evaluation(self, name):
        network, pictures = make_network(name, 0).eval(), noise(4, 16, 24, 3)
        torch.testing.assert_close(network(pictures)[2:3], network(pictures[2:3]))

    @pytest.mark.parametrize("name", NETWORKS)
    def test_tiles_are_where_they_are_in_the_image(self, name):
        network, pictures = make_network(name, 0).eval(), noise(1, 64, 80, 3)
        before = network(pictures)
        pictures[:, 40:48, 48:56] = 255 - pictures[:, 40:48, 48:56]
        moved = (network(pictures) - before).abs()[0]
        assert moved[5, 6] > 1e-3
        assert moved[:2].max() == moved[:, :3].max() == 0

    def test_a_small_network_sees_a_tile_and_a_row_and_a_column_beside_it(self):
        network, pictures = make_network("small", 0).eval(), noise(1, 24, 32, 3)
        cost = network(pictures)[0, 1, 2]
        seen = torch.zeros(24, 32, dtype=torch.bool)
        seen[7:16, 15:24] = True
        outside = torch.where(seen[None, :, :, None], pictures, 255 - pictures)
        torch.testing.assert_close(network(outside)[0, 1, 2], cost)
        for row, column in ((7, 20), (10, 15), (15, 23), (8, 16)):
            inside = pictures.clone()
            inside[0, row, column] = 255 - inside[0, row, column]
            assert (network(inside)[0, 1, 2] - cost).abs() > 1e-6


class TestBeginning:
    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("seed", range(3))
    def test_first_costs_of_a_small_network_are_near_one(self, images, training, seed):
        costs = make_network("small", seed).train(training)(images)
        assert 0.6 < costs.mean() < 1.6
        assert costs.min() > 0.2
        assert costs.max() < 4

    @staticmethod
    def slopes(network, images):
        """Smallest and mean slope of the softplus that ends the network, 1 at the most."""
        costs = network(images)
        costs.sum().backward()
        return (1 - torch.exp(-costs.detach())).min(), network.head.bias.grad.item() / costs.numel()

    @pytest.mark.parametrize("seed", range(3))
    def test_a_small_network_does_not_begin_where_softplus_is_flat(self, images, seed):
        least, mean = self.slopes(make_network("small", seed), images)
        assert least > 0.2
        assert mean > 0.3

    def test_one_that_begins_far_below_zero_learns_nothing(self, images):
        network = make_network("small", 0)
        nn.init.constant_(network.head.bias, -10.0)
        _, mean = self.slopes(network, images)
        assert mean < 1e-3

    def test_costs_differ_between_tiles_from_the_beginning(self, images):
        for name in NETWORKS:
            assert make_network(name, 0)(images).std() > 0.01


class TestLayers:
    def test_numbers_of_parameters(self):
        counts = {name: sum(part.numel() for part in make_network(name, 0).parameters()) for name in NETWORKS}
        # Convolutions, norms; the linear ones have a bias.
        small = 9 * 3 * 16 + 4 * 16 * 32 + 4 * 32 * 32 + 2 * (16 + 32 + 32) + 32 * 33 + 33
        assert counts == {"small": small, "resnet18": 49 * 3 * 64 + 4 * 9 * 64 * 64 + 5 * 2 * 64}

    def test_resnet18_has_64_channels_and_four_features_a_tile(self):
        network = make_network("resnet18", 0)
        shapes = []
        network.blocks.register_forward_hook(lambda _, inputs, output: shapes.append((inputs[0].shape, output.shape)))
        network(noise(2, 16, 24, 3))
        assert shapes == [((2, 64, 4, 6),) * 2]

    def test_a_cost_of_resnet18_is_the_mean_over_channels_of_the_largest_feature(self):
        network = make_network("resnet18", 0)
        features = []
        network.blocks.register_forward_hook(lambda *call: features.append(call[2]))
        costs = network(noise(2, 16, 24, 3))
        largest = features[0].unflatten(3, (3, 2)).unflatten(2, (2, 2)).amax(dim=(3, 5))
        torch.testing.assert_close(costs, largest.mean(dim=1))

    @pytest.mark.slow
    @pytest.mark.parametrize("name", NETWORKS)
    def test_every_parameter_is_trained_by_a_step(self, name, images):
        network = make_network(name, 0)
        before = [part.detach().clone() for part in network.parameters()]
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        network(images).square().sum().backward()
        optimizer.step()
        for one, other in zip(before, network.parameters(), strict=True):
            assert not torch.equal(one, other)
            assert other.isfinite().all()


class TestNames:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_the_seed_decides_first_weights(self, name):
        one, same, other = (make_network(name, seed).state_dict() for seed in (3, 3, 4))
        assert all(torch.equal(one[key], same[key]) for key in one)
        assert not all(torch.equal(one[key], other[key]) for key in one)

    def test_torch_s_generators_stay_as_they_are(self, monkeypatch):
        seeded = []
        monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
        before = torch.get_rng_state()
        make_network("small", 3)
        assert torch.equal(torch.get_rng_state(), before)
        assert seeded == []

    def test_an_unknown_name(self):
        message = "network: got 'smal'; it must be one of 'small', 'resnet18'; did you mean 'small'?"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make_network("smal", 0)

    def test_a_negative_seed(self):
        message = "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make_network("small", -1)
        make_network("small", 2**64 - 1)


class TestBatchNorm:
    @staticmethod
    def outcome(norm, shifts):
        generator = torch.Generator().manual_seed(0)
        nn.init.uniform_(norm.weight, 0.5, 2.0, generator=generator)
        nn.init.uniform_(norm.bias, generator=generator)
        for shift in shifts:
            images = (3 * torch.randn(3, 4, 5, 6, generator=generator) + shift).requires_grad_()
            output = norm(images)
            output.mul(torch.randn(output.shape, generator=generator)).sum().backward()
        with torch.no_grad():
            later = norm.eval()(images)
        return [output, images.grad, norm.weight.grad, norm.bias.grad, later, *norm.state_dict().values()]

    def test_in_one_process_it_is_torch_s(self):
        for one, other in zip(self.outcome(BatchNorm(4), (1, 9)), self.outcome(nn.BatchNorm2d(4), (1, 9)), strict=True):
            assert torch.equal(one, other)

    def test_what_several_processes_compute_is_the_same_where_one_has_all(self, monkeypatch):
        group = SimpleNamespace(size=lambda: 2, summed=process_group.summed)
        monkeypatch.setattr(networks, "process_group", group)
        for one, other in zip(self.outcome(BatchNorm(4), (1, 9)), self.outcome(nn.BatchNorm2d(4), (1, 9)), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
