"""Notice that kernels are being compiled, which takes seconds where no cache has them yet, and a clock that leaves that out.

Whoever waits for that is told: by the listener of a program that has one, else by one line of :data:`LOGGER`.
"""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

LOGGER = logging.getLogger("imle_core.kernels")

_REMEDY = "the command imle warm-up does it beforehand"


class Listener(Protocol):
    """Whoever is told, from whatever thread."""

    def begins(self, subject: str) -> None:
        """The work begins to wait for kernels of ``subject``, "noise" for instance."""

    def ends(self, seconds: float) -> None:
        """The work goes on, after so many seconds."""

    def goes_on(self, subject: str, is_running: Callable[[], bool]) -> None:
        """A process compiles kernels of ``subject`` beside the work, as long as ``is_running()``."""


class Silence:
    """A listener that does nothing."""

    def begins(self, subject: str) -> None:
        """Nobody is told."""

    def ends(self, seconds: float) -> None:
        """Nobody is told."""

    def goes_on(self, subject: str, is_running: Callable[[], bool]) -> None:
        """Nobody is told."""


class Log(Silence):
    """A listener that logs once, in the process that the user has started."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def begins(self, subject: str) -> None:
        """Logs that the work waits."""
        self._say("begins", f"compiling for this machine, once ({subject}): some seconds, more while others use the cores")

    def goes_on(self, subject: str, is_running: Callable[[], bool]) -> None:  # noqa: ARG002
        """Logs that something else is at work, too."""
        self._say("goes on", f"compiling for this machine, once ({subject}): a core for some 15 s, beside the work")

    def _say(self, kind: str, text: str) -> None:
        if kind not in self._said and multiprocessing.parent_process() is None:
            self._said.add(kind)
            LOGGER.warning("imle: %s; %s", text, _REMEDY)


class _State:
    """Compiling that is under way, in any thread, and the seconds for which it was."""

    def __init__(self) -> None:
        self.listener: Listener = Log()
        self.lock, self.depth, self.since, self.waited, self.count = threading.RLock(), 0, 0.0, 0.0, 0


_state = _State()


def tell(listener: Listener | None) -> None:
    """Has ``listener`` told from now on, in place of the earlier one; the log if it is None."""
    _state.listener = Log() if listener is None else listener


def begins(subject: str) -> None:
    """Something begins to be compiled, which the caller waits for until :func:`ends`; several may be at once."""
    with _state.lock:
        _state.depth += 1
        _state.count += 1
        if _state.depth == 1:
            _state.since = time.perf_counter()
            _state.listener.begins(subject)


def ends() -> None:
    """Notes that the code which began last has been compiled."""
    with _state.lock:
        _state.depth -= 1
        if not _state.depth:
            seconds = time.perf_counter() - _state.since
            _state.waited += seconds
            _state.listener.ends(seconds)


@contextmanager
def waiting(subject: str) -> Iterator[None]:
    """A block that waits for kernels of ``subject``."""
    begins(subject)
    try:
        yield
    finally:
        ends()


def goes_on(subject: str, is_running: Callable[[], bool]) -> None:
    """A process compiles kernels of ``subject`` beside the work, as long as ``is_running()``."""
    _state.listener.goes_on(subject, is_running)


def clock() -> float:
    """Seconds of a clock that stands still while the work waits for kernels."""
    with _state.lock:
        now = _state.since if _state.depth else time.perf_counter()
        return now - _state.waited


def compiled_so_far() -> int:
    """Number of functions that this process has compiled, each for some types."""
    return _state.count
