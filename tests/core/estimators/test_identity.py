"""Identity with projection: projections, their Jacobians, what they remove, walls, zeros, errors."""

import re

import pytest
import torch

from draws import Recorded, generator, gradient, normal
from imle_core import NormalNoiseDistribution
from imle_core.estimators import Identity, differentiable
from imle_core.solvers import TopK

PROJECTIONS = {
    "none": lambda rows: rows,
    "mean": lambda rows: rows - rows.mean(dim=1, keepdim=True),
    "norm": lambda rows: rows / rows.norm(dim=1, keepdim=True),
    "std": lambda rows: (
        (rows - rows.mean(dim=1, keepdim=True)) / (rows - rows.mean(dim=1, keepdim=True)).norm(dim=1, keepdim=True)
    ),
}


@pytest.mark.parametrize("projection", PROJECTIONS)
class TestProjections:
    def test_the_solver_gets_projected_parameters_and_then_noise(self, projection):
        theta, eps, seen = normal(3, 2, 5), normal(3, 4, 2, 5, seed=1), []

        def solver(rows):
            seen.append(rows.clone())
            return rows

        Identity(solver, noise=Recorded(eps), nb_samples=4, input_temperature=0.5, projection=projection)(theta)
        projected = PROJECTIONS[projection](theta.flatten(1)).view(3, 1, 2, 5)
        torch.testing.assert_close(seen[0].view(3, 4, 2, 5), projected + 0.5 * eps)

    @pytest.mark.parametrize("sense", ["max", "min"])
    def test_the_gradient_is_the_transposed_jacobian_by_differences(self, projection, sense):
        theta, dy = normal(1, 2, 3), normal(4, 2, 3, seed=1)
        solver = TopK(2) if sense == "max" else (lambda rows: TopK(2)(-rows))
        layer = Identity(
            solver, noise=NormalNoiseDistribution(), nb_samples=4, sense=sense, projection=projection, generator=generator()
        )
        result, sign = gradient(layer, theta, dy), 1 if sense == "max" else -1

        def value(flat):
            return float((PROJECTIONS[projection](sign * flat[None]) @ dy.mean(dim=0).flatten())[0])

        units = 1e-6 * torch.eye(6, dtype=torch.float64)
        expected = torch.tensor(
            [(value(theta.flatten() + unit) - value(theta.flatten() - unit)) / 2e-6 for unit in units], dtype=torch.float64
        )
        torch.testing.assert_close(result.flatten(), expected, rtol=1e-7, atol=1e-8)

    def test_directions_that_do_not_change_the_solution_get_nothing(self, projection):
        theta, dy = normal(5, 7), normal(5, 7, seed=1)
        result = gradient(Identity(TopK(2), projection=projection), theta, dy)
        assert result.abs().sum() > 0
        if projection in ("mean", "std"):
            torch.testing.assert_close(result.sum(dim=1), torch.zeros(5, dtype=torch.float64))
        if projection == "norm":
            torch.testing.assert_close((result * theta).sum(dim=1), torch.zeros(5, dtype=torch.float64))
        if projection == "std":
            torch.testing.assert_close((result * theta).sum(dim=1), torch.zeros(5, dtype=torch.float64))

    def test_scaled_or_shifted_parameters_give_the_same_samples(self, projection):
        theta = normal(5, 7)
        scaled, shifted = 100 * theta, theta + 3

        def samples(parameters):
            noise = NormalNoiseDistribution()
            layer = Identity(TopK(2), noise=noise, nb_samples=9, projection=projection, generator=generator())
            return layer(parameters)

        same_scaled, same_shifted = (torch.equal(samples(theta), samples(other)) for other in (scaled, shifted))
        assert same_scaled == (projection in ("norm", "std"))
        assert same_shifted == (projection != "norm")  # top-k minds no shift, a direction does

    def test_each_row_is_projected_alone_and_its_infinite_entries_are_left_aside(self, projection):
        theta = torch.tensor([[1.0, -torch.inf, 3.0, 0.5], [4.0, 1.0, 0.0, -2.0]], dtype=torch.float64)
        dy = torch.tensor([[1.0, 50.0, -1.5, 0.25], [0.0, 2.0, 1.0, 0.0]], dtype=torch.float64)
        result = gradient(Identity(TopK(2), projection=projection), theta, dy)
        assert result[0, 1] == 0
        open_entries = [0, 2, 3]
        alone = gradient(Identity(TopK(2), projection=projection), theta[:1, open_entries], dy[:1, open_entries])
        torch.testing.assert_close(result[0, open_entries], alone[0])
        torch.testing.assert_close(
            result[1:], gradient(Identity(TopK(2), projection=projection), theta[1:], dy[1:]), rtol=0, atol=0
        )
        assert Identity(TopK(2), projection=projection)(theta)[0].tolist() == [1.0, 0.0, 1.0, 0.0]

    def test_rows_that_project_to_zero_are_finite(self, projection):
        dy = torch.tensor([[1.0, 0.0, -3.0]], dtype=torch.float64)
        centred = dy - dy.mean()
        for theta in (torch.zeros(1, 3, dtype=torch.float64), torch.full((1, 3), 2.0, dtype=torch.float64)):
            result = gradient(Identity(TopK(1), projection=projection), theta, dy)
            if projection in ("mean", "std"):
                torch.testing.assert_close(result, centred)
            elif projection == "none" or theta.sum() == 0:
                torch.testing.assert_close(result, dy)
            assert result.isfinite().all()

    def test_one_solve_forward_and_none_backward(self, projection):
        calls = []

        def solver(rows):
            calls.append(len(rows))
            return TopK(2)(rows)

        gradient(Identity(solver, nb_samples=3, projection=projection), normal(2, 5), normal(6, 5))
        assert calls == [6]


def test_the_default_is_std():
    assert differentiable("identity", TopK(1)).projection == "std"


def test_an_unknown_projection():
    message = "projection: got 'max'; it must be one of 'none', 'mean', 'norm', 'std'; use 'none' for instance"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        differentiable("identity", TopK(1), projection="max")
