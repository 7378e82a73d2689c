"""Walks back over grids side by side, on ways that are made by hand, and their masks."""

import numpy as np
import pytest

from imle_core.kernels.vectors import LANES
from imle_core.solvers.grid.kernels import lanes_walks as kernel
from imle_core.solvers.grid.kernels.maps import make_grid

EIGHT = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
FOUR = ((-1, 0), (0, -1), (0, 1), (1, 0))
ALL = 2**LANES - 1


def monotone_paths(rng, grid, moves):
    """For each lane a path from start to goal by steps right and down, as tiles, and the ways that lead back along it."""
    paths, ways = [], np.zeros(((grid.height + 2) * (grid.width + 2), LANES), np.uint8)
    for lane in range(LANES):
        steps = rng.permutation([(0, 1)] * (grid.width - 1) + [(1, 0)] * (grid.height - 1))
        tiles = np.concatenate([[(0, 0)], np.cumsum(steps, axis=0)]).astype(int) if len(steps) else np.zeros((1, 2), int)
        for (down, right), (row, column) in zip(steps, tiles[1:], strict=True):
            ways[(row + 1) * (grid.width + 2) + column + 1, lane] = 1 << moves.index((-down, -right))
        paths.append(tiles)
    return paths, ways


def prepared(shape, moves, seed=0):
    grid = make_grid(shape, (0, 0), (shape[0] - 1, shape[1] - 1), moves, 1e-4, 1e290)
    walks = kernel.make_walks(grid)
    paths, ways = monotone_paths(np.random.default_rng(seed), grid, moves)
    walks.ways[:] = ways.ravel()
    return grid, walks, paths


def expected_masks(grid, paths):
    masks = np.zeros((LANES, grid.height, grid.width))
    for mask, tiles in zip(masks, paths, strict=True):
        mask[tuple(tiles.T)] = 1
    return masks.reshape(LANES, -1)


MOVES = pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["four", "eight"])


@MOVES
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (4, 8), (5, 7), (9, 11)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_masks_are_of_the_tiles_that_ways_lead_over(moves, shape, dtype):
    grid, walks, paths = prepared(shape, moves)
    assert kernel.walk(walks, grid, ALL, shape[0] * shape[1]) == ALL
    masks = np.full((LANES + 3, shape[0] * shape[1]), 9, dtype)
    which = np.random.default_rng(1).permutation(LANES + 3)[:LANES]
    kernel.write_masks(walks, grid, which, 0, LANES, masks)
    np.testing.assert_array_equal(masks[which], expected_masks(grid, paths))
    assert (masks[np.setdiff1d(np.arange(LANES + 3), which)] == 9).all()


@MOVES
def test_only_maps_that_are_asked_for_are_written(moves):
    grid, walks, paths = prepared((5, 7), moves)
    kernel.walk(walks, grid, ALL, 35)
    masks = np.full((8, 35), 9, np.float32)
    kernel.write_masks(walks, grid, np.array([6, 7, 2, 3, 4]), 2, 3, masks)
    np.testing.assert_array_equal(masks[[2, 3, 4]], expected_masks(grid, paths)[:3])
    assert (masks[[0, 1, 5, 6, 7]] == 9).all()


@MOVES
def test_lanes_that_are_not_reached_do_not_walk_and_are_not_at_the_start(moves):
    grid, walks, _ = prepared((4, 6), moves)
    reached = 0b1011 | 1 << (LANES - 1)
    assert kernel.walk(walks, grid, reached, 24) == reached
    passed = walks.passed.reshape(-1, LANES).sum(0)
    assert [lane for lane in range(LANES) if passed[lane] > 1] == [0, 1, 3, LANES - 1]


@MOVES
def test_a_walk_without_a_way_or_with_too_many_steps_ends_before_the_start(moves):
    grid, walks, paths = prepared((4, 6), moves)
    row, column = paths[5][3]
    walks.ways[((row + 1) * 8 + column + 1) * LANES + 5] = 0
    assert kernel.walk(walks, grid, ALL, 8) == ALL ^ 1 << 5
    assert kernel.walk(walks, grid, ALL, 7) == 0


def test_of_several_ways_the_first_is_taken():
    grid, walks, _ = prepared((2, 2), EIGHT)
    walks.ways[:] = 0
    goal = walks.ways[grid.goal * LANES : (grid.goal + 1) * LANES]
    goal[0], goal[1] = 0b1010, 0b1001  # up before left, and up left before left
    walks.ways[(grid.goal - 4) * LANES] = 0b1000
    assert kernel.walk(walks, grid, 0b11, 4) == 0b11
    masks = np.zeros((2, 4), np.uint8)
    kernel.write_masks(walks, grid, np.arange(2), 0, 2, masks)
    assert masks.tolist() == [[1, 1, 0, 1], [1, 0, 0, 1]]
