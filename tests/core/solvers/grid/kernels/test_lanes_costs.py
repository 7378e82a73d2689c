"""Costs side by side: against numpy, map by map."""

import numpy as np
import pytest

from imle_core.kernels.vectors import LANES
from imle_core.solvers.grid.kernels import lanes_costs as kernel
from imle_core.solvers.grid.kernels.maps import make_grid, make_maps

EIGHT = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SHAPES = pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 16), (4, 17), (3, 40)])


def make(costs, floor=1e-4, eps=None, temperature=0.0):
    """The maps and the grid of costs ``(N, H, W)``, between opposite corners."""
    height, width = costs.shape[1:]
    rows = np.ascontiguousarray(-costs.reshape(len(costs), -1))
    grid = make_grid((height, width), (0, 0), (height - 1, width - 1), EIGHT, floor, 1e290)
    return make_maps(rows, eps, temperature, floor, 1e290), grid


def by_map(entering, grid):
    """Costs side by side as ``(LANES, H, W)``."""
    places = entering.reshape(grid.height + 2, grid.width + 2, LANES)
    return np.moveaxis(places[1:-1, 1:-1], -1, 0)


def scaled(maps, grid, scale, which=None):
    which = np.arange(LANES) if which is None else which
    space = kernel.make_costs(grid, maps.theta.dtype, scaled=True)
    found = kernel.read_scaled(maps, grid, which, 0, len(which), scale, space)
    return by_map(space.entering, grid), space.counts[:LANES], found


class TestScaled:
    @DTYPES
    @SHAPES
    def test_costs_are_multiplied_and_cut_and_the_cut_ones_counted(self, dtype, shape):
        costs = np.random.default_rng(1).uniform(0.5, 9, (LANES, *shape)).astype(dtype)
        costs[::3] = np.round(costs[::3] * 4) / 4
        whole, cut, found = scaled(*make(costs), 4.0)
        np.testing.assert_array_equal(whole, np.floor(costs * 4))
        np.testing.assert_array_equal(cut, (costs * 4 != np.floor(costs * 4)).sum((1, 2)))
        assert found == (0, 0, costs.size)
        assert (cut[::3] == 0).all()

    @DTYPES
    def test_what_is_outside_the_domain_or_the_numbers(self, dtype):
        row = np.array([1, 2, 3.5, 4.25, 100, 0.25, 0, -7, -np.inf, 0.125, 1.0625, np.inf, 3e30, 1, 1], dtype)
        maps, grid = make(np.broadcast_to(row.reshape(1, 3, 5), (LANES, 3, 5)), floor=0.25)
        whole, cut, found = scaled(maps, grid, 4.0)
        least = [4, 8, 14, 17, 400, 1, 1, 1, 1, 1, 4, 2**31 - 128, 2**31 - 128, 4, 4]
        np.testing.assert_array_equal(whole, np.broadcast_to(np.reshape(least, (3, 5)), whole.shape))
        assert (cut == 1).all()
        assert found == (0, 4 * LANES, 14 * LANES)
        # With a unit of a half the floor is cut, too: 4.25, 1.0625, the floor itself and the four clamped to it count.
        whole, cut, _ = scaled(maps, grid, 2.0)
        assert whole[0].ravel()[:5].tolist() == [2, 4, 7, 8, 200]
        assert (cut >= 7).all()

    @DTYPES
    def test_a_floor_that_is_cut_counts_wherever_costs_are_clamped_to_it(self, dtype):
        whole, cut, found = scaled(*make(np.zeros((LANES, 1, 2), dtype), floor=0.75), 2.0)
        assert (whole == 1).all()
        assert (cut == 2).all()
        assert found == (0, 2 * LANES, 2 * LANES)

    @DTYPES
    def test_costs_that_scaling_makes_nothing_of_are_cut(self, dtype):
        costs = np.broadcast_to(np.array([[[1e-20, 3e-20, 2.0**40]]], dtype), (LANES, 1, 3))
        whole, cut, found = scaled(*make(costs, floor=1e-30), 2.0**-100)
        assert not whole.any()
        assert (cut == 3).all()
        assert found == (0, 0, 3 * LANES)

    @DTYPES
    def test_nan_and_walls_are_counted_only_in_maps_that_are_asked_for(self, dtype):
        costs = np.ones((40, 2, 3), dtype)
        costs[[3, 7], 1, 1], costs[7, 0, 0], costs[9, 1, 2], costs[39] = np.nan, np.inf, -3.0, np.nan
        maps, grid = make(costs)
        assert scaled(maps, grid, 1.0, np.arange(5))[2] == (1, 0, 30)
        assert scaled(maps, grid, 1.0, np.array([7, 9]))[2] == (1, 1, 11)
        assert scaled(maps, grid, 1.0, np.array([1]))[2] == (0, 0, 6)
        assert scaled(maps, grid, 1.0, np.array([39]))[2] == (6, 0, 6)

    @DTYPES
    def test_lanes_without_a_map_have_the_last_one(self, dtype):
        costs = np.arange(1, 6, dtype=dtype).reshape(5, 1, 1)
        whole, _, _ = scaled(*make(costs), 1.0, np.array([4, 0, 2]))
        assert whole.ravel().tolist() == [5, 1, *[3] * (LANES - 2)]

    @DTYPES
    def test_noise_is_added_as_numpy_adds_it(self, dtype):
        rng = np.random.default_rng(2)
        costs, eps = rng.uniform(3, 9, (6, 4, 5)).astype(dtype), rng.normal(size=(6 * 7, 20)).astype(dtype)
        maps, grid = make(costs, eps=eps, temperature=0.7)
        which = np.array([0, 6, 7, 20, 41])
        whole, _, _ = scaled(maps, grid, 2.0**20, which)
        perturbed = -(maps.theta[which // 7] + dtype(0.7) * eps[which])
        inside = np.maximum(perturbed.reshape(5, 4, 5), maps.floor)
        np.testing.assert_array_equal(whole[:5], np.floor(inside.astype(np.float64) * 2.0**20))


class TestExact:
    @DTYPES
    @SHAPES
    def test_costs_are_clamped_in_float64_and_walls_stay(self, dtype, shape):
        rng = np.random.default_rng(3)
        costs = rng.choice([-np.inf, -1.0, 0.0, 0.05, 0.1, 0.3, 7.7, np.inf], (LANES, *shape)).astype(dtype)
        maps, grid = make(costs, floor=0.1)
        space = kernel.make_costs(grid, maps.theta.dtype, scaled=False)
        kernel.read_exact(maps, grid, np.arange(LANES), 0, LANES, space)
        expected = np.where(costs == np.inf, np.inf, np.maximum(costs.astype(np.float64), 0.1))
        np.testing.assert_array_equal(by_map(space.entering, grid), expected)

    def test_float64_is_clamped_from_above_too(self):
        maps, grid = make(np.full((LANES, 1, 1), 1e300))
        space = kernel.make_costs(grid, maps.theta.dtype, scaled=False)
        kernel.read_exact(maps, grid, np.arange(LANES), 0, LANES, space)
        assert (by_map(space.entering, grid) == 1e290).all()


class TestOneCost:
    @DTYPES
    @pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
    @pytest.mark.parametrize("noisy", [False, True])
    def test_it_is_that_of_the_map_that_was_read_clamped_in_float64(self, dtype, shape, noisy):
        rng = np.random.default_rng(4)
        costs = rng.choice([-1.0, 0.05, 0.1, 7.7], (6, *shape)).astype(dtype)
        eps = rng.normal(size=(12, costs[0].size)).astype(dtype) if noisy else None
        maps, grid = make(costs, 0.1, eps, 0.5)
        which = np.array([1, 4, 5])
        space = kernel.make_costs(grid, maps.theta.dtype, scaled=True)
        kernel.read_scaled(maps, grid, which, 0, 3, 1.0, space)
        given = -(maps.theta[which // 2] + dtype(0.5) * eps[which]) if noisy else -maps.theta[which]
        expected = np.maximum(given.astype(np.float64), 0.1)
        found = [[kernel.cost_of(maps, space, lane, tile, grid) for tile in range(costs[0].size)] for lane in range(3)]
        np.testing.assert_array_equal(found, expected)
