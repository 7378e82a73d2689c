"""Blackbox interpolation: its formula, its lambda, walls, narrow types, errors."""

import re

import pytest
import torch

from draws import Recorded, gradient, normal
from imle_core import AdaptiveTargetDistribution, KnownTargetDistribution, TargetDistribution
from imle_core.estimators import BlackboxInterpolation, differentiable
from imle_core.solvers import TopK


@pytest.mark.parametrize("sense", ["max", "min"])
def test_it_is_the_slope_from_the_perturbed_parameters_to_a_step_against_the_gradient(sense):
    theta, dy, eps = normal(4, 7), normal(4, 3, 7, seed=1), normal(4, 3, 7, seed=2)
    sign = 1 if sense == "max" else -1
    solver = TopK(2) if sense == "max" else (lambda rows: TopK(2)(-rows))
    # The target's alpha and the target temperature play no part.
    layer = BlackboxInterpolation(solver, TargetDistribution(0.25, 1.5), Recorded(eps), 3, 0.6, 9.0, sense=sense)
    rows = sign * theta[:, None] + 0.6 * eps
    z, moved = (TopK(2)(each.flatten(0, 1)).view(4, 3, 7) for each in (rows, rows - 1.5 * dy))
    result = gradient(layer, theta, dy)
    assert result.abs().sum() > 0
    torch.testing.assert_close(result, sign * ((z - moved) / 1.5).mean(dim=1))


def test_lambda_may_differ_by_row_and_zero_gives_zero():
    theta, dy = normal(4, 7), normal(4, 7, seed=1)
    dy[2] = 0.0
    layer = differentiable("blackbox", TopK(2), AdaptiveTargetDistribution(beta=6.0))
    lambdas = 6.0 * theta.norm(dim=1, keepdim=True) / dy.norm(dim=1, keepdim=True)
    expected = (TopK(2)(theta) - TopK(2)(theta - lambdas.nan_to_num(posinf=0.0) * dy)) / lambdas
    assert expected.abs().sum() > 0
    torch.testing.assert_close(gradient(layer, theta, dy), expected, rtol=1e-6, atol=0)  # beta is a float32
    assert (gradient(differentiable("blackbox", TopK(2), TargetDistribution(1.0, 0.0)), theta, dy) == 0).all()


def test_walls_keep_their_place_and_get_no_gradient():
    theta, dy = torch.tensor([[1.0, -torch.inf, 0.9]]), torch.tensor([[1.0, -1e6, 0.0]])
    result = gradient(differentiable("blackbox", TopK(1), TargetDistribution(1.0, 2.0)), theta, dy)
    assert result.tolist() == [[0.5, 0.0, -0.5]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("estimator", ["blackbox", "imle"])
def test_a_step_beyond_what_narrow_types_hold(estimator, dtype):
    theta, dy = torch.tensor([[3.0, -50.0, 2.0]], dtype=dtype), torch.tensor([[1e-4, 0.0, 0.0]], dtype=dtype)
    options = {"scale_gradient": True} if estimator == "imle" else {}
    result = gradient(differentiable(estimator, TopK(1), TargetDistribution(1.0, 1e5), **options), theta, dy)
    torch.testing.assert_close(result, torch.tensor([[1e-5, 0.0, -1e-5]]).to(dtype))


def test_a_target_without_a_step_is_refused():
    message = (
        "target_distribution: got KnownTargetDistribution; it must have a method step_size; use TargetDistribution(), or "
        "give it one"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        differentiable("blackbox", TopK(1), KnownTargetDistribution(torch.zeros(3)))
