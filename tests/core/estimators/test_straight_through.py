"""Straight-through: upstream gradients pass as they are."""

import pytest
import torch

from draws import normal
from imle_core import NormalNoiseDistribution
from imle_core.estimators import StraightThrough
from imle_core.solvers import TopK


@pytest.mark.parametrize("sense", ["max", "min"])
def test_the_gradient_is_the_mean_of_the_samples_upstream_gradients(sense):
    theta, dy, calls = normal(3, 6).requires_grad_(), normal(12, 6, seed=1), []

    def solver(rows):
        calls.append(len(rows))
        return TopK(2)(rows)

    layer = StraightThrough(solver, noise=NormalNoiseDistribution(), nb_samples=4, sense=sense)
    layer(theta).backward(dy)
    sign = 1 if sense == "max" else -1  # a solution of less cost where the cost is larger
    torch.testing.assert_close(theta.grad, sign * dy.view(3, 4, 6).mean(dim=1))
    assert calls == [12]


def test_walls_get_none():
    theta = torch.tensor([[1.0, -torch.inf, 0.5]], requires_grad=True)
    StraightThrough(TopK(1))(theta).backward(torch.ones(1, 3))
    assert theta.grad.tolist() == [[1.0, 0.0, 1.0]]
