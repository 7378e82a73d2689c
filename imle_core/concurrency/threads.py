"""Work shared among threads that are kept for the next call, or left to the caller, whichever is sooner."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import count, pairwise
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_SHARE_LOST = 0.02
"""Share of the time that attempts to share work may cost while other processes have the cores."""

_MOST_SAVED = 0.01
"""Seconds that they may cost once, so that a single wait ends no sharing that mostly saves time."""

_PATIENCE = 0.1
"""Seconds between two looks whether threads have ended; they mostly say so themselves."""


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
        self._at_work: set[int] = set()
        self._ends: SimpleQueue[None] = SimpleQueue()
        self._is_over = False
        self.busy: list[float] = []

    def take(self) -> None:
        """Does what nobody has begun, in the calling thread."""
        thread = threading.get_ident()
        self._at_work.add(thread)
        began = time.thread_time()
        while not (self._is_over or self._errors) and (number := next(self._numbers)) < len(self._works):
            self._do(number)
        self.busy.append(time.thread_time() - began)
        self._at_work.discard(thread)
        self._ends.put(None)

    def end(self) -> None:
        """Waits until all other threads have ended that have begun; those that come later do nothing.

        What interrupts the wait, as Ctrl-C does, is raised when it is over.
        """
        self._is_over = True
        interruptions = []
        while self._at_work - {threading.get_ident()}:
            interruptions += self._wait()
        if interruptions:
            raise interruptions[0]

    def _wait(self) -> list[BaseException]:
        """Waits for the end of a thread, and gives what interrupted that."""
        try:
            self._ends.get(timeout=_PATIENCE)
        except Empty:  # an interruption may have taken the word of a thread
            return []
        except (KeyboardInterrupt, SystemExit) as error:
            return [error]
        return []

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
    """Has this thread and others take the work; they have ended when this returns or raises."""
    pool = _pool(threads - 1)
    try:
        for _ in range(threads - 1):
            pool.submit(shared.take)
        shared.take()
    finally:
        shared.end()


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that have begun.

    Another thread begins them: Ctrl-C while the main thread waits for one to begin would leave that behind, unknown to those
    that end it, and the program would wait for it at its own end, for ever.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="imle")
    starter = threading.Thread(target=_begin, args=(pool, threads))
    starter.start()
    starter.join()
    return pool


def _begin(pool: ThreadPoolExecutor, threads: int) -> None:
    """Begins all threads of a pool, each of which has something to do until the last one has."""
    meeting = threading.Barrier(threads)
    try:
        for _ in range(threads):
            pool.submit(meeting.wait)
    except RuntimeError:  # the system has no more threads, which the next call is told
        meeting.abort()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child process has none of its parent's threads
