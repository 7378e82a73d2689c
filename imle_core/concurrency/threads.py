"""Work shared among threads that are kept for the next call, or left to the caller, whichever is sooner."""

import os
import time
from _thread import start_new_thread
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, pairwise
from queue import SimpleQueue
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_SHARE_LOST = 0.02
"""Share of the time that attempts to share work may cost while other processes have the cores."""

_MOST_SAVED = 0.01
"""Seconds that they may cost once, so that a single wait ends no sharing that mostly saves time."""


def in_threads(work: Callable[[int, int], T], size: int, threads: int) -> list[T]:
    """Results of ``work(first, last)`` over 0..size-1, in order, in as many equal parts as there are threads.

    ``work`` must not itself use threads of this module.
    """
    if threads < 2:
        return [work(0, size)]
    bounds = [size * index // threads for index in range(threads + 1)]
    return at_once([partial(work, *ends) for ends in pairwise(bounds)])


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Results of functions, in order; the calling thread and others each take the next one as they are free.

    None may wait for another, or itself use threads of this module: where sharing has cost more than it gave, since other
    processes have the cores, the caller does all for a while.

    Raises:
        BaseException: what one of them raised; the first, if there are several. All that began have ended by then.
    """
    if len(works) == 1:
        return [works[0]()]
    shared = _Shared(works)
    began = time.perf_counter()
    if PACE.is_open():
        _share(shared, len(works))
        PACE.was_shared(time.perf_counter() - began, sum(shared.busy))
    else:
        shared.take()
        PACE.was_alone(time.perf_counter() - began)
    return shared.results()


class _Shared(Generic[T]):
    """Functions of which any number of threads take one after the other.

    Attributes:
        busy: seconds of a processor that each of these threads has spent.
    """

    def __init__(self, works: Sequence[Callable[[], T]]) -> None:
        self._works, self._numbers = works, count()
        self._results: dict[int, T] = {}
        self._errors: dict[int, BaseException] = {}
        self.busy: list[float] = []

    def take(self) -> None:
        """Does what nobody has begun, in the calling thread."""
        began = time.thread_time()
        while not self._errors and (number := next(self._numbers)) < len(self._works):
            self._do(number)
        self.busy.append(time.thread_time() - began)

    def _do(self, number: int) -> None:
        try:
            self._results[number] = self._works[number]()
        except BaseException as error:  # also what ends the program: others may write to what is the caller's
            self._errors[number] = error

    def results(self) -> list[T]:
        """Results in order.

        Raises:
            BaseException: what one of the functions raised.
        """
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._results[number] for number in range(len(self._works))]


class _Pace:
    """Decision whether to share, by what the last attempts have saved and cost.

    A region of threads ends when the last thread does, which may wait a time slice for a core that another process has. What
    it took longer than its work takes one thread is a loss, which what others have saved makes good, up to ``_MOST_SAVED``;
    beyond that it is a debt, which time alone pays at the rate of ``_SHARE_LOST``.
    """

    def __init__(self) -> None:
        self._saved = _MOST_SAVED

    def is_open(self) -> bool:
        """True where nothing is owed."""
        return self._saved >= 0

    def was_shared(self, seconds: float, busy: float) -> None:
        """Notes that threads took so long together, and used so many seconds of processors."""
        self._saved = min(self._saved + busy - seconds, _MOST_SAVED)

    def was_alone(self, seconds: float) -> None:
        """Notes that the caller took so long alone."""
        if self._saved < 0:
            self._saved = min(self._saved + _SHARE_LOST * seconds, 0.0)


PACE = _Pace()
"""That of this process."""


def _share(shared: _Shared[Any], threads: int) -> None:
    """Has this thread and others take the work; they have ended when this returns."""
    tasks = [_Task(shared.take) for _ in range(threads - 1)]
    try:
        _crew.ask(tasks)
        shared.take()
    finally:
        for task in tasks:
            task.end()


class _Task:
    """A call of a function that a thread is asked for, and is not needed any more once whoever asked has time.

    Locks and queues here are those that are made of machine code. Ctrl-C, which Python may raise between any two lines of
    the main thread, would leave those of a ``Future`` locked for ever, and whoever needs them waiting.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work, self._begun, self._running = work, Lock(), Lock()
        self._running.acquire()

    def run(self) -> None:
        """Does the work, unless it is not needed any more."""
        if self._begun.acquire(blocking=False):
            try:
                self._work()
            finally:
                self._running.release()

    def end(self) -> None:
        """Waits until the work is done if it has begun, and prevents it otherwise."""
        if not self._begun.acquire(blocking=False):
            self._running.acquire()


class _Crew:
    """Threads that are kept; the end of the program waits for none of them.

    A thread pool's are waited for. One that Ctrl-C comes upon while it starts is not told that the program ends, so that
    this never would.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        self._size = 0

    def ask(self, tasks: Sequence[_Task]) -> None:
        """Hands tasks to as many threads, some of which may be busy with others."""
        while self._size < len(tasks):
            start_new_thread(self._work, ())
            self._size += 1
        for task in tasks:
            self._tasks.put(task)

    def _work(self) -> None:
        while True:
            self._tasks.get().run()


_crew = _Crew()


def _forget() -> None:
    global _crew
    _crew = _Crew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a child process has none of its parent's threads
