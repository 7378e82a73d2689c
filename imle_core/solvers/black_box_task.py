"""What a worker does for a black box: call the function for one instance after the other, within a time limit."""

import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Task:
    """One instance: its parameters ``(*event)`` and further arguments."""

    theta: NDArray[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """Why there is no solution.

    Attributes:
        reason: what happened.
        error: what the function raised, if it did.
        late: whether it took too long.
    """

    reason: str
    error: BaseException | None = None
    late: bool = False


def solve_all(
    tasks: Sequence[Task], function: Callable[..., Any], arrays: bool, time_limit: float | None
) -> list[NDArray[Any] | Failure]:
    """:func:`solve` for each task, in another process perhaps, to which not every error can be sent back."""
    outcomes = [solve(task, function, arrays, time_limit) for task in tasks]
    return [replace(some, error=_sendable(some.error)) if isinstance(some, Failure) else some for some in outcomes]


def solve(task: Task, function: Callable[..., Any], arrays: bool, time_limit: float | None) -> NDArray[Any] | Failure:
    """The solution ``(*event)``, or why there is none.

    Args:
        task: what to solve.
        function: called with parameters and further arguments.
        arrays: whether it gets a NumPy array instead of a tensor.
        time_limit: seconds; none if None.
    """
    theta = task.theta.copy()
    try:
        with _limited(time_limit):
            solution = function(theta if arrays else torch.from_numpy(theta), *task.args, **task.kwargs)
        array = _as_array(solution)
    except _LateError:
        return Failure(f"took longer than {time_limit:g} s", late=True)
    except Exception as error:  # whatever a user's function may raise
        return Failure(f"raised {type(error).__name__} ({error})", error)
    if array.dtype.kind not in "biuf":
        return Failure(f"gave {type(solution).__name__}, which is no array of real numbers,")
    return array.astype(theta.dtype)


def _as_array(solution: Any) -> NDArray[Any]:
    if not isinstance(solution, Tensor):
        return np.asarray(solution)
    narrow = solution.dtype == torch.bfloat16  # which NumPy lacks
    return (solution.float() if narrow else solution).numpy(force=True)


def _sendable(error: BaseException | None) -> BaseException | None:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an error of a class that cannot be taken apart, or not put together again
        return None
    return error


class _LateError(BaseException):
    """Not an Exception, so that a function which catches these does not catch it."""


@contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return

    def stop(*_: Any) -> None:
        raise _LateError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
