"""The module form of every layer, with train(), eval(), state_dict(), and settings that may change while it learns."""

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal, TypeVar, overload

import torch
from torch import Tensor, nn

from imle_core import checks
from imle_core.contracts import Parameters
from imle_core.estimators import knobs
from imle_core.estimators.compiling import exported, operators
from imle_core.estimators.evaluation import EvaluationNoise
from imle_core.estimators.expectation import Loss
from imle_core.estimators.frozen import FIXED, KNOBS, refuse_fixed
from imle_core.estimators.knobs import Schedule
from imle_core.estimators.layer import Layer
from imle_core.estimators.passes import TrainingPasses
from imle_core.estimators.supervision import LossName

Result = TypeVar("Result")
SomeModule = TypeVar("SomeModule", bound="LayerModule")

_AS_IT_IS = nullcontext()

_USED = 1000
"""Layers, each with settings of its own, that may be waiting for the backward pass of compiled code."""


class LayerModule(nn.Module):
    """A layer as a module, whose settings may be set at any time.

    In training mode it samples. In evaluation mode it gives the noise-free state, one for each instance, in the reduction
    that was chosen; or ``eval_samples`` samples.

    ``input_noise_temperature``, ``target_noise_temperature``, ``nb_samples`` and ``lambda_`` (the step of a target that has
    one) are attributes. What is set holds from the next forward pass on; a backward pass has the settings of its forward
    pass. Each may be a schedule: a function of the number of forward passes in training before the present one, which is
    asked once in each. Read, it is the number that was used last, and at first the one to come. So
    ``module.input_noise_temperature = lambda passes: max(0.1, 0.999**passes)`` lets a temperature fall from 1.

    ``passes`` is that number. It counts passes in training mode that gradients are wanted of, with or without a schedule:
    none under ``torch.no_grad()``, in evaluation mode, or inside of a backward pass. The recomputation of a checkpoint has
    the settings of its first pass.

    With a generator, samples of evaluation come from a copy of it, so that the training draws what it would have drawn
    without them. Each ``eval()`` begins anew where the training stands; the passes after it draw on. Without a generator
    they come from torch's own, as everything.

    Its ``state_dict`` has the state of the solver and the target where they are modules, that of the generator, the number
    of passes and the settings, so that a run that goes on after loading does what an uninterrupted one would have done.
    Settings that were loaded replace those of the module. A schedule is no state: its last number is saved, and a module
    that has a schedule goes on by it, from the number of passes that was loaded. A state without settings leaves them.

    Modules of one layer have settings of their own, of which ``solver`` and ``target`` may be set, too. Until then they
    share the solver, the generator and a target that is a module, such as :class:`imle_core.AdaptiveTargetDistribution`:
    there, ``lambda_`` is the beta from which it goes on.

    Args:
        layer: any estimator.
        eval_samples: samples for each instance in evaluation mode; 0 for the noise-free state. Also an attribute.

    Raises:
        ArgumentError: ``eval_samples`` is no whole number, or none that the estimator can have. Whatever is set is checked
            as by :func:`imle_core.imle`, and what a schedule gives when it is used.
    """

    def __init__(self, layer: Layer, *, eval_samples: int = 0) -> None:
        super().__init__()
        _check_layer(layer)
        self.estimator = layer
        self.schedules: dict[str, Schedule] = {}
        self._passes, self._noise = TrainingPasses(), EvaluationNoise()
        self._evaluating: tuple[Layer, int, Layer] | None = None
        self.eval_samples = eval_samples
        self._begin_for_compiled_code()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._begin_for_compiled_code()

    def _begin_for_compiled_code(self) -> None:
        """Gives compiled code what it knows this module by."""
        self.number, self.order = operators.numbered(self), self.estimator.order
        self._used: deque[Layer] = deque(maxlen=_USED)

    def extra_repr(self) -> str:
        """The solver, the target, the noise, and settings that differ from the usual ones, as they are at present."""
        more = [f"eval_samples={self.eval_samples}"] if self.eval_samples else []
        more += [f"scheduled: {', '.join(self.schedules)}"] if self.schedules else []
        return ", ".join([self.estimator.settings, *more])

    def forward(self, theta: Parameters, /, *args: Any, **kwargs: Any) -> Any:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver.

        Where the solver gives ``(z, *others)``, so does the layer; where theta is a structure, so are the states.
        """
        if torch.compiler.is_compiling() and not exported.is_exporting():
            if not isinstance(theta, Tensor):
                return operators.states_of_structure(self, theta, args, kwargs)
            if not theta.is_nested:
                return operators.states(self, theta, args, kwargs)
        return self._pass(lambda layer: layer(theta, *args, **kwargs))

    def ragged(self, values: Tensor, offsets: Any, /, *args: Any, **kwargs: Any) -> Any:
        """States of instances of several sizes, ``(S, T, *rest)``; see :meth:`Layer.ragged`."""
        is_compiled = torch.compiler.is_compiling() and not exported.is_exporting()
        if is_compiled and isinstance(values, Tensor) and self.estimator.has_usual_ragged:
            return operators.states(self, values, args, kwargs, offsets=torch.as_tensor(offsets))
        return self._pass(lambda layer: layer.ragged(values, offsets, *args, **kwargs))

    def estimate_ragged(
        self, values: Tensor, offsets: Any, loss: Loss, /, *args: Any, return_states: bool = False, **kwargs: Any
    ) -> Any:
        """Mean losses ``(B,)`` of instances of several sizes, and perhaps states; see :meth:`Layer.estimate_ragged`."""
        kwargs = {"return_states": return_states, **kwargs}
        return self._pass(lambda layer: layer.estimate_ragged(values, offsets, loss, *args, **kwargs))

    @overload
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: Literal[False] = False, **kwargs: Any
    ) -> Tensor: ...
    @overload
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: Literal[True], **kwargs: Any
    ) -> tuple[Tensor, Any]: ...
    @overload
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: bool, **kwargs: Any
    ) -> Tensor | tuple[Tensor, Any]: ...
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: bool = False, **kwargs: Any
    ) -> Tensor | tuple[Tensor, Any]:
        """Mean losses ``(B,)`` with this estimator's gradient, and perhaps the states; see :meth:`Layer.estimate`."""
        return self._pass(lambda layer: layer.estimate(theta, loss, *args, return_states=return_states, **kwargs))

    def loss(
        self,
        theta: Parameters,
        /,
        *args: Any,
        truth: Any = None,
        gold: Any = None,
        loss: LossName | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Losses ``(B,)`` by whatever supervises this estimator; see :meth:`Layer.loss`."""
        kwargs = {"truth": truth, "gold": gold, "loss": loss, **kwargs}
        return self._pass(lambda layer: layer.loss(theta, *args, **kwargs))

    @property
    def form(self) -> tuple[int, str, bool]:
        """Samples of the next pass, the reduction, and whether there is noise at any temperature, for compiled code."""
        layer = self.estimator
        return layer.nb_samples if self.training else max(1, self._eval_samples), layer.reduction, layer.noise is not None

    def in_pass(self, call: Callable[[Layer], Result]) -> Result:
        """``call(layer)`` with the layer of the next pass, which is kept for the backward pass of compiled code."""

        def keeping(layer: Layer) -> Result:
            if not self._used or self._used[-1] is not layer:
                self._used.append(layer)
            return call(layer)

        return self._pass(keeping)

    def _pass(self, call: Callable[[Layer], Result]) -> Result:
        if not self.training:
            with self._noise.drawing(self.estimator.generator) if self.eval_samples else _AS_IT_IS:
                return call(self._in_evaluation())
        result = call(self._passes.layer(self._by_schedule) if self.schedules else self.estimator)
        self._passes.pass_by()
        return result

    def _by_schedule(self) -> Layer:
        """The layer of the present pass."""
        if self._passes.is_first:
            count = self._passes.count
            self._set({name: knobs.scheduled(name, schedule, count) for name, schedule in self.schedules.items()})
        return self.estimator

    def _in_evaluation(self) -> Layer:
        known = self._evaluating
        if known is None or known[0] is not self.estimator or known[1] != self.eval_samples:
            known = self.estimator, self.eval_samples, self._evaluated(self.eval_samples)
            self._evaluating = known
        return known[2]

    def _evaluated(self, samples: int) -> Layer:
        return knobs.changed(self.estimator, {"nb_samples": samples}) if samples else self.estimator.noise_free()

    def train(self: SomeModule, mode: bool = True) -> SomeModule:
        """Sets training mode, or evaluation mode, whose noise then begins where the training stands."""
        super().train(mode)
        self._noise.begin()
        if not mode:
            self._in_evaluation()
        return self

    @property
    def passes(self) -> int:
        """Number of forward passes in training so far."""
        return self._passes.count

    @passes.setter
    def passes(self, value: int) -> None:
        checks.check_whole("passes", value, 0, "use 0 to begin anew")
        self._passes.count = int(value)

    @property
    def input_noise_temperature(self) -> float:
        """tau_in, the scale of the noise in the forward pass."""
        value: float = self._present("input_noise_temperature")
        return value

    @input_noise_temperature.setter
    def input_noise_temperature(self, value: float | Schedule) -> None:
        self._turn("input_noise_temperature", value)

    @property
    def target_noise_temperature(self) -> float:
        """tau_tgt, the scale of the same noise in the backward pass."""
        value: float = self._present("target_noise_temperature")
        return value

    @target_noise_temperature.setter
    def target_noise_temperature(self, value: float | Schedule) -> None:
        self._turn("target_noise_temperature", value)

    @property
    def nb_samples(self) -> int:
        """S, samples for each instance in training mode."""
        value: int = self._present("nb_samples")
        return value

    @nb_samples.setter
    def nb_samples(self, value: int | Schedule) -> None:
        self._turn("nb_samples", value)

    @property
    def lambda_(self) -> float | None:
        """The step of the target, beta by another name; None for a target without one."""
        value: float | None = self._present("lambda_")
        return value

    @lambda_.setter
    def lambda_(self, value: float | Schedule) -> None:
        self._turn("lambda_", value)

    @property
    def eval_samples(self) -> int:
        """Samples for each instance in evaluation mode; 0 for the noise-free state."""
        return self._eval_samples

    @eval_samples.setter
    def eval_samples(self, value: int) -> None:
        checks.check_whole("eval_samples", value, 0, "use 0 for the noise-free state")
        try:
            layer = self._evaluated(int(value))
        except checks.ArgumentError as error:
            if error.name != "nb_samples":
                raise
            raise type(error)("eval_samples", error.got, error.rule, error.remedy, error.verb) from None
        self._eval_samples = int(value)
        self._evaluating = self.estimator, self._eval_samples, layer

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute: a setting is checked, and a ``solver`` or ``target`` becomes the layer's, too."""
        if name in _ATTRIBUTES:
            object.__setattr__(self, name, value)  # a module or parameter, too, would else be registered
        elif name in FIXED:
            refuse_fixed(name, value)
        elif name in ("solver", "target"):
            self.estimator = knobs.made_of(self.estimator, {name: value})
        else:
            super().__setattr__(name, value)
        if name == "estimator":  # modules in it have their state in this one's
            for within in ("solver", "target"):
                self._modules.pop(within, None)
                super().__setattr__(within, getattr(value, within))

    def _present(self, name: str) -> Any:
        return knobs.setting(self.estimator, name)

    def _turn(self, name: str, value: Any) -> None:
        """Sets a number or a schedule."""
        if not callable(value):
            self._set({name: knobs.checked(name, value)})
            self.schedules.pop(name, None)
            return
        if name == "lambda_" and hasattr(self.target, "observe"):
            raise checks.ArgumentError(
                name, "a schedule", f"{type(self.target).__name__} moves its step by itself", "take TargetDistribution()"
            )
        self._set({name: knobs.scheduled(name, value, self.passes)})
        self.schedules[name] = value

    def _set(self, settings: dict[str, float]) -> None:
        new = {name: value for name, value in settings.items() if value != self._present(name)}
        if new:
            self.estimator = knobs.changed(self.estimator, new)

    def get_extra_state(self) -> dict[str, Any]:
        """The settings, the number of passes, and the state of the generator, where there is one."""
        state = {name: self._present(name) for name in KNOBS if not knobs.has_own_state(self.estimator, name)}
        state |= {"eval_samples": self.eval_samples, "passes": self.passes}
        generator = self.estimator.generator
        return state if generator is None else {**state, "generator": generator.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Takes over what a state has of settings, passes and, for the generator of a layer that has one, its state."""
        has_step = self._present("lambda_") is not None and not knobs.has_own_state(self.estimator, "lambda_")
        names = [name for name in KNOBS if state.get(name) is not None and (has_step or name != "lambda_")]
        self._set({name: knobs.checked(name, state[name]) for name in names})
        self.eval_samples = state.get("eval_samples", self.eval_samples)
        self.passes = state.get("passes", self.passes)
        if self.estimator.generator is not None and "generator" in state:
            self.estimator.generator.set_state(state["generator"].cpu())
        self._noise.begin()


def _check_layer(layer: Any) -> None:
    if not isinstance(layer, Layer):
        remedy = "take IMLE, or the estimator of what imle made"
        raise checks.ArgumentTypeError("layer", type(layer).__name__, "it must be a Layer", remedy)


_ATTRIBUTES = frozenset({*KNOBS, "eval_samples", "passes"})
