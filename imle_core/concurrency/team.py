"""Kernels shared among the threads that torch has for its own operations, or among our own where those are of no use.

After an operation of torch its threads spin for a while. Then they begin new work within microseconds, and beside them
threads of ours would get half a processor each.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from imle_core.concurrency.threads import PACE, at_once

T = TypeVar("T")

_MAPS = Path("/proc/self/maps")
"""Where Linux says what is in the memory of a process."""


class Team(NamedTuple):
    """Threads that run a kernel together: what :func:`imle_core.kernels.sharing.in_each_thread` needs of them.

    Attributes:
        begin: address of ``GOMP_parallel(region, data, threads, flags)``, or 0 for the calling thread alone.
        size: threads that it has; torch's threads that are not asked for would end, to be started anew.
        threads: how many of them work.
        record: ``(4,)`` threads that have come, nanoseconds of processors that they used, calls that ended in errors, and
            nanoseconds that all took together.
        taken: ``(1,)`` pieces of work that some thread has taken, of this team or another that does the same work.
    """

    begin: int
    size: int
    threads: int
    record: NDArray[np.int64]
    taken: NDArray[np.int64]


def share(work: Callable[[Team], T], threads: int) -> list[T]:
    """Results of calling a kernel with a team, or with one for each of several threads, which take pieces of the same work.

    The caller does all where sharing has cost more than it gave, and while another thread of Python has torch's.

    Args:
        work: calls a kernel, in whatever thread.
        threads: how many may share the work.

    Raises:
        MemoryError: a thread had no memory for its work.
    """
    taken = np.zeros(1, np.int64)
    if threads < 2:
        return [_call(work, _alone(taken))]
    begin = _begin()
    if not begin:
        return at_once([partial(_call, work, _alone(taken)) for _ in range(threads)])
    if PACE.is_open() and _STATE.lock.acquire(blocking=False):
        try:
            _STATE.was_used = True
            team = Team(begin, torch.get_num_threads(), threads, np.zeros(4, np.int64), taken)
            result = _call(work, team)
        finally:
            _STATE.lock.release()
        PACE.was_shared(team.record[3] / 1e9, team.record[1] / 1e9)
    else:
        team = _alone(taken)
        result = _call(work, team)
        PACE.was_alone(team.record[3] / 1e9)
    return [result]


def _alone(taken: NDArray[np.int64]) -> Team:
    return Team(0, 1, 1, np.zeros(4, np.int64), taken)


def _call(work: Callable[[Team], T], team: Team) -> T:
    result = work(team)
    if team.record[2]:  # all that kernels raise
        raise MemoryError("no memory for the work of a thread")
    return result


class _State:
    """Knowledge of a process about torch's threads.

    Attributes:
        lock: held by the thread of Python that has them.
        was_used: true once one had.
        is_forked: true in a process that is the fork of another, which has none of its threads.
    """

    def __init__(self, is_forked: bool) -> None:
        self.lock, self.was_used, self.is_forked = threading.Lock(), False, is_forked


_STATE = _State(is_forked=False)


def _begin() -> int:
    """Address that begins a region of torch's team, or 0 where there is none."""
    return 0 if _STATE.is_forked else _address()


@lru_cache(maxsize=1)
def _address() -> int:
    """Address of ``GOMP_parallel`` as torch calls it, or 0 where that is not of GNU's runtime.

    Other runtimes have such a function, too, but other threads behind it; macOS and Windows have none.
    """
    for library in (None, Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"):  # in the order in which systems look
        try:
            symbol = ctypes.CDLL(None if library is None else str(library)).GOMP_parallel
        except (OSError, AttributeError, TypeError):
            continue
        address = ctypes.cast(symbol, ctypes.c_void_p).value or 0
        return address if "libgomp" in _library_at(address) else 0
    return 0


def _library_at(address: int) -> str:
    """Name of the file that an address of this process is of; "" where that cannot be known."""
    try:
        lines = _MAPS.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        first, last = (int(end, 16) for end in line.split(maxsplit=1)[0].split("-"))
        if first <= address < last:
            return line.rpartition("/")[2]
    return ""


def _forget() -> None:
    """In a child process, which has none of its parent's threads, neither ours nor torch's.

    An operation of torch that asked for those would wait for ever, so that torch does without them once they were used here.
    """
    global _STATE
    if _STATE.was_used:
        torch.set_num_threads(1)
    _STATE = _State(is_forked=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
