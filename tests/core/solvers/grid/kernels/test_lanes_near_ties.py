"""Paths that only labels in float64 tell apart, a few among clear ones or many: to the tile as networkx."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.kernels.vectors import LANES
from imle_core.solvers import GridPath
from imle_core.solvers.grid.kernels import lanes as lanes_kernel
from imle_core.solvers.grid.kernels.buckets import numbers_needed
from imle_core.solvers.grid.kernels.maps import make_grid, make_maps
from imle_core.solvers.grid.kernels.visit_order import plan_visits
from imle_core.solvers.grid.tuning import TUNING

EIGHT = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
FOUR = ((-1, 0), (0, -1), (0, 1), (1, 0))


def clear(rng, shape):
    return rng.uniform(0.5, 9, shape)


def sums_that_tie_but_for_rounding(rng, shape):
    return rng.choice([0.1, 0.7, 1.3, 2.9], shape)


def almost_ones(rng, shape):
    return 1.1 + rng.integers(-2, 3, shape) * 2.0**-44


def terrain(rng, shape):
    return rng.choice(np.array([0.8, 1.2, 5.3, 7.7, 9.2], np.float32), shape).astype(np.float64)


def mostly_clamped(rng, shape):
    return rng.normal(-0.5, 1, shape)


def lost_by_rounding(rng, shape):
    return rng.choice([1e-4, 1.0, 1e13, 1e17], shape)


KINDS = [sums_that_tie_but_for_rounding, almost_ones, terrain, mostly_clamped, lost_by_rounding]


def solved(costs, dtype, moves, start, goal):
    """The grid, the space, masks and what is left, after scaled labels of costs ``(N, H, W)``."""
    count, height, width = costs.shape
    grid = make_grid((height, width), start, goal, moves, 1e-4, 1e290)
    rows = -costs.reshape(count, -1).astype(dtype)
    maps, which = make_maps(rows, None, 0.0, 1e-4, 1e290), np.arange(count)
    order, path = np.empty(height * width - 1, np.int32), np.empty(height * width, np.int64)
    memory = np.empty(numbers_needed(grid, TUNING.buckets))
    length, bound = plan_visits(maps, grid, which[:8], order, path, memory, TUNING.buckets)
    scale = lanes_kernel.scale_for(bound, TUNING.lanes)
    masks, left = np.full(rows.shape, 9, rows.dtype), np.empty_like(which)
    space = lanes_kernel.make_lanes_space(grid, rows.dtype, scaled=True)
    space.candidates.positions[:] = -1
    number = lanes_kernel.scaled_paths(
        maps, grid, which, masks, order, path[:length], scale, space, left, np.zeros(1, np.int64), 0, TUNING.lanes
    )[0]
    return grid, space, masks, left[:number]


def scaled(costs, dtype, moves, start, goal):
    """Masks and what is left of scaled labels, for costs ``(N, H, W)``, and the masks of networkx."""
    _, _, masks, left = solved(costs, dtype, moves, start, goal)
    reference = GridPath(len(moves), start, goal, engine="networkx")
    theta = torch.from_numpy(-costs.astype(dtype))
    return masks, left, reference(theta).flatten(1).numpy()


class TestFewAmongClearOnes:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @settings(max_examples=15, deadline=None)
    @given(
        st.integers(0, 2**32 - 1),
        st.sampled_from([(1, 1), (1, 9), (3, 3), (4, 4), (5, 6), (8, 8)]),
        st.sampled_from([FOUR, EIGHT]),
        st.sampled_from([np.float32, np.float64]),
    )
    def test_what_is_not_left_is_that_of_networkx(self, kind, seed, shape, moves, dtype):
        rng = np.random.default_rng(seed)
        costs = clear(rng, (LANES, *shape))
        which = rng.choice(LANES, 4, replace=False)
        costs[which] = kind(rng, (4, *shape))
        start, goal = (tuple(int(rng.integers(side)) for side in shape) for _ in range(2))
        masks, left, expected = scaled(costs, dtype, moves, start, goal)
        done = np.setdiff1d(np.arange(LANES), left)
        np.testing.assert_array_equal(masks[done], expected[done])
        assert not masks[left].any()

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", [sums_that_tie_but_for_rounding, terrain, mostly_clamped])
    @pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["four", "eight"])
    def test_most_are_decided(self, kind, moves):
        rng = np.random.default_rng(3)
        costs = clear(rng, (8 * LANES, 6, 6))
        costs[::9] = kind(rng, costs[::9].shape)
        masks, left, expected = scaled(costs, np.float64, moves, (0, 0), (5, 5))
        assert len(left) < len(costs[::9]) / 3
        assert not (left % 9).any()
        np.testing.assert_array_equal(np.delete(masks, left, axis=0), np.delete(expected, left, axis=0))

    def test_a_map_is_left_if_more_tiles_matter_than_a_walk_has(self):
        costs = clear(np.random.default_rng(7), (LANES, 9, 9))
        costs[11] = almost_ones(np.random.default_rng(8), (9, 9))  # with 4 moves all shortest ways tie, or almost
        masks, left, expected = scaled(costs, np.float64, FOUR, (0, 0), (8, 8))
        assert left.tolist() == [11]
        np.testing.assert_array_equal(np.delete(masks, 11, axis=0), np.delete(expected, 11, axis=0))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_candidates_are_never_beside_the_map(self, dtype):
        # Two cheap tiles behind the goal, on the border: labels there are above the goal's, but by less than the slack, and
        # a slack above them is the label of what is outside. Twelve costs of 1.99 are cut to 1 beside a path of 3e8.
        clear_map = np.full((4, 17), np.inf)
        clear_map[2, [0, 1, 14]], clear_map[1, 2:14] = [1, 3e8, 1], 1
        clear_map[3, 2:10], clear_map[3, 10], clear_map[3, 12:14] = 1, 5, 1
        costs = np.repeat(clear_map[None], 8, axis=0)
        costs[0, 1, 2:14] = 1.99
        grid, space, masks, left = solved(costs, dtype, EIGHT, (2, 0), (2, 14))
        found = space.candidates.positions[space.candidates.positions >= 0]
        assert len(found) > 14
        rows, columns = found // (grid.width + 2) - 1, found % (grid.width + 2) - 1
        assert ((rows >= 0) & (rows < 4) & (columns >= 0) & (columns < 17)).all()
        expected = GridPath(8, (2, 0), (2, 14), engine="networkx")(torch.from_numpy(-costs)).flatten(1).numpy()
        np.testing.assert_array_equal(np.delete(masks, left, axis=0), np.delete(expected, left, axis=0))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_no_path_leads_beside_the_map(self, dtype):
        # As above, and round the map there is a way from the start that would be short if one could step over the border.
        clear_map = np.full((20, 5), np.inf)
        clear_map[[0, -1]] = clear_map[:, 0] = clear_map[16:, 4] = clear_map[:11, 4] = 1
        clear_map[1, 3], clear_map[2:14, 2], clear_map[12:14, 4], clear_map[14, 3] = 3e8, 1, 1, 1
        costs = np.repeat(clear_map[None], 8, axis=0)
        costs[0, 2:14, 2] = 1.99
        ends, theta = {"start": (0, 3), "goal": (14, 3)}, torch.from_numpy(-costs).to(dtype)
        assert torch.equal(GridPath(**ends)(theta), GridPath(engine="networkx", **ends)(theta))

    @pytest.mark.parametrize("width", [12, 20, 40])
    @pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.9, 0.95])
    def test_the_whole_slack_is_looked_through(self, width, share):
        # Of two ways behind a dear tile, one has costs of 1.99, which are cut to 1; the other is dearer in whole numbers, by
        # less than what is cut, and all of it in the last tile.
        clear_map = np.full((3, width), np.inf)
        clear_map[0, 2:-1] = clear_map[2, 2:-1] = clear_map[1, 0] = 1
        clear_map[1, 1], clear_map[1, -1] = 3e8, 3 * width
        costs = np.repeat(clear_map[None], 8, axis=0)
        costs[0, 0, 2:-1] = 1.99
        costs[0, 2, -2] += int(share * (width - 3))
        masks, left, expected = scaled(costs, np.float64, EIGHT, (1, 0), (1, width - 1))
        assert len(left) == 0
        np.testing.assert_array_equal(masks, expected)

    def test_a_goal_whose_label_is_almost_too_large_is_left(self):
        rng = np.random.default_rng(0)
        costs = rng.integers(1, 5, (LANES, 6, 7)).astype(float)
        costs[:, :2, :2] = [[1, 5e8], [5e8, 5e8]]
        costs[20] += 0.5  # not one of those whose mean gives the scale
        costs[20, :2, :2] = [[1, 2**31 - 148], [2**31 - 148, 2**31 - 148]]
        _, space, masks, left = solved(costs, np.float64, EIGHT, (0, 0), (5, 6))
        assert left.tolist() == [20]
        assert not masks[20].any()
        assert (space.candidates.positions == -1).all()

    def test_costs_lost_by_rounding_are_left(self):
        costs = 1e17 * clear(np.random.default_rng(4), (LANES, 5, 5))
        costs[5, 2:4, 2:4] = 1e-4
        _, space, masks, left = solved(costs, np.float64, EIGHT, (0, 0), (4, 4))
        assert (space.candidates.positions >= 0).any()
        assert left.tolist() == [5]
        assert not masks[5].any()


class TestMany:
    def test_of_small_maps_none_is_decided(self):
        costs = sums_that_tie_but_for_rounding(np.random.default_rng(5), (LANES, 7, 7))
        _, left, _ = scaled(costs, np.float64, EIGHT, (0, 0), (6, 6))
        assert len(left) > TUNING.lanes.near_tie_maps

    @pytest.mark.slow
    @pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["four", "eight"])
    def test_of_larger_maps_most_are_decided(self, moves):
        costs = terrain(np.random.default_rng(6), (12, 33, 32))
        masks, left, expected = scaled(costs, np.float32, moves, (0, 0), (32, 31))
        done = np.setdiff1d(np.arange(12), left)
        assert len(done) > 6
        np.testing.assert_array_equal(masks[done], expected[done])
