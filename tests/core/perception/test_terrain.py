"""Random terrain maps: what seeds decide, what images show and what they do not."""

import numpy as np
import pytest
import torch

from imle_core.perception import terrain_maps
from imle_core.perception.terrain import COSTS, JITTER
from imle_core.solvers import GridPath


def same(first, second):
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in ("images", "costs", "paths"))


def mean_colours(images):
    """Colours of tiles and, in them, the mean over their 64 pixels, ``(N, K, K, 3)``."""
    count, side = images.shape[:2]
    return images.float().reshape(count, side // 8, 8, side // 8, 8, 3).mean(dim=(2, 4))


@pytest.fixture(scope="module")
def maps():
    return terrain_maps(60, 12, seed=(0, 0))


class TestMaps:
    def test_shapes_types_and_cheapest_paths(self, maps):
        assert maps.images.shape == (60, 96, 96, 3)
        assert maps.costs.shape == maps.paths.shape == (60, 12, 12)
        assert (maps.images.dtype, maps.costs.dtype, maps.paths.dtype) == (torch.uint8, torch.float32, torch.float32)
        assert torch.equal(maps.paths, GridPath()(-maps.costs))

    def test_costs_are_those_of_the_classes_and_every_class_occurs(self, maps):
        values, counts = maps.costs.unique(return_counts=True)
        assert torch.equal(values, torch.tensor(COSTS))
        assert counts.min() > 0.05 * counts.sum()

    def test_classes_lie_together(self, maps):
        assert (maps.costs[:, 1:] == maps.costs[:, :-1]).float().mean() > 0.5

    @pytest.mark.parametrize("size", [2, 3, 31, 70])
    def test_sizes(self, size):
        maps = terrain_maps(2, size, seed=0)
        assert maps.images.shape == (2, 8 * size, 8 * size, 3)
        assert maps.images.float().std() > 10


class TestSeeds:
    def test_the_seed_decides(self, maps):
        assert same(maps, terrain_maps(60, 12, seed=(0, 0)))
        assert not torch.equal(maps.costs, terrain_maps(60, 12, seed=(0, 1)).costs)
        assert not torch.equal(maps.costs, terrain_maps(60, 12, seed=1).costs)

    def test_several_numbers_stay_apart(self):
        assert not torch.equal(terrain_maps(2, 4, seed=(2**32, 0)).costs, terrain_maps(2, 4, seed=(0, 1)).costs)
        assert not torch.equal(terrain_maps(2, 4, seed=(1, 2)).costs, terrain_maps(2, 4, seed=(2, 1)).costs)

    @pytest.mark.slow
    @pytest.mark.parametrize("unique", [False, True])
    @pytest.mark.parametrize("count", [1, 28, 29])
    def test_the_first_maps_do_not_depend_on_how_many_there_are(self, count, unique):
        whole = terrain_maps(40, 12, seed=3, unique=unique)
        assert same(terrain_maps(count, 12, seed=3, unique=unique), whole.part(slice(count)))

    @pytest.mark.parametrize("threads", [1, 3])
    def test_nor_on_the_number_of_threads(self, maps, monkeypatch, threads):
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        assert same(maps, terrain_maps(60, 12, seed=(0, 0)))

    def test_progress(self):
        seen = []
        terrain_maps(90, 12, seed=0, advance=seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == 90


class TestImages:
    def test_a_mean_colour_leaves_the_class_open(self, maps):
        colours = mean_colours(maps.images)
        inside = [colours[maps.costs == cost] for cost in torch.tensor(COSTS)]
        centres = torch.stack([group.mean(dim=0) for group in inside])
        nearest = torch.cdist(colours.reshape(-1, 3), centres).argmin(dim=1)
        right = torch.tensor(COSTS)[nearest] == maps.costs.flatten()
        assert 0.6 < right.float().mean() < 0.9
        spread = torch.stack([group.std(dim=0).mean() for group in inside])
        assert (torch.cdist(centres, centres) + 1e3 * torch.eye(5)).min() < 4 * spread.min()

    def test_no_pixel_gives_the_cost_away(self, maps):
        level = maps.images.float().mean(dim=-1).reshape(60, 12, 8, 12, 8).transpose(2, 3).reshape(-1, 64)
        means, spreads = zip(
            *((level[maps.costs.flatten() == cost].mean(), level[maps.costs.flatten() == cost].std()) for cost in COSTS),
            strict=True,
        )
        assert max(means) - min(means) < 4 * min(spreads)

    def test_textures_tell_upright_from_level_stripes(self, maps):
        tiles = maps.images.float().mean(dim=-1).reshape(60, 12, 8, 12, 8).transpose(2, 3)
        across, down = tiles.mean(dim=3).std(dim=-1), tiles.mean(dim=4).std(dim=-1)
        upright, level = maps.costs == COSTS[1], maps.costs == torch.tensor(COSTS[4])
        assert (across[upright] > down[upright]).float().mean() > 0.95
        assert (down[level] > across[level]).float().mean() > 0.95

    def test_hard_maps_are_the_same_ones_with_wider_borders(self, maps):
        hard = terrain_maps(60, 12, seed=(0, 0), hard=True)
        assert torch.equal(hard.costs, maps.costs)
        distinct = [mean_colours(each.images).reshape(-1, 3).std(dim=0).mean() for each in (maps, hard)]
        assert distinct[1] < 0.97 * distinct[0]
        pair = maps.costs[:, :, 1:] != maps.costs[:, :, :-1]
        steps = []
        for each in (maps, hard):
            columns = each.images.float().mean(dim=-1).reshape(60, 12, 8, 96).mean(dim=2)
            steps.append((columns[:, :, 8::8] - columns[:, :, 7:-1:8])[pair].abs().mean())
        assert steps[1] < 0.9 * steps[0]


class TestUnique:
    @pytest.mark.parametrize("size", [2, 5, 12, 50])
    def test_every_optimum_is_unique(self, size):
        assert terrain_maps(10, size, seed=0, unique=True).unique.all()

    def test_of_plain_maps_few_are(self, maps):
        assert 0 < maps.unique.float().mean() < 0.3

    def test_costs_stay_near_those_of_their_classes(self, maps):
        ratio = terrain_maps(60, 12, seed=(0, 0), unique=True).costs / maps.costs
        assert (ratio - 1).abs().max() <= JITTER + 1e-6
        assert ratio.std() == pytest.approx(JITTER / np.sqrt(3), rel=0.05)

    def test_dearer_is_brighter(self, maps):
        dear = terrain_maps(60, 12, seed=(0, 0), unique=True)
        change = (dear.costs / maps.costs - 1).flatten()
        brighter = (mean_colours(dear.images) - mean_colours(maps.images)).mean(dim=-1).flatten()
        assert torch.corrcoef(torch.stack([change, brighter]))[0, 1] > 0.9
        assert 6 < brighter.max() < 13


@pytest.mark.parametrize(
    ("count", "size", "seed", "message"),
    [
        (0, 12, 0, "count: got 0; it must be a whole number from 1 to 2^63 - 1; ask for one map or more"),
        (1, 1, 0, "size: got 1; it must be a whole number from 2 to 2^63 - 1; the usual size is 12"),
        (1, 12, -1, "seed: got -1; it must be a whole number from 0 to 2^63 - 1; the usual seed is 0"),
        (1, 12, (0, 2**63), f"seed: got {2**63}; it must be a whole number from 0 to 2^63 - 1; the usual seed is 0"),
    ],
)
def test_numbers_out_of_range(count, size, seed, message):
    with pytest.raises(ValueError, match="must be") as caught:
        terrain_maps(count, size, seed=seed)
    assert str(caught.value) == message
