"""Grid paths by tensor operations: equal to the reference to the tile, whatever the batch, with few launches and waits."""

import math

import pytest
import torch
from hypothesis import given, settings
from torch.overrides import TorchFunctionMode

from grids import EIGHT, FOUR, reference
from imle_core.solvers.grid.engines.on_torch import cheapest_paths
from seeded import seeded, table

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))]
WAITS = {"equal", "nonzero", "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "cpu", "to", "numpy"}


def assert_equal_to_the_reference(costs, start, goal, moves, device="cpu"):
    masks, reached = cheapest_paths(costs.to(device), start, goal, moves)
    expected_masks, expected_reached = reference(costs, start, goal, moves)
    assert (masks.dtype, reached.dtype) == (torch.uint8, torch.bool)
    assert torch.equal(reached.cpu(), expected_reached)
    assert torch.equal(masks.cpu(), expected_masks)


def problems(values):
    """A batch of costs, two tiles that are no walls, moves."""

    def make(rng):
        height, width = rng.randint(1, 6), rng.randint(1, 6)
        costs = torch.from_numpy(table(rng, values, rng.randint(1, 3), height, width))
        start, goal = ((rng.randrange(height), rng.randrange(width)) for _ in range(2))
        for row, column in (start, goal):
            costs[:, row, column] = costs[:, row, column].where(costs[:, row, column] < math.inf, 1.0)
        return costs, start, goal, rng.choice([FOUR, EIGHT])

    return seeded(make)


def common(rng):
    return rng.choice([rng.choice([1.0, 2.0, 3.0]), rng.uniform(0.01, 9.0), math.inf])


def perturbed(count, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (2 + 1.5 * torch.randn(count, height, width, generator=generator, dtype=torch.float64)).clamp(min=1e-4)


class TestReference:
    @pytest.mark.slow
    @settings(max_examples=120, deadline=None)
    @given(problems(common))
    def test_equal_to_the_tile(self, problem):
        assert_equal_to_the_reference(*problem)

    @pytest.mark.slow
    @settings(max_examples=120, deadline=None)
    @given(problems([1.0, 2.0, math.inf]))
    def test_equal_where_many_paths_tie(self, problem):
        assert_equal_to_the_reference(*problem)

    @pytest.mark.slow
    @settings(max_examples=120, deadline=None)
    @given(problems([1e-4, 1.0, 2.0, 1e16, 1e18, 1e290]))
    def test_equal_where_rounding_loses_costs(self, problem):
        assert_equal_to_the_reference(*problem)

    @pytest.mark.slow
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["4 moves", "8 moves"])
    def test_equal_on_perturbed_maps_in_a_batch(self, moves, device):
        assert_equal_to_the_reference(perturbed(60, 9, 13), (8, 2), (0, 12), moves, device)
        assert_equal_to_the_reference(perturbed(60, 9, 13).ceil(), (4, 4), (0, 0), moves, device)

    @pytest.mark.slow
    @pytest.mark.parametrize("device", DEVICES)
    def test_equal_on_large_maps(self, device):
        assert_equal_to_the_reference(perturbed(3, 70, 90), (0, 0), (69, 89), EIGHT, device)

    def test_a_map_of_one_cost(self):
        assert torch.equal(cheapest_paths(torch.ones(1, 5, 5).double(), (0, 0), (4, 4), EIGHT)[0][0], torch.eye(5).byte())
        expected = torch.zeros(4, 4, dtype=torch.uint8)
        expected[0, :] = expected[:, 3] = 1
        assert torch.equal(cheapest_paths(torch.ones(1, 4, 4).double(), (0, 0), (3, 3), FOUR)[0][0], expected)

    @pytest.mark.parametrize("device", DEVICES)
    def test_a_way_longer_than_any_straight_one(self, device):
        # A serpentine: the path visits every other row and takes far more rounds than the map has rows and columns.
        costs = torch.ones(2, 13, 11, dtype=torch.float64)
        costs[1, 1::4, :-1] = costs[1, 3::4, 1:] = torch.inf
        assert_equal_to_the_reference(costs, (0, 0), (12, 10), FOUR, device)
        assert cheapest_paths(costs.to(device), (0, 0), (12, 10), FOUR)[0][1].sum() == 7 * 11 + 6


class TestPlateaus:
    @pytest.mark.parametrize("device", DEVICES)
    def test_only_the_maps_that_need_it_leave_plateaus(self, device):
        # After the tile of cost 1e17 each 1 is lost: the goal's whole side has one label.
        costs = perturbed(5, 4, 9)
        costs[1:3] = 1.0
        costs[1:3, :, 3] = 1e17
        costs[2, 1, 5] = torch.inf
        assert_equal_to_the_reference(costs, (0, 0), (3, 8), EIGHT, device)
        assert_equal_to_the_reference(costs, (0, 0), (3, 8), FOUR, device)

    def test_the_fewest_steps_lead_off_however_many_there_are(self):
        # A serpentine of 1s behind a tile of 1e17, so that leaving takes more steps than rounds between two checks.
        costs = torch.ones(1, 9, 7, dtype=torch.float64)
        costs[0, 0, 1] = 1e17
        costs[0, 1::4, :-1] = costs[0, 3::4, 1:] = torch.inf
        assert_equal_to_the_reference(costs, (0, 0), (8, 6), FOUR)
        assert cheapest_paths(costs, (0, 0), (8, 6), FOUR)[0].sum() == 5 * 7 + 4


class TestBatches:
    costs = perturbed(12, 8, 11, seed=1)

    def test_batched_equals_one_by_one_in_any_order(self):
        together, _ = cheapest_paths(self.costs, (0, 0), (7, 10), EIGHT)
        alone = [cheapest_paths(one[None], (0, 0), (7, 10), EIGHT)[0] for one in self.costs]
        assert torch.equal(torch.cat(alone), together)
        assert torch.equal(cheapest_paths(self.costs.flip(0), (0, 0), (7, 10), EIGHT)[0], together.flip(0))

    @pytest.mark.parametrize("device", DEVICES)
    def test_maps_without_a_path_do_not_disturb_the_others(self, device):
        costs = self.costs.clone()
        costs[[0, 7], :, 5] = torch.inf
        masks, reached = cheapest_paths(costs.to(device), (0, 0), (7, 10), EIGHT)
        whole, _ = cheapest_paths(self.costs.to(device), (0, 0), (7, 10), EIGHT)
        assert (~reached).nonzero().flatten().tolist() == [0, 7]
        assert not masks[~reached].any()
        assert torch.equal(masks[reached], whole[reached])

    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("shape", [(0, 3, 4), (0, 1, 1), (2, 1, 1), (3, 1, 7), (3, 7, 1)])
    def test_extreme_shapes(self, shape, device):
        costs = torch.ones(shape, dtype=torch.float64, device=device)
        masks, reached = cheapest_paths(costs, (0, 0), (shape[1] - 1, shape[2] - 1), FOUR)
        assert (masks.shape, reached.shape) == (shape, shape[:1])
        assert (masks.sum((1, 2)) == shape[1] + shape[2] - 1).all()
        assert reached.all()

    def test_start_and_goal_on_one_tile(self):
        masks, reached = cheapest_paths(self.costs, (3, 4), (3, 4), EIGHT)
        assert reached.all()
        assert masks.nonzero().tolist() == [[number, 3, 4] for number in range(12)]

    def test_layout_and_gradients_do_not_matter_and_the_costs_are_left_as_they_were(self):
        turned = perturbed(12, 8, 11).transpose(1, 2).requires_grad_()
        masks, _ = cheapest_paths(turned, (0, 0), (10, 7), EIGHT)
        assert torch.equal(turned, perturbed(12, 8, 11).transpose(1, 2))
        assert torch.equal(masks, cheapest_paths(turned.detach().contiguous(), (0, 0), (10, 7), EIGHT)[0])


class Calls(TorchFunctionMode):
    """Names of the functions of torch that are called."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_function__(self, function, types, arguments=(), options=None):
        self.names.append(function.__name__)
        return function(*arguments, **(options or {}))


class TestWork:
    def calls(self, costs, goal):
        with Calls() as calls:
            cheapest_paths(costs, (0, 0), goal, EIGHT)
        return calls.names

    def test_more_maps_need_no_more_calls(self):
        costs = perturbed(1, 16, 16)
        assert len(self.calls(costs, (15, 15))) == len(self.calls(costs.repeat(50, 1, 1), (15, 15)))

    def test_few_rounds_and_fewer_waits(self):
        # Paths have up to some 60 tiles: a round for each and a few more, but a walk that doubles six times.
        names = self.calls(perturbed(20, 40, 40), (39, 39))
        assert 4 * 39 <= names.count("minimum") <= 4 * 120
        assert 2 * 5 <= names.count("gather") <= 2 * 8
        assert 3 <= sum(name in WAITS for name in names) <= 10
