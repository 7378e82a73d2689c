"""Work in a process of its own, which it may end, crash or never come back in."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from traceback import format_exception
from typing import Any, NamedTuple, TypeAlias

Send: TypeAlias = Callable[[Any], None]

_START = 120.0  # seconds that a process may take to begin, on a slow disk
_WAIT = 0.5  # seconds: where the process has left others that hold its pipe, its end is only seen by looking
_GRACE = 2.0  # seconds that it may take to end when its work is done
_DONE = "done"


class EndedError(Exception):
    """A process that ended, or was ended, before its work was done; the message says how."""


class _Raised(NamedTuple):
    error: Exception
    traceback: str


def in_own_process(work: Callable[[Send], None], silence: float) -> Generator[Any, None, None]:
    """Messages that ``work(send)`` sends from a process of its own, which ends with all that it has started.

    The process is a fork, which costs next to nothing, as long as nothing heavy is imported here; else a new one. It has
    no standard input, and what it writes to standard output goes to standard error.

    Args:
        work: what to do; for a new process it must be picklable, as what it sends always must.
        silence: seconds without a message, from the first one on, after which the process is ended.

    Raises:
        EndedError: it ended before its work was done, or was silent for too long.
        Exception: what ``work`` raised, with its traceback as the cause.
    """
    forks = hasattr(os, "fork") and "torch" not in sys.modules and threading.active_count() == 1
    context: Any = get_context("fork" if forks else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, sender))
    process.start()
    sender.close()
    try:
        message = _received(receiver, process, max(_START, silence))
        while message != _DONE:
            if isinstance(message, _Raised):
                raise message.error from RuntimeError(f"in its own process:\n{message.traceback}")
            yield message
            message = _received(receiver, process, silence)
        process.join(_GRACE)
    finally:
        _end(process)
        receiver.close()


def _received(receiver: Connection, process: BaseProcess, silence: float) -> Any:
    end = time.monotonic() + silence
    with suppress(EOFError, ConnectionError):
        while not receiver.poll(max(0.0, min(_WAIT, end - time.monotonic()))):
            if not process.is_alive() and not receiver.poll():
                break
            if time.monotonic() > end:
                raise EndedError(f"took longer than {silence:g} s")
        else:
            return receiver.recv()
    process.join(_GRACE)
    if process.exitcode is None:
        raise EndedError("closed its connection to the command")
    raise EndedError(_said(process.exitcode))


def _said(code: int) -> str:
    if code >= 0:
        return f"ended its process with exit code {code}"
    with suppress(ValueError):  # a number without a name
        return f"ended its process by signal {-code} ({signal.Signals(-code).name})"
    return f"ended its process by signal {-code}"


def _end(process: BaseProcess) -> None:
    """Ends it with its children, which are a group of their own."""
    if hasattr(os, "killpg") and process.pid:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _work(work: Callable[[Send], None], sender: Connection) -> None:
    """In the process: Ctrl-C is for the one that started it, and a signal of its own ends it."""
    if hasattr(os, "setsid"):
        os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(2, 1)
    owner, lock = os.getpid(), threading.Lock()

    def send(message: Any) -> None:
        if os.getpid() != owner:  # a fork of the user's code that came back
            os._exit(1)
        try:
            with lock:
                sender.send(message)
        except OSError:  # the connection is closed at one of its ends: there is nobody to work for
            os._exit(1)

    try:
        work(send)
    except Exception as error:
        send(_Raised(error, "".join(format_exception(error))))
    else:
        send(_DONE)
