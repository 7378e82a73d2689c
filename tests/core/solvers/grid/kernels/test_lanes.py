"""Paths over many grids side by side: equal to the tile with networkx on hard costs, and what each form of labels leaves."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import warm
from grids import SideBySide as GridPath
from imle_core.kernels.vectors import LANES
from imle_core.solvers.grid.kernels import lanes as kernel
from imle_core.solvers.grid.kernels.buckets import numbers_needed
from imle_core.solvers.grid.kernels.maps import make_grid, make_maps
from imle_core.solvers.grid.kernels.visit_order import plan_visits
from imle_core.solvers.grid.tuning import TUNING

EIGHT = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
FOUR = ((-1, 0), (0, -1), (0, 1), (1, 0))
SHAPES = [
    (1, 1),
    (1, 2),
    (1, 17),
    (1, 33),
    (2, 1),
    (9, 1),
    (2, 2),
    (3, 3),
    (4, 5),
    (6, 6),
    (2, 17),
    (3, 33),
    (5, 16),
    (17, 2),
]


def continuous(rng, shape):
    return rng.uniform(0.05, 9, shape)


def ties(rng, shape):
    return rng.integers(1, 4, shape)


def mixed(rng, shape):
    return rng.choice([1e-4, 1.0, 3.0, 1e5, 1e9, 1e16, 1e18, 1e290], shape)


def some_of_mixed(rng, shape):
    return rng.choice(rng.choice([1e-4, 1.0, 3.0, 1e5, 1e9, 1e16, 1e18, 1e30], 3), shape)


def clamped(rng, shape):
    return rng.normal(size=shape)


def terrain(rng, shape):
    # Sums of these costs, rounded to float32, tie in many ways, and sums of their float64 forms almost do.
    return rng.choice(np.array([0.8, 1.2, 5.3, 7.7, 9.2], np.float32), shape)


def near_ties_in_float32(rng, shape):
    return (1 + rng.integers(0, 4, shape) * 2.0**-23) * rng.choice([1.0, 2.0], shape)


def near_ties_in_float64(rng, shape):
    return (1 + rng.integers(0, 4, shape) * 2.0**-52) * rng.choice([1.0, 3.0], shape)


def multiples_of_a_quantum_but_for_a_few(rng, shape):
    quantum = 2.0 ** -(30 - math.ceil(math.log2(1.5 * sum(shape[1:]))))
    costs = rng.integers(1, 3, shape) + rng.integers(0, 3, shape) * quantum
    return costs + np.where(rng.random(shape) < 0.1, rng.choice([0.25, 0.5, 1 - 2.0**-9], shape) * quantum, 0)


def huge(rng, shape):
    return rng.uniform(1, 4, shape) * 1e30


def tiny(rng, shape):
    return rng.uniform(1, 4, shape) * 1e-30


def huge_in_float64(rng, shape):
    return rng.uniform(1, 4, shape) * 1e280


def of_many_magnitudes(rng, shape):
    return rng.uniform(1, 4, shape) * 10.0 ** rng.choice([-3, 6, 0, 12, 30], (shape[0], 1, 1))


def whole_of_many_magnitudes(rng, shape):
    return rng.integers(1, 4, shape) * 10.0 ** rng.choice([0, 3, 6, 9], shape)


KINDS = [
    continuous,
    ties,
    mixed,
    some_of_mixed,
    clamped,
    terrain,
    near_ties_in_float32,
    near_ties_in_float64,
    multiples_of_a_quantum_but_for_a_few,
    huge,
    tiny,
    huge_in_float64,
    of_many_magnitudes,
    whole_of_many_magnitudes,
]
FLOORS = [1e-4, 0.5, 0.1, 1e-12, 1e-300, 5.0]


def as_theta(costs, dtype):
    with np.errstate(over="ignore"):
        return -torch.from_numpy(np.asarray(costs, np.float64)).to(dtype)


def result(theta, **options):
    """Masks and counts, or the error."""
    solver = GridPath(**options)
    try:
        return solver(theta).tolist(), solver.clamped, solver.seen
    except ValueError as error:
        return str(error)


def assert_as_networkx(theta, **options):
    assert result(theta, **options) == result(theta, engine="networkx", **options)


def chosen_tile(rng, shape):
    return tuple(int(rng.integers(side)) for side in shape)


def with_walls(rng, costs, share, spared):
    """Walls on some tiles of some maps, where not spared."""
    walls = (rng.random(costs.shape) < share) & (rng.random((len(costs), 1, 1)) < 0.7)
    for tile in spared:
        walls[:, tile[0], tile[1]] = False
    return np.where(walls, np.inf, costs)


class TestAgainstNetworkx:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @settings(max_examples=12, deadline=None)
    @given(
        st.integers(0, 2**32 - 1),
        st.sampled_from(SHAPES),
        st.integers(6, 40),
        st.sampled_from([4, 8]),
        st.sampled_from([torch.float32, torch.float64]),
        st.booleans(),
    )
    def test_to_the_tile(self, kind, seed, shape, count, moves, dtype, corners):
        rng = np.random.default_rng(seed)
        start, goal = ((0, 0), (shape[0] - 1, shape[1] - 1)) if corners else (chosen_tile(rng, shape) for _ in range(2))
        count = count if math.prod(shape) < 20 else 6 + count % 12
        theta = as_theta(with_walls(rng, kind(rng, (count, *shape)), 0.0 if seed % 3 else 0.1, (start, goal)), dtype)
        if dtype == torch.float32 and kind in (mixed, huge_in_float64):
            theta = theta.clamp(min=-3e38)
        assert_as_networkx(theta, moves=moves, start=start, goal=goal)

    @pytest.mark.slow
    @pytest.mark.parametrize("floor", FLOORS)
    @pytest.mark.parametrize("kind", [clamped, ties, mixed, huge, of_many_magnitudes], ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_with_any_floor(self, kind, floor, dtype):
        rng = np.random.default_rng(int(floor * 10))
        theta = as_theta(kind(rng, (12, 5, 5)), dtype)
        theta[::2] = theta[::2] + 1.5 * torch.randn(6, 5, 5, generator=torch.Generator().manual_seed(3), dtype=dtype)
        assert_as_networkx(theta.clamp(min=-3e38), floor=floor)

    @pytest.mark.parametrize("moves", [4, 8])
    def test_many_floor_costs_in_larger_maps_of_a_larger_batch(self, moves):
        theta = torch.randn(70, 7, 9, generator=torch.Generator().manual_seed(4)) - 0.3
        assert_as_networkx(theta, moves=moves)

    @pytest.mark.parametrize("ulps", [0, 1, 2, 4])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("upper_is_dearer", [False, True])
    def test_two_routes_a_few_last_places_apart(self, ulps, dtype, upper_is_dearer):
        # Around a wall, two routes of costs that differ by some last places of one cost, or not at all.
        rng = np.random.default_rng(ulps)
        costs = np.full((16, 3, 6), np.inf)
        route = rng.uniform(0.5, 4, (16, 4)).astype(dtype)
        costs[:, 1, [0, 5]] = 1.0
        costs[:, 0, 1:5], costs[:, 2, 1:5] = route, route
        raised = costs[:, 0 if upper_is_dearer else 2, 2].astype(dtype)
        for _ in range(ulps):
            raised = np.nextafter(raised, dtype(np.inf))
        costs[:, 0 if upper_is_dearer else 2, 2] = raised
        theta = as_theta(costs, torch.from_numpy(route).dtype)
        assert_as_networkx(theta, start=(1, 0), goal=(1, 5))
        if ulps and dtype is np.float32:
            masks = GridPath(start=(1, 0), goal=(1, 5))(theta)
            assert (masks[:, 2 if upper_is_dearer else 0, 1:5] == 1).all()

    def test_routes_that_are_equal_only_after_rounding(self):
        # 1 + 2^-53 is 1: the lower route is dearer, but its label is not.
        costs = np.full((16, 3, 5), np.inf)
        costs[:, 1, [0, 4]], costs[:, 0, 1:4] = 1.0, [1.0, 0.5, 0.25]
        costs[:, 2, 1:4] = [1.0, 0.5, 0.25]
        costs[::2, 0, 3] += 2.0**-53
        costs[1::2, 2, 3] += 2.0**-53
        assert_as_networkx(as_theta(costs, torch.float64), start=(1, 0), goal=(1, 4))

    @pytest.mark.parametrize("cut", [0, 2])
    def test_a_gap_of_as_many_quanta_as_costs_are_cut_is_not_sure(self, cut):
        # In scaled labels, whose quantum is 1 here, one route is a whole quantum cheaper. In float64 it is cheaper by less
        # than rounding: they tie, and the upper one is to be taken.
        costs = np.full((16, 3, 4), np.inf)
        costs[:, 1, [0, 3]], costs[:, [0, 2], 1], costs[:, [0, 2], 2] = 1.0, 2.0**29 + 2.0**20, 2.0
        costs[:, cut, 2] -= 2.0**-25
        theta = as_theta(costs, torch.float64)
        assert_as_networkx(theta, start=(1, 0), goal=(1, 3))
        assert (GridPath(start=(1, 0), goal=(1, 3))(theta)[:, 0, 1:3] == 1).all()

    def test_reversed_order_of_summands(self):
        # Costs of the upper and the lower route are the same numbers in another order: labels differ by rounding alone.
        rng = np.random.default_rng(5)
        for _ in range(6):
            costs = np.full((18, 3, 10), np.inf)
            route = rng.choice([0.1, 0.7, 1.3, 2.9], (18, 8))
            costs[:, 1, [0, 9]], costs[:, 0, 1:9], costs[:, 2, 1:9] = 1.0, route, rng.permuted(route, axis=1)
            assert_as_networkx(as_theta(costs, torch.float64), start=(1, 0), goal=(1, 9))
            assert_as_networkx(as_theta(costs, torch.float32), start=(1, 0), goal=(1, 9))

    def test_infinite_gain_beside_finite_costs(self):
        theta = as_theta(continuous(np.random.default_rng(6), (12, 5, 5)), torch.float32)
        theta[:, 2, 2] = torch.inf
        assert_as_networkx(theta)


class TestErrors:
    rng = np.random.default_rng(7)

    @pytest.mark.parametrize("count", [6, 16, 37])
    @pytest.mark.parametrize("kind", [continuous, ties, mixed], ids=lambda kind: kind.__name__)
    def test_the_first_map_without_a_path_is_named(self, count, kind):
        costs = kind(self.rng, (count, 4, 6)).astype(np.float64)
        costs[[count - 1, count // 2], :, 3] = np.inf
        theta = as_theta(costs, torch.float64)
        assert_as_networkx(theta)
        with pytest.raises(
            ValueError, match=re.escape(f"cut it off from start (0, 0) (map {count // 2} of {count}); open a way")
        ):
            GridPath()(theta)

    @pytest.mark.parametrize(("tile", "name"), [((0, 0), "start"), ((3, 5), "goal")])
    def test_a_wall_on_an_end_comes_before_maps_without_a_path(self, tile, name):
        costs = continuous(self.rng, (20, 4, 6))
        costs[3, :, 3], costs[17, tile[0], tile[1]], costs[19, tile[0], tile[1]] = np.inf, np.inf, np.inf
        theta = as_theta(costs, torch.float32)
        assert_as_networkx(theta)
        with pytest.raises(ValueError, match=re.escape(f"{name}: got tile {tile}; it is a wall (map 17 of 20); choose")):
            GridPath()(theta)

    def test_nan_are_counted_over_all_maps_and_come_first(self):
        theta = as_theta(continuous(self.rng, (40, 4, 6)), torch.float32)
        theta[2, 1, 1:4] = theta[39, 2, 2] = torch.nan
        theta[5, 0, 0] = -torch.inf
        with pytest.raises(ValueError, match=r"^theta: got 4 NaN; a grid path needs numbers; use -inf for a wall$"):
            GridPath()(theta)

    def test_counts_go_on_after_an_error(self):
        solver = GridPath()
        theta = torch.randn(8, 3, 3, generator=torch.Generator().manual_seed(8))
        with pytest.raises(ValueError, match="NaN"):
            solver(torch.full_like(theta, torch.nan))
        assert (solver.clamped, solver.seen) == (0, 0)
        solver(theta)
        assert (solver.clamped, solver.seen) == (int((theta > -1e-4).sum()), theta.numel())


# Run apart, since a walk that never ends cannot be stopped.
ENDLESS = """
import torch
from imle_core.solvers import GridPath
nan = float("nan")
for costs, dtype, floor in {problems}:
    costs = torch.tensor(costs, dtype=getattr(torch, dtype)).view(1, 4, 1).expand(16, 4, 1)
    try:
        print(GridPath(start=(3, 0), goal=(0, 0), floor=floor)(-costs).sum().item())
    except ValueError as error:
        print(error)
"""


@pytest.mark.process
class TestWalksEnd:
    """Also along tiles of no scaled cost, each of which has the smallest label beside the other."""

    def printed(self, *problems):
        done = warm.run("-c", ENDLESS.format(problems=problems))
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def test_with_nan_between_costs_that_scale_the_floor_to_nothing(self):
        nan = "theta: got 32 NaN; a grid path needs numbers; use -inf for a wall"
        costs = [2.0**33, math.nan, math.nan, 2.0**33]
        assert self.printed((costs, "float32", 1e-4), (costs, "float64", 1e-4)) == [nan, nan]

    def test_with_costs_that_scaling_takes_below_the_smallest_number(self):
        narrow = ([2.0**120, 2.0**-60, 2.0**-61, 2.0**120], "float32", 1e-20)
        wide = ([2.0**128, 1e-299, 0.0, 2.0**128], "float64", 1e-300)
        assert self.printed(narrow, wide) == ["64.0", "64.0"]


def problem(costs, dtype=np.float64, moves=EIGHT, floor=1e-4):
    """What the kernels are given for costs ``(N, H, W)`` between opposite corners, and the masks of networkx."""
    height, width = costs.shape[1:]
    grid = make_grid((height, width), (0, 0), (height - 1, width - 1), moves, floor, 1e290)
    rows = np.ascontiguousarray(-costs.reshape(len(costs), -1).astype(dtype))
    maps = make_maps(rows, None, 0.0, floor, 1e290)
    solver = GridPath(moves=len(moves), floor=floor, engine="networkx")
    return maps, grid, solver(torch.from_numpy(rows).view(costs.shape)).flatten(1).numpy()


def run(which_kernel, maps, grid, count, which=None):
    which = np.arange(count) if which is None else which
    tiles = grid.height * grid.width
    masks, left = np.zeros((count, tiles), np.uint8), np.full(len(which), -1)
    order, path, scale = planned(maps, grid, which[:16])
    space = kernel.make_lanes_space(grid, maps.theta.dtype, scaled=which_kernel is kernel.scaled_paths)
    if which_kernel is kernel.scaled_paths:
        number, _, *counts = kernel.scaled_paths(
            maps, grid, which, masks, order, path, scale, space, left, np.zeros(1, np.int64), 0, TUNING.lanes
        )
    else:
        number, counts = kernel.exact_paths(maps, grid, which, masks, order, space, left, TUNING.lanes), None
    return masks, left[:number], counts


def planned(maps, grid, examples):
    tiles = grid.height * grid.width
    order, path = np.full(tiles - 1, -1, np.int32), np.empty(tiles, np.int64)
    memory = np.empty(numbers_needed(grid, TUNING.buckets))
    length, bound = plan_visits(maps, grid, examples, order, path, memory, TUNING.buckets)
    return order, path[:length], kernel.scale_for(bound, TUNING.lanes)


BOTH = pytest.mark.parametrize("which_kernel", [kernel.scaled_paths, kernel.exact_paths], ids=["scaled", "exact"])


class TestKernels:
    @pytest.mark.slow
    @BOTH
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["four", "eight"])
    def test_what_is_not_left_is_right_and_what_is_left_is_zeros(self, which_kernel, kind, moves):
        costs = kind(np.random.default_rng(9), (21, 4, 7))
        maps, grid, expected = problem(costs, moves=moves)
        masks, left, _ = run(which_kernel, maps, grid, 21)
        assert (np.diff(left) > 0).all()
        assert not masks[left].any()
        done = np.setdiff1d(np.arange(21), left)
        np.testing.assert_array_equal(masks[done], expected[done])

    @pytest.mark.parametrize(("taken", "spared", "expected"), [(0, 0, (0, 100)), (0, LANES, (0, 96)), (64, 0, (64, 100))])
    def test_maps_that_others_have_taken_or_are_to_take_are_not_touched(self, taken, spared, expected):
        maps, grid, solved = problem(ties(np.random.default_rng(20), (100, 3, 4)))
        masks, left, counter = np.full((100, 12), 9, np.uint8), np.full(100, -1), np.array([taken])
        space = kernel.make_lanes_space(grid, maps.theta.dtype, scaled=True)
        which = np.arange(100)
        plan = planned(maps, grid, which[:8])
        found = kernel.scaled_paths(maps, grid, which, masks, *plan, space, left, counter, spared, TUNING.lanes)
        first, last = expected
        assert found == (0, 0, 0, 0, (last - first) * 12)
        np.testing.assert_array_equal(masks[first:last], solved[first:last])
        assert (np.delete(masks, np.arange(first, last), axis=0) == 9).all()
        assert counter[0] >= last

    @BOTH
    def test_only_the_maps_that_are_asked_for_are_touched(self, which_kernel):
        maps, grid, expected = problem(ties(np.random.default_rng(10), (40, 4, 5)))
        which = np.array([1, 2, 5, 7, 8, 20, 21, 22, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39])
        masks, left, _ = run(which_kernel, maps, grid, 40, which)
        assert len(left) == 0
        np.testing.assert_array_equal(masks[which], expected[which])
        assert not masks[np.setdiff1d(np.arange(40), which)].any()

    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["four", "eight"])
    @pytest.mark.parametrize("scale", [1.0, 2.0**-9, 2.0**40, 2.0**-60])
    def test_whole_costs_are_never_left_by_scaled_labels(self, dtype, moves, scale):
        costs = np.random.default_rng(11).integers(1, 6, (50, 6, 7)) * scale
        maps, grid, expected = problem(costs, dtype, moves, floor=1e-4 if scale >= 1 else 2.0**-70)
        masks, left, _ = run(kernel.scaled_paths, maps, grid, 50)
        assert len(left) == 0
        np.testing.assert_array_equal(masks, expected)

    def test_clear_cases_are_mostly_not_left_by_scaled_labels(self):
        maps, grid, _ = problem(continuous(np.random.default_rng(12), (48, 6, 7)), np.float32)
        assert len(run(kernel.scaled_paths, maps, grid, 48)[1]) <= 2

    def test_exact_labels_leave_only_costs_that_are_lost(self):
        rng = np.random.default_rng(13)
        costs = np.concatenate([continuous(rng, (17, 5, 5)), rng.choice([1e-4, 1e17], (17, 5, 5))])
        costs[17:, -1, -1], costs[17:, 3:, -2:] = 1e-4, 1e17
        costs[17:, -1, -1] = 1e-4
        maps, grid, expected = problem(costs)
        masks, left, _ = run(kernel.exact_paths, maps, grid, 34)
        assert left.tolist() == list(range(17, 34))
        np.testing.assert_array_equal(masks[:17], expected[:17])

    def test_near_ties_are_left_by_scaled_labels_and_decided_by_exact_ones(self):
        costs = np.full((16, 3, 4), np.inf)
        costs[:, 1, [0, 3]] = costs[:, 0, 1:3] = costs[:, 2, 1:3] = 1.1
        costs[:, 2, 1] -= 2.0**-40
        grid = make_grid((3, 4), (1, 0), (1, 3), EIGHT, 1e-4, 1e290)
        maps = make_maps(-costs.reshape(16, 12), None, 0.0, 1e-4, 1e290)
        masks, left, _ = run(kernel.scaled_paths, maps, grid, 16)
        assert len(left) == 16
        masks, left, _ = run(kernel.exact_paths, maps, grid, 16)
        assert len(left) == 0
        assert (masks.reshape(16, 3, 4)[:, 2, 1:3] == 1).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("kind", [clamped, mixed, near_ties_in_float64], ids=lambda kind: kind.__name__)
    def test_counts_are_those_of_numpy_also_after_the_kernel_gave_up(self, dtype, kind):
        rng = np.random.default_rng(14)
        with np.errstate(over="ignore"):
            costs = kind(rng, (90, 4, 5)).astype(dtype)
        costs = np.where(rng.random(costs.shape) < 0.1, dtype(np.inf), costs)
        costs[:, 0, 0] = costs[:, -1, -1] = 1
        costs[70, 1, 1:3] = np.nan
        grid = make_grid((4, 5), (0, 0), (3, 4), EIGHT, 1e-4, 1e290)
        maps = make_maps(-costs.reshape(90, 20), None, 0.0, 1e-4, 1e290)
        _, _, (nans, low, passable) = run(kernel.scaled_paths, maps, grid, 90)
        wide = costs.astype(np.float64)
        assert nans == 2
        assert low == ((wide < 1e-4) | ((wide > 1e290) & (wide < np.inf))).sum()
        assert passable == (wide != np.inf).sum()

    def test_no_path_is_left_to_others(self):
        costs = ties(np.random.default_rng(15), (20, 4, 5)).astype(np.float64)
        grid = make_grid((4, 5), (0, 0), (3, 4), EIGHT, 1e-4, 1e290)
        costs[[4, 18], :, 2] = np.inf
        maps = make_maps(-costs.reshape(20, 20), None, 0.0, 1e-4, 1e290)
        for which_kernel in (kernel.scaled_paths, kernel.exact_paths):
            masks, left, _ = run(which_kernel, maps, grid, 20)
            assert left.tolist() == [4, 18]
            assert not masks[left].any()


class TestPlan:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_every_place_but_the_start_is_visited_once_and_the_path_leads_to_the_goal(self, shape):
        costs = continuous(np.random.default_rng(16), (7, *shape))
        grid = make_grid(shape, (0, 0), (shape[0] - 1, shape[1] - 1), EIGHT, 1e-4, 1e290)
        maps = make_maps(-costs.reshape(7, -1), None, 0.0, 1e-4, 1e290)
        order, path, _ = planned(maps, grid, np.arange(7))
        places = [(row + 1) * (shape[1] + 2) + column + 1 for row in range(shape[0]) for column in range(shape[1])]
        assert sorted(order.tolist()) == sorted(set(places) - {grid.start})
        mask = GridPath()(torch.from_numpy(-costs.mean(0)[None]))[0].flatten()
        assert sorted(path.tolist()) == [places[tile] for tile in mask.nonzero().flatten().tolist()][1:]


class TestLongWalks:
    """Walks longer than that of the mean map, as in mazes whose walls differ."""

    @staticmethod
    def mazes(rng, count, side=13):
        """Costs ``(count, side, side)``: corridors from side to side, with a gap at either end of each wall by chance."""
        costs = rng.uniform(1, 2, (count, side, side))
        for row in range(1, side, 2):
            costs[:, row, :] = np.inf
            right = (row // 2 % 2 == 0) ^ (rng.random(count) < 0.2)
            costs[np.arange(count), row, np.where(right, side - 1, 0)] = 1.5
        return costs

    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("moves", [4, 8])
    def test_they_are_right(self, dtype, moves):
        assert_as_networkx(as_theta(self.mazes(np.random.default_rng(18), 150), dtype), moves=moves)

    @pytest.mark.slow
    def test_scaled_labels_decide_them_once_the_first_maps_were_left(self):
        maps, grid, expected = problem(self.mazes(np.random.default_rng(19), 200))
        masks, left, _ = run(kernel.scaled_paths, maps, grid, 200)
        assert 0 < len(left) <= 40
        assert left.max() < 40
        done = np.setdiff1d(np.arange(200), left)
        np.testing.assert_array_equal(masks[done], expected[done])

    def test_whole_costs_allow_walks_of_any_length(self):
        costs = np.ceil(self.mazes(np.random.default_rng(20), 64, side=7))
        maps, grid, expected = problem(costs)
        masks, left, _ = run(kernel.scaled_paths, maps, grid, 64)
        assert len(left) == 0
        np.testing.assert_array_equal(masks, expected)


@pytest.mark.parametrize(("moves", "most"), [(FOUR, 3), (EIGHT, 2)])
def test_slack_is_at_most_what_a_path_can_have_and_what_a_walk_may(moves, most):
    grid = make_grid((3, 5), (0, 0), (2, 4), moves, 0.25, 1e290)
    counts, slack = np.zeros(3 * LANES, np.uint32), np.zeros(LANES, np.uint32)
    counts[:3] = 4, 5, 15
    assert kernel._limit_slack(counts, 5, grid, slack) == 5
    assert slack[:4].tolist() == [4, 5, 5, 0]
    assert kernel._limit_slack(counts, 99, grid, slack) == (6 * most if most == 2 else 15)
    assert slack[:4].tolist() == [4, 5, min(15, 6 * most), 0]
    counts[2] = 5
    assert kernel._limit_slack(counts, 5, grid, slack) == 15
    assert slack[:4].tolist() == [4, 5, 5, 0]
