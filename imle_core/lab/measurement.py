"""Gradients of one estimator with one setting on one instance, repeated until they are enough."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor

from imle_core import checks
from imle_core.checks import Record
from imle_core.contracts import Noise
from imle_core.estimators import (
    ESTIMATORS,
    AdaptiveTargetDistribution,
    Layer,
    TargetDistribution,
    differentiable,
    steps_of_any_size,
)
from imle_core.lab.accuracy import Accuracy, measure
from imle_core.lab.problem import LabProblem
from imle_core.lab.reference import Reference

LAMBDAS = (0.1, 0.3, 1.0, 3.0, 10.0)
TEMPERATURES = (0.5, 1.0, 2.0, 4.0)

_WARM_UP = ((1e-2, 60), (2e-3, 60))  # steps of beta, and passes with each
_WARM_UP_SAMPLES = 160
_TIMED = 5
_ENTRIES = 2**22  # samples drawn at once have so many at most
_AXES = frozenset({"lambdas", "temperatures"})


@dataclass(frozen=True)
class EstimatorSettings:
    """Settings of a measurement on a problem.

    Attributes:
        noise: noise of all estimators; None for none.
        estimators: names, all if None.
        lambdas: steps of targets.
        temperatures: of the noise, forward and backward alike.
        nb_samples: samples of a gradient.
        repetitions: independent gradients of each cell of the given grid, on average.
        seed: of the noise, the same for each cell; seed + 1 for the second instance, and so on.
        widened: which of "lambdas" and "temperatures" go on where the best of them is the first or the last.
    """

    noise: Noise | None
    estimators: Sequence[str] | None = None
    lambdas: Sequence[float] = LAMBDAS
    temperatures: Sequence[float] = TEMPERATURES
    nb_samples: int = 10
    repetitions: int = 500
    seed: int = 0
    widened: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in self.estimators or ():
            checks.check_name("estimator", name, ESTIMATORS)
        for name, values in (("lambdas", self.lambdas), ("temperatures", self.temperatures)):
            if not values or not all(math.isfinite(value) and value >= 0 for value in values):
                raise checks.ArgumentError(
                    name, str(list(values)), "it must be finite numbers >= 0, at least one", "use (1.0,)"
                )
        checks.check_samples("nb_samples", self.nb_samples)
        if self.repetitions < 2:
            raise checks.ArgumentError(
                "repetitions", str(self.repetitions), "a variance needs 2 or more", "the usual number is 500"
            )
        if not self.widened <= _AXES:
            raise checks.ArgumentError(
                "widened", str(sorted(self.widened)), f"it must be of {sorted(_AXES)}", "use frozenset() for none"
            )

    @property
    def shown(self) -> float:
        """The temperature at which lambdas are compared: the one nearest to 1, which the reference has."""
        return min(self.temperatures, key=lambda value: abs(math.log(value)) if value else math.inf)


@dataclass(frozen=True, repr=False)
class Instance(Record):
    """A problem and its true gradient, of :func:`imle_core.lab.reference.reference_gradient`."""

    problem: LabProblem
    reference: Reference


@dataclass(frozen=True)
class Setting:
    """An estimator with its settings.

    Attributes:
        estimator: its name.
        lambda_: step of the target; None for an estimator without one, or that finds its own.
        temperature: of the noise, or of exact samples.
        beta: what an adaptive target settled at; None for one that is still to settle, and for other targets.
    """

    estimator: str
    lambda_: float | None
    temperature: float
    beta: float | None = None


class Measurement:
    """Independent gradients of a setting on an instance, and how good they are.

    Args:
        instance: problem and true gradient.
        settings: noise and samples.
        setting: what is measured.
        number: of the instance, from 0.

    Raises:
        TypeError, ValueError: what the estimator, or its noise, refuses.
    """

    def __init__(self, instance: Instance, settings: EstimatorSettings, setting: Setting, number: int) -> None:
        entry = ESTIMATORS[setting.estimator]
        if entry.needs == "gold solutions":
            raise ValueError("it has a loss of its own, of gold solutions, and estimates the gradient of no other")
        self._problem, self._reference = instance.problem, instance.reference
        self._solver = _Counted(self._problem.solver)
        adaptive = AdaptiveTargetDistribution(beta=setting.beta) if entry.adaptive else None
        target = adaptive or TargetDistribution(1.0, setting.lambda_ or 0.0)
        self._layer = _layer(self._problem, settings, setting, self._solver, target, settings.seed + number)
        if adaptive is not None:
            if setting.beta is None:
                _settle(self._layer, adaptive, self._problem)
            adaptive.step = 0.0  # so that all repetitions have one distribution
        self.beta = None if adaptive is None else float(adaptive.beta)
        self._is_random = setting.temperature > 0 and (entry.exact or settings.noise is not None)
        self._drawn = settings.nb_samples if entry.exact and setting.temperature > 0 else 0
        self._solver.rows = self._made = 0
        self._parts: list[Tensor] = []
        self._accuracy: Accuracy | None = None

    @property
    def repetitions(self) -> int:
        """Number of gradients."""
        return sum(map(len, self._parts))

    def extend(self, repetitions: int) -> None:
        """Adds so many gradients."""
        self._parts.append(_gradients(self._layer, self._problem, repetitions))
        self._made += repetitions
        self._accuracy = None

    def forget(self) -> None:
        """Drops the gradients that there are; those that follow are independent of them."""
        self._parts, self._accuracy = [], None

    @property
    def accuracy(self) -> Accuracy:
        """Accuracy of the gradients that there are, two or more."""
        if self._accuracy is None:
            self._parts = [torch.cat(self._parts)]
            doubt = self._reference.error / self._reference.norm
            self._accuracy = measure(self._parts[0], self._reference.gradient, doubt, is_random=self._is_random)
        return self._accuracy

    @property
    def calls(self) -> float:
        """Instances solved, or drawn exactly, for one gradient."""
        return self._drawn + self._solver.rows / self._made

    def seconds(self) -> float:
        """Time of one forward and backward pass for one instance, the median of five."""
        solved = self._solver.rows
        time_of_one = median(_seconds(self._layer, self._problem) for _ in range(_TIMED))
        self._solver.rows = solved
        return time_of_one


class _Counted:
    """A solver that counts what it solves."""

    def __init__(self, solver: Callable[[Tensor], Tensor]) -> None:
        self.solver, self.rows = solver, 0

    def __repr__(self) -> str:
        return repr(self.solver)

    def __call__(self, theta: Tensor) -> Tensor:
        self.rows += len(theta)
        return self.solver(theta)


def _layer(problem: LabProblem, settings: EstimatorSettings, setting: Setting, solver: Any, target: Any, seed: int) -> Layer:
    entry = ESTIMATORS[setting.estimator]
    options = dict(entry.scale_options)
    if entry.exact and problem.family is not None:
        options["family"] = problem.family
    made: Layer = differentiable(
        setting.estimator,
        solver,
        target,
        settings.noise,
        settings.nb_samples,
        setting.temperature,
        setting.temperature,
        generator=torch.Generator(problem.theta.device).manual_seed(seed),
        **options,
    )
    return made


def _settle(layer: Layer, target: AdaptiveTargetDistribution, problem: LabProblem) -> None:
    """Makes passes until beta has found its size."""
    for step, passes in _WARM_UP:
        target.step = step
        for _ in range(passes):
            _gradients(layer, problem, max(1, _WARM_UP_SAMPLES // layer.nb_samples))


def _gradients(layer: Layer, problem: LabProblem, repetitions: int) -> Tensor:
    """Independent gradients, ``(R, *event)``, in parts of a bounded size."""
    theta = problem.theta.expand(repetitions, *problem.theta.shape[1:]).clone().requires_grad_()
    for chunk in theta.split(max(1, _ENTRIES // (layer.nb_samples * problem.theta.numel()))):
        values = layer.estimate(chunk, problem.loss)
        if not values.requires_grad:
            raise ValueError("the loss has no gradient, and this estimator needs it")
        with steps_of_any_size():
            values.sum().backward()
    assert theta.grad is not None
    return theta.grad


def _seconds(layer: Layer, problem: LabProblem) -> float:
    began = time.perf_counter()
    _gradients(layer, problem, 1)
    if problem.theta.is_cuda:
        torch.cuda.synchronize(problem.theta.device)
    return time.perf_counter() - began
