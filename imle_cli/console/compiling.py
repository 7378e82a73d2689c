"""Waiting for kernels that are compiled: a spinner with seconds on a terminal, one line elsewhere."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

_ONCE = "compiling for this machine, once"
_LONG = 1.0  # seconds of a wait of which a line remains
_MARKS, _TURNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", 8  # of the spinner, and how many a second


class Compiling:
    """Compiling that a command waits for, and what goes on beside it; a listener of :mod:`imle_core.kernels.notice`.

    Args:
        console: where a spinner turns; None where there is nothing that could.
        say: takes lines for the reader.

    Attributes:
        seconds: how long was waited so far.
        count: gives the number of functions that were compiled so far, if that is known.
        is_announced: whether the user knows that something is compiled, and how long that takes.
    """

    def __init__(self, console: "Console | None", say: Callable[[str], None]) -> None:
        self._console, self._say = console, say
        self._lock, self._bars = threading.RLock(), 0
        self._subject, self._since = "", 0.0
        self._beside: dict[str, Callable[[], bool]] = {}
        self._live: Live | None = None
        self.seconds, self.is_announced = 0.0, False
        self.count: Callable[[], int] = lambda: 0

    def begins(self, subject: str) -> None:
        """Shows that the work waits."""
        with self._lock:
            self._subject, self._since = subject, time.perf_counter()
            if self._console is not None:
                self._turn()
            elif not self.is_announced and logging.getLogger("imle_core.kernels").isEnabledFor(logging.WARNING):
                self.is_announced = True
                self._say(f"note: {_ONCE} ({subject}); some seconds, more while others use the cores")

    def ends(self, seconds: float) -> None:
        """Lets the spinner vanish."""
        with self._lock:
            self.seconds += seconds
            self._subject = ""
            self._stop()

    @contextmanager
    def waiting(self, subject: str) -> Iterator[None]:
        """A block in which something else compiles that the work waits for."""
        began = time.perf_counter()
        self.begins(subject)
        try:
            yield
        finally:
            self.ends(time.perf_counter() - began)

    def goes_on(self, subject: str, is_running: Callable[[], bool]) -> None:
        """Keeps in mind what is compiled beside the work."""
        self._beside[subject] = is_running

    def conclude(self) -> None:
        """Says how long was waited, on a terminal, and what goes on after the command."""
        if not self.is_announced and self._console is not None and self.seconds > _LONG:
            self._say(f"note: compiled for this machine in {self.seconds:.0f} s, once; the time leaves that out")
        for subject in (subject for subject, is_running in self._beside.items() if is_running()):
            self._say(f"note: kernels for {subject} are still being compiled beside this, once: a core for some 15 s")
        self._beside.clear()

    def bar(self, entered: bool) -> None:
        """Leaves the screen to a bar, which shows :attr:`line` itself, or takes it back."""
        with self._lock:
            self._bars += 1 if entered else -1
            self._stop()
            self._turn()

    @property
    def line(self) -> "Text | None":
        """A turn of the spinner; None while nothing is waited for."""
        from rich.text import Text

        subject, elapsed = self._subject, time.perf_counter() - self._since
        if not subject:
            return None
        mark, number = _MARKS[int(_TURNS * elapsed) % len(_MARKS)], self.count()
        function = f"function {number}, " if number else ""
        return Text(f"{mark} {_ONCE}: {subject} ({function}{elapsed:.0f} s)")

    def _turn(self) -> None:
        from rich.live import Live

        if self._subject and not self._bars and self._live is None and self._console is not None:
            settings: dict[str, Any] = {"transient": True, "refresh_per_second": _TURNS}
            self._live = Live(console=self._console, get_renderable=lambda: self.line or "", **settings)
            self._live.start(refresh=True)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
