"""Projections on hulls of solutions."""

import pytest
import torch

from draws import normal
from imle_core.estimators.projections import Face, nearest_in_hull
from imle_core.solvers import GridEdgePath, TopK
from reference import CASES


def solver_of(states):
    return lambda theta: states[(theta @ states.T).argmax(dim=1)]


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize(("kind", "sign"), [("path", -1), ("knapsack", 1)])
def test_points_and_derivatives_are_those_of_the_reference(kind, sign, scale):
    states, theta = (torch.from_numpy(CASES[f"{kind}/{name}"]) for name in ("vertices", "pred"))
    face = nearest_in_hull(solver_of(states.double()), sign * theta / scale)
    case = f"{kind}/frank_wolfe_{scale}"
    torch.testing.assert_close(face.point, torch.from_numpy(CASES[f"{case}/exact"]), rtol=0, atol=1e-6)
    along = sign * face.along(torch.from_numpy(CASES[f"{kind}/upstream"])) / scale
    torch.testing.assert_close(along.float(), torch.from_numpy(CASES[f"{case}/vjp"]), rtol=0, atol=1e-3)
    assert face.gap.max() < 1e-9


def test_the_gap_certifies_the_optimum():
    solver, x = GridEdgePath((5, 5)), normal(40, 40)
    for rounds in (1, 3, 1000):
        face = nearest_in_hull(solver, x, rounds=rounds)
        exact = nearest_in_hull(solver, x, tolerance=0.0)
        above = ((face.point - x).square() - (exact.point - x).square()).sum(dim=1) / 2
        assert (above <= face.gap + 1e-9).all()
        assert (above >= -1e-9).all()
    assert above.max() < 1e-6
    assert exact.rounds < 60


def test_it_is_the_combination_of_its_face():
    face = nearest_in_hull(TopK(3), normal(20, 8))
    torch.testing.assert_close((face.weights.unsqueeze(2) * face.vertices).sum(dim=1), face.point)
    torch.testing.assert_close(face.weights.sum(dim=1), torch.ones(20, dtype=torch.float64))
    assert (face.weights >= 0).all()


def test_top_k_is_a_projection_on_capped_simplices():
    x = normal(20, 8)
    low, high = x.min() - 2 + x.new_zeros(20), x.max() + x.new_zeros(20)
    for _ in range(100):  # clamp(x - level, 0, 1) sums to 3 at the right level
        level = (low + high) / 2
        is_low = (x - level[:, None]).clamp(0, 1).sum(dim=1) > 3
        low, high = torch.where(is_low, level, low), torch.where(is_low, high, level)
    torch.testing.assert_close(nearest_in_hull(TopK(3), x).point, (x - low[:, None]).clamp(0, 1), rtol=0, atol=1e-9)


def test_derivatives_match_differences():
    x, direction, step = normal(30, 8), normal(30, 8, seed=1), 1e-6
    solver = TopK(3)
    sides = [nearest_in_hull(solver, x + side * step * direction).point for side in (1, -1)]
    along = nearest_in_hull(solver, x).along(direction)
    torch.testing.assert_close(along, (sides[0] - sides[1]) / (2 * step), rtol=0, atol=1e-4)


def test_a_solution_alone_many_on_a_line_and_no_rows():
    single = nearest_in_hull(solver_of(torch.tensor([[1.0, 2.0]]).double()), normal(3, 2))
    assert torch.equal(single.point, torch.tensor([[1.0, 2.0]] * 3, dtype=torch.float64))
    assert torch.equal(single.along(normal(3, 2)), torch.zeros(3, 2, dtype=torch.float64))
    line = torch.tensor([[0.0], [1.0], [2.0], [5.0]], dtype=torch.float64)
    x = torch.tensor([[-1.0], [3.7], [9.0]])
    torch.testing.assert_close(nearest_in_hull(solver_of(line), x).point, x.double().clamp(0, 5))
    assert nearest_in_hull(solver_of(line), x[:0]).point.shape == (0, 1)


def test_a_point_in_the_middle_of_many_solutions():
    size = 24  # more vertices than a row has memory for at first
    shares = torch.linspace(1, 2, size).double().softmax(dim=0).expand(2, size)
    face = nearest_in_hull(solver_of(torch.eye(size, dtype=torch.float64)), shares + 0.1)
    torch.testing.assert_close(face.point, shares, rtol=0, atol=1e-9)
    assert ((face.weights > 0).sum(dim=1) == size).all()
    direction = normal(2, size)
    torch.testing.assert_close(face.along(direction), direction - direction.mean(dim=1, keepdim=True))


def test_dependent_vertices_of_a_face_are_counted_once():
    corners = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    weights, direction = torch.full((1, 4), 0.25, dtype=torch.float64), torch.tensor([[2.0, -1.0, 5.0]])
    face = Face(corners.mean(dim=0)[None], corners[None], weights, weights.new_zeros(1), 4)
    torch.testing.assert_close(face.along(direction), torch.tensor([[2.0, -1.0, 0.0]], dtype=torch.float64))


def test_rows_do_not_depend_on_each_other():
    x, solver = normal(50, 40), GridEdgePath((5, 5))
    together = nearest_in_hull(solver, x).point
    torch.testing.assert_close(torch.cat([nearest_in_hull(solver, row[None]).point for row in x]), together)
