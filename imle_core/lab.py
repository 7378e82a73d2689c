"""How good are estimators of a gradient, here? Bias, variance, direction and cost on a problem, cell by cell."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Any

import torch
from torch import Tensor

from imle_core import contracts
from imle_core.alternatives import ESTIMATORS, differentiable
from imle_core.contracts import Noise, Target
from imle_core.estimator import Estimator
from imle_core.lab_problem import LabProblem
from imle_core.lab_reference import Reference
from imle_core.layer import Layer
from imle_core.target import AdaptiveTargetDistribution, TargetDistribution

LAMBDAS = (0.1, 0.3, 1.0, 3.0, 10.0)
TEMPERATURES = (0.5, 1.0, 2.0, 4.0)

_BETA, _WARM_UP = 0.2, ((1e-2, 60), (2e-3, 60))  # a start for beta, its steps, and passes with each
_WARM_UP_SAMPLES = 160
_TIMED = 5
_ROUNDING = 1e-12
_ENTRIES = 2**22  # of samples at once


@dataclass(frozen=True)
class Accuracy:
    """How gradients g of many repetitions compare with the true one ``g*``; lengths are in units of ``||g*||``.

    Attributes:
        bias: ``||E g - g*|| / ||g*||``, without what the number of repetitions adds to it.
        variance: ``E ||g - E g||^2 / ||g*||^2``.
        mse: ``E ||g - g*||^2 / ||g*||^2``, the sum of squared bias and variance. A gradient of 0 has 1.
        error: the mean squared error of ``g/c``, with the c that gives its mean the true length along ``g*``:
            ``E ||g||^2 ||g*||^2 / (E <g, g*>)^2 - 1``. What a step size would do for it is done, so that it tells direction
            and noise alone: the variance for an unbiased gradient, infinite for one that makes no progress along ``g*``.
        cosine: mean cosine of g and ``g*``; that of a zero gradient counts as 0.
        zero_share: share of gradients that are 0 in every entry.
        sign_agreement: share of entries with the sign of ``g*``, of those that are 0 in neither; None where all are.
    """

    bias: float
    variance: float
    mse: float
    error: float
    cosine: float
    zero_share: float
    sign_agreement: float | None


@dataclass(frozen=True)
class Cell:
    """An estimator with its settings, and how good it is.

    Attributes:
        estimator: its name.
        lambda_: step of the target; None for an estimator without one, or that finds its own.
        beta: what an adaptive target settled at; else None.
        temperature: of the noise, or of exact samples.
        nb_samples: samples of a gradient.
        accuracy: how good its gradients are.
        calls: instances solved, or drawn exactly, for one gradient.
        seconds: time of one forward and backward pass for one instance.
    """

    estimator: str
    lambda_: float | None
    beta: float | None
    temperature: float
    nb_samples: int
    accuracy: Accuracy
    calls: float
    seconds: float

    @property
    def cost(self) -> float:
        """Error times calls: what an unbiased estimator keeps when it draws more samples."""
        return self.accuracy.error * self.calls


@dataclass(frozen=True)
class Skipped:
    """An estimator that does not apply.

    Attributes:
        estimator: its name.
        reason: why.
    """

    estimator: str
    reason: str


@dataclass(frozen=True)
class Settings:
    """What is measured on a problem.

    Attributes:
        noise: noise of all estimators; None for none.
        estimators: names, all if None.
        lambdas: steps of targets.
        temperatures: of the noise, forward and backward alike.
        nb_samples: samples of a gradient.
        repetitions: independent gradients of each cell.
        seed: of the noise, the same for each cell.
    """

    noise: Noise | None
    estimators: Sequence[str] | None = None
    lambdas: Sequence[float] = LAMBDAS
    temperatures: Sequence[float] = TEMPERATURES
    nb_samples: int = 10
    repetitions: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.estimators or ():
            contracts.check_name("estimator", name, ESTIMATORS)
        for name, values in (("lambdas", self.lambdas), ("temperatures", self.temperatures)):
            if not values or not all(math.isfinite(value) and value >= 0 for value in values):
                raise ValueError(f"{name}: got {list(values)}; it must be finite numbers >= 0, at least one; use (1.0,)")
        contracts.check_samples("nb_samples", self.nb_samples)
        if self.repetitions < 2:
            raise ValueError(f"repetitions: got {self.repetitions}; a variance needs 2 or more; the usual number is 500")

    @property
    def cells(self) -> list[tuple[str, float | None, float]]:
        """Estimator, lambda and temperature of every cell."""
        return [
            (name, lambda_, temperature)
            for name in self.estimators or ESTIMATORS
            for lambda_, temperature in product(self.lambdas if ESTIMATORS[name].uses_step else [None], self.temperatures)
        ]


def compare(problem: LabProblem, settings: Settings, reference: Reference) -> Iterator[Cell | Skipped]:
    """Measures every estimator at every lambda and temperature: one record for each of ``settings.cells``, in their order.

    Args:
        problem: parameters, solver, loss, and perhaps the exact distribution.
        settings: what to measure.
        reference: the true gradient, by :func:`imle_core.lab_reference.reference_gradient`.

    Raises:
        ValueError: a loss that cannot be used, or a true gradient of 0.

    >>> from imle_core.noise import GumbelNoiseDistribution
    >>> from imle_core.lab_problem import make_problem
    >>> from imle_core.lab_reference import reference_gradient
    >>> settings = Settings(GumbelNoiseDistribution(), ["central-imle"], [1.0], [1.0], repetitions=200)
    >>> problem = make_problem("top-k")
    >>> (cell,) = compare(problem, settings, reference_gradient(problem, None, 0))
    >>> cell.accuracy.cosine > 0.5, cell.calls
    (True, 30.0)
    """
    if not reference.norm > 0:
        raise ValueError("loss: its true gradient is 0 here; nothing can be measured against it; take another loss or theta")
    for cell in settings.cells:
        yield _measured_or_skipped(problem, settings, reference, *cell)


def measure(gradients: Tensor, true: Tensor) -> Accuracy:
    """Compares independent gradients ``(R, *event)`` with the true one ``(*event)``, R >= 2; see :class:`Accuracy`."""
    rows, wanted = gradients.flatten(1).double(), true.flatten().double()
    length = wanted.norm()
    mean = rows.mean(dim=0)
    variance = float((rows - mean).square().sum() / (len(rows) - 1) / length**2)
    square = float((mean - wanted).square().sum() / length**2) - variance / len(rows)
    progress = float(mean @ wanted)
    lengths = rows.norm(dim=1)
    cosines = torch.where(lengths > 0, rows @ wanted / (lengths * length).clamp(min=torch.finfo(torch.float64).tiny), 0.0)
    signs = rows.sign() * wanted.sign()
    told = float(signs.abs().sum())
    return Accuracy(
        bias=math.sqrt(max(0.0, square)),
        variance=variance,
        mse=float((rows - wanted).square().sum(dim=1).mean() / length**2),
        error=_scaled_error(lengths, length, progress),
        cosine=float(cosines.mean()),
        zero_share=float((lengths == 0).double().mean()),
        sign_agreement=float((signs > 0).sum()) / told if told else None,
    )


def _scaled_error(lengths: Tensor, length: Tensor, progress: float) -> float:
    """``E ||g||^2 ||g*||^2 / (E <g, g*>)^2 - 1``; what is left of 0 after rounding counts as 0."""
    if progress <= 0:
        return math.inf
    error = float(lengths.square().mean() * length**2) / progress**2 - 1
    return error if error > _ROUNDING else 0.0


def best_cells(records: Sequence[Cell | Skipped]) -> list[Cell]:
    """For each estimator the cell with the least cost, estimators in order of that."""
    best: dict[str, Cell] = {}
    for record in records:
        if isinstance(record, Cell) and (record.estimator not in best or record.cost < best[record.estimator].cost):
            best[record.estimator] = record
    return sorted(best.values(), key=lambda cell: cell.cost)


def measured_again(problem: LabProblem, settings: Settings, reference: Reference, cell: Cell) -> Cell | Skipped:
    """The cell's estimator, lambda (or beta) and temperature under other ``settings``, of samples or noise for instance."""
    return _measured_or_skipped(problem, settings, reference, cell.estimator, cell.lambda_, cell.temperature, cell.beta)


class _Counted:
    """A solver that counts what it solves."""

    def __init__(self, solver: Callable[[Tensor], Tensor]) -> None:
        self.solver, self.rows = solver, 0

    def __repr__(self) -> str:
        return repr(self.solver)

    def __call__(self, theta: Tensor) -> Tensor:
        self.rows += len(theta)
        return self.solver(theta)


def _measured_or_skipped(
    problem: LabProblem, settings: Settings, reference: Reference, name: str, *place: Any
) -> Cell | Skipped:
    try:
        return _measured(problem, settings, reference, name, *place)
    except contracts.LossError:
        raise
    except (TypeError, ValueError) as error:  # what an estimator, or its noise, refuses
        return Skipped(name, str(error))


def _measured(
    problem: LabProblem,
    settings: Settings,
    reference: Reference,
    name: str,
    lambda_: float | None,
    temperature: float,
    beta: float | None = None,
) -> Cell:
    entry, solver = ESTIMATORS[name], _Counted(problem.solver)
    if entry.needs == "gold solutions":
        raise ValueError("it has a loss of its own, of gold solutions, and estimates the gradient of no other")
    adaptive = AdaptiveTargetDistribution(beta=_BETA if beta is None else beta) if entry.adaptive else None
    layer = _layer(problem, settings, name, solver, adaptive or TargetDistribution(1.0, lambda_ or 0.0), temperature)
    if adaptive is not None:
        if beta is None:
            _settle(layer, adaptive, problem)
        adaptive.step = 0.0  # so that all repetitions are of one law
    solver.rows = 0
    gradients = _gradients(layer, problem, settings.repetitions)
    drawn = settings.nb_samples if entry.exact and temperature > 0 else 0
    return Cell(
        name,
        lambda_,
        None if adaptive is None else float(adaptive.beta),
        temperature,
        settings.nb_samples,
        measure(gradients, reference.gradient),
        drawn + solver.rows / settings.repetitions,
        _seconds(layer, problem),
    )


def _layer(problem: LabProblem, settings: Settings, name: str, solver: Any, target: Target, temperature: float) -> Layer:
    entry = ESTIMATORS[name]
    options: dict[str, Any] = {"scale_gradient": True} if entry.layer is Estimator else {}
    if entry.exact and problem.family is not None:
        options["family"] = problem.family
    generator = torch.Generator(problem.theta.device).manual_seed(settings.seed)
    made: Layer = differentiable(
        name,
        solver,
        target,
        settings.noise,
        settings.nb_samples,
        temperature,
        temperature,
        generator=generator,
        **options,
    )
    return made


def _settle(layer: Layer, target: AdaptiveTargetDistribution, problem: LabProblem) -> None:
    """Lets beta find its size."""
    for step, passes in _WARM_UP:
        target.step = step
        for _ in range(passes):
            _gradients(layer, problem, max(1, _WARM_UP_SAMPLES // layer.nb_samples))


def _gradients(layer: Layer, problem: LabProblem, repetitions: int) -> Tensor:
    """Independent gradients, ``(R, *event)``, in parts of a bounded size."""
    theta = problem.theta.expand(repetitions, *problem.theta.shape[1:]).clone().requires_grad_()
    for part in theta.split(max(1, _ENTRIES // (layer.nb_samples * problem.theta.numel()))):
        values = layer.estimate(part, problem.loss)
        if not values.requires_grad:
            raise ValueError("the loss has no gradient, and this estimator needs it")
        values.sum().backward()
    assert theta.grad is not None
    return theta.grad


def _seconds(layer: Layer, problem: LabProblem) -> float:
    def once() -> float:
        began = time.perf_counter()
        _gradients(layer, problem, 1)
        if problem.theta.is_cuda:
            torch.cuda.synchronize(problem.theta.device)
        return time.perf_counter() - began

    return median(once() for _ in range(_TIMED))
