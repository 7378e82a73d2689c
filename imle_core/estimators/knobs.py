"""Settings of a layer that may be changed while it learns: numbers, or schedules of them."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from torch import Tensor, nn

from imle_core import checks
from imle_core.contracts import Target
from imle_core.estimators.layer import Layer

Schedule: TypeAlias = Callable[[int], float]
"""A setting of each forward pass in training, by the number of those before it."""

SomeLayer = TypeVar("SomeLayer", bound=Layer)

FIELDS = {
    "input_noise_temperature": "input_temperature",
    "target_noise_temperature": "target_temperature",
    "nb_samples": "nb_samples",
}
"""Fields of a layer by the names of arguments."""


def checked(name: str, value: Any) -> float:
    """A setting as a plain number, int or float.

    Raises:
        ArgumentError: it is outside its range.
        ArgumentTypeError: it is no number, or a tensor that wants a gradient.
    """
    if name == "nb_samples":
        checks.check_samples(name, value)
        return int(value)
    if name == "lambda_":
        checks.check_not_learned(name, value, "take AdaptiveTargetDistribution")
        checks.check_finite(name, value, "the usual value is 1")
    else:
        checks.check_temperature(name, value)
    return float(value)


def scheduled(name: str, schedule: Schedule, passes: int) -> float:
    """The setting of a pass after ``passes`` others.

    Raises:
        ArgumentError: it is outside its range.
        ArgumentTypeError: it is no number.
    """
    try:
        return checked(name, schedule(passes))
    except checks.ArgumentError as error:
        if error.name != name:
            raise
        gave = f"after {passes} passes its schedule gave"
        raise type(error)(name, error.got, error.rule, error.remedy, gave) from None


def setting(layer: Layer, name: str) -> float | None:
    """The present setting; None for the step of a target without one."""
    if name == "lambda_":
        step = getattr(layer.target, name, None)
        return None if step is None else float(step.detach() if isinstance(step, Tensor) else step)
    value: float = getattr(layer, FIELDS[name])
    return value


def changed(layer: SomeLayer, settings: Mapping[str, float]) -> SomeLayer:
    """The same layer with other settings, by their names as arguments.

    The step of a target is set on a copy of it, since others may have the same target; on the target itself if it is a
    module, which has a state of its own.

    Raises:
        ArgumentError: a target without a step; settings that the estimator cannot have.
    """
    fields: dict[str, Any] = {FIELDS[name]: value for name, value in settings.items() if name != "lambda_"}
    if "lambda_" in settings:
        fields["target"] = _with_step(layer.target, settings["lambda_"])
    return made_of(layer, fields)


def made_of(layer: SomeLayer, fields: Mapping[str, Any]) -> SomeLayer:
    """The same layer with other fields, for which checkpoints draw again what they drew before."""
    made = replace(layer, **fields)
    object.__setattr__(made, "replay", layer.replay)
    return made


def _with_step(target: Target, step: float) -> Target:
    if getattr(target, "lambda_", None) is None:
        raise checks.ArgumentError(
            "lambda_",
            f"{step:g} for {type(target).__name__}",
            "it has no step of that name",
            "take TargetDistribution(), or give your target an attribute lambda_",
        )
    made: Any = target if isinstance(target, nn.Module) else copy.copy(target)
    if isinstance(target, nn.Module) and isinstance(target.lambda_, Tensor):
        target.lambda_.detach().fill_(step)
    else:
        try:
            made.lambda_ = step
        except AttributeError as error:
            rule = f"its attribute lambda_ cannot be set: {error}"
            raise checks.ArgumentError(
                "lambda_", f"{step:g} for {type(target).__name__}", rule, "take TargetDistribution()"
            ) from None
    return made  # type: ignore[no-any-return]


def has_own_state(layer: Layer, name: str) -> bool:
    """True of a step that is part of its target's state."""
    target = layer.target
    return name == "lambda_" and isinstance(target, nn.Module) and isinstance(getattr(target, name, None), Tensor)
