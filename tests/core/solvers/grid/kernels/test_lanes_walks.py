"""Walks back over grids side by side, against walks in Python over the same labels, and their masks."""

import numpy as np
import pytest

from imle_core.kernels.vectors import LANES, lanes_of
from imle_core.solvers.grid.kernels import lanes_walks as kernel
from imle_core.solvers.grid.kernels.lanes_costs import CAPACITY
from imle_core.solvers.grid.kernels.maps import make_grid

EIGHT = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
FOUR = ((-1, 0), (0, -1), (0, 1), (1, 0))
ALL = 2**LANES - 1


class Problem:
    """Labels of LANES maps of random costs; all are final."""

    def __init__(self, shape, moves, costs):
        height, width = shape
        self.grid = make_grid(shape, (0, 0), (height - 1, width - 1), moves, 1e-4, 1e290)
        self.walks, self.steps = kernel.make_walks(self.grid), self.grid.steps
        positions = (height + 2) * (width + 2)
        self.inside = (np.arange(height)[:, None] + 1) * (width + 2) + np.arange(width) + 1
        self.costs, self.labels = lanes_of(positions, costs.dtype), lanes_of(positions, costs.dtype)
        self.costs.reshape(positions, LANES)[self.inside.ravel()] = costs.reshape(-1, LANES)
        self.labels[:] = CAPACITY
        self.of_position = self.labels.reshape(positions, LANES)
        self.of_position[self.grid.start] = 0
        self.settle()

    def settle(self):
        before = None
        while before is None or (before != self.labels).any():
            before = self.labels.copy()
            for position in self.inside.ravel():
                if position != self.grid.start:
                    entering = self.costs.reshape(self.of_position.shape)[position]
                    lowest = self.of_position[position + self.steps].min(axis=0) + entering
                    self.of_position[position] = np.minimum(self.of_position[position], lowest)

    def tiles(self, lane, margin):
        """Positions from the goal on, each time the smallest label's; they end where another one is too near."""
        position, passed = self.grid.goal, [self.grid.goal]
        while position != self.grid.start:
            labels = self.of_position[position + self.steps, lane]
            near = np.flatnonzero(labels < labels.min() + margin)
            if len(near) > 1 and margin > 1:
                break
            position += self.steps[near[0]]
            passed.append(position)
        return passed

    def mask(self, passed):
        return np.isin(self.inside, passed).astype(float).ravel()


def margins(number):
    vector = lanes_of(1, np.uint32)
    vector[:] = number
    return vector


def scaled(shape, moves, seed=0):
    return Problem(shape, moves, np.random.default_rng(seed).integers(50, 99, (*shape, LANES)).astype(np.uint32))


MOVES = pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["four", "eight"])


@pytest.mark.slow
@MOVES
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (4, 8), (5, 7), (9, 11)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_masks_are_of_the_tiles_that_labels_lead_over(moves, shape, dtype):
    problem, tiles = scaled(shape, moves), shape[0] * shape[1]
    assert kernel.walk_scaled(problem.labels, margins(1), problem.walks, problem.grid, ALL, tiles) == ALL
    masks = np.full((LANES + 3, tiles), 9, dtype)
    which = np.random.default_rng(1).permutation(LANES + 3)[:LANES]
    kernel.write_masks(problem.walks, problem.grid, which, 0, LANES, masks)
    np.testing.assert_array_equal(masks[which], [problem.mask(problem.tiles(lane, 1)) for lane in range(LANES)])
    assert (masks[np.setdiff1d(np.arange(LANES + 3), which)] == 9).all()


@MOVES
def test_only_maps_that_are_asked_for_are_written(moves):
    problem = scaled((5, 7), moves)
    kernel.walk_scaled(problem.labels, margins(1), problem.walks, problem.grid, ALL, 35)
    masks = np.full((8, 35), 9, np.float32)
    kernel.write_masks(problem.walks, problem.grid, np.array([6, 7, 2, 3, 4]), 2, 3, masks)
    np.testing.assert_array_equal(masks[[2, 3, 4]], [problem.mask(problem.tiles(lane, 1)) for lane in range(3)])
    assert (masks[[0, 1, 5, 6, 7]] == 9).all()


@MOVES
def test_lanes_that_are_not_reached_do_not_walk_and_are_not_at_the_start(moves):
    problem, reached = scaled((4, 6), moves), 0b1011 | 1 << (LANES - 1)
    assert kernel.walk_scaled(problem.labels, margins(1), problem.walks, problem.grid, reached, 24) == reached
    passed = problem.walks.passed.reshape(-1, LANES).sum(0)
    assert [lane for lane in range(LANES) if passed[lane] > 1] == [0, 1, 3, LANES - 1]


@MOVES
@pytest.mark.parametrize("margin", [2, 5, 20])
def test_a_walk_that_is_not_sure_ends_before_the_start(moves, margin):
    problem = scaled((6, 7), moves)
    ends = [problem.tiles(lane, margin)[-1] for lane in range(LANES)]
    sure = sum(1 << lane for lane in range(LANES) if ends[lane] == problem.grid.start)
    assert kernel.walk_scaled(problem.labels, margins(margin), problem.walks, problem.grid, ALL, 42) == sure
    assert 0 < sure < ALL


@MOVES
def test_a_walk_of_too_many_steps_ends_before_the_start(moves):
    problem = scaled((6, 7), moves)
    steps = [len(problem.tiles(lane, 1)) - 1 for lane in range(LANES)]
    for limit in (max(steps), min(steps), min(steps) - 1):
        arrived = sum(1 << lane for lane in range(LANES) if steps[lane] <= limit)
        assert kernel.walk_scaled(problem.labels, margins(1), problem.walks, problem.grid, ALL, limit) == arrived


@MOVES
def test_of_equal_labels_the_first_is_taken_where_all_are_exact(moves):
    problem = Problem((5, 6), moves, np.ones((5, 6, LANES), np.uint32))
    assert kernel.walk_scaled(problem.labels, margins(1), problem.walks, problem.grid, ALL, 30) == ALL
    passed = problem.walks.passed.reshape(-1, LANES)
    np.testing.assert_array_equal(passed[problem.inside.ravel(), 0], problem.mask(problem.tiles(0, 1)))
    assert kernel.walk_scaled(problem.labels, margins(2), problem.walks, problem.grid, ALL, 30) == 0


@MOVES
@pytest.mark.parametrize("kind", ["real", "ones"])
def test_exact_labels_lead_over_the_first_tile_that_makes_each(moves, kind):
    costs = np.random.default_rng(2).random((6, 7, LANES)) if kind == "real" else np.ones((6, 7, LANES))
    problem = Problem((6, 7), moves, costs)
    entering, labels = problem.costs.reshape(problem.of_position.shape), problem.of_position
    assert kernel.walk_exact(problem.labels, problem.costs, problem.walks, problem.grid, ALL) == ALL
    for lane in range(LANES):
        position, passed = problem.grid.goal, [problem.grid.goal]
        while position != problem.grid.start:
            before = labels[position + problem.steps, lane]
            makes = (before < labels[position, lane]) & (before + entering[position, lane] == labels[position, lane])
            position += problem.steps[makes.argmax()]
            passed.append(position)
        of_lane = problem.walks.passed.reshape(-1, LANES)[problem.inside.ravel(), lane]
        np.testing.assert_array_equal(of_lane, problem.mask(passed))


def test_exact_labels_that_no_tile_makes_end_a_walk():
    problem = Problem((4, 4), EIGHT, np.random.default_rng(3).random((4, 4, LANES)))
    problem.of_position[problem.grid.goal, 3] -= 1e-9
    assert kernel.walk_exact(problem.labels, problem.costs, problem.walks, problem.grid, ALL ^ 1) == ALL ^ 0b1001
