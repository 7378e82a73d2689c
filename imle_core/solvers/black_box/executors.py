"""Solving the tasks of a black box: by this thread, other threads, processes, or the backend set for joblib."""

import math
from collections import deque
from collections.abc import Generator, Iterator
from itertools import takewhile
from pickle import PicklingError
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Literal

from imle_core.solvers.black_box.processes import solve_in_processes
from imle_core.solvers.black_box.task import (
    WAIT,
    Failure,
    Outcome,
    Task,
    TaskSettings,
    UninterruptibleError,
    solve,
    solve_all,
    unsendable,
)

Executor = Literal["serial", "threads", "processes", "joblib"]

_CHUNKS_A_JOB = 4


def solve_by(
    executor: Executor, tasks: list[Task], settings: TaskSettings, jobs: int | None, chunk: int | None
) -> Generator[Outcome, None, None]:
    """Outcomes in the order of the tasks, at least up to one that fails; closing it ends what is under way."""
    if executor == "serial":
        for task in tasks:
            yield solve(task, settings)
        return
    from joblib import cpu_count, effective_n_jobs  # here, since joblib takes a while to import

    workers = effective_n_jobs(jobs) if executor == "joblib" else jobs or cpu_count()
    share = chunk or max(1, math.ceil(len(tasks) / (_CHUNKS_A_JOB * workers)))
    if executor == "processes":
        yield from solve_in_processes(tasks, settings, workers, share)
        return
    chunks = [tasks[first : first + share] for first in range(0, len(tasks), share)]
    yield from _in_threads(chunks, settings, workers) if executor == "threads" else _by_joblib(chunks, settings, jobs)


def _in_threads(chunks: list[list[Task]], settings: TaskSettings, jobs: int) -> Iterator[Outcome]:
    """Outcomes by threads that end after the task under way, or with the program, when the caller goes."""
    left, stop = deque(enumerate(chunks)), Event()
    finished: SimpleQueue[tuple[int, list[Outcome] | BaseException]] = SimpleQueue()

    def work() -> None:
        while left and not stop.is_set():
            try:
                number, chunk = left.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                finished.put((number, solve_all(takewhile(lambda _: not stop.is_set(), chunk), settings)))
            except BaseException as error:  # one that would end the thread, for which the caller would wait for ever
                finished.put((number, error))

    try:
        for _ in range(min(jobs, len(chunks))):
            Thread(target=work, daemon=True).start()
        early: dict[int, list[Outcome]] = {}
        for number in range(len(chunks)):
            while number not in early:
                try:
                    position, outcomes = finished.get(timeout=WAIT)
                except Empty:
                    continue
                if isinstance(outcomes, BaseException):
                    raise outcomes
                early[position] = outcomes
            yield from early.pop(number)
    finally:
        stop.set()


def _by_joblib(chunks: list[list[Task]], settings: TaskSettings, jobs: int | None) -> Iterator[Outcome]:
    from joblib import Parallel, delayed

    parallel, call = Parallel(n_jobs=jobs, batch_size=1, max_nbytes=None), delayed(solve_all)
    try:
        solved = parallel(call(chunk, settings) for chunk in chunks)
    except UninterruptibleError:
        raise
    except PicklingError as error:
        raise unsendable(error) from error
    except Exception:  # each kind of cluster has its own for a worker that died
        for task in (task for chunk in chunks for task in chunk):
            try:
                (outcomes,) = parallel([call([task], settings)])
            except Exception as error:
                outcomes = [Failure(f"its worker failed twice ({type(error).__name__})", error)]
            yield from outcomes
        return
    for outcomes in solved:
        yield from outcomes
