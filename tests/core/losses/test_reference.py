"""Losses of decisions and pools, with values and gradients of the field's library."""

import pytest
import torch

from imle_core.estimators.projections import nearest_in_cone, nearest_in_hull
from imle_core.losses import (
    cone_alignment,
    contrastive,
    contrastive_map,
    perturbation_gradient,
    quadratic_fenchel_young,
    rank_list,
    rank_pair,
    rank_point,
    spo_plus,
)
from reference import CASES


class Case:
    """A problem of the reference, its parameters to be maximised."""

    def __init__(self, kind, sign):
        self.kind, self.sign = kind, sign
        self.theta, self.truth = sign * self["pred"], sign * self["true"]
        self.gold, self.pool, self.states = self["sol"], self["pool"], self["vertices"].double()

    def __getitem__(self, name):
        return torch.from_numpy(CASES[f"{self.kind}/{name}"])

    def solve(self, theta):
        return self.states[(theta.detach().double() @ self.states.T).argmax(dim=1)].to(theta)

    def quotient(self, theta, sigma, *, central):
        ahead, behind = theta + sigma * self.truth if central else theta, theta - sigma * self.truth
        step = 2 * sigma if central else sigma
        return perturbation_gradient(ahead, self.solve(ahead), behind, self.solve(behind), step)

    def quadratic(self, theta, scale):
        return quadratic_fenchel_young(theta, self.gold, nearest_in_hull(self.solve, theta / scale).point.float(), scale)

    def aligned(self, theta):
        return cone_alignment(theta, nearest_in_cone(theta, self["normals"]))

    def spo_plus(self, theta, solve):
        return spo_plus(theta, self.truth, self.gold, solve(2 * theta - self.truth))

    def best_of_pool(self, theta):
        return self.pool[(theta.detach() @ self.pool.T).argmax(dim=1)]


LOSSES = {
    "spo_plus": lambda case, theta: case.spo_plus(theta, case.solve),
    "spo_plus_pool": lambda case, theta: case.spo_plus(theta, case.best_of_pool),
    "pg_backward_0.1": lambda case, theta: case.quotient(theta, 0.1, central=False),
    "pg_backward_0.7": lambda case, theta: case.quotient(theta, 0.7, central=False),
    "pg_central_0.1": lambda case, theta: case.quotient(theta, 0.1, central=True),
    "pg_central_0.7": lambda case, theta: case.quotient(theta, 0.7, central=True),
    "nce": lambda case, theta: contrastive(theta, case.gold, case.pool),
    "nce_solving": lambda case, theta: contrastive(theta, case.gold, case["nce_solving/pool"]),
    "cmap": lambda case, theta: contrastive_map(theta, case.gold, case.pool),
    "rank_list": lambda case, theta: rank_list(theta, case.truth, case.pool),
    "rank_pair": lambda case, theta: rank_pair(theta, case.truth, case.pool),
    "rank_point": lambda case, theta: rank_point(theta, case.truth, case.pool),
    "cave_200": lambda case, theta: case.aligned(theta),
    "frank_wolfe_loss_1.0": lambda case, theta: case.quadratic(theta, 1.0),
    "frank_wolfe_loss_0.3": lambda case, theta: case.quadratic(theta, 0.3),
}
ROUGH = {"cave_200": (1e-4, 1e-3), "frank_wolfe_loss_1.0": (1e-4, 2e-5), "frank_wolfe_loss_0.3": (1e-4, 2e-5)}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("kind", "sign"), [("path", -1), ("knapsack", 1)])
def test_values_and_gradients_are_those_of_the_reference(kind, sign, name):
    case = Case(kind, sign)
    theta = case.theta.clone().requires_grad_()
    loss = LOSSES[name](case, theta)
    loss.sum().backward()
    value, gradient = ROUGH.get(name, (1e-5, 1e-5))
    torch.testing.assert_close(loss.detach(), case[f"{name}/value"], rtol=1e-5, atol=value)
    torch.testing.assert_close(sign * theta.grad, case[f"{name}/gradient"], rtol=1e-4, atol=gradient)


def test_parameters_without_a_direction_are_at_a_right_angle():
    assert torch.equal(cone_alignment(torch.zeros(1, 3), torch.ones(1, 3)), torch.ones(1))


def test_solutions_are_compared_whatever_the_shape_of_an_event():
    theta, pool = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(0)), torch.eye(6).view(6, 2, 3)
    flat = theta.flatten(1), pool.flatten(1)
    for loss in (contrastive, contrastive_map, rank_list, rank_pair, rank_point):
        assert torch.equal(loss(theta, pool[:2], pool), loss(flat[0], flat[1][:2], flat[1]))
