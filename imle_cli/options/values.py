"""Values of options: texts become numbers and names, or are refused in one voice; names are suggested and completed."""

import copy
import difflib
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typer.models import OptionInfo, ParameterInfo

from imle_cli.messages import UsageError
from imle_cli.options.panels import GENERAL, INPUT

_METAVARS = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "FILE"}


def nearest(text: str, names: Iterable[str]) -> str | None:
    """The name that a text may be a slip of; None if none is near."""
    by_letters = {_letters(name): name for name in names}
    near = difflib.get_close_matches(_letters(text), by_letters, n=1)
    return by_letters[near[0]] if near else None


def _letters(name: str) -> str:
    return name.strip().casefold().lstrip("-").replace("_", "-")


def one_of(text: str, names: Sequence[str]) -> str:
    """A rule and a remedy: the text must be one of the names, the nearest of which is suggested."""
    near = nearest(text, names)
    if len(names) == 1:
        return f"it must be {names[0]!r}"
    rule = f"it must be one of {', '.join(map(repr, names))}"
    return f"{rule}; did you mean {near!r}?" if near else f"{rule}; use {names[0]!r} for instance"


def range_rule(whole: bool, least: float | None = None, most: float | None = None) -> str:
    """Words for a range of whole numbers, or of finite ones: "a whole number >= 1" for instance."""
    kind = "a whole number" if whole else "a number"
    if most is not None:
        return f"{kind} from {least:g} to {most:g}"
    return kind if least is None else f"{kind} >= {least:g}"


def prepared(name: str, hint: Any, panel: str | None) -> Any:
    """An annotation of typer whose values are read here: numbers and choices are refused in the voice of all errors.

    Args:
        name: the parameter.
        hint: ``Annotated[type, typer.Option(...)]`` or an argument likewise.
        panel: the section of the help, if the annotation names none.
    """
    kind, *extras = get_args(hint)
    (position,) = (index for index, extra in enumerate(extras) if isinstance(extra, ParameterInfo))
    extras[position] = _completed(name, _without_none(kind), copy.copy(extras[position]), panel)
    return Annotated.__class_getitem__((kind, *extras))  # type: ignore[attr-defined]


def _completed(name: str, kind: Any, info: ParameterInfo, panel: str | None) -> ParameterInfo:
    option = _option(name, info)
    info.rich_help_panel = info.rich_help_panel or panel or (GENERAL if isinstance(info, OptionInfo) else INPUT)
    if get_origin(kind) is Literal:
        names = list(map(str, get_args(kind)))
        info.parser = _choice_reader(option, names)
        info.metavar = info.metavar or "NAME"
        info.autocompletion = info.autocompletion or completer(names)
    elif kind in (int, float):
        info.parser = _number_reader(option, kind, range_rule(kind is int, info.min, info.max))
    info.metavar = info.metavar or _METAVARS.get(kind)
    return info


def _option(name: str, info: ParameterInfo) -> str:
    """The name under which a parameter is refused."""
    if not isinstance(info, OptionInfo):
        return info.metavar or name.upper()
    written = [text for text in info.param_decls or () if text.startswith("--")]
    return written[0].split("/")[0] if written else "--" + name.replace("_", "-")


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (choice for choice in get_args(kind) if choice is not type(None))
    return kind


def _number_reader(option: str, kind: Callable[[str], Any], rule: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str):  # a default
            return value
        try:
            return kind(value)
        except ValueError:
            pass
        point = value.replace(",", ".", 1)
        try:
            remedy = f"; write {point}" if point != value and float(point) == kind(point) else ""
        except ValueError:
            remedy = ""
        raise UsageError(f"{option}: got {value[:40]!r}; it must be {rule}{remedy}")

    return read


def _choice_reader(option: str, names: Sequence[str]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if value in names:
            return value
        raise UsageError(f"{option}: got {value[:40]!r}; {one_of(value, names)}")

    return read


def completer(names: Sequence[str]) -> Callable[[str], list[str]]:
    """Names for a shell that completes a word; after a comma, one more of them."""

    def complete(incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        left = [name for name in names if name not in before.split(",")]
        return [before + comma + name for name in left if name.startswith(begun)]

    return complete
