"""Labels by buckets: against relaxation until nothing changes, whatever the costs, and how often tiles are taken up."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import GridPath
from imle_core.solvers.grid.kernels import buckets as kernel
from imle_core.solvers.grid.kernels.maps import make_grid, position_of
from imle_core.solvers.grid.tuning import TUNING

EIGHT = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
FOUR = ((-1, 0), (0, -1), (0, 1), (1, 0))


def uniform(rng, shape):
    return rng.uniform(0.1, 10, shape)


def equal(rng, shape):
    return np.full(shape, rng.choice([0.1, 1.0, 1e-4, 1e16, 5e-324]))


def clamped(rng, shape):
    return np.maximum(rng.normal(size=shape), 1e-4)


def ties(rng, shape):
    return rng.integers(1, 4, shape).astype(float)


def a_few_huge(rng, shape):
    return np.where(rng.random(shape) < 0.05, 1e16, 1e-4)


def half_huge(rng, shape):
    return np.where(rng.random(shape) < 0.5, 1e16 * (1 + rng.random(shape)), 1e-4 * (1 + rng.random(shape)))


def of_twenty_magnitudes(rng, shape):
    return 10 ** rng.uniform(-4, 16, shape)


def largest(rng, shape):
    return rng.choice([1e290, 1e280, 1e-4], shape)


def a_corner_of_another_scale(rng, shape):
    near = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) < sum(shape) / 3
    return np.where(near, 1e-4 * (1 + rng.random(shape)), 1e6 * (1 + rng.random(shape)))


def ever_larger(rng, shape):
    return 10 ** (np.linspace(-4, 16, shape[0])[:, None] + rng.random(shape))


def ever_smaller(rng, shape):
    return ever_larger(rng, shape)[::-1].copy()


KINDS = [uniform, equal, clamped, ties, a_few_huge, half_huge, of_twenty_magnitudes, largest, a_corner_of_another_scale]
KINDS += [ever_larger, ever_smaller]


def make(shape, moves, start=(0, 0), goal=None):
    last = (shape[0] - 1, shape[1] - 1) if goal is None else goal
    return make_grid(shape, start, last, moves, 1e-4, 1e290)


def labelled(costs, grid, last=0):
    """Labels ``(H, W)``, and how often a tile was taken up; what lies beyond the memory stays as it is."""
    needed = kernel.numbers_needed(grid, TUNING.buckets)
    memory = np.full(needed + 8, 7.0)
    space = kernel.make_buckets_space(memory[:needed], grid, TUNING.buckets)
    space.costs[:] = np.pad(costs, 1, constant_values=np.inf).ravel()
    taken = kernel.label(space, grid, np.int64(last), TUNING.buckets)
    assert (memory[needed:] == 7.0).all()
    assert np.isnan(space.labels[np.isinf(space.costs)]).all()
    return space.labels.reshape(grid.height + 2, -1)[1:-1, 1:-1], taken


def relaxed(costs, moves, start):
    """Labels by relaxation until nothing changes; NaN in walls."""
    height, width = costs.shape
    labels, before = np.full((height + 2, width + 2), np.inf), None
    labels[1 + start[0], 1 + start[1]] = 0.0
    while before is None or not np.array_equal(before, labels):
        before = labels.copy()
        for down, right in moves:
            around = labels[1 + down : 1 + down + height, 1 + right : 1 + right + width]
            labels[1:-1, 1:-1] = np.minimum(labels[1:-1, 1:-1], around + costs)
    return np.where(np.isinf(costs), np.nan, labels[1:-1, 1:-1])


@pytest.mark.parametrize("moves", [EIGHT, FOUR], ids=["8", "4"])
@pytest.mark.parametrize("kind", KINDS)
class TestLabels:
    @pytest.mark.slow
    @settings(max_examples=20, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
        walls=st.sampled_from([0.0, 0.2]),
    )
    def test_they_are_those_of_relaxation(self, kind, moves, seed, shape, walls):
        rng = np.random.default_rng(seed)
        costs, start, goal = kind(rng, shape), *((int(rng.integers(shape[0])), int(rng.integers(shape[1]))) for _ in "ab")
        costs[rng.random(shape) < walls] = np.inf
        costs[start], costs[goal] = 1.0, 2.0
        grid, expected = make(shape, moves, start, goal), relaxed(costs, moves, start)
        np.testing.assert_array_equal(labelled(costs, grid)[0], expected)
        labels, bound = labelled(costs, grid, grid.goal)[0], expected[goal]
        np.testing.assert_array_equal(labels[expected <= bound], expected[expected <= bound])
        assert not (labels[~(expected <= bound)] <= bound).any()

    @pytest.mark.slow
    def test_tiles_are_taken_up_few_times(self, kind, moves):
        costs = kind(np.random.default_rng(0), (200, 210))
        assert labelled(costs, make(costs.shape, moves))[1] < 2 * costs.size


@pytest.mark.parametrize("moves", [EIGHT, FOUR], ids=["8", "4"])
@pytest.mark.parametrize("side", [16, 60, 200])
def test_with_costs_of_one_scale_hardly_any_tile_is_taken_up_twice(side, moves):
    for seed in range(5):
        costs = uniform(np.random.default_rng(seed), (side, side))
        assert labelled(costs, make(costs.shape, moves))[1] < 1.03 * costs.size


class TestEnds:
    def test_what_is_farther_than_the_goal_is_left(self):
        costs = uniform(np.random.default_rng(0), (200, 200))
        assert labelled(costs, make((200, 200), EIGHT, goal=(60, 60)), 61 * 202 + 61)[1] < 0.3 * costs.size

    @pytest.mark.parametrize("moves", [EIGHT, FOUR], ids=["8", "4"])
    @pytest.mark.parametrize("seed", [1, 4, 6, 9, 12])
    def test_tiles_that_are_late_do_not_make_it_go_on_to_the_end(self, seed, moves):
        costs = np.maximum(1 - np.random.default_rng(seed).gumbel(size=(120, 120)), 1e-4)
        grid = make((120, 120), moves, goal=(60, 60))
        labels = labelled(costs, grid)[0]
        least = (labels <= labels[60, 60]).sum()
        assert labelled(costs, grid, grid.goal)[1] < least + costs.size / 10

    def test_a_map_in_the_memory_of_another(self):
        rng = np.random.default_rng(0)
        grid = make((30, 30), EIGHT)
        memory = np.empty(kernel.numbers_needed(grid, TUNING.buckets))
        space = kernel.make_buckets_space(memory, grid, TUNING.buckets)
        for kind in [*KINDS, *KINDS]:
            costs = kind(rng, (30, 30))
            space.costs[:] = np.pad(costs, 1, constant_values=np.inf).ravel()
            kernel.label(space, grid, position_of(grid, 450), TUNING.buckets)
            kernel.label(space, grid, np.int64(0), TUNING.buckets)
            np.testing.assert_array_equal(space.labels.reshape(32, 32)[1:-1, 1:-1], relaxed(costs, EIGHT, (0, 0)))

    @pytest.mark.slow
    @pytest.mark.parametrize("moves", [8, 4])
    @pytest.mark.parametrize("kind", KINDS)
    def test_paths_on_larger_maps_are_those_of_networkx(self, kind, moves):
        theta = -torch.from_numpy(kind(np.random.default_rng(1), (70, 60)))[None]
        assert torch.equal(GridPath(moves)(theta), GridPath(moves, engine="networkx")(theta))

    @pytest.mark.slow
    @pytest.mark.parametrize("moves", [8, 4])
    @pytest.mark.parametrize("seed", range(5))
    def test_wide_plateaus_of_costs_that_rounding_takes(self, moves, seed):
        costs = np.random.default_rng(seed).choice([1e-4, 1.0, 1e16], (40, 50), p=[0.45, 0.35, 0.2])
        costs[:3, :3] = 1e17
        theta = -torch.from_numpy(costs)[None]
        assert torch.equal(GridPath(moves)(theta), GridPath(moves, engine="networkx")(theta))
