"""Networks that predict the costs of a decision from features."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from imle_core import checks
from imle_core.decisions.data_set import Decisions, check_some
from imle_core.training import with_first_weights

_HIDDEN = 64
_ROUNDING = 1e-12  # of a mean in float64; features of float32 that differ do so by far more


class CostNetwork(nn.Module):
    """``c_hat = body((x - mean) / spread)``: costs ``(N, *event)`` of features ``(N, *shape)``.

    Mean and spread are those of the features that it is to learn from, so that a step of an optimiser means the same for
    features of any unit. Constant features have spread 1.

    Args:
        body: from ``(N, p)`` to ``(N, d)``.
        features: to learn from, ``(N, *shape)``.
        event: shape of the costs of an instance.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, body: nn.Module, features: Tensor, event: Sequence[int]) -> None:
        super().__init__()
        wide = features.flatten(1).double()
        spread = wide.std(dim=0, correction=0).float()
        self.register_buffer("mean", wide.mean(dim=0).float())
        self.register_buffer("spread", torch.where(spread > 0, spread, 1.0))
        self.body, self.event = body, tuple(event)

    def forward(self, features: Tensor) -> Tensor:
        """Costs ``(N, *event)``."""
        costs: Tensor = self.body((features.flatten(1) - self.mean) / self.spread)
        return costs.view(-1, *self.event)


class FittedCosts(nn.Module):
    """``c_hat = a + B x`` in float64, of coefficients that are computed, not learned step by step.

    Args:
        features: to learn from, ``(N, *shape)``.
        event: shape of the costs of an instance.
    """

    intercept: Tensor
    slopes: Tensor

    def __init__(self, features: Tensor, event: Sequence[int]) -> None:
        super().__init__()
        inputs, outputs = math.prod(features.shape[1:]), math.prod(event)
        self.register_buffer("intercept", torch.zeros(outputs, dtype=torch.float64))
        self.register_buffer("slopes", torch.zeros(outputs, inputs, dtype=torch.float64))
        self.event = tuple(event)

    def forward(self, features: Tensor) -> Tensor:
        """Costs ``(N, *event)``, float64."""
        return (self.intercept + features.flatten(1).double() @ self.slopes.T).view(-1, *self.event)

    def fit_means(self, decisions: Decisions) -> "FittedCosts":
        """The mean true costs, whatever the features are.

        Raises:
            ArgumentError: no instances.
        """
        check_some(len(decisions))
        self.intercept.copy_(decisions.costs.double().flatten(1).mean(dim=0))
        self.slopes.zero_()
        return self

    def fit_least_squares(self, decisions: Decisions) -> "FittedCosts":
        """Ordinary least squares with an intercept, for features of any units.

        Of several solutions it takes the one with the smallest slopes, in units of each feature's largest distance from its
        mean.

        Raises:
            ArgumentError: no instances.
        """
        check_some(len(decisions))
        x, c = (values.double().flatten(1) for values in (decisions.features, decisions.costs))
        mean = x.mean(dim=0)
        apart = (x - mean).abs().amax(dim=0)
        unit = torch.where(apart > _ROUNDING * mean.abs(), apart, 1.0)
        slopes = torch.linalg.lstsq((x - mean) / unit, c - c.mean(dim=0), driver="gelsd").solution.T / unit
        self.slopes.copy_(slopes)
        self.intercept.copy_(c.mean(dim=0) - slopes @ mean)
        return self


def _linear(inputs: int, outputs: int) -> nn.Module:
    return nn.Linear(inputs, outputs)


def _mlp(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, outputs))


COST_NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {"linear": _linear, "mlp": _mlp}
"""Networks that learn costs from features, by name: a linear one, and one with a hidden layer of 64."""


def make_cost_network(name: str, decisions: Decisions, seed: int) -> nn.Module:
    """A network of :data:`COST_NETWORKS` for a data set, with first weights that the seed decides.

    Raises:
        ArgumentError: an unknown name, no instances, or a seed that is negative or too large.
    """
    checks.check_name("network", name, COST_NETWORKS)
    check_some(len(decisions))
    inputs, event = decisions.features[0].numel(), decisions.costs.shape[1:]
    body = with_first_weights(lambda: COST_NETWORKS[name](inputs, event.numel()), seed)
    return CostNetwork(body, decisions.features, event)
