"""The work of a worker for a black box: calls of the function, one instance after the other, within a time limit."""

import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.contracts import one_line, raised
from imle_core.solvers.black_box.answer import Answer, AnswerError, answer_of

INTERRUPTS = hasattr(signal, "setitimer")
"""True where this system can interrupt a function."""

WAIT = 0.5
"""Seconds to wait at a time for workers: a wait without end misses a Ctrl-C that comes as it begins."""


class Task(NamedTuple):
    """One instance: its parameters ``(*event)`` and further arguments."""

    theta: NDArray[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class TaskSettings(NamedTuple):
    """Settings of a worker.

    Attributes:
        function: called with parameters and further arguments.
        arrays: whether it gets a NumPy array instead of a tensor.
        time_limit: seconds; none if None.
    """

    function: Callable[..., Any]
    arrays: bool
    time_limit: float | None


@dataclass(frozen=True)
class Failure:
    """A reason why there is no solution.

    Attributes:
        reason: what happened.
        error: what the function raised, if it did.
        late: whether it took too long.
        rest: the rule and the remedy, to follow the name of the row.
    """

    reason: str
    error: BaseException | None = None
    late: bool = False
    rest: str = "; it must solve every row; look at .theta of this error"


class UninterruptibleError(ArgumentError):
    """A time limit in a thread."""


Outcome = Answer | Failure


def solve_all(tasks: Iterable[Task], settings: TaskSettings) -> list[Outcome]:
    """:func:`solve` for each task, up to one that fails, unless it is late.

    It may do so in another process, to which not every error can be sent back.
    """
    outcomes: list[Outcome] = []
    for task in tasks:
        outcome = solve(task, settings)
        outcomes.append(sendable(outcome))
        if isinstance(outcome, Failure) and not outcome.late:
            break
    return outcomes


def solve(task: Task, settings: TaskSettings) -> Outcome:
    """The solution ``(*event)`` with further outputs, or why there is none.

    Raises:
        UninterruptibleError: there is a time limit, and no way to keep it here.
    """
    function, arrays, limit = settings
    if limit is not None and INTERRUPTS and threading.current_thread() is not threading.main_thread():
        raise UninterruptibleError(
            "time_limit",
            f"{limit:g} s in a thread",
            "a thread, of a cluster or of autograd, cannot be interrupted",
            "take executor='processes'",
        )
    theta = task.theta.copy()
    given = theta if arrays else torch.from_numpy(theta)
    try:
        if limit is None or not INTERRUPTS:
            answer = function(given, *task.args, **task.kwargs)
        else:
            with _limited(limit):
                answer = function(given, *task.args, **task.kwargs)
        return answer_of(answer, theta)
    except _LateError:
        return late(settings)
    except AnswerError as error:
        return Failure(error.what, rest=error.rest)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # any that a user's function may raise, SystemExit included
        return Failure(raised(error), error)


def late(settings: TaskSettings) -> Failure:
    """Failure of a task that takes too long."""
    remedy = "; it must solve every row; raise time_limit, or take fallback='previous'"
    return Failure(f"took longer than {settings.time_limit:g} s", late=True, rest=remedy)


def unsendable(error: BaseException) -> ArgumentTypeError:
    """Error of a function, or arguments of it, that cannot be pickled."""
    *_, reason = str(error.__cause__ or error).strip('"\n').splitlines() or [""]  # the last line of a traceback
    return ArgumentTypeError(
        "function",
        f"one that cannot be sent to a process ({one_line(reason)})",
        "it and its arguments must be picklable, which locks and generators are not",
        "take executor='threads', or make these inside it",
    )


def sendable(outcome: Outcome) -> Outcome:
    """Outcome without an error of a class that cannot be taken apart, or not put together again."""
    if isinstance(outcome, Failure) and outcome.error is not None:
        try:
            pickle.loads(pickle.dumps(outcome.error))
        except Exception:
            return replace(outcome, error=None)
    return outcome


class _LateError(BaseException):
    """End of the time limit; no Exception, so that a function which catches these does not catch it."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    waiting = True

    def stop(*_: Any) -> None:
        if waiting:  # not while the alarm is being taken back
            raise _LateError

    before = signal.signal(signal.SIGALRM, stop)
    began = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield
        finally:
            waiting = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-6), interval)
