"""Projections on cones."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from draws import normal
from imle_core import ArgumentError
from imle_core.estimators.projections import nearest_in_cone
from imle_core.solvers import GridEdgePath
from reference import CASES


@pytest.mark.parametrize(("kind", "sign"), [("path", -1), ("knapsack", 1)])
def test_points_are_those_of_the_reference(kind, sign):
    theta, normals = (torch.from_numpy(CASES[f"{kind}/{name}"]).double() for name in ("pred", "normals"))
    wanted = torch.from_numpy(CASES[f"{kind}/cave_exact/projection"])
    torch.testing.assert_close(nearest_in_cone(sign * theta, normals), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("generators", [1, 4, 12, 30])
def test_what_is_left_makes_an_obtuse_angle_with_every_generator(generators):
    x, normals = normal(60, 2, 4), normal(60, generators, 2, 4, seed=1)
    normals[:, -1] = -normals[:, 0] if generators > 1 else 0  # a line within the cone
    p = nearest_in_cone(x, normals)
    left = (x - p).flatten(1)
    assert (normals.flatten(2) @ left.unsqueeze(2)).max() < 1e-9
    assert (left * p.flatten(1)).sum(dim=1).abs().max() < 1e-9


@pytest.mark.parametrize("alike", [True, False])
def test_normals_with_their_opposites_span_spaces(alike):
    x, normals = normal(7, 9), normal(7, 12, 9, seed=1)
    normals[:, 2] = normals[:, 0] - normals[:, 1]  # dependent
    normals[:, :2] *= torch.tensor([[1e12], [1e-12]], dtype=torch.float64)  # lengths do not matter
    normals[:, 3:6] = -normals[:, [2, 0, 1]]
    normals[:, 6], normals[:, 7], normals[:, 8] = normals[:, 0] + normals[:, 2], 0.0, -normals[:, 9]
    normals[:, 10:] = normals[:, 9:10]  # one opposite for three
    if alike:
        normals[:, :7] = normals[:1, :7].clone()
        normals[:, 8:] = normals[:1, 8:].clone()
    p, space = nearest_in_cone(x, normals), torch.nn.functional.normalize(normals[:, [0, 1, 9]], dim=2)
    wanted = (space.mT @ torch.linalg.lstsq(space.mT, x.unsqueeze(2)).solution).squeeze(2)
    torch.testing.assert_close(p, wanted)
    torch.testing.assert_close(torch.cat([nearest_in_cone(x[i : i + 1], normals[i : i + 1]) for i in range(7)]), p)


@pytest.mark.parametrize("lines", [0, 3, 7])
def test_points_are_those_of_an_exact_solver(lines):
    x, normals = normal(20, 8), normal(20, 9, 8, seed=1)
    normals[:, 5:7] = normals[:, 3:4]
    normals = torch.cat([normals, -normal(1, 9, 8, seed=1)[:, :lines].expand(20, -1, -1)], dim=1)
    normals[:, :lines] = normal(1, 9, 8, seed=1)[:, :lines]
    wanted = [a.T @ nnls(a.T, row)[0] for a, row in zip(normals.numpy(), x.numpy(), strict=True)]
    torch.testing.assert_close(nearest_in_cone(x, normals), torch.from_numpy(np.stack(wanted)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_margin_moves_the_cone_inside_itself(size):
    solver = GridEdgePath((3, 4))
    x, gold = size * normal(50, 17), solver(normal(50, 17, seed=1))
    normals, lengths = solver.normals(gold), x.norm(dim=1, keepdim=True)
    inwards = torch.nn.functional.normalize((2 * gold - 1), dim=1)  # those of equations are none, with their opposites
    p = nearest_in_cone(x, normals, 0.3)
    moved = 0.3 * lengths * inwards
    torch.testing.assert_close(p, moved + nearest_in_cone(x - moved, normals))
    torch.testing.assert_close(nearest_in_cone(p, normals), p)
    other = solver(p + 0.3 * lengths * normal(50, 17, seed=2).clamp(-0.1, 0.1))
    assert torch.equal(other, gold)  # an edge in which paths differ has more of the margin than is lost
    torch.testing.assert_close(nearest_in_cone(gold * 2 - 1, normals, 0.3), gold * 2 - 1)


def test_points_of_the_cone_stay_and_those_opposite_go_to_its_tip():
    normals = normal(9, 5, 6).abs()
    inside = (normal(9, 5, seed=1).abs().unsqueeze(1) @ normals).squeeze(1)
    torch.testing.assert_close(nearest_in_cone(inside, normals), inside)
    assert torch.equal(nearest_in_cone(-inside, normals), torch.zeros_like(inside))


def test_no_generators_no_points_and_other_shapes():
    assert torch.equal(nearest_in_cone(normal(3, 4), torch.zeros(3, 0, 4)), torch.zeros(3, 4, dtype=torch.float64))
    assert nearest_in_cone(normal(0, 4), torch.zeros(0, 2, 4)).shape == (0, 4)
    with pytest.raises(ArgumentError, match=r"normals: got shape \(3, 2, 5\); it must be \(N, K, \*event\)"):
        nearest_in_cone(normal(3, 4), torch.zeros(3, 2, 5))
