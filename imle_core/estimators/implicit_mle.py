"""Implicit Maximum Likelihood Estimation: a combinatorial solver as a differentiable layer.

With a solver ``MAP(theta) = argmax_z <z, theta>``, noise ``eps_s`` drawn once for each of S samples, an upstream gradient
``dy_s`` and the target parameters ``theta'_s = alpha * theta - lambda * dy_s``:

    forward    z_s = MAP(theta + tau_in * eps_s)
    backward   g = mean_s [ z_s - MAP(theta'_s + tau_tgt * eps_s) ]

Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), algorithm 1.
"""

import functools
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, get_args, overload

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.contracts import Known, Noise, Sense, Solver, Target, is_pure
from imle_core.estimators.expectation import Loss
from imle_core.estimators.frozen import FIXED, KNOBS, refuse, telling_how_to_change
from imle_core.estimators.knobs import Schedule
from imle_core.estimators.layer import Backward, Layer, Reduction
from imle_core.estimators.module import LayerModule
from imle_core.estimators.row_steps import divided
from imle_core.estimators.target import TargetDistribution

Difference = Literal["forward", "central"]
P = ParamSpec("P")
Theta = TypeVar("Theta")
Answer = TypeVar("Answer")


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class ImplicitMLE(Layer):
    """The I-MLE layer around ``solver``; :func:`imle` makes one and documents the fields."""

    scale_gradient: bool | None = None
    difference: Difference = "forward"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_name("difference", self.difference, get_args(Difference))
        if self.divides:
            checks.check_method(
                "target_distribution", self.target, "step_size", "use TargetDistribution(), or scale_gradient=False"
            )
        if self.difference == "central" and not getattr(self.target, "follows_gradient", True):
            raise checks.ArgumentError(
                "difference",
                f"'central' with {type(self.target).__name__}, whose parameters do not depend on the upstream gradient",
                "both of its sides would be equal",
                "use difference='forward'",
            )

    @property
    def divides(self) -> bool:
        """True where gradients are divided by lambda."""
        return getattr(self.target, "divides", False) if self.scale_gradient is None else self.scale_gradient

    def sample_gradients(self, call: Backward) -> Tensor:
        """``z_s - MAP(theta'_s + tau_tgt * eps_s)``, or its central form; divided by lambda where that is wanted."""
        rows, dy_rows = call.theta.flatten(0, 1), call.dy.flatten(0, 1)
        if hasattr(self.target, "check_instances"):
            self.target.check_instances(call.theta[:, 0])
        # A target that observes may change its step afterwards.
        step = contracts.step_size(self.target, rows, dy_rows) if self.divides else None

        known = Known(call.theta[:, :1], self.input_temperature, call.z)

        def walls() -> Tensor:
            return known.theta.isinf().expand_as(call.z).flatten(0, 1)

        def state_against(dy_rows: Tensor) -> Tensor:
            target = contracts.target_parameters(self.target, rows, dy_rows, walls)
            return self.states(target.view_as(call.z), call.eps, self.target_temperature, call.arguments, known)

        if self.difference == "central":
            difference = (state_against(-dy_rows) - state_against(dy_rows)) / 2
        else:
            difference = call.z - state_against(dy_rows)
        perturbed = functools.partial(self.perturbed, call.theta, call.eps, self.input_temperature)
        self.watch.look(self.target, perturbed, call.dy, call.z, difference, self.divides)
        if hasattr(self.target, "observe"):
            seen = difference if self.instances is None else self.instances.zero_beyond(difference)
            self.target.observe(seen if is_pure(self.target, "observe") else seen.clone())
        return difference if step is None else divided(difference, step)


@overload
def imle(
    function: Callable[Concatenate[Theta, P], Answer],
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    scale_gradient: bool | None = None,
    difference: Difference = "forward",
    generator: torch.Generator | None = None,
) -> "Differentiable[Theta, P, Answer]": ...
@overload
def imle(
    function: None = None,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    scale_gradient: bool | None = None,
    difference: Difference = "forward",
    generator: torch.Generator | None = None,
) -> Callable[[Callable[Concatenate[Theta, P], Answer]], "Differentiable[Theta, P, Answer]"]: ...
def imle(
    function: Callable[..., Any] | None = None,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    scale_gradient: bool | None = None,
    difference: Difference = "forward",
    generator: torch.Generator | None = None,
) -> "Differentiable[Any, ..., Any] | Callable[[Solver], Differentiable[Any, ..., Any]]":
    """Makes a differentiable layer of a solver: ``z_s = MAP(theta + tau_in*eps_s)`` with the I-MLE gradient.

    The gradient is ``mean_s [z_s - MAP(alpha*theta - lambda*dy_s + tau_tgt*eps_s)]``, with the noise of the forward pass.
    Use it as a function, ``layer = imle(solver, ...)``, or as a decorator, ``@imle(...)``; then call ``layer(theta)`` with
    theta of shape ``(B, *event)``. Positional and keyword arguments after theta reach the solver, tensors and
    arrays as copies without gradients, in the backward pass as they were in the call. A backward pass solves once more
    (central: twice), without gradient tracking none is made. An infinite entry of theta (-inf: never chosen) stays as it is
    in every target and gets gradient 0.

    Whatever scales the loss scales lambda: a mean over rows or entries divides it by their number, ``loss / n`` in gradient
    accumulation by n, and ``torch.amp.GradScaler`` multiplies it by a scale that starts at 65536. Add losses up. Under a
    loss scaled by c take ``beta / c`` with ``scale_gradient=True``, or :class:`AdaptiveTargetDistribution`: their gradients
    scale with the loss as those of any other layer do. A :class:`StepSizeWarning` tells, once, of a lambda that dwarfs
    theta, and a :class:`ZeroGradientWarning` of one that moves no solution, or hardly any, although the loss pulls at them.

    Theta may be a tuple, list or dict of tensors ``(B, *event)``, with one B and one type, or of such structures: scores of
    nodes and of edges. Then the solver gets such a structure and gives one, and so does the layer; gradients reach each
    tensor. Noise is drawn for each by its own shape. A target sees all entries of an instance side by side, ``(N, total)``:
    norms and steps are those of the whole row. A solver may give more, ``(z, *others)``, and the layer then does, too; see
    :class:`imle_core.contracts.Solver`.

    Memory: the solver gets rows of its own, in which it may write, and what it gives is copied, so that it may use a buffer
    of its own; the output may be changed in place. Solvers that declare ``pure = True``, as ours do, save the copies.

    Args:
        function: the solver, ``(N, *event) -> (N, *event)``, here with N = B*S; row b*S + s is sample s of instance b.
            Integer and bool outputs are cast to theta's type.
        target_distribution: gives theta'; ``TargetDistribution(alpha=1, beta=1)`` if None. ``beta`` is lambda.
        noise_distribution: gives eps, shape ``(B, S, *event)``, on theta's device and in its type; no noise if None.
        nb_samples: S, samples for each instance, >= 1.
        input_noise_temperature: tau_in >= 0, the scale of the noise in the forward pass.
        target_noise_temperature: tau_tgt >= 0, the scale of the same noise in the backward pass.
        sense: "max", or "min" for costs c: a solver that minimises ``<z, c>`` then gets ``c - tau_in*eps``, the target is
            ``alpha*c + lambda*dy``, and the gradient ``mean_s [MAP(c' - tau_tgt*eps_s) - z_s]``. A solver that declares
            that it maximises, as all of ours do, gets minus all that.
        reduction: shape of the output: "none" ``(B*S, *event)``, "stacked" ``(B, S, *event)``, or "mean" over samples
            ``(B, *event)``, where the target of every sample uses the gradient of the mean itself.
        scale_gradient: divide the gradient by the lambda of each row, which makes it an estimate of the gradient's size,
            too; None leaves it to the target (no for a fixed lambda, yes for an adaptive one).
        difference: "forward" as above, or "central", ``mean_s 1/2 [MAP(alpha*theta + lambda*dy_s + tau_tgt*eps_s) -
            MAP(alpha*theta - lambda*dy_s + tau_tgt*eps_s)]``, whose bias is of second order in lambda.
        generator: source of the noise; torch's global generator if None. Under activation checkpointing it is put back
            so that the recomputation draws the same noise.

    Returns:
        The layer, or without ``function`` a decorator that makes one.

    Raises:
        ArgumentError: a setting outside its range, now; parameters or an upstream gradient that cannot be used, a wrong
            shape of noise or solution, or NaN as solution, when the layer is called.
        ArgumentTypeError: settings, parameters or solutions of a wrong type; a setting that wants a gradient.

    Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), algorithm 1.

    >>> layer = imle(lambda theta: theta > 0, TargetDistribution(alpha=1.0, beta=2.0))
    >>> layer(torch.tensor([[0.5, -0.5]]))
    tensor([[1., 0.]])
    """
    if function is None:
        settings = {name: value for name, value in locals().items() if name != "function"}
        return functools.partial(imle, **settings)
    layer = ImplicitMLE(
        function,
        TargetDistribution() if target_distribution is None else target_distribution,
        noise_distribution,
        nb_samples,
        input_noise_temperature,
        target_noise_temperature,
        sense,
        reduction,
        generator,
        scale_gradient,
        difference,
    )
    return Differentiable(layer)


class Differentiable(Generic[Theta, P, Answer]):
    """A solver with a gradient, as :func:`imle` makes it: a function of theta, named and documented like the solver.

    Theta stands for the solver's parameters, P for its arguments after them, Answer for what it gives.

    It is pickled like a function, by its name, where it is found by that in its module, as after ``@imle(...)``; elsewhere
    with its layer, if solver, target and noise can be pickled. A copy is the same object, as of a function.

    Args:
        layer: the layer that it calls.
    """

    def __init__(self, layer: ImplicitMLE) -> None:
        functools.update_wrapper(self, layer.solver)
        self.estimator = layer

    def __call__(self, theta: Theta, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver."""
        layer: Callable[..., Answer] = self.estimator
        return layer(theta, *args, **kwargs)

    def ragged(self, values: Tensor, offsets: Any, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        """States of instances of several sizes, ``(S, T, *rest)``; see :meth:`.Layer.ragged`."""
        states: Tensor = self.estimator.ragged(values, offsets, *args, **kwargs)
        return states

    def estimate(self, theta: Theta, loss: Loss, /, *args: Any, return_states: bool = False, **kwargs: Any) -> Any:
        """Mean losses ``(B,)`` with the gradient of I-MLE, and perhaps the states; see :meth:`.Layer.estimate`."""
        estimate: Callable[..., Any] = self.estimator.estimate
        return estimate(theta, loss, *args, return_states=return_states, **kwargs)

    def estimate_ragged(
        self, values: Tensor, offsets: Any, loss: Loss, /, *args: Any, return_states: bool = False, **kwargs: Any
    ) -> Any:
        """Mean losses ``(B,)`` of instances of several sizes, and perhaps states; see :meth:`.Layer.estimate_ragged`."""
        return self.estimator.estimate_ragged(values, offsets, loss, *args, return_states=return_states, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in (*KNOBS, "eval_samples", *FIXED):  # the attribute would change nothing
            refuse(name, value, f"make another one with imle(..., {name}=...)", "IMLE(...)")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"imle({self.estimator.settings})"

    def __copy__(self) -> "Differentiable[Theta, P, Answer]":
        return self

    def __deepcopy__(self, _: Any) -> "Differentiable[Theta, P, Answer]":
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = getattr(self, "__qualname__", "")
        try:
            named = operator.attrgetter(name)(sys.modules[self.__module__])
        except (AttributeError, KeyError, ValueError):
            named = None
        return name if named is self else (Differentiable, (self.estimator,))


class IMLE(LayerModule):
    """The layer of :func:`imle` as a module, made from the same arguments; see :class:`.LayerModule`.

    Temperatures and the number of samples may be schedules, too, and ``eval_samples`` is that of :class:`.LayerModule`.
    """

    estimator: ImplicitMLE

    def __init__(
        self,
        function: Solver,
        target_distribution: Target | None = None,
        noise_distribution: Noise | None = None,
        nb_samples: int | Schedule = 1,
        input_noise_temperature: float | Schedule = 1.0,
        target_noise_temperature: float | Schedule = 1.0,
        *,
        sense: Sense = "max",
        reduction: Reduction = "none",
        scale_gradient: bool | None = None,
        difference: Difference = "forward",
        generator: torch.Generator | None = None,
        eval_samples: int = 0,
    ) -> None:
        layer = imle(
            function,
            target_distribution,
            noise_distribution,
            1 if callable(nb_samples) else nb_samples,
            1.0 if callable(input_noise_temperature) else input_noise_temperature,
            1.0 if callable(target_noise_temperature) else target_noise_temperature,
            sense=sense,
            reduction=reduction,
            scale_gradient=scale_gradient,
            difference=difference,
            generator=generator,
        )
        super().__init__(layer.estimator, eval_samples=eval_samples)
        given = (nb_samples, input_noise_temperature, target_noise_temperature)
        for name, value in zip(("nb_samples", "input_noise_temperature", "target_noise_temperature"), given, strict=True):
            if callable(value):
                setattr(self, name, value)
