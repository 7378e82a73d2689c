"""A sign on a terminal that a command has begun, where its imports take long; it vanishes once they are done."""

import os
import sys
import threading

_PATIENCE = 0.3  # seconds without a sign, in which quick refusals have been said


class Loading:
    """``loading ...`` on standard error, if that is a terminal, soon after it is made and until :meth:`end`.

    Args:
        wanted: whether anything may be shown.
    """

    def __init__(self, wanted: bool) -> None:
        self._lock, self._timer, self._is_shown = threading.Lock(), threading.Timer(_PATIENCE, self._show), False
        self._timer.daemon = True
        if wanted and sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "dumb"):
            self._timer.start()

    def _show(self) -> None:
        with self._lock:
            if not self._timer.finished.is_set():
                self._is_shown = True
                self._write("loading ...")

    def end(self) -> None:
        """Removes it, or prevents it."""
        self._timer.cancel()
        with self._lock:
            if self._is_shown:
                self._is_shown = False
                self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):  # a terminal that has gone
            pass
