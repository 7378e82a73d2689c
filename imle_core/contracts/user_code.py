"""Code of users: what it raises and gives, in one line, and how an error of it is told from Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
from torch import Tensor

_LETTERS = 160  # a user's error is cut to so many
_ENTRIES = 4  # a tuple is cut to so many


def raised(error: BaseException) -> str:
    """``raised KIND (TEXT)``, with no more than a line of the text."""
    text = text_of(error)
    return f"raised {type(error).__name__} ({text})" if text else f"raised {type(error).__name__}"


def text_of(error: BaseException) -> str:
    """The text of an error, by :func:`one_line`."""
    try:
        return one_line(str(error))
    except Exception:  # a text that is made by code of the user, too
        return ""


def one_line(text: str) -> str:
    """A text in one line, cut where it is long, that does nothing to a terminal."""
    text = " ".join(text.split())
    printable = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return printable if len(printable) <= _LETTERS else f"{printable[:_LETTERS]}..."


def kind_of(value: Any) -> str:
    """The kind of a thing that a function gave, such as ``list``, ``ndarray of complex128`` or ``(Tensor, float)``."""
    name = type(value).__name__
    if isinstance(value, tuple):
        entries = [kind_of(entry) for entry in value[:_ENTRIES]]
        return f"({', '.join([*entries, '...'] if len(value) > _ENTRIES else entries)})"
    if isinstance(value, Tensor):
        return name if str(value.layout) == "torch.strided" else f"sparse {name}"
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
        return f"{name} of {value.dtype}"
    return name


class CtrlC(KeyboardInterrupt):
    """A KeyboardInterrupt that a signal caused, and not code of a user that raises one."""


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    raise CtrlC


@contextmanager
def ctrl_c_told_apart() -> Iterator[None]:
    """Context in which :func:`is_ctrl_c` can tell; in the main thread, unless someone else handles the signal."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_ctrl_c(error: BaseException) -> bool:
    """True where a signal caused it, or may have where this cannot be told."""
    untold = signal.getsignal(signal.SIGINT) not in (_interrupt, signal.SIG_DFL, signal.SIG_IGN)
    return isinstance(error, CtrlC) or (untold and isinstance(error, KeyboardInterrupt))
