"""Implicit Maximum Likelihood Estimation: a combinatorial solver as a differentiable layer.

With a solver ``MAP(theta) = argmax_z <z, theta>``, noise ``eps_s`` drawn once for each of S samples, an upstream gradient
``dy_s`` and the target parameters ``theta'_s = alpha * theta - lambda * dy_s``:

    forward    z_s = MAP(theta + tau_in * eps_s)
    backward   g = mean_s [ z_s - MAP(theta'_s + tau_tgt * eps_s) ]

Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), algorithm 1.
"""

import functools
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from imle_core import contracts
from imle_core.contracts import Noise, Solver, Target
from imle_core.replay import Replay
from imle_core.target import TargetDistribution

Sense = Literal["max", "min"]
Reduction = Literal["none", "stacked", "mean"]
Difference = Literal["forward", "central"]
Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Estimator:
    """The I-MLE layer around ``solver``; :func:`imle` makes one and documents the fields."""

    solver: Solver
    target: Target
    noise: Noise | None
    nb_samples: int
    input_temperature: float
    target_temperature: float
    sense: Sense
    reduction: Reduction
    scale_gradient: bool
    difference: Difference
    generator: torch.Generator | None
    replay: Replay | None = field(init=False)

    def __post_init__(self) -> None:
        if not callable(self.solver):
            raise TypeError(f"function: got {type(self.solver).__name__}; it must be callable; pass the solver first")
        contracts.check_method("target_distribution", self.target, "params", "use TargetDistribution(alpha, beta)")
        if self.scale_gradient:
            contracts.check_method("target_distribution", self.target, "step_size", "scale_gradient divides by it")
        if self.noise is not None:
            contracts.check_method("noise_distribution", self.noise, "sample", "use GumbelNoiseDistribution() or None")
        contracts.check_samples("nb_samples", self.nb_samples)
        contracts.check_temperature("input_noise_temperature", self.input_temperature)
        contracts.check_temperature("target_noise_temperature", self.target_temperature)
        contracts.check_choice("sense", self.sense, get_args(Sense))
        contracts.check_choice("reduction", self.reduction, get_args(Reduction))
        contracts.check_choice("difference", self.difference, get_args(Difference))
        object.__setattr__(self, "replay", None if self.generator is None else Replay(self.generator))

    def __call__(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver."""
        contracts.check_theta(theta)
        arguments = tuple(map(_detached, args)), {name: _detached(value) for name, value in kwargs.items()}
        with torch.no_grad():
            parameters = theta.detach()
            eps = self._draw(parameters)
            z = self._map(self._signed(parameters).unsqueeze(1), eps, self.input_temperature, arguments)
        if not (torch.is_grad_enabled() and theta.requires_grad):
            return self.reduce(z)
        output: Tensor = _Estimate.apply(theta, eps, z, self, arguments)  # type: ignore[no-untyped-call]
        return output

    def reduce(self, z: Tensor) -> Tensor:
        """Samples ``(B, S, *event)`` in the wanted reduction."""
        if self.reduction == "mean":
            return z.mean(dim=1)
        return z.view_as(z) if self.reduction == "stacked" else z.flatten(0, 1)

    def gradient(self, theta: Tensor, eps: Tensor | None, z: Tensor, dy: Tensor, arguments: Arguments) -> Tensor:
        """The gradient ``(B, *event)`` for the upstream gradient ``dy`` of the reduced samples."""
        contracts.check_upstream(dy)
        fixed = theta.isinf()
        walled = bool(fixed.any())
        rows = self._signed(theta).unsqueeze(1).expand_as(z).flatten(0, 1)
        dy_rows = (dy.unsqueeze(1).expand_as(z) if self.reduction == "mean" else dy.reshape(z.shape)).flatten(0, 1)

        def state_against(dy_rows: Tensor) -> Tensor:
            target = self.target.params(rows, dy_rows)
            if walled:
                target = torch.where(rows.isinf(), rows, target)
            return self._map(target.view(z.shape), eps, self.target_temperature, arguments)

        if self.difference == "central":
            difference = (state_against(-dy_rows) - state_against(dy_rows)) / 2
        else:
            difference = z - state_against(dy_rows)
        if hasattr(self.target, "observe"):
            self.target.observe(difference)
        if self.scale_gradient:
            difference = _divided(difference, self.target.step_size(rows, dy_rows))  # type: ignore[attr-defined]
        return self._signed(difference.mean(dim=1).masked_fill_(fixed, 0.0))

    def noise_free(self) -> "Estimator":
        """The same layer without noise and with one sample."""
        return replace(self, noise=None, nb_samples=1)

    def _signed(self, theta: Tensor) -> Tensor:
        return -theta if self.sense == "min" else theta

    def _draw(self, theta: Tensor) -> Tensor | None:
        if self.noise is None or self.input_temperature == self.target_temperature == 0:
            return None
        with nullcontext() if self.replay is None else self.replay.drawing(theta):
            return contracts.draw_noise(self.noise, theta, self.nb_samples, self.generator)

    def _map(self, theta: Tensor, eps: Tensor | None, temperature: float, arguments: Arguments) -> Tensor:
        def solver(rows: Tensor) -> Tensor:
            return self.solver(self._signed(rows), *arguments[0], **arguments[1])

        return contracts.map_states(solver, _perturbed(theta, eps, temperature, self.nb_samples))


class _Estimate(torch.autograd.Function):
    @staticmethod
    def forward(theta: Tensor, eps: Tensor | None, z: Tensor, layer: Estimator, arguments: Arguments) -> Tensor:  # noqa: ARG004
        return layer.reduce(z)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        *tensors, ctx.layer, ctx.arguments = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.layer.gradient(*ctx.saved_tensors, dy, ctx.arguments), None, None, None, None


def imle(
    function: Solver | None = None,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    scale_gradient: bool = False,
    difference: Difference = "forward",
    generator: torch.Generator | None = None,
) -> Callable[..., Any]:
    """Makes a differentiable layer of a solver: ``z_s = MAP(theta + tau_in*eps_s)`` with the I-MLE gradient.

    The gradient is ``mean_s [z_s - MAP(alpha*theta - lambda*dy_s + tau_tgt*eps_s)]``, with the noise of the forward pass.
    Use it as a function, ``layer = imle(solver, ...)``, or as a decorator, ``@imle(...)``; then call ``layer(theta)`` with
    theta of shape ``(B, *event)``. Positional and keyword arguments after theta reach the solver as they are (tensors
    detached). A backward pass solves once more (central: twice), without gradient tracking none is made. An infinite
    entry of theta (-inf: never chosen) stays as it is in every target and gets gradient 0.

    Args:
        function: the solver, ``(N, *event) -> (N, *event)``, here with N = B*S; row b*S + s is sample s of instance b.
            Integer and bool outputs are cast to theta's type.
        target_distribution: gives theta'; ``TargetDistribution(alpha=1, beta=1)`` if None. ``beta`` is lambda.
        noise_distribution: gives eps, shape ``(B, S, *event)``, on theta's device and in its type; no noise if None.
        nb_samples: S, samples for each instance, >= 1.
        input_noise_temperature: tau_in >= 0, the scale of the noise in the forward pass.
        target_noise_temperature: tau_tgt >= 0, the scale of the same noise in the backward pass.
        sense: "max", or "min" for a solver that minimises ``<z, c>``: it then gets ``c - tau_in*eps``, the target is
            ``alpha*c + lambda*dy``, and the gradient ``mean_s [MAP(c' - tau_tgt*eps_s) - z_s]``.
        reduction: shape of the output: "none" ``(B*S, *event)``, "stacked" ``(B, S, *event)``, or "mean" over samples
            ``(B, *event)``, where the target of every sample uses the gradient of the mean itself.
        scale_gradient: divide the gradient by lambda, which makes it an estimate of the gradient's size, too.
        difference: "forward" as above, or "central", ``mean_s 1/2 [MAP(alpha*theta + lambda*dy_s + tau_tgt*eps_s) -
            MAP(alpha*theta - lambda*dy_s + tau_tgt*eps_s)]``, whose bias is of second order in lambda.
        generator: source of the noise; torch's global generator if None. Under activation checkpointing it is put back
            so that the recomputation draws the same noise.

    Returns:
        The layer, or without ``function`` a decorator that makes one.

    Raises:
        ValueError: a setting outside its range, now; parameters or an upstream gradient that cannot be used, a wrong
            shape of noise or solution, when the layer is called.
        TypeError: settings, parameters or solutions of a wrong type.

    Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), algorithm 1.

    >>> layer = imle(lambda theta: theta > 0, TargetDistribution(alpha=1.0, beta=2.0))
    >>> layer(torch.tensor([[0.5, -0.5]]))
    tensor([[1., 0.]])
    """
    if function is None:
        settings = {name: value for name, value in locals().items() if name != "function"}
        return functools.partial(imle, **settings)
    target = TargetDistribution() if target_distribution is None else target_distribution
    layer = Estimator(
        function,
        target,
        noise_distribution,
        nb_samples,
        input_noise_temperature,
        target_noise_temperature,
        sense,
        reduction,
        scale_gradient,
        difference,
        generator,
    )

    @functools.wraps(function)
    def differentiable(theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        return layer(theta, *args, **kwargs)

    differentiable.estimator = layer  # type: ignore[attr-defined]
    return differentiable


class IMLE(nn.Module):
    """The layer of :func:`imle` as a module, made from the same arguments.

    In training mode it samples. In evaluation mode it gives the noise-free state, one for each instance, in the reduction
    that was chosen. Its ``state_dict`` has the state of the solver and the target where they are modules, and that of the
    generator, so that a run that goes on after loading draws what an uninterrupted one would have drawn.
    """

    def __init__(self, function: Solver, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.estimator: Estimator = imle(function, *args, **kwargs).estimator  # type: ignore[attr-defined]
        self.solver, self.target = self.estimator.solver, self.estimator.target

    def forward(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver."""
        layer = self.estimator if self.training else self.estimator.noise_free()
        return layer(theta, *args, **kwargs)

    def get_extra_state(self) -> dict[str, Tensor]:
        """State of the generator, where there is one."""
        generator = self.estimator.generator
        return {} if generator is None else {"generator": generator.get_state()}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """Sets the generator to a saved state; generators of a layer without one are left alone."""
        if self.estimator.generator is not None and "generator" in state:
            self.estimator.generator.set_state(state["generator"].cpu())


def perturb_and_map(
    solver: Callable[[Tensor], Tensor],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """``z_s = MAP(theta + tau * eps_s)``: S samples for each instance, by one call of the solver with B*S rows.

    Args:
        solver: ``(N, *event) -> (N, *event)``, maximises.
        theta: parameters, ``(B, *event)``.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S >= 1.
        temperature: tau >= 0.
        generator: source of the noise; torch's global generator if None.

    Returns:
        States ``(B, S, *event)`` in theta's type.

    Raises:
        ValueError: an argument outside its range, or a wrong shape of noise or solution.
        TypeError: parameters or solutions of a wrong type.

    Source: Papandreou and Yuille 2011, "Perturb-and-MAP random fields".
    """
    contracts.check_theta(theta)
    contracts.check_samples("nb_samples", nb_samples)
    contracts.check_temperature("temperature", temperature)
    with torch.no_grad():
        theta = theta.detach()
        eps = None
        if noise_distribution is not None and temperature > 0:
            eps = contracts.draw_noise(noise_distribution, theta, nb_samples, generator)
        return contracts.map_states(solver, _perturbed(theta.unsqueeze(1), eps, temperature, nb_samples))


def _perturbed(theta: Tensor, eps: Tensor | None, temperature: float, nb_samples: int) -> Tensor:
    """``theta + tau * eps`` for theta ``(B, 1 or S, *event)``, shape ``(B, S, *event)``."""
    if eps is None or temperature == 0:
        return theta.expand(-1, nb_samples, *theta.shape[2:])
    return theta + temperature * eps


def _divided(difference: Tensor, step: Tensor | float) -> Tensor:
    """Differences ``(B, S, *event)`` over lambda, a number or ``(B*S,)``; 0 where lambda is 0."""
    step = torch.as_tensor(step, dtype=difference.dtype, device=difference.device)
    if step.dim():
        step = step.reshape(*difference.shape[:2], *[1] * (difference.dim() - 2))
    return torch.where(step > 0, difference / step, torch.zeros_like(difference))


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value
