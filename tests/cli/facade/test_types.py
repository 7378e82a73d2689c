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
