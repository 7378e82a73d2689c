"""The gradient that estimators are held against: exact where that can be had, else measured, with its error."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from imle_core import contracts
from imle_core.checks import ArgumentError, Record
from imle_core.contracts import Noise
from imle_core.estimators import Loss, TargetDistribution, imle, steps_of_any_size
from imle_core.exact import ExponentialFamily
from imle_core.lab.problem import LabProblem

_MOST_STATES, _MOST_ENTRIES = 2**18, 2**25
_ENTRIES = 2**22  # parameters that are solved at once have so many at most
_SOLVES, _SAMPLES = 2**18, 2**16
_STEP = 0.15  # of a central difference, in deviations of the noise
_ROUNDING = 64.0  # a gradient up to so many roundings of the mean size of losses is none


@dataclass(frozen=True, repr=False)
class Reference(Record):
    """A gradient of the expected loss.

    Attributes:
        gradient: ``(*event)``, float64.
        error: its standard error, the root of the sum of squares over entries; 0 for an exact one.
        text: what it is, for a reader.
    """

    gradient: Tensor
    error: float
    text: str

    @property
    def norm(self) -> float:
        """``||g*||``."""
        return float(self.gradient.norm())


def reference_gradient(problem: LabProblem, noise: Noise | None, seed: int) -> Reference:
    """``d/dtheta E f(z)`` for the problem's loss f, under the first of these that can be had.

    * The Gibbs distribution ``p(z) ~ exp <z, theta>``, by enumeration: exact for any loss.
    * The same by exact samples where there are too many structures: ``mean_s (f(z_s) - mean f) (z_s - E z)``.
    * Where no exact distribution is known, perturb-and-MAP at temperature 1 with the given noise: by central differences, in
      the direction of the loss's gradient if the loss is at most quadratic in z, for which these are right in the limit,
      else entry by entry. Their step is 0.15 deviations of the noise, which leaves a bias of second order in it.

    Args:
        problem: parameters, solver, loss and perhaps an exact distribution.
        noise: noise of the perturb-and-MAP distribution, used where no exact one is known.
        seed: of the samples.

    Raises:
        ArgumentError: neither an exact distribution nor noise; or a loss that cannot be used.
    """
    generator = torch.Generator(problem.theta.device).manual_seed(seed)
    family = problem.family
    if family is not None and family.count() <= min(_MOST_STATES, _MOST_ENTRIES // problem.theta.numel()):
        text = f"exact, Gibbs distribution at temperature 1 over {family.count():,} states"
        return Reference(_exact_gradient(problem, family), 0.0, text)
    if family is not None:
        return _by_exact_samples(problem, family, generator)
    if noise is None:
        raise ArgumentError(
            "noise",
            f"none for {problem.name}, of which no exact distribution is known",
            "the reference needs one or the other",
            "use normal noise for instance",
        )
    z = _mode(problem).requires_grad_()
    differentiable = contracts.losses_of(problem.loss, z).requires_grad
    quadratic = differentiable and is_quadratic(problem.loss, z.detach()[0].double(), generator)
    return (_by_direction if quadratic else _by_entries)(problem, noise, generator)


def is_quadratic(loss: Loss, state: Tensor, generator: torch.Generator) -> bool:
    """True where third differences of the loss along 8 random lines through a state ``(*event)`` vanish."""
    lines = torch.randn(8, 1, *state.shape, dtype=state.dtype, device=state.device, generator=generator)
    steps = torch.arange(4, dtype=state.dtype, device=state.device).view(1, 4, *[1] * state.dim())
    try:
        values = contracts.losses_of(loss, (state + steps * lines).flatten(0, 1)).detach().view(8, 4).double()
    except Exception:  # any that a loss raises which is defined on structures alone
        return False
    third = values @ values.new_tensor([-1.0, 3.0, -3.0, 1.0])
    return bool((third.abs() <= 1e-6 * values.abs().sum(dim=1)).all())


def _exact_gradient(problem: LabProblem, family: ExponentialFamily) -> Tensor:
    theta = problem.theta.detach().clone().requires_grad_()
    value = family.expectation(theta, lambda states: contracts.losses_of(problem.loss, states)).sum()
    (gradient,) = torch.autograd.grad(value, theta)
    size = family.expectation(problem.theta, lambda states: contracts.losses_of(problem.loss, states).abs()).sum()
    is_rounding = gradient.norm() <= _ROUNDING * torch.finfo(theta.dtype).eps * size
    return torch.zeros_like(gradient[0]) if is_rounding else gradient[0]


def _by_exact_samples(problem: LabProblem, family: ExponentialFamily, generator: torch.Generator) -> Reference:
    theta, size = problem.theta, problem.theta.numel()
    mean = family.marginals(theta)[0]
    chunk = max(2, min(_SAMPLES, _ENTRIES // size))

    def gradients() -> Tensor:
        z = family.sample(theta, chunk, generator)[0].double()
        values = contracts.losses_of(problem.loss, z).detach()
        return _times(values - values.mean(), z - mean) * (chunk / (chunk - 1))

    return _averaged(gradients, max(1, _SAMPLES // chunk), "exact samples of the Gibbs distribution at temperature 1")


def _by_direction(problem: LabProblem, noise: Noise, generator: torch.Generator) -> Reference:
    theta, size = problem.theta, problem.theta.numel()
    chunk = max(2, min(_SAMPLES, _ENTRIES // size))
    z = _mode(problem).requires_grad_()
    (slope,) = torch.autograd.grad(contracts.losses_of(problem.loss, z).sum(), z)
    step = _STEP * _deviation(noise, problem, generator) / (float(slope.square().mean().sqrt()) or 1.0)
    layer = imle(
        problem.solver, TargetDistribution(1.0, step), noise, difference="central", scale_gradient=True, generator=generator
    )

    def gradients() -> Tensor:
        rows = theta.expand(chunk, *theta.shape[1:]).clone().requires_grad_()
        with steps_of_any_size():
            contracts.losses_of(problem.loss, contracts.solutions_in(layer(rows))[0]).sum().backward()
        assert rows.grad is not None
        return rows.grad.double()

    text = f"central differences with lambda {step:.3g} of perturb-and-MAP at temperature 1"
    return _averaged(gradients, max(1, _SAMPLES // chunk), text)


def _by_entries(problem: LabProblem, noise: Noise, generator: torch.Generator) -> Reference:
    theta, size = problem.theta, problem.theta.numel()
    step = _STEP * _deviation(noise, problem, generator)
    chunk = max(1, min(_SOLVES // (2 * size), _ENTRIES // (2 * size * size)))
    block = max(1, _ENTRIES // (2 * size * chunk))

    def gradients() -> Tensor:
        perturbed = (theta + contracts.draw_noise(noise, theta, chunk, generator, problem.solver)[0]).flatten(1)
        slopes = [_slopes(problem, perturbed, entries, step) for entries in torch.arange(size).split(block)]
        return torch.cat(slopes, dim=1).view(chunk, *theta.shape[1:])

    text = f"central differences of every entry by {step:.3g} of perturb-and-MAP at temperature 1"
    return _averaged(gradients, max(2, _SOLVES // (2 * size * chunk)), text)


def _slopes(problem: LabProblem, perturbed: Tensor, entries: Tensor, step: float) -> Tensor:
    """Central differences of the loss, ``(n, m)``, at parameters ``(n, entries of an event)`` for m of their entries."""
    count, size = perturbed.shape
    moves = torch.zeros(len(entries), size, dtype=perturbed.dtype, device=perturbed.device)
    moves[torch.arange(len(entries)), entries] = step
    rows = perturbed[:, None, None] + torch.stack([moves, -moves])
    parameters = rows.view(1, -1, *problem.theta.shape[1:])
    states = contracts.map_states(problem.solver, parameters)[0]
    up, down = contracts.losses_of(problem.loss, states).detach().double().view(count, 2, -1).unbind(dim=1)
    return (up - down) / (2 * step)


def _mode(problem: LabProblem) -> Tensor:
    """The noise-free solution ``(1, *event)``, in theta's type."""
    return contracts.map_states(problem.solver, problem.theta.unsqueeze(1))[:, 0].clone()


def _averaged(gradients: Callable[[], Tensor], calls: int, text: str) -> Reference:
    """Mean of gradients ``(n, *event)`` over calls; ``text`` says what their number counts."""
    total: Any = 0.0
    squares, count = 0.0, 0
    for _ in range(calls):
        batch = gradients()
        total, squares, count = total + batch.sum(dim=0), squares + float(batch.square().sum()), count + len(batch)
    mean = total / count
    variance = max(0.0, squares / count - float(mean.square().sum()))
    return Reference(mean, math.sqrt(variance / max(1, count - 1)), f"{count:,} {text}")


def _times(numbers: Tensor, rows: Tensor) -> Tensor:
    return numbers.view(-1, *[1] * (rows.dim() - 1)) * rows


def _deviation(noise: Noise, problem: LabProblem, generator: torch.Generator) -> float:
    """Standard deviation of the noise."""
    samples = max(2, 4096 // problem.theta.numel())
    return float(contracts.draw_noise(noise, problem.theta, samples, generator, problem.solver).std())
