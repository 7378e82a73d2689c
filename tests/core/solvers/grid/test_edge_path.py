"""Paths over edges of a grid: the stated order, every path, ties, senses, refusals."""

from itertools import combinations

import pytest
import torch

from draws import normal
from imle_core import ArgumentError, imle
from imle_core.solvers import GridEdgePath
from reference import CASES


def all_paths(grid):
    """Masks of every path, from the steps at which it goes down."""
    (height, width), solver = grid, GridEdgePath(grid)
    steps, masks = height + width - 2, []
    for downs in combinations(range(steps), height - 1):
        node, mask = (0, 0), torch.zeros(len(solver.edges))
        for step in range(steps):
            after = (node[0] + 1, node[1]) if step in downs else (node[0], node[1] + 1)
            mask[solver.edges.index((node, after))] = 1
            node = after
        masks.append(mask)
    return torch.stack(masks)


def test_the_order_of_edges_is_the_peers():
    solver = GridEdgePath((4, 4))
    assert [[4 * u[0] + u[1], 4 * v[0] + v[1]] for u, v in solver.edges] == CASES["path/arcs"].tolist()
    assert {tuple(mask) for mask in all_paths((4, 4)).tolist()} == {tuple(mask) for mask in CASES["path/vertices"].tolist()}


@pytest.mark.parametrize("grid", [(1, 2), (2, 1), (1, 4), (3, 1), (2, 2), (3, 4), (4, 2)])
def test_the_best_of_all_paths_by_gains_of_either_sign(grid):
    solver, paths = GridEdgePath(grid), all_paths(grid)
    theta = normal(20, len(solver.edges), seed=sum(grid)).double()
    best = paths[(theta @ paths.double().T).argmax(dim=1)].double()
    assert torch.equal(solver(theta), best)
    assert torch.equal(imle(solver, sense="min")(-theta), best)
    assert solver.typical_ones((len(solver.edges),)) == best.sum(dim=1).unique().item()


def test_ties_go_up_from_the_goal_first():
    solver = GridEdgePath((3, 3))
    (mask,) = solver(torch.zeros(1, 12))
    assert solver.path_nodes(mask) == [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2)]


def test_an_edge_that_is_never_taken_and_none_that_is_left():
    solver = GridEdgePath((2, 2))
    theta = torch.tensor([[5.0, 1.0, -torch.inf, 1.0]])
    assert solver(theta).tolist() == [[0.0, 1.0, 0.0, 1.0]]
    with pytest.raises(ArgumentError, match=r"^theta: got edges of -inf that separate the corners in row 1; a path leads"):
        solver(torch.tensor([[1.0] * 4, [-torch.inf, -torch.inf, 1.0, 1.0]]))


@pytest.mark.parametrize("grid", [(1, 1), (0, 3), 5, (2, 2.5), (2, 2, 2)])
def test_no_grid(grid):
    with pytest.raises(ArgumentError, match=r"^grid: got "):
        GridEdgePath(grid)


def test_other_parameters():
    solver = GridEdgePath((2, 2))
    with pytest.raises(ArgumentError, match=r"^theta: got shape \(1, 5\); a grid of 2 x 2 nodes needs \(N, 4\)"):
        solver(torch.zeros(1, 5))
    for bad in (torch.nan, torch.inf):
        with pytest.raises(ArgumentError, match=r"^theta: got [01] NaN and [01] inf; gains must be finite"):
            solver(torch.tensor([[bad, 0.0, 0.0, 0.0]]))


def test_a_huge_grid_costs_nothing_until_it_is_solved():
    solver = GridEdgePath((10**9, 10**9))
    with pytest.raises(ArgumentError, match=r"^theta: got shape \(1, 5\); a grid of 1000000000 x 1000000000 nodes needs"):
        solver(torch.zeros(1, 5))
