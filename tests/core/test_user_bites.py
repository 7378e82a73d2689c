"""What users of such layers have been bitten by, and what answers it here: one test each."""

import numpy as np
import pytest
import torch

from draws import generator
from imle_core import (
    IMLE,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    ZeroGradientWarning,
    imle,
)
from imle_core.solvers import GridPath, TopK


def gradient_of_mean_loss(samples, reduction):
    theta = torch.tensor([[0.2, 0.0, -0.1, 0.1]]).requires_grad_()
    noise = NormalNoiseDistribution()
    layer = imle(TopK(1), TargetDistribution(1.0, 1.0), noise, samples, 0.5, 0.5, reduction=reduction, generator=generator())
    z = layer(theta)
    (z * torch.tensor([2.0, 0.0, 0.0, -1.0])).flatten(0, -2).sum(dim=1).mean().backward()
    return theta.grad.abs().sum().item()


def test_a_silent_gradient_scale():
    # Under a mean over flat rows each row's upstream gradient, hence its step lambda, shrinks with the samples: the
    # gradient dies, and the layer says so. Under the reduction "mean" lambda stays what it is.
    with pytest.warns(ZeroGradientWarning, match="^only 1 of the 721 solutions .* add the loss up where it is averaged"):
        assert gradient_of_mean_loss(1000, "none") < 0.05
    few, many = gradient_of_mean_loss(100, "mean"), gradient_of_mean_loss(1000, "mean")
    assert many > 0.5
    assert abs(few - many) < 0.3


def test_confusion_of_minimum_and_maximum():
    costs = torch.tensor([[5.0, 1.0, 3.0]], requires_grad=True)
    layer = imle(lambda c: TopK(1)(-c), TargetDistribution(1.0, 100.0), sense="min")
    z = layer(costs)
    assert z.tolist() == [[0.0, 1.0, 0.0]]
    (z[:, 1] - z[:, 2]).sum().backward()  # wants the last in place of the second
    optimiser = torch.optim.SGD([costs], lr=3.0)
    optimiser.step()
    assert layer(costs).tolist() == [[0.0, 0.0, 1.0]]


def test_noise_on_the_wrong_device():
    asked = []

    class Asked(NormalNoiseDistribution):
        def sample(self, shape, **settings):
            asked.append((settings["dtype"], settings["device"]))
            return super().sample(shape, **settings)

    for dtype in (torch.float32, torch.bfloat16):
        theta = torch.zeros(2, 3, dtype=dtype)
        imle(TopK(1), None, Asked(), generator=generator())(theta)
        assert asked[-1] == (dtype, theta.device)
    # A fixed device of the noise gives way to that of the parameters.
    noise = SumOfGammaNoiseDistribution(3.0, device="meta")
    assert imle(TopK(1), None, noise)(torch.zeros(2, 3)).device == torch.device("cpu")


def test_extra_arguments_of_the_solver_that_crash_the_backward_pass():
    def solver(theta, cost, *, scale):
        return TopK(1)(theta - scale * cost)

    theta, cost = torch.zeros(2, 3, requires_grad=True), torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    imle(solver, TargetDistribution(1.0, 9.0))(theta, cost, scale=0.5)[:, 0].sum().backward()
    assert theta.grad.tolist() == [[1.0, -1.0, 0.0]] * 2


def test_whole_number_solutions_that_silently_kill_the_gradient():
    theta = torch.tensor([[1.0, 0.0]], requires_grad=True)
    z = imle(lambda rows: TopK(1)(rows).to(torch.int64), TargetDistribution(1.0, 5.0))(theta)
    assert z.dtype == torch.float32
    z[:, 0].sum().backward()
    assert theta.grad.tolist() == [[1.0, -1.0]]


def test_a_solver_outside_its_domain():
    costs = torch.full((1, 6, 6), 0.5, dtype=torch.float64)
    solver = GridPath(floor=0.01)
    seen = []

    def watched(theta):
        z = solver(theta)
        seen.append((theta, z))
        return z

    imle(watched, None, NormalNoiseDistribution(), 50, generator=generator())(-costs)
    ((theta, z),) = seen
    # With negative costs left alone, the cheapest walk would collect them; clamped, the path is optimal and simple.
    assert (theta > 0).any()
    assert solver.clamped == (theta > -0.01).sum().item()
    clamped = (-theta).clamp(min=0.01)
    assert torch.equal(z, GridPath(engine="networkx")(-clamped))


def test_no_seeds():
    def run():
        layer = imle(TopK(2), None, NormalNoiseDistribution(), 20, generator=generator(4))
        return layer(torch.zeros(3, 5))

    first = run()
    np.random.default_rng(0).random(3)
    torch.rand(3)
    assert torch.equal(first, run())


def test_no_evaluation_mode():
    layer = IMLE(TopK(1), None, NormalNoiseDistribution(), 4)
    theta = torch.tensor([[0.0, 0.1, 0.0]])
    layer.eval()
    assert all(torch.equal(layer(theta), torch.tensor([[0.0, 1.0, 0.0]])) for _ in range(20))
    layer.train()
    assert layer(theta.expand(100, 3)).unique(dim=0).shape[0] == 3


def test_is_it_the_estimator_or_is_it_me():
    # An identity in place of the solver must give back lambda times the upstream gradient, whatever the noise.
    theta, dy = torch.randn(4, 5, generator=generator()), torch.randn(4, 5, generator=generator(1))
    leaf = theta.requires_grad_()
    layer = imle(lambda rows: rows, TargetDistribution(1.0, 2.0), NormalNoiseDistribution(), 8, reduction="mean")
    layer(leaf).backward(dy)
    torch.testing.assert_close(leaf.grad, 2 * dy)
