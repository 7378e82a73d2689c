"""What a solver, a noise and a target must do, and the checks that hold them to it."""

import difflib
import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor


class Solver(Protocol):
    """Row by row ``argmax_z <z, theta>``: a callable from ``(N, *event)`` to ``(N, *event)``.

    Where it has the method ``perturb_and_map(theta, eps, temperature, known=None)``, layers that maximise call it in place
    of the solver with ``theta + temperature * eps``, for theta ``(B, 1 or S, *event)`` and eps ``(B, S, *event)``, or theta
    ``(B, S, *event)`` and no eps. It gives ``(B, S, *event)`` and need not solve again what is :class:`Known`.
    """

    def __call__(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        """Solutions for the parameters ``theta``."""


@dataclass(frozen=True)
class Known:
    """Solutions ``z = MAP(theta + temperature * eps)`` from before, for noise that is known from elsewhere.

    Attributes:
        theta: parameters, ``(B, 1 or S, *event)``.
        temperature: that of the noise.
        z: solutions, ``(B, S, *event)``.
    """

    theta: Tensor
    temperature: float
    z: Tensor


class Noise(Protocol):
    """A source of noise: ``sample(shape)`` and, as far as it knows them, ``dtype``, ``device`` and ``generator``."""

    @property
    def sample(self) -> Callable[..., Tensor]:
        """Draws a tensor of the shape it is given."""


class Target(Protocol):
    """Gives target parameters ``theta'``.

    Where it has them, ``step_size(theta, dy)`` gives lambda, a number or a tensor with one for each row, by which a scaled
    gradient is divided; and ``observe(difference)`` is called once after each backward pass, with the differences
    ``(B, S, *event)`` of states before they are averaged and scaled.
    """

    def params(self, theta: Tensor, dy: Tensor, /) -> Tensor:
        """Target parameters for the parameters ``theta`` and the upstream gradient ``dy``, all ``(N, *event)``."""


def draw_noise(noise: Noise, like: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
    """Noise ``(B, S, *event)`` in the type and on the device of ``like`` ``(B, *event)``.

    Raises:
        ValueError: the noise has another shape, or cannot take the generator that is to be used.
    """
    shape = torch.Size((like.shape[0], nb_samples, *like.shape[1:]))
    wanted = {"dtype": like.dtype, "device": like.device, "generator": generator}
    known = _keywords(noise.sample)
    if generator is not None and not known >= {"generator"}:
        raise ValueError(
            f"generator: {type(noise).__name__}.sample takes none; the draws would not come from it; "
            "give sample a keyword argument named generator"
        )
    eps = noise.sample(shape, **{name: value for name, value in wanted.items() if name in known})
    if eps.shape != shape:
        raise ValueError(
            f"noise_distribution: {type(noise).__name__}.sample gave shape {tuple(eps.shape)}, asked for "
            f"{tuple(shape)}; it must give the shape asked for"
        )
    return eps.to(like)


def map_states(solver: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    """Solutions for stacked parameters, both ``(B, S, *event)``, as one call with B*S rows; cast to theta's type.

    Raises:
        TypeError: the solver gives no tensor.
        ValueError: the solver gives another shape.
    """
    rows = theta.flatten(0, 1)
    if rows.numel() == 0:
        return torch.zeros_like(theta)
    z = solver(rows)
    if not isinstance(z, Tensor):
        raise TypeError(f"solver: gave {type(z).__name__}; it must give a tensor; wrap arrays in torch.as_tensor")
    if z.shape != rows.shape:
        raise ValueError(
            f"solver: gave shape {tuple(z.shape)} for parameters of shape {tuple(rows.shape)}; it must map "
            "(N, *event) to (N, *event), row by row; N is batch x samples"
        )
    return z.detach().to(theta).reshape(theta.shape)


def check_states(z: Any, shape: torch.Size) -> None:
    """What a solver's ``perturb_and_map`` gives must be a tensor ``(B, S, *event)``."""
    got = tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__
    if got != tuple(shape):
        raise ValueError(
            f"solver: perturb_and_map gave {got}; it must give a tensor of shape {tuple(shape)}, (B, S, *event); "
            "without that method the solver itself is called"
        )


class LossError(ValueError):
    """A loss that gives what no estimator can use; the message is one line."""


def losses_of(loss: Callable[[Tensor], Any], states: Tensor) -> Tensor:
    """``loss(states)``, one number for each of the states ``(N, *event)``.

    Raises:
        LossError: the loss gives no tensor, another shape, or NaN.
    """
    values = loss(states)
    if not isinstance(values, Tensor):
        raise LossError(f"loss: gave {type(values).__name__}; it must give a tensor; wrap arrays in torch.as_tensor")
    if values.shape != states.shape[:1]:
        raise LossError(
            f"loss: gave shape {tuple(values.shape)} for states of shape {tuple(states.shape)}; it must give one number for "
            f"each, ({len(states)},); add up over the other axes, as in .flatten(1).sum(dim=1)"
        )
    if values.isnan().any():
        raise LossError(
            f"loss: gave {int(values.isnan().sum())} NaN for {len(states)} states; it must give numbers; look for 0/0 or "
            "log(0)"
        )
    return values


def check_theta(theta: Any) -> None:
    """Parameters must be a floating tensor ``(B, *event)`` without NaN."""
    if not isinstance(theta, Tensor):
        raise TypeError(f"theta: got {type(theta).__name__}; it must be a tensor; use torch.as_tensor")
    if not theta.is_floating_point():
        raise TypeError(f"theta: got {theta.dtype}; it must have a floating type; use theta.float()")
    if theta.dim() < 2:
        raise ValueError(
            f"theta: got shape {tuple(theta.shape)}; it must be (B, *event) with a batch axis in front; "
            "use theta.unsqueeze(0) for one instance, theta.unsqueeze(-1) for B single numbers"
        )
    if theta.isnan().any():
        count = int(theta.isnan().sum())
        raise ValueError(
            f"theta: got {count} NaN of {theta.numel()} entries; it must have none; look for the cause upstream"
        )


def check_upstream(dy: Tensor) -> None:
    """An upstream gradient must be finite."""
    if not dy.sum().isfinite() and not dy.isfinite().all():  # a finite sum, quick to take, has finite terms
        count = int((~dy.isfinite()).sum())
        raise ValueError(
            f"upstream gradient: got {count} entries of {dy.numel()} that are NaN or infinite; it must be finite; "
            "look at the loss"
        )


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """``value`` must be one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name}: got {value!r}; it must be one of {', '.join(map(repr, choices))}")


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """``name`` must be one of the names ``known``; the nearest of them is suggested."""
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"use {names[0]!r} for instance"
        raise ValueError(f"{what}: got {name!r}; it must be one of {', '.join(map(repr, names))}; {remedy}")


def check_samples(name: str, value: Any) -> None:
    """A number of samples must be a whole number >= 1."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: got {value!r}; it must be a whole number >= 1; use 1 for a single sample")


def check_steps(name: str, value: Any, usual: int = 1100) -> None:
    """A number of steps, or of what is like steps, must be a whole number >= 1."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: got {value!r}; it must be a whole number >= 1; the usual value is {usual}")


def check_seed(name: str, value: Any) -> None:
    """A seed must be a whole number of at most 64 bits."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise ValueError(f"{name}: got {value!r}; it must be a whole number from 0 to 2^64 - 1; the usual one is 0")


def check_temperature(name: str, value: Any) -> None:
    """A temperature must be a finite number >= 0."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name}: got {value!r}; it must be a finite number >= 0; use 0 for no noise")


def check_method(name: str, value: Any, method: str, remedy: str) -> None:
    """``value`` must have a callable attribute ``method``."""
    if not callable(getattr(value, method, None)):
        raise TypeError(f"{name}: got {type(value).__name__}, which has no method {method}; {remedy}")


_known_keywords: dict[Any, frozenset[str]] = {}  # of functions; looking them up takes as long as a small draw


def _keywords(function: Callable[..., Any]) -> frozenset[str]:
    written = getattr(function, "__func__", function)
    if not inspect.isfunction(written):
        return _parameters(function)
    if written not in _known_keywords:
        _known_keywords[written] = _parameters(written)
    return _known_keywords[written] - ({"self"} if inspect.ismethod(function) else set())


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Names that a function takes as keywords."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return frozenset({"dtype", "device", "generator"})
    return frozenset(parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY)
