"""Options as ``config.json`` of a run has them: to a group of options and back, each checked by the type of its field."""

import functools
import sys
import types
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Group = TypeVar("Group")

_NAMES = {
    float: "a finite number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    Path: "a path",
    type(None): "null",
}

_hints = functools.cache(get_type_hints)  # which reads annotations anew in every call


def recorded(group: Any) -> dict[str, Any]:
    """Every option of a group, and of the groups in it, by its name, for JSON."""
    values: dict[str, Any] = {}
    for field in fields(group):
        value = getattr(group, field.name)
        values |= recorded(value) if is_dataclass(value) else {field.name: str(value) if isinstance(value, Path) else value}
    return values


def from_recorded(kind: type[Group], values: Mapping[str, Any]) -> Group:
    """The group of this kind that has these options, more of which there may be.

    Raises:
        KeyError: an option is missing.
        ValueError: an option is of another type, none of its choices, or outside its range.
    """
    hints = _hints(kind)  # type: ignore[arg-type]
    return kind(**{field.name: _value(field.name, hints[field.name], values) for field in fields(kind)})  # type: ignore[arg-type]


class RunOptions(ABC):
    """Everything that a run was asked: a data class of groups of options, to JSON and back."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the input, after which a folder is called."""

    @abstractmethod
    def read(self) -> Any:
        """The inputs that the options name; their ``digest`` tells other inputs apart."""

    @property
    def options(self) -> dict[str, Any]:
        """Every option by its name, for JSON."""
        return recorded(self)


def _value(name: str, hint: Any, values: Mapping[str, Any]) -> Any:
    if is_dataclass(hint):
        return from_recorded(hint, values)  # type: ignore[arg-type]
    value = values[name]
    for choice in _choices(hint):
        if fits(value, choice):
            return Path(value) if choice is Path else value
    expected = " or ".join(_described(choice) for choice in _choices(hint))
    raise ValueError(f"{name}: got {repr(value)[:40]}; it must be {expected}")


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def fits(value: Any, kind: Any) -> bool:
    """True where a value of JSON is of a type, of one of several, or one of the choices of a ``Literal``."""
    if len(_choices(kind)) > 1:
        return any(fits(value, choice) for choice in _choices(kind))
    if get_origin(kind) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(kind))
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (float, int)) and -sys.float_info.max <= value <= sys.float_info.max
    return isinstance(value, str if kind is Path else kind)


def _described(kind: Any) -> str:
    return ", ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else _NAMES[kind]
