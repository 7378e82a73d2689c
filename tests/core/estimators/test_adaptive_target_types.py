"""The adaptive target in narrow types: norms and lambda are those of wider ones."""

import pytest
import torch

from draws import gradient
from imle_core import AdaptiveTargetDistribution, imle
from imle_core.solvers import TopK

NARROW = [torch.float16, torch.bfloat16]


def fixed_beta(beta):
    return AdaptiveTargetDistribution(beta=beta, step=0.0)


@pytest.mark.parametrize("dtype", NARROW)
def test_norms_do_not_overflow(dtype):
    theta = torch.full((1, 2**16), 512.0, dtype=dtype)  # norm 2^17, float16 ends at 2^16
    dy = torch.full((1, 2**16), 512.0, dtype=dtype)
    step = fixed_beta(0.25).step_size(theta, dy)
    assert step.dtype == torch.float32
    assert step.tolist() == [0.25]


@pytest.mark.parametrize("dtype", NARROW)
def test_norms_do_not_vanish(dtype):
    theta = torch.full((1, 4), 2.0**-23, dtype=dtype)
    dy = torch.full((1, 4), 2.0**-23, dtype=dtype)
    assert fixed_beta(0.5).step_size(theta, dy).tolist() == [0.5]
    assert fixed_beta(0.5).step_size(theta, torch.zeros_like(dy)).tolist() == [0.0]


@pytest.mark.parametrize("dtype", NARROW)
def test_the_target_is_that_of_float64_rounded_once(dtype):
    draws = torch.randn(2, 50, 9, generator=torch.Generator().manual_seed(0))
    theta, dy = draws[0].to(dtype), draws[1].to(dtype)
    found = fixed_beta(0.3).params(theta, dy)
    assert found.dtype == dtype
    expected = theta.double() - 0.3 * theta.double().norm(dim=1, keepdim=True) / dy.double().norm(dim=1, keepdim=True) * dy
    # Half a step of the type near the value, and the rounding of float32.
    bound = 0.5 * torch.finfo(dtype).eps * expected.abs() + 1e-5 * torch.finfo(dtype).eps + 1e-6
    assert ((found.double() - expected).abs() <= bound).all()


@pytest.mark.parametrize("dtype", NARROW)
def test_the_gradient_is_the_difference_of_solutions_divided_by_lambda(dtype):
    theta = torch.tensor([[3.0, 2.0, 0.0], [0.0, 6.0, 8.0]], dtype=dtype)
    dy = torch.tensor([[2.0, -2.0, 0.0], [0.0, 0.0, 4.0]], dtype=dtype)
    result = gradient(imle(TopK(1), fixed_beta(1.0)), theta, dy)
    steps = [(13 / 8) ** 0.5, 2.5]
    expected = torch.tensor([[1.0, -1.0, 0.0], [0.0, -1.0, 1.0]]) / torch.tensor(steps)[:, None]
    assert result.dtype == dtype
    torch.testing.assert_close(result.float(), expected, rtol=float(torch.finfo(dtype).eps), atol=0)


@pytest.mark.parametrize("dtype", NARROW)
def test_small_steps_of_beta_are_not_lost(dtype):
    target = AdaptiveTargetDistribution(beta=1.0, step=1e-4, least=0.0)
    layer = imle(TopK(1), target)
    for _ in range(3):
        gradient(layer, torch.tensor([[3.0, 2.0, 0.0]], dtype=dtype), torch.tensor([[2.0, -2.0, 0.0]], dtype=dtype))
    assert target.beta.dtype == torch.float32
    assert float(target.beta) == pytest.approx(1 - 3e-4, abs=1e-6)
