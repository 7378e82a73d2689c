"""Help as plain text: sections of names and explanations, wrapped between words at the width of the terminal."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imle_cli.options.panels import COMMON, GENERAL, PANELS, RARE

_WIDEST, _NARROWEST = 100, 40  # columns
_NAMES = 26  # columns for names, beyond which an explanation goes below
_NO_BREAK = "\N{NO-BREAK SPACE}"
Entry = tuple[str, str]


def page(usage: str, about: str, tables: Sequence[Mapping[str, Sequence[Entry]]], examples: Sequence[str] = ()) -> str:
    """The help of a command.

    Args:
        usage: the line that a call looks like.
        about: paragraphs.
        tables: sections by title, names and explanations; those of a table are aligned.
        examples: lines as they are typed.
    """
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))
    blocks = [f"{_strong('Usage:')} {usage}"]
    blocks += [_wrapped(" ".join(paragraph.split()), width) for paragraph in about.split("\n\n")]
    for sections in tables:
        column = 4 + min(_NAMES, max(len(name) for entries in sections.values() for name, _ in entries))
        for title, entries in sections.items():
            lines = [_entry(name, text, column, width) for name, text in entries]
            blocks.append("\n".join([_strong(f"{title}:"), *lines]))
    if examples:
        title = "Example:" if len(examples) == 1 else "Examples:"
        blocks.append("\n".join([_strong(title), *(f"  {example}" for example in examples)]))
    return "\n\n".join(blocks) + "\n"


def option_sections(parameters: Iterable[Any]) -> dict[str, list[Entry]]:
    """Sections of the options and arguments of a command, the common ones first."""
    sections: dict[str, list[Entry]] = {panel: [] for panel in PANELS}
    for parameter in sorted(parameters, key=_order):
        panel = getattr(parameter, "rich_help_panel", None) or GENERAL
        if not getattr(parameter, "hidden", False):
            sections.setdefault(panel, []).append((_names(parameter), _explanation(parameter)))
    return {panel: entries for panel, entries in sections.items() if entries}


def _order(parameter: Any) -> tuple[bool, int]:
    """Arguments, then common options, then the others."""
    names = [*COMMON, "", *RARE]
    return parameter.param_type_name != "argument", names.index(parameter.name if parameter.name in names else "")


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    short = [name for name in parameter.opts if not name.startswith("--")]
    long = [name for name in parameter.opts if name.startswith("--")]
    names = ", ".join([*(short or ["  "]), *long]).replace("  ,", "   ")
    names = "/".join([names, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar}"


def _explanation(parameter: Any) -> str:
    default, shown = parameter.default, getattr(parameter, "show_default", True)
    if not shown or default is None or isinstance(default, bool) or default == ():
        return parameter.help or ""
    text = f"{default:g}" if isinstance(default, float) else f"{default}"
    return f"{parameter.help} [default:{_NO_BREAK}{text}]"


def _entry(name: str, text: str, column: int, width: int) -> str:
    lines = textwrap.wrap(text, max(20, width - column), break_long_words=False, break_on_hyphens=False) or [""]
    lines = [line.replace(_NO_BREAK, " ") for line in lines]
    if len(name) > column - 4:
        return "\n".join([f"  {name}", *(" " * column + line for line in lines)])
    return "\n".join([f"  {name:<{column - 2}}{lines[0]}".rstrip(), *(" " * column + line for line in lines[1:])])


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def _strong(text: str) -> str:
    """A title, bold on a terminal that shows it."""
    plain = sys.stdout is None or not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[1m{text}\x1b[0m"
