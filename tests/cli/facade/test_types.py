"""Types as a checker sees them through the package imle: pyproject.toml has mypy read this file, pytest runs it."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

import imle
from imle.noise import SumOfGammaNoiseDistribution
from imle.solvers import GridPath, TopK
from imle.target import TargetDistribution
from imle.wrapper import imle as layer_of

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def test_names_at_the_top_and_of_modules_have_their_types() -> None:
    assert_type(imle.__version__, str)
    assert_type(imle.TargetDistribution(), TargetDistribution)
    assert_type(imle.solvers.TopK(2), TopK)
    assert_type(imle.solvers.GridPath(), GridPath)
    assert_type(imle.noise.SumOfGammaNoiseDistribution(2.0), SumOfGammaNoiseDistribution)
    assert_type(imle.hamming(torch.zeros(1, 2), torch.zeros(2)), Tensor)
    assert layer_of is imle.imle


def test_a_layer_has_the_arguments_of_its_solver() -> None:
    def solver(theta: Tensor, scale: float, *, shift: int = 0) -> Tensor:
        return (theta * scale + shift > 0).to(theta)

    @layer_of(nb_samples=2)
    def decorated(theta: Tensor, scale: float) -> Tensor:
        return (theta * scale > 0).to(theta)

    @layer_of
    def bare(theta: Tensor) -> Tensor:
        return (theta > 0).to(theta)

    theta, layer = torch.tensor([[1.0, -1.0]]), layer_of(solver, TargetDistribution(lambda_=2.0))
    assert_type(layer(theta, 1.0, shift=0), Tensor)
    assert_type(decorated(theta, scale=1.0), Tensor)
    assert_type(bare(theta), Tensor)
    assert_type(layer_of(TopK(1))(theta, k=[1]), Tensor)
    assert_type(layer_of(GridPath())(theta[None]), Tensor)
    if TYPE_CHECKING:
        layer(theta)  # type: ignore[call-arg]
        decorated(theta, scale="1")  # type: ignore[arg-type]
        bare(theta, 1.0)  # type: ignore[call-arg]
        imle.imle(solver, nb_sample=2)  # type: ignore[call-overload]
        imle.train(TopK(1), theta, step=3)  # type: ignore[call-arg]


def test_other_ways_to_a_layer_have_types() -> None:
    assert_type(imle.IMLE(TopK(1), nb_samples=2), imle.IMLE)
    assert_type(imle.estimators.differentiable("blackbox", TopK(1)), imle.Layer)
    assert_type(imle.estimators.differentiable("blackbox")(TopK(1)), imle.Layer)
    assert_type(next(imle.train(TopK(1), torch.tensor([1.0, 0.0]), steps=1)), imle.Step)
