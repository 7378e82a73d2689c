"""Ways in which a network learns costs of tiles: through the solver by any estimator, or without it, as baselines do."""

import copy
import functools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from imle_core import checks
from imle_core.contracts import Known, Noise, Target
from imle_core.estimators import ESTIMATORS, AdaptiveTargetDistribution, FenchelYoung, TargetDistribution, differentiable
from imle_core.losses import hamming
from imle_core.solvers import GridPath

PathLoss = Literal["hamming", "squared"]
PathReduction = Literal["sum", "mean"]

_PATHS, _COSTS = "gold paths", "true costs of all tiles"
_LEAST = 1e-6

BASELINES = {"regression": _COSTS, "tiles": _PATHS, "mean-colour": _COSTS}
"""Methods that learn without a solver, with their supervision."""

SUPERVISION = dict.fromkeys(ESTIMATORS, _PATHS) | BASELINES
"""Everything that can learn, by name, and by what supervision."""


class Clock:
    """Seconds spent in the solver and in drawing noise, which may run inside each other's callers."""

    def __init__(self) -> None:
        self.solver = self.noise = 0.0
        self._running = threading.local()

    def __repr__(self) -> str:
        return f"Clock(solver={self.solver:.3g} s, noise={self.noise:.3g} s)"

    def timed(self, name: Literal["solver", "noise"], function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """The function, whose time is added up here, once where it calls another one of this name."""

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Tensor:
            if getattr(self._running, name, False):
                return function(*args, **kwargs)
            if any(isinstance(value, Tensor) and value.is_cuda for value in args):
                torch.cuda.synchronize()  # else the solver would be charged for what it waits for
            setattr(self._running, name, True)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                setattr(self._running, name, False)
                setattr(self, name, getattr(self, name) + time.perf_counter() - began)

        return measured


class WatchedGridPath(GridPath):
    """The grid solver, whose time is added up by a clock.

    Args:
        clock: the clock.
    """

    pure = True

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._solve = clock.timed("solver", super().__call__)
        self._perturb_and_solve = clock.timed("solver", super().perturb_and_map)

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks of the cheapest paths, ``(N, H, W)``."""
        return self._solve(theta)

    def perturb_and_map(self, theta: Tensor, eps: Tensor | None, temperature: float, known: Known | None = None) -> Tensor:
        """Masks of the cheapest paths under noise, ``(B, S, H, W)``."""
        return self._perturb_and_solve(theta, eps, temperature, known)


class LearningMethod(ABC):
    """A loss of predicted costs.

    Attributes:
        state: what it has learned itself, such as the step of an adaptive target.
    """

    state: nn.Module = nn.Module()

    @abstractmethod
    def losses(self, costs: Tensor, paths: Tensor, truth: Tensor) -> Tensor:
        """One loss for each map, ``(B,)``, of predicted costs, gold paths and true costs, all ``(B, H, W)``."""


class Regression(LearningMethod):
    """``sum (c - true c)^2`` over tiles: what can be reached where every tile's cost is known."""

    def losses(self, costs: Tensor, paths: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG002
        """Squared errors."""
        return (costs - truth).square().flatten(1).sum(dim=1)


class TileClassification(LearningMethod):
    """``sum y c - (1 - y) log(1 - exp(-c))`` over tiles: is a tile on the path, each tile by itself?

    A cost is read as ``c = -log p(tile is on the path)``, so that the cheapest path is the most probable one among
    independent tiles. The loss is their cross entropy.
    """

    def losses(self, costs: Tensor, paths: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG002
        """Cross entropies."""
        off = -torch.log(-torch.expm1(-costs.clamp(min=_LEAST)))
        return (paths * costs + (1 - paths) * off).flatten(1).sum(dim=1)


@dataclass(frozen=True)
class ThroughSolver(LearningMethod):
    """The loss of sampled paths ``z_s = MAP(-c + tau eps_s)``, with an estimator's gradient.

    The layer averages gradients over samples; a loss is that of a single sample, whatever their number.

    Attributes:
        layer: an estimator around the grid solver.
        loss: "hamming", linear in z, whose gradient ``1 - 2y`` is the same for every z; or "squared", ``||z - y||^2``, of
            the same value for paths, whose gradient ``2 (z - y)`` is 0 on gold paths. Estimators that hand the loss
            gradient on as it is need the second.
    """

    layer: Any
    loss: PathLoss = "hamming"

    @property
    def state(self) -> nn.Module:  # type: ignore[override]
        """The target, where it has a state."""
        target = self.layer.target
        return target if isinstance(target, nn.Module) else nn.Module()

    def losses(self, costs: Tensor, paths: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG002
        """Mean losses of samples; the Fenchel-Young loss brings its own."""
        theta = -costs
        if isinstance(self.layer, FenchelYoung):
            return self.layer(theta, paths)
        gold = paths.repeat_interleave(self.layer.nb_samples, dim=0)
        squared = self.loss == "squared"

        def loss(z: Tensor) -> Tensor:
            return (z - gold).square().flatten(1).sum(dim=1) if squared else hamming(z, gold)

        return self.layer.estimate(theta, loss)  # type: ignore[no-any-return]


def make_method(
    name: str,
    *,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    alpha: float = 1.0,
    beta: float = 1.0,
    loss: PathLoss | None = None,
    generator: torch.Generator | None = None,
    clock: Clock | None = None,
) -> LearningMethod:
    """A method by name: an estimator of ``imle_core.estimators.ESTIMATORS``, "regression" or "tiles".

    Args:
        name: the name. "mean-colour" learns by no loss; it is :class:`imle_core.perception.colour_lookup.ColourLookup`.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S, samples of each map.
        input_noise_temperature: tau_in, of the forward pass.
        target_noise_temperature: tau_tgt, of the backward pass.
        alpha: of the target ``alpha*theta - lambda*dy``.
        beta: its lambda.
        loss: "hamming" or "squared"; the estimator's usual one if None.
        generator: source of the noise.
        clock: adds up the time of solver and noise.

    Raises:
        ArgumentError: an unknown name, noise that the estimator cannot use, or a setting outside its range.
        ArgumentTypeError: an estimator that cannot use the grid solver.
    """
    checks.check_name("estimator", name, [*ESTIMATORS, "regression", "tiles"])
    if loss is not None:
        checks.check_name("loss", loss, get_args(PathLoss))
    if name in BASELINES:
        return Regression() if name == "regression" else TileClassification()
    watch = Clock() if clock is None else clock
    noise = copy.copy(noise_distribution)
    if noise is not None:
        object.__setattr__(noise, "sample", watch.timed("noise", noise.sample))
    entry = ESTIMATORS[name]
    target: Target = TargetDistribution(alpha, beta)
    if entry.adaptive:
        target = AdaptiveTargetDistribution(alpha, synchronised=True)
    layer = differentiable(
        name,
        WatchedGridPath(watch),
        target,
        noise,
        nb_samples,
        input_noise_temperature,
        target_noise_temperature,
        generator=generator,
        **entry.cost_options,
    )
    return ThroughSolver(layer, loss or entry.usual_loss)
