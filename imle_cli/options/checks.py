"""Checks of options: ranges, agreement, numbers in text."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from imle_cli.messages import UsageError
from imle_cli.options.values import one_of, range_rule


def option_of(name: str) -> str:
    """The option, or the argument, whose value has this name."""
    return {"map": "FILE", "data": "DIR"}.get(name, "--" + name.replace("_", "-"))


def check_agreement(given: frozenset[str], options: dict[str, object], made: dict[str, object]) -> None:
    """A resumed run keeps its options: what is given must be what it was made with."""
    for name in sorted(given - {"resume", "json", "quiet", "debug"}):
        if name == "out":
            raise UsageError("--out: a resumed run stays in its directory; leave it out")
        if options[name] != made[name]:
            raise UsageError(
                f"{option_of(name)}: got {options[name]}, but the run was made with {made[name]}; a resumed run keeps its "
                "options, leave it out"
            )


def check_names(option: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Every one of the names must be among those ``known``; the nearest of them is suggested."""
    possible = list(known)
    for name in names:
        if name not in possible:
            raise UsageError(f"{option}: got {name[:40]!r}; {one_of(name, possible)}")


def check_at_least(option: str, value: float, least: float, remedy: str) -> None:
    """An option's value must be finite and at least ``least``."""
    if not (math.isfinite(value) and value >= least):
        raise UsageError(f"{option}: got {_shown(value)}; it must be {range_rule(isinstance(value, int), least)}; {remedy}")


def check_range(option: str, value: float, least: float, most: float, remedy: str) -> None:
    """An option's value must be from ``least`` to ``most``."""
    if not least <= value <= most:
        rule = range_rule(isinstance(value, int), least, most)
        raise UsageError(f"{option}: got {_shown(value)}; it must be {rule}; {remedy}")


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def read_numbers(option: str, text: str, kind: Callable[[str], Any], least: int, example: str) -> list[Any]:
    """Numbers between commas, in order, each once.

    Args:
        option: the option's name, for the message.
        text: what was given.
        kind: ``int`` or ``float``.
        least: the smallest number allowed.
        example: for the message.

    Raises:
        UsageError: something else, or a number out of range.
    """
    try:
        numbers = sorted({kind(number_text) or kind("0") for number_text in text.split(",")})  # -0 becomes 0
    except ValueError:
        numbers = [math.nan]
    if not all(math.isfinite(number) and number >= least for number in numbers) or max(numbers) >= 2**63:
        whole = "whole numbers" if kind is int else "finite numbers"
        raise UsageError(f"{option}: got {text!r}; it must be {whole} >= {least} between commas, such as {example}")
    return numbers


def _pair(option: str, text: str, separator: str, form: str) -> tuple[int, int]:
    match = re.fullmatch(rf"\s*(\d+)\s*{separator}\s*(\d+)\s*", text, flags=re.IGNORECASE)
    if match is None:
        raise UsageError(f"{option}: got {text!r}; it must be {form}")
    return int(match[1]), int(match[2])


def _whole(option: str, text: str, form: str) -> int:
    if not re.fullmatch(r"\s*0*[1-9]\d{0,17}\s*", text):
        raise UsageError(f"{option}: got {text!r}; it must be {form}")
    return int(text)
