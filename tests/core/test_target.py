"""Target distributions."""

import re

import pytest
import torch

from imle_core import TargetDistribution


def test_parameters_move_against_the_gradient():
    theta, dy = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 4.0]])
    assert TargetDistribution(0.5, 3.0).params(theta, dy).tolist() == [[-1.0, -13.0]]
    assert TargetDistribution().params(theta, dy).tolist() == [[0.5, -6.0]]
    assert TargetDistribution(0.5, 3.0).step_size(theta, dy) == 3.0


def test_repr():
    assert repr(TargetDistribution(1, 10)) == "TargetDistribution(alpha=1, beta=10)"


@pytest.mark.parametrize("name", ["alpha", "beta"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_settings_outside_their_range(name, value):
    message = f"{name}: got {value!r}; it must be a finite number >= 0; the usual value is 1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TargetDistribution(**{name: value})
