"""Calls of solvers, noise and targets, which hold them to their protocols."""

import inspect
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from imle_core.checks import (
    ArgumentError,
    ArgumentTypeError,
    are_hidden,
    check_generator,
    check_numbers,
    in_short,
    sum_is_finite,
    wrong_shape,
)
from imle_core.contracts.declarations import declared, is_pure
from imle_core.contracts.outputs import Outputs, Solved, solutions_in
from imle_core.contracts.protocols import Noise, Target
from imle_core.contracts.sizes import sized


def draw_noise(noise: Noise, like: Tensor, nb_samples: int, generator: torch.Generator | None, solver: Any = None) -> Tensor:
    """Noise ``(B, S, *event)`` in the type and on the device of ``like`` ``(B, *event)``, in memory of its own.

    Noise that wants to know the size of solutions is told that of the solver's.

    Raises:
        ArgumentTypeError: the noise is no tensor, or the generator is none.
        ArgumentError: the noise has another shape, has NaN, or cannot take the generator that is to be used; or as
            :func:`.sized`.
    """
    check_generator(generator)
    noise = sized(noise, solver, like.shape[1:])
    shape = torch.Size((like.shape[0], nb_samples, *like.shape[1:]))
    wanted = {"dtype": like.dtype, "device": like.device, "generator": generator}
    known = _keywords(noise.sample)
    if generator is not None and "generator" not in known:
        raise ArgumentError(
            "generator",
            "none",
            "the draws would not come from it",
            "give sample a keyword argument named generator",
            f"{type(noise).__name__}.sample takes",
        )
    eps = noise.sample(shape, **(wanted if len(known) == len(wanted) else {name: wanted[name] for name in known}))
    pure = is_pure(noise, "sample")
    gave = f"{type(noise).__name__}.sample gave"
    check_numbers(eps, "noise_distribution", gave, "give")
    if eps.shape != shape:
        raise wrong_shape(
            "noise_distribution",
            eps,
            "it must give the shape asked for",
            "make the draws in that shape",
            f", asked for {tuple(shape)}",
            gave,
        )
    if not pure and eps.isnan().any():
        raise ArgumentError(
            "noise_distribution",
            f"{int(eps.isnan().sum())} NaN of {eps.numel()} draws",
            "it must give numbers",
            "look for 0/0 or log(0)",
            gave,
        )
    return eps.to(like) if pure and not eps.is_inference() else own(eps, like)


def map_states(solver: Callable[[Tensor], Any], theta: Tensor, *, pure: bool | None = None, fresh: bool = False) -> Tensor:
    """Solutions of :func:`solved_rows`, without further outputs of the solver."""
    return solved_rows(solver, theta, pure=pure, fresh=fresh)[0]


def solved_rows(solver: Callable[[Tensor], Any], theta: Tensor, *, pure: bool | None = None, fresh: bool = False) -> Solved:
    """Solutions for stacked parameters, both ``(B, S, *event)``, as one call with B*S rows.

    Args:
        solver: solves.
        theta: parameters.
        pure: whether the solver changes nothing and keeps nothing; what it declares if None.
        fresh: whether nobody else needs the memory of ``theta``, so that the solver may write in it.

    Returns:
        Solutions in theta's type, in memory of their own, with the solver's further outputs.

    Raises:
        ArgumentTypeError: the solver gives no dense tensor of real numbers, alone or as the first of a tuple.
        ArgumentError: the solver gives another shape, or NaN.
    """
    rows = theta.flatten(0, 1)
    if rows.numel() == 0:
        return torch.zeros_like(theta), _outputs_of_nothing(solver, rows)
    pure = is_pure(solver) if pure is None else pure
    z, outputs = solutions(solver(rows if pure or fresh else rows.clone()), rows.shape, theta, pure)
    # A view that is made without gradients could not be changed in place with them.
    return z.reshape_as(theta).detach(), outputs


def _outputs_of_nothing(solver: Callable[[Tensor], Any], rows: Tensor) -> Outputs | None:
    """Further outputs for parameters without entries, which a solver need not take."""
    try:
        return solutions_in(solver(rows.clone()))[1]
    except Exception:
        return None


def solutions(given: Any, shape: torch.Size, like: Tensor, pure: bool) -> Solved:
    """Solutions in a solver's answer, in the type and on the device of ``like``, in memory of their own.

    Raises:
        ArgumentTypeError: no dense tensor of real numbers, alone or as the first of a tuple.
        ArgumentError: another shape, or NaN.
    """
    z, outputs = solutions_in(given)
    gave = "gave" if outputs is None else f"gave a {'list' if isinstance(outputs, list) else 'tuple'} whose first entry is"
    check_numbers(z, "solver", gave, "give")
    if z.shape != shape:
        raise wrong_shape(
            "solver",
            z,
            "it must map (N, *event) to (N, *event), row by row; N is batch x samples",
            _remedy_of_shape(outputs, shape),
            f" for parameters of shape {tuple(shape)}",
            gave if outputs is None else f"{gave} of",
        )
    if pure and not z.is_inference():
        return z.detach().to(like), outputs
    states = own(z, like)
    if not sum_is_finite(states) and states.isnan().any():
        rows = int(states.isnan().flatten(1).any(dim=1).sum())
        raise ArgumentError(
            "solver",
            f"NaN in {rows} of {len(states)} rows",
            "a solution has numbers",
            "run imle check on the solver",
            "gave",
        )
    return states, outputs


def _remedy_of_shape(outputs: Outputs | None, shape: torch.Size) -> str:
    fit = (number for number, entry in enumerate(outputs or (), 1) if getattr(entry, "shape", None) == shape)
    number = next(fit, None)
    return "for a function of one instance take BlackBox" if number is None else f"put entry {number} first, which has it"


def own(values: Tensor, like: Tensor) -> Tensor:
    """``values`` in the type and on the device of ``like``, without a gradient, in memory that nobody else has."""
    moved = values.detach().to(like)
    # A change of type or device has copied already. So has a copy here, which also leaves inference mode.
    return moved.clone() if moved.dtype == values.dtype and moved.device == values.device else moved


def target_parameters(target: Target, theta: Tensor, dy: Tensor, walls: Callable[[], Tensor] | None = None) -> Tensor:
    """``theta'`` for parameters and their upstream gradient, all ``(N, *event)``; an infinite entry of theta stays.

    Args:
        target: gives them.
        theta: parameters.
        dy: upstream gradient.
        walls: gives which entries of theta are infinite, ``(N, *event)``, where the caller knows it at less cost.

    Raises:
        ArgumentTypeError: the target gives no tensor.
        ArgumentError: the target gives another shape, or parameters that are not finite where theta is.
    """
    moved = target.params(theta, dy) if is_pure(target, "params") else target.params(theta.clone(), dy.clone())
    check_moved(moved, theta, f"{type(target).__name__}.params gave")
    moved = moved.to(theta)
    if sum_is_finite(moved):
        return moved
    infinite = theta.isinf() if walls is None else walls()
    if getattr(target, "follows_gradient", True):
        check_finite_step(moved.masked_fill(infinite, 0.0))
    return torch.where(infinite, theta, moved)


def step_size(target: Any, theta: Tensor, dy: Tensor) -> Tensor | float:
    """Lambda of parameters and their upstream gradient, both ``(N, *event)``: a number, or one for each row."""
    given = (theta, dy) if is_pure(target, "step_size") else (theta.clone(), dy.clone())
    step: Tensor | float = target.step_size(*given)
    return step


def check_moved(moved: Any, theta: Tensor, gave: str) -> None:
    """Parameters that a target gives must be a tensor of theta's shape."""
    check_numbers(moved, "target_distribution", gave, "give")
    if moved.shape != theta.shape:
        raise wrong_shape(
            "target_distribution",
            moved,
            "it must keep their shape",
            "give one parameter for each",
            f" for parameters of shape {tuple(theta.shape)}",
            gave,
        )


def check_finite_step(moved: Tensor) -> None:
    """Parameters that were moved by lambda times the upstream gradient must be finite where theta is.

    Ties of infinite parameters would decide a solution, or an infinite one would count as a wall.
    """
    if sum_is_finite(moved):
        return
    wrong = int((~moved.isfinite()).sum())
    if wrong:
        raise ArgumentError(
            "target_distribution",
            f"{wrong} of {moved.numel()} target parameters infinite or NaN in {moved.dtype}",
            "they must be finite where theta is",
            "use a smaller lambda or loss scale, or theta.float()",
            "lambda times the upstream gradient makes",
        )


class LossError(ArgumentError):
    """A loss that gives what no estimator can use."""


def losses_of(loss: Callable[[Tensor], Any], states: Tensor, shape: tuple[int, ...] | None = None) -> Tensor:
    """``loss(states)``, one number for each of the states ``(N, *event)``, or numbers in another shape.

    Raises:
        LossError: the loss gives no tensor, another shape, or NaN.
    """
    values = loss(states)
    if not isinstance(values, Tensor):
        raise LossError("loss", type(values).__name__, "it must give a tensor", "wrap arrays in torch.as_tensor", "gave")
    if values.shape != (states.shape[:1] if shape is None else shape):
        each = f"({len(states)},)" if shape is None else f"sample of each instance, {shape}"
        axes = "the other axes, as in .flatten(1).sum(dim=1)" if shape is None else "the entries of each instance"
        raise LossError(
            "loss",
            f"shape {tuple(values.shape)} for states of shape {tuple(states.shape)}",
            f"it must give one number for each{',' if shape is None else ''} {each}",
            f"add up over {axes}",
            "gave",
        )
    if not are_hidden() and values.isnan().any():
        raise LossError(
            "loss",
            f"{int(values.isnan().sum())} NaN for {len(states)} states",
            "it must give numbers",
            "look for 0/0 or log(0)",
            "gave",
        )
    return values


def check_solver(solver: Any, sense: str) -> None:
    """A solver must be a callable object, and no one of costs where theta is to be maximised.

    One that maximises can be given minus the costs of a user.

    Raises:
        ArgumentTypeError: a class, or what cannot be called.
        ArgumentError: a solver that declares that it minimises, under the sense "max", the usual one.
    """
    if isinstance(solver, type):
        raise ArgumentTypeError(
            "function", f"the class {solver.__name__}", "it must be a solver, an object", f"make one: {solver.__name__}(...)"
        )
    if not callable(solver):
        raise ArgumentTypeError("function", type(solver).__name__, "it must be callable", "pass the solver first")
    if sense == "max" and declared(solver, "sense") == "min":
        name = getattr(solver, "__name__", type(solver).__name__)
        remedy = "use sense='min', or give lambda theta: solver(-theta)"
        raise ArgumentError("sense", f"'max' with {name}", "it declares 'min' and would give the worst", remedy)


def check_instances(solver: Any, count: int) -> None:
    """A solver of certain instances must be asked for as many.

    Raises:
        ArgumentError: it is asked for another number.
    """
    offsets = declared(solver, "offsets")
    if offsets is not None and len(offsets) != count + 1:
        rule = f"{in_short(solver)} has a row for each"
        raise ArgumentError("theta", f"{count} instances for {len(offsets) - 1} graphs", rule, "give as many as graphs")


def check_noise_fits(perturbed: Tensor, theta: Tensor) -> None:
    """Noise must not make finite parameters infinite, as it can in float16: ties of these would decide a solution."""
    if perturbed.dtype != torch.float16 or are_hidden() or sum_is_finite(perturbed.detach().float()):
        return
    wrong = int((perturbed.isinf() & theta.isfinite()).sum())
    if wrong:
        largest = torch.finfo(perturbed.dtype).max
        raise ArgumentError(
            "theta",
            f"{wrong} of {perturbed.numel()} parameters infinite in {perturbed.dtype}, which ends at {largest:g}",
            "they must stay finite",
            "use a lower temperature, or theta.float()",
            "noise makes",
        )


_OF_NOISE = frozenset({"dtype", "device", "generator"})
_known_keywords: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()
"""Keywords by function: looking them up takes longer than a small draw."""


def _keywords(function: Callable[..., Any]) -> frozenset[str]:
    """Those of the keywords for noise that a function takes."""
    written = getattr(function, "__func__", function)
    if not inspect.isfunction(written):
        return _parameters(function)
    known = _known_keywords.get(written)
    if known is None:
        known = _known_keywords[written] = _parameters(written)
    return known


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return _OF_NOISE
    return _OF_NOISE & {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
