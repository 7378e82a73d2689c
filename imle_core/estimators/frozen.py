"""Assignments that would change nothing, or too much: each gets an error that tells a way."""

from dataclasses import FrozenInstanceError
from typing import Any, NoReturn, TypeVar

from imle_core.checks import ArgumentError, shown

T = TypeVar("T")

KNOBS = ("input_noise_temperature", "target_noise_temperature", "nb_samples", "lambda_")
"""Settings that may be changed on a module, by their names as arguments; see :class:`.LayerModule`."""

FIXED = {
    **dict.fromkeys(["function", "sense", "reduction", "scale_gradient", "difference", "generator"]),
    "target_distribution": "lambda_",
    "beta": "lambda_",
    "noise_distribution": "input_noise_temperature",
    "input_temperature": "input_noise_temperature",
    "target_temperature": "target_noise_temperature",
}
"""Names of settings that a module has for good, each with the knob that somebody may have meant."""

_FIELDS = {
    "input_noise_temperature": "input_temperature=...",
    "target_noise_temperature": "target_temperature=...",
    "lambda_": "target=TargetDistribution(lambda_=...)",
}


class FrozenError(ArgumentError, FrozenInstanceError):
    """The refusal of an assignment."""

    @property
    def name(self) -> str:
        """The attribute. That of AttributeError lies outside of what some pickles take along, such as those of Dask."""
        return str(self.args[0])

    @name.setter
    def name(self, value: str) -> None:
        """Kept already, with the other arguments."""


def telling_how_to_change(kind: type[T]) -> type[T]:
    """A frozen data class whose error for an assignment tells how to have another setting.

    Layers are frozen since those who have the same one, and backward passes to come, rely on its settings.
    """
    kind.__setattr__ = _refuse  # type: ignore[method-assign]
    return kind


def _refuse(layer: Any, name: str, value: Any) -> NoReturn:
    if name in _FIELDS or name in layer.__dataclass_fields__:
        again = f"make another one with dataclasses.replace(layer, {_FIELDS.get(name, f'{name}=...')})"
        refuse(name, value, again, "LayerModule(layer)")
    refuse(name, value, "keep it beside the layer: it is none of its settings", "LayerModule(layer)")


def refuse(name: str, value: Any, remedy: str, module: str) -> NoReturn:
    """Refuses to assign ``value`` to the attribute ``name`` of a layer.

    Args:
        name: the attribute.
        value: what was assigned.
        remedy: what else to do.
        module: a module of the layer, for the settings that it lets be changed.

    Raises:
        FrozenError: always.
    """
    if name in (*KNOBS, "eval_samples"):
        remedy = f"set it on a module, module = {module}, or {remedy}"
    raise FrozenError(name, f"{shown(value)} for a layer", "a layer is frozen once it is made", remedy)


def refuse_fixed(name: str, value: Any) -> NoReturn:
    """Refuses to assign ``value`` to one of the ``FIXED`` names of a module.

    Raises:
        FrozenError: always.
    """
    meant, rule = FIXED[name], "a module has it for good"
    remedy = f"make another module, or set {meant}" if meant else "make another module"
    raise FrozenError(name, f"{shown(value)} for a module", rule, remedy)
