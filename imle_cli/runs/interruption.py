"""Signals that ask a command to end, held back until a piece of work is whole."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class HeldSignals:
    """Signals that were held back; called, it says whether there was one."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self) -> bool:
        """True if there was one."""
        return bool(self.numbers)

    @property
    def end(self) -> BaseException:
        """An end of the command as the first of them would have made it; as Ctrl-C if there was none in this process."""
        if not self.numbers or self.numbers[0] == signal.SIGINT:
            return KeyboardInterrupt()
        return SystemExit(128 + self.numbers[0])

    def hold(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal."""
        self.numbers.append(number)
        if self.numbers.count(signal.SIGINT) > 1:
            signal.default_int_handler(number, frame)


def handled_signals() -> list[signal.Signals]:
    """Signals that ask a command to end; that of a terminal that goes is not among them where ``nohup`` has it ignored."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def end_on_signals() -> None:
    """Lets signals that ask a command to end do so as an error does, so that temporary files and worker processes end, too.

    Python ignores what is raised in the callback of a weak reference or while an object is deleted; an end that was asked
    for there is asked for again.
    """
    for number in handled_signals():
        if number != signal.SIGINT:
            signal.signal(number, _end)
    sys.unraisablehook = _insist


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _insist(ignored: "sys.UnraisableHookArgs") -> None:
    """Sends the signal of an end that was ignored once more, from a thread, when the callback will be over."""
    error = ignored.exc_value
    if isinstance(error, KeyboardInterrupt):
        number = int(signal.SIGINT)
    elif isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > 128:
        number = error.code - 128
    else:
        sys.__unraisablehook__(ignored)
        return
    if not sys.is_finalizing():
        again = threading.Timer(0.01, _send, (number,))
        again.daemon = True
        again.start()


def _send(number: int) -> None:
    """Sends a signal to the main thread, which alone handles it; Windows has no way to say which one gets it."""
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, number)


@contextmanager
def deferred_interruption() -> Iterator[HeldSignals]:
    """Holds back Ctrl-C and other signals to end, so that a piece of work ends whole.

    A second Ctrl-C interrupts at once; the others come twice, from the kernel and a shell.
    """
    held = HeldSignals()
    before = {number: signal.signal(number, held.hold) for number in handled_signals()}
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
