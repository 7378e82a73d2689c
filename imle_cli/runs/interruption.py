"""Signals that ask a command to end, held back until a piece of work is whole."""

import signal
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
