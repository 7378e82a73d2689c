"""Ways in which a network learns to predict parameters of a solver: through it by any estimator, or without it."""

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from imle_core.contracts import Noise
from imle_core.estimators import Layer, LossName
from imle_core.solvers import SolutionPool
from imle_core.training.clock import Clock


class LearningMethod(ABC):
    """A loss of predicted costs.

    Attributes:
        state: what it has learned itself, such as the step of an adaptive target.
    """

    state: nn.Module = nn.Module()

    @abstractmethod
    def losses(self, predicted: Tensor, gold: Tensor, truth: Tensor) -> Tensor:
        """One loss for each instance, ``(B,)``, of predicted costs, gold solutions and true costs, all ``(B, *event)``."""


class Regression(LearningMethod):
    """``sum (c_hat - c)^2`` over entries: what can be reached where every true cost c is known, without a solver."""

    def __repr__(self) -> str:
        return "Regression()"

    def losses(self, predicted: Tensor, gold: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG002
        """Squared errors."""
        return (predicted - truth).square().flatten(1).sum(dim=1)


@dataclass(frozen=True)
class ThroughSolver(LearningMethod):
    """The loss of a layer around the solver, with its estimator's gradient.

    The layer averages gradients over samples; a loss is that of a single sample, whatever their number.

    Attributes:
        layer: an estimator around the solver.
        loss: that of samples by name; the estimator's usual one, or the one that it is itself, if None. "hamming" is linear
            in z, its gradient ``1 - 2y`` the same for every z; "squared", ``||z - y||^2``, has the same value for ones and
            zeros, but its gradient ``2 (z - y)`` is 0 on gold solutions. Estimators that hand the loss gradient on as it is
            need the second. "regret" is what solutions cost in truth beyond the gold ones.
        pool: the layer's solver, where that is a pool of solutions, which grows.
    """

    layer: Layer
    loss: LossName | None = None
    pool: SolutionPool | None = None

    @property
    def state(self) -> nn.Module:  # type: ignore[override]
        """The target, where it has a state, and the pool, where there is one."""
        target: Any = self.layer.target
        state = target if isinstance(target, nn.Module) else nn.Module()
        return state if self.pool is None else nn.ModuleDict({"target": state, "pool": self.pool})

    def losses(self, predicted: Tensor, gold: Tensor, truth: Tensor) -> Tensor:
        """Mean losses of samples, or those of an estimator that brings its own."""
        return self.layer.loss(predicted, truth=truth, gold=gold, loss=self.loss)


def watched_noise(noise: Noise | None, clock: Clock) -> Noise | None:
    """A copy of the noise, whose time is added up by the clock."""
    watched = copy.copy(noise)
    if watched is not None:
        object.__setattr__(watched, "sample", clock.timed("noise", watched.sample))
    return watched
