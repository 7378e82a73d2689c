"""Code as users of the paper's PyTorch library have it: its modules, its names, its calls."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import imle_core
from draws import gradient, normal
from imle.noise import BaseNoiseDistribution, SumOfGammaNoiseDistribution
from imle.target import BaseTargetDistribution, TargetDistribution
from imle.wrapper import imle
from imle_core.solvers import GridPath

SIZE = 8


def solver(costs):
    """The path of least cost through a map, as a function of NumPy arrays."""
    return GridPath()(-torch.from_numpy(costs)[None])[0].numpy()


def torch_solver(weights_batch: Tensor) -> Tensor:
    weights_batch = weights_batch.detach().cpu().numpy()
    y_batch = np.asarray([solver(-1.0 * w) for w in list(weights_batch)])
    return torch.tensor(y_batch, requires_grad=False)


def weights():
    values = np.full((1, SIZE, SIZE), -1.0)
    values[0, 1:4, 0:6] = -100
    return values


def settings(**changed):
    return {
        "target_distribution": TargetDistribution(alpha=1.0, beta=10.0),
        "noise_distribution": SumOfGammaNoiseDistribution(k=SIZE * 1.3, nb_iterations=100),
        "nb_samples": 10,
        "input_noise_temperature": 1.0,
        "target_noise_temperature": 1.0,
        **changed,
    }


def gradients(layer):
    torch.manual_seed(0)
    weights_params = nn.Parameter(torch.tensor(weights()), requires_grad=True)
    z = layer(weights_params)
    assert z.shape == (10, SIZE, SIZE)
    z.backward(normal(10, SIZE, SIZE, seed=1).double())
    return z.detach(), weights_params.grad


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_function_and_annotation_give_the_same(alpha):
    chosen = settings(target_distribution=TargetDistribution(alpha=alpha, beta=10.0))

    @imle(**chosen)
    def imle_solver(weights_batch: Tensor) -> Tensor:
        return torch_solver(weights_batch)

    for result, expected in zip(gradients(imle_solver), gradients(imle(torch_solver, **chosen)), strict=True):
        assert torch.equal(result, expected)
        assert result.any()


def test_positional_arguments_have_the_order_of_that_library():
    for result, expected in zip(
        gradients(imle(torch_solver, *settings().values())), gradients(imle(torch_solver, **settings())), strict=True
    ):
        assert torch.equal(result, expected)


@pytest.mark.slow
def test_training_reaches_the_gold_path():
    gold = torch_solver(torch.tensor(weights()))
    torch.manual_seed(0)
    weights_params = nn.Parameter(torch.empty(1, SIZE, SIZE).uniform_(-0.1, 0.1), requires_grad=True)
    optimizer = torch.optim.Adam([weights_params], lr=0.005)
    imle_solver = imle(
        torch_solver,
        target_distribution=TargetDistribution(alpha=1.0, beta=10.0),
        noise_distribution=SumOfGammaNoiseDistribution(k=SIZE * 1.3, nb_iterations=1),
        input_noise_temperature=0.1,
        target_noise_temperature=0.0,
        nb_samples=1,
    )
    for _ in range(100):
        y = imle_solver(weights_params)
        loss = (y * (1.0 - gold) + (1.0 - y) * gold).mean(dim=0).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.equal(torch_solver(weights_params), gold.float())


def test_noise_and_target_that_derive_from_its_bases():
    class Constant(BaseNoiseDistribution):
        def sample(self, shape):
            return torch.full(shape, 0.5)

    class Opposite(BaseTargetDistribution):
        def params(self, theta, dy):
            return theta - 3 * dy

    theta, dy = normal(4, 5), normal(4, 5, seed=1)
    ours = imle_core.imle(imle_core.solvers.TopK(2), TargetDistribution(1.0, 3.0))
    theirs = imle(imle_core.solvers.TopK(2), Opposite(), Constant())
    assert torch.equal(gradient(theirs, theta, dy), gradient(ours, theta, dy))


@pytest.mark.parametrize("base", [BaseNoiseDistribution, BaseTargetDistribution])
def test_a_base_is_not_complete(base):
    with pytest.raises(TypeError, match="abstract"):
        base()


def test_its_names_are_those_of_the_library():
    assert imle is imle_core.imle
    assert TargetDistribution is imle_core.TargetDistribution
    assert SumOfGammaNoiseDistribution is imle_core.SumOfGammaNoiseDistribution
