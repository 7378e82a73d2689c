"""Notes of whatever reads a file or trains: a guess, a loss or a setting that the user should know of."""

import warnings
from collections.abc import Callable
from typing import TextIO

_listener: list[Callable[[str], None]] = []
_told: set[str] = set()
_show_others = warnings.showwarning


def printable(text: str) -> str:
    """With escapes for characters that would do something to a terminal, which a name may have."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def listen(listener: Callable[[str], None]) -> None:
    """Has ``listener`` called with every note and warning of ours from now on, each once; in place of an earlier one."""
    _listener[:] = [listener]
    _told.clear()
    warnings.showwarning = _show


def note(text: str) -> None:
    """Tells whoever listens; nobody does in processes of workers."""
    if text not in _told:
        _told.add(text)
        for listener in _listener:
            listener(text)


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Takes the place of ``warnings.showwarning``: a user of the command has not written the line that it would show."""
    if category.__module__.startswith("imle_core."):
        note(str(message))
    else:
        _show_others(printable(str(message)), category, printable(filename), lineno, file, line)
