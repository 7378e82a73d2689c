"""Maps as images: what a data set holds and refuses, which optima are unique, and how predicted costs are judged."""

import re

import networkx as nx
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from imle_core.perception import TILE, TOLERANCE, ImageMaps, Plans, judge, judgement, path_costs, plan
from imle_core.solvers import GridPath


def numbered(costs, paths=None):
    """Maps whose images tell nothing but their number, up to 255."""
    count, height, width = costs.shape
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, TILE * height, TILE * width, 3)
    return ImageMaps(images, costs, GridPath()(-costs) if paths is None else paths)


def tied(count, height, width, seed=0):
    """Costs of three classes, among which equal sums are common."""
    generator = torch.Generator().manual_seed(seed)
    return torch.tensor([0.8, 1.2, 5.3])[torch.randint(3, (count, height, width), generator=generator)]


def jittered(costs, seed=1):
    return costs * (1 + 0.05 * (2 * torch.rand(costs.shape, generator=torch.Generator().manual_seed(seed)) - 1))


def all_paths(height, width):
    """Masks ``(P, H, W)`` of all simple paths between the corners, each once."""
    tiles = [(row, column) for row in range(height) for column in range(width)]
    near = [(one, other) for one in tiles for other in tiles if max(abs(one[0] - other[0]), abs(one[1] - other[1])) == 1]
    masks = {frozenset(path) for path in nx.all_simple_paths(nx.Graph(near), tiles[0], tiles[-1])}
    return torch.tensor([[tile in mask for tile in tiles] for mask in masks]).double().view(-1, height, width)


class Oracle(nn.Module):
    """Knows the costs of numbered maps, up to a scale."""

    def __init__(self, costs, scale=1.0):
        super().__init__()
        self.register_buffer("costs", costs * scale)
        self.dropout = nn.Dropout(0.0)
        self.calls = []

    def forward(self, images):
        self.calls.append((len(images), self.training, torch.is_grad_enabled()))
        return self.costs[images[:, 0, 0, 0].long()]


class TestImageMaps:
    def test_an_item_is_image_path_costs(self):
        maps = numbered(tied(5, 2, 3))
        image, path, costs = maps[3]
        assert (image.shape, path.shape, costs.shape) == ((16, 24, 3), (2, 3), (2, 3))
        assert (image.dtype, path.dtype, costs.dtype) == (torch.uint8, torch.float32, torch.float32)
        assert (image == 3).all()
        assert torch.equal(path, maps.paths[3])
        assert torch.equal(costs, maps.costs[3])

    def test_it_has_a_length_a_size_and_parts(self):
        maps = numbered(tied(5, 2, 3))
        assert (len(maps), maps.size) == (5, (2, 3))
        part = maps.part(slice(1, 4))
        assert len(part) == 3
        assert [int(image[0, 0, 0]) for image in part.images] == [1, 2, 3]
        assert torch.equal(part.costs, maps.costs[1:4])
        assert torch.equal(part.paths, maps.paths[1:4])

    def test_a_data_loader_batches_it(self):
        maps = numbered(tied(5, 2, 3))
        batches = list(DataLoader(maps, batch_size=2))
        assert [tuple(part.shape for part in batch) for batch in batches] == [
            ((count, 16, 24, 3), (count, 2, 3), (count, 2, 3)) for count in (2, 2, 1)
        ]
        for place, whole in enumerate((maps.images, maps.paths, maps.costs)):
            assert torch.equal(torch.cat([batch[place] for batch in batches]), whole)

    @pytest.mark.parametrize(
        ("message", "changes"),
        {
            "images: got torch.float32; it must be torch.uint8; convert it": {"images": torch.zeros(2, 16, 24, 3)},
            "costs: got torch.float64; it must be torch.float32; convert it": {"costs": torch.ones(2, 2, 3).double()},
            "paths: got torch.bool; it must be torch.float32; convert it": {"paths": torch.ones(2, 2, 3).bool()},
        }.items(),
    )
    def test_types(self, message, changes):
        self.check(TypeError, message, changes)

    @pytest.mark.parametrize(
        ("message", "changes"),
        {
            "costs: got shape (2, 6); it must be (N, H, W), none of them 0; use costs.unsqueeze(0) for one map": {
                "costs": torch.ones(2, 6)
            },
            "costs: got shape (0, 2, 3); it must be (N, H, W), none of them 0; use costs.unsqueeze(0) for one map": {
                "costs": torch.ones(0, 2, 3)
            },
            "costs: got shape (2, 2, 0); it must be (N, H, W), none of them 0; use costs.unsqueeze(0) for one map": {
                "costs": torch.ones(2, 2, 0)
            },
            "images: got shape (2, 3, 16, 24); with costs (2, 2, 3) it must be (2, 16, 24, 3); give one for each map": {
                "images": torch.zeros(2, 3, 16, 24, dtype=torch.uint8)
            },
            "paths: got shape (1, 2, 3); with costs (2, 2, 3) it must be (2, 2, 3); give one for each map": {
                "paths": torch.ones(1, 2, 3)
            },
        }.items(),
    )
    def test_shapes(self, message, changes):
        self.check(ValueError, message, changes)

    @pytest.mark.parametrize("wrong", [0.0, -1.0, torch.inf, torch.nan])
    def test_costs_are_positive_and_finite(self, wrong):
        costs = torch.ones(2, 2, 3)
        costs[1, 1, 2] = wrong
        message = "costs: got some that are not positive and finite; a path needs costs > 0; correct them"
        self.check(ValueError, message, {"costs": costs})

    @staticmethod
    def check(error, message, changes):
        right = {"images": torch.zeros(2, 16, 24, 3, dtype=torch.uint8), "costs": torch.ones(2, 2, 3)}
        right["paths"] = torch.ones(2, 2, 3)
        ImageMaps(**right)
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            ImageMaps(**right | changes)


class TestOptima:
    @pytest.mark.slow
    @pytest.mark.parametrize("shape", [(3, 3), (3, 4), (2, 5), (1, 4)])
    def test_optimum_and_uniqueness_are_those_of_all_paths(self, shape):
        masks = all_paths(*shape)
        for costs in (tied(200, *shape), jittered(tied(200, *shape))):
            maps = numbered(costs)
            prices = torch.einsum("phw,nhw->np", masks, costs.double())
            best = prices.min(dim=1).values
            torch.testing.assert_close(maps.optimum, best, rtol=1e-12, atol=0)
            assert torch.equal(maps.unique, (prices <= best[:, None] * (1 + TOLERANCE)).sum(dim=1) == 1)

    def test_both_kinds_of_maps_occur_and_jitter_makes_all_unique(self):
        costs = tied(200, 3, 4)
        assert 0.2 < numbered(costs).unique.float().mean() < 0.8
        assert numbered(jittered(costs)).unique.all()

    def test_sums_that_are_equal_but_for_rounding_are_ties(self):
        # Over three tiles of 0.8 or two of 1.2, which float32 does not sum up to the same.
        costs = torch.tensor([[1.0, 1.2, 9.0, 9.0], [0.8, 9.0, 1.2, 9.0], [9.0, 0.8, 0.8, 1.0]])
        over, under = sorted([float(costs[0, 1].double() + costs[1, 2].double()), 3 * float(costs[1, 0].double())])
        assert 0 < under - over < 1e-6
        assert not numbered(costs[None]).unique

    @pytest.mark.parametrize(("excess", "unique"), [(0.0, False), (1e-6, False), (3e-4, True), (0.1, True)])
    @pytest.mark.parametrize("scale", [2**-5, 1, 2**12])
    def test_a_path_that_costs_hardly_more_is_a_tie(self, excess, unique, scale):
        costs = torch.tensor([[1.0, 1.0, 9.0], [1.0 + excess, 9.0, 1.0], [9.0, 1.0 + excess, 1.0]])
        maps = numbered(scale * costs[None])
        assert maps.unique.tolist() == [unique]
        other = torch.tensor([[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]])
        assert maps.is_optimal(other).tolist() == [not unique]

    def test_the_optimum_is_that_of_the_costs_whatever_the_gold_paths(self):
        costs = tied(20, 3, 4)
        maps = numbered(costs, paths=torch.ones_like(costs))
        assert torch.equal(maps.optimum, numbered(costs).optimum)
        assert maps.optimum.dtype == torch.float64
        assert not maps.is_optimal(maps.paths).any()
        assert maps.is_optimal(maps.solutions).all()

    def test_path_costs_are_sums_over_paths_in_float64(self):
        costs = torch.tensor([[[1.0, 2**-30], [4.0, 8.0]], [[16.0, 32.0], [64.0, 128.0]]])
        paths = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]])
        assert path_costs(paths, costs).tolist() == [1 + 2**-30, 224]

    def test_small_costs_have_the_same_optima(self):
        costs = tied(20, 4, 5)
        assert torch.equal(numbered(costs * 2**-20).solutions, numbered(costs).solutions)

    def test_exact_match_misleads_where_optima_are_not_unique(self):
        maps = numbered(tied(200, 8, 8))
        # The true costs, solved from the goal to the start, which is another rule for ties.
        paths = GridPath()(-maps.costs.flip(1, 2)).flip(1, 2)
        same = (paths == maps.paths).flatten(1).all(dim=1)
        assert maps.is_optimal(paths).all()
        assert same[maps.unique].all()
        assert 0.3 < same.float().mean() < 0.5
        plans = Plans(maps.costs, paths, path_costs(paths, maps.costs) / maps.optimum - 1, maps.is_optimal(paths), same)
        judgement = judge(plans, maps)
        assert (judgement.optimal, judgement.exact_on_unique) == (1, 1)


class TestPlanning:
    @pytest.mark.parametrize("scale", [2**-6, 1.0, 1.7, 1e3, 1e12])
    def test_true_costs_of_any_scale_are_judged_optimal(self, scale):
        maps = numbered(tied(60, 4, 5))
        judgement = judge(plan(Oracle(maps.costs, scale), maps), maps)
        assert judgement.optimal == judgement.exact_on_unique == 1
        assert judgement.regret == pytest.approx(0, abs=1e-7)
        assert judgement.unique == maps.unique.double().mean()

    def test_true_costs_of_a_tiny_scale_are_judged_optimal(self):
        maps = numbered(tied(60, 4, 5))
        assert judge(plan(Oracle(maps.costs, 1e-6), maps), maps).optimal == 1

    def test_regret_is_the_relative_excess_of_the_true_cost(self):
        costs = torch.tensor([[[2.0, 3.0, 9.0], [9.0, 9.0, 5.0]], [[2.0, 3.0, 9.0], [9.0, 1.0, 5.0]]])
        predicted = torch.tensor([[[1.0, 1.0, 9.0], [9.0, 9.0, 1.0]]]).repeat(2, 1, 1)
        maps = numbered(costs)
        plans = plan(Oracle(predicted), maps)
        assert torch.equal(plans.costs, predicted)
        assert plans.paths.tolist() == [[[1, 1, 0], [0, 0, 1]]] * 2
        assert plans.regret.tolist() == [0, 0.25]
        assert plans.optimal.tolist() == plans.exact.tolist() == [True, False]
        judgement = judge(plans, maps)
        assert (judgement.optimal, judgement.regret) == (0.5, 0.125)
        assert (judgement.exact_on_unique, judgement.unique) == (0.5, 1)

    def test_exact_match_counts_maps_with_a_single_optimum_alone(self):
        # The second map has two optima, of which the stored path is one and the planned path the other.
        costs = torch.tensor([[[1.0, 1.0, 9.0], [9.0, 9.0, 1.0]], [[1.0, 1.0, 9.0], [9.0, 1.0, 1.0]]])
        maps = numbered(costs)
        predicted = costs.clone()
        predicted[1][tuple(maps.solutions[1, :, 1].nonzero()[0]), 1] += 0.5
        plans = plan(Oracle(predicted), maps)
        assert plans.optimal.tolist() == [True, True]
        assert plans.exact.tolist() == [True, False]
        judgement = judge(plans, maps)
        assert (judgement.optimal, judgement.exact_on_unique, judgement.unique) == (1, 1, 0.5)

    def test_exact_match_means_nothing_where_no_optimum_is_unique(self):
        maps = numbered(torch.ones(3, 2, 3))
        judgement = judge(plan(Oracle(maps.costs), maps), maps)
        assert judgement.exact_on_unique is None
        assert (judgement.unique, judgement.optimal, judgement.regret) == (0, 1, 0)

    @pytest.mark.parametrize("training", [True, False])
    def test_a_network_stays_in_its_mode_and_is_asked_in_evaluation_mode(self, training):
        maps = numbered(tied(4, 2, 3))
        network = Oracle(maps.costs).train(training)
        plan(network, maps)
        assert network.calls == [(4, False, False)]
        assert network.training is network.dropout.training is training

    @pytest.mark.parametrize(("tiles", "parts"), [(6, [1] * 7), (13, [2, 2, 2, 1]), (1, [1] * 7), (42, [7])])
    def test_parts_of_a_data_set_change_nothing(self, tiles, parts, monkeypatch):
        maps = numbered(tied(7, 2, 3))
        network = Oracle(maps.costs)
        whole = plan(network, maps)
        network.calls.clear()
        monkeypatch.setattr(judgement, "TILES_AT_A_TIME", tiles)
        again = plan(network, maps)
        assert [count for count, *_ in network.calls] == parts
        for name in ("costs", "paths", "regret", "optimal", "exact"):
            assert torch.equal(getattr(whole, name), getattr(again, name))
