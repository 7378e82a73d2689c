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

from imle_core.declarations import declared, is_pure


class Solver(Protocol):
    """Row by row ``argmax_z <z, theta>``: a callable from ``(N, *event)`` to ``(N, *event)``.

    Where it has the method ``perturb_and_map(theta, eps, temperature, known=None)``, layers that maximise call it in place
    of the solver with ``theta + temperature * eps``, for theta ``(B, 1 or S, *event)`` and eps ``(B, S, *event)``, or theta
    ``(B, S, *event)`` and no eps. It gives ``(B, S, *event)`` and need not solve again what is :class:`Known`.

    Memory: a solver gets rows of its own, in which it may write, and what it gives is copied, so that it may be a buffer of
    its own, or what it got. The attribute ``pure = True`` saves both copies. It says that the solver changes nothing that it
    gets, and that what it gives is a new tensor which it does not keep.

    Sense: the attribute ``sense``, "max" or "min", says what a solver does; a layer of the other sense refuses it.

    Both attributes hold for the class that has them, and for subclasses that leave ``__call__`` as it is.
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
    """A source of noise: ``sample(shape)`` and, as far as it knows them, ``dtype``, ``device`` and ``generator``.

    Its draws are copied, unless it has the attribute ``pure = True``: then they are new tensors which it does not keep.
    """

    @property
    def sample(self) -> Callable[..., Tensor]:
        """Draws a tensor of the shape it is given."""


class Target(Protocol):
    """Gives target parameters ``theta'``.

    Where it has them, ``step_size(theta, dy)`` gives lambda, a number or a tensor with one for each row, by which a scaled
    gradient is divided; and ``observe(difference)`` is called once after each backward pass, with the differences
    ``(B, S, *event)`` of states before they are averaged and scaled.

    A target gets tensors of its own, in which it may write, unless it has the attribute ``pure = True``: then it changes
    nothing that it gets. Its parameters must be finite where theta is, unless it has ``follows_gradient = False``.
    """

    def params(self, theta: Tensor, dy: Tensor, /) -> Tensor:
        """Target parameters for the parameters ``theta`` and the upstream gradient ``dy``, all ``(N, *event)``."""


def draw_noise(noise: Noise, like: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
    """Noise ``(B, S, *event)`` in the type and on the device of ``like`` ``(B, *event)``, in memory of its own.

    Raises:
        TypeError: the noise is no tensor.
        ValueError: the noise has another shape, has NaN, or cannot take the generator that is to be used.
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
    if is_pure(noise, "sample") and eps.shape == shape:
        return eps.to(like)
    if not isinstance(eps, Tensor):
        raise TypeError(
            f"noise_distribution: {type(noise).__name__}.sample gave {type(eps).__name__}; it must give a tensor; wrap "
            "arrays in torch.as_tensor"
        )
    if eps.shape != shape:
        raise ValueError(
            f"noise_distribution: {type(noise).__name__}.sample gave shape {tuple(eps.shape)}, asked for "
            f"{tuple(shape)}; it must give the shape asked for"
        )
    if eps.isnan().any():
        raise ValueError(
            f"noise_distribution: {type(noise).__name__}.sample gave {int(eps.isnan().sum())} NaN of {eps.numel()} draws; "
            "it must give numbers; look for 0/0 or log(0)"
        )
    return own(eps, like)


def map_states(
    solver: Callable[[Tensor], Tensor], theta: Tensor, *, pure: bool | None = None, fresh: bool = False
) -> Tensor:
    """Solutions for stacked parameters, both ``(B, S, *event)``, as one call with B*S rows.

    Args:
        solver: solves.
        theta: parameters.
        pure: whether the solver changes nothing and keeps nothing; what it declares if None.
        fresh: whether nobody else needs the memory of ``theta``, so that the solver may write in it.

    Returns:
        Solutions in theta's type, in memory of their own.

    Raises:
        TypeError: the solver gives no dense tensor of real numbers.
        ValueError: the solver gives another shape, or NaN.
    """
    rows = theta.flatten(0, 1)
    if rows.numel() == 0:
        return torch.zeros_like(theta)
    if is_pure(solver) if pure is None else pure:
        z = solver(rows)
        if isinstance(z, Tensor) and z.shape == rows.shape:
            return z.detach().to(theta).reshape(theta.shape)
    else:
        z = solver(rows if fresh else rows.clone())
    _check_solution(z, rows.shape)
    return own(z, theta).reshape(theta.shape)


def _check_solution(z: Any, shape: torch.Size) -> None:
    if not isinstance(z, Tensor):
        remedy = "give the solution alone" if isinstance(z, tuple) else "wrap arrays in torch.as_tensor"
        raise TypeError(f"solver: gave {type(z).__name__}; it must give a tensor; {remedy}")
    kind = lacking_numbers(z)
    if kind is not None:
        raise TypeError(f"solver: gave {kind[0]}; it must give a dense tensor of real numbers; {kind[1]}")
    if z.shape != shape:
        raise ValueError(
            f"solver: gave shape {tuple(z.shape)} for parameters of shape {tuple(shape)}; it must map "
            "(N, *event) to (N, *event), row by row; N is batch x samples; for a function of one instance take BlackBox"
        )
    if z.is_floating_point() and not _sum_is_finite(z) and z.isnan().any():
        rows = int(z.isnan().flatten(1).any(dim=1).sum())
        raise ValueError(
            f"solver: gave NaN in {rows} of {len(z)} rows; a solution has numbers; run imle check on the solver"
        )


def own(values: Tensor, like: Tensor) -> Tensor:
    """``values`` in the type and on the device of ``like``, without a gradient, in memory that nobody else has."""
    moved = values.detach().to(like)
    # A change of type or device has copied already. So has a copy here, which also leaves inference mode.
    return moved.clone() if moved.dtype == values.dtype and moved.device == values.device else moved


def target_parameters(target: Target, theta: Tensor, dy: Tensor) -> Tensor:
    """``theta'`` for parameters and their upstream gradient, all ``(N, *event)``; an infinite entry of theta stays.

    Raises:
        TypeError: the target gives no tensor.
        ValueError: the target gives another shape, or parameters that are not finite where theta is.
    """
    moved = target.params(theta, dy) if is_pure(target, "params") else target.params(theta.clone(), dy.clone())
    check_moved(moved, theta, f"{type(target).__name__}.params gave")
    moved = moved.to(theta)
    if _sum_is_finite(moved):
        return moved
    walls = theta.isinf()
    if getattr(target, "follows_gradient", True):
        check_finite_step(torch.where(walls, 0.0, moved))
    return torch.where(walls, theta, moved)


def check_moved(moved: Any, theta: Tensor, what: str) -> None:
    """What a target gives must be a tensor of theta's shape."""
    if not isinstance(moved, Tensor):
        raise TypeError(f"target_distribution: {what} {type(moved).__name__}; it must give a tensor of theta's shape")
    if moved.shape != theta.shape:
        raise ValueError(
            f"target_distribution: {what} shape {tuple(moved.shape)} for parameters of shape {tuple(theta.shape)}; it must "
            "keep their shape"
        )


def check_finite_step(moved: Tensor) -> None:
    """Parameters that were moved by lambda times the upstream gradient must be finite where theta is.

    Ties of infinite parameters would decide a solution, or an infinite one would count as a wall.
    """
    wrong = int((~moved.isfinite()).sum())
    if wrong:
        raise ValueError(
            f"target_distribution: lambda times the upstream gradient makes {wrong} of {moved.numel()} target parameters "
            f"infinite or NaN in {moved.dtype}; they must be finite where theta is; use a smaller lambda or loss scale, or "
            "theta.float()"
        )


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


def lacking_numbers(values: Tensor) -> tuple[str, str] | None:
    """Why a tensor is not one of real numbers side by side, and what to do; None where it is."""
    if values.is_nested:
        return "a nested tensor", "pad it with torch.nested.to_padded_tensor"
    if values.layout != torch.strided:
        return f"a sparse tensor ({values.layout})", "use .to_dense()"
    if values.is_quantized:
        return f"a quantised tensor ({values.dtype})", "use .dequantize()"
    if values.is_meta:
        return "a tensor on the meta device, which holds no numbers", "move its making to a real device"
    if values.is_complex():
        return f"{values.dtype}", "take its .real, or .abs()"
    return None


# Arithmetic is defined for these; narrower ones are for storage.
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def check_theta(theta: Any) -> None:
    """Parameters must be a dense tensor ``(B, *event)`` of a floating type, without NaN."""
    if not isinstance(theta, Tensor):
        raise TypeError(f"theta: got {type(theta).__name__}; it must be a tensor; use torch.as_tensor")
    kind = lacking_numbers(theta)
    if kind is not None:
        raise TypeError(f"theta: got {kind[0]}; it must be a dense tensor of real numbers; {kind[1]}")
    if theta.dtype not in _FLOATS:
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


def check_solver(solver: Any, sense: str) -> None:
    """A solver must be a callable object that does not declare the other sense.

    Raises:
        TypeError: a class, or what cannot be called.
        ValueError: a solver that declares the other sense.
    """
    if isinstance(solver, type):
        raise TypeError(
            f"function: got the class {solver.__name__}; it must be a solver, an object; make one: {solver.__name__}(...)"
        )
    if not callable(solver):
        raise TypeError(f"function: got {type(solver).__name__}; it must be callable; pass the solver first")
    does = declared(solver, "sense")
    if does in ("max", "min") and does != sense:
        name = getattr(solver, "__name__", type(solver).__name__)
        remedy = (
            "leave sense out and call the layer with -costs, or take imle(lambda costs: solver(-costs), sense='min')"
            if does == "max"
            else "use sense='min', or give lambda theta: solver(-theta)"
        )
        raise ValueError(f"sense: got {sense!r} with {name}, which declares {does!r} and would give the worst; {remedy}")


def check_upstream(dy: Tensor) -> None:
    """An upstream gradient must be finite."""
    if not _sum_is_finite(dy) and not dy.isfinite().all():
        count = int((~dy.isfinite()).sum())
        raise ValueError(
            f"upstream gradient: got {count} entries of {dy.numel()} that are NaN or infinite; it must be finite; "
            "look at the loss"
        )


def _sum_is_finite(values: Tensor) -> bool:
    """Whether a sum is finite, which is quick to find out: then all its terms are finite, too."""
    return math.isfinite(float(values.sum()))


def check_noise_fits(perturbed: Tensor, theta: Tensor) -> None:
    """Noise must not make finite parameters infinite, as it can in float16: ties of these would decide a solution."""
    if perturbed.dtype != torch.float16 or _sum_is_finite(perturbed.float()):
        return
    wrong = int((perturbed.isinf() & theta.isfinite()).sum())
    if wrong:
        raise ValueError(
            f"theta: noise makes {wrong} of {perturbed.numel()} parameters infinite in {perturbed.dtype}, which ends at "
            f"{torch.finfo(perturbed.dtype).max:g}; they must stay finite; use a lower temperature, or theta.float()"
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
    check_not_learned(name, value, "divide theta by it, at temperature 1")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name}: got {value!r}; it must be a finite number >= 0; use 0 for no noise")


def check_not_learned(name: str, value: Any, remedy: str) -> None:
    """A setting must be no tensor that wants a gradient, since it would get none."""
    if isinstance(value, Tensor) and value.requires_grad:
        raise TypeError(
            f"{name}: got a {type(value).__name__} that requires grad; no gradient reaches a setting; give "
            f"float({name}), or {remedy}"
        )


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
