"""Many calls of one function, on the processes of this machine, or on a Dask or Ray cluster."""

import logging
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config

from imle_cli.options.inputs import ExecutorName
from imle_core.concurrency import WorkerPool

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_DIED = "its worker process died, perhaps for want of memory"
_WAIT = 0.5  # seconds after which an interruption is noticed, where a system does not wake who waits


class ExecutorError(ValueError):
    """An executor that cannot be used; the message is one line."""


def outcomes(
    function: Callable[[Task], Answer], tasks: Sequence[Task], executor: ExecutorName, jobs: int | None
) -> Generator[tuple[int, Answer | Exception], None, None]:
    """The results of all calls, or what prevented them, each with its task's number, in the order in which they end.

    When a worker dies, the calls that were under way are made once more, each in a process of its own on this machine: so
    one that takes all memory fails alone. Dask does the like by itself. When this process is killed, its workers end too.

    Args:
        function: can be pickled, as must be tasks and results; what it raises counts as the death of its worker.
        tasks: its arguments.
        executor: "joblib" for processes here; "dask" for the cluster at DASK_SCHEDULER_ADDRESS and "ray" for that at
            RAY_ADDRESS, or one of their own on this machine.
        jobs: how many calls at a time; as many as there are cores if None. One at a time runs in this process. No more
            processes are begun here than there are tasks.

    Raises:
        ExecutorError: Dask or Ray is not installed.
    """
    if not tasks:
        return
    jobs = None if jobs is None else min(jobs, len(tasks))
    workers = min(jobs or cpu_count(), len(tasks))
    if executor == "dask":
        yield from _on_dask(function, tasks, workers)
        return
    left = dict(enumerate(tasks))
    with nullcontext() if executor == "joblib" else _ray(workers):
        while left:
            begun: list[int] = []
            failure: Exception | None = None
            try:
                with closing(_stream(function, left, begun, executor, jobs)) as results:
                    for number, result in results:
                        del left[number]
                        yield number, result
            except Exception as error:  # each executor has its own kind of error for a worker that died
                failure = error
            suspects = [number for number in begun if number in left]
            if failure and not suspects:
                raise failure
            for number in suspects:
                yield number, _alone(function, left.pop(number))


def _stream(
    function: Callable[[Task], Answer], tasks: dict[int, Task], begun: list[int], executor: ExecutorName, jobs: int | None
) -> Generator[tuple[int, Answer], None, None]:
    """Results with their numbers; those of ``tasks`` that are handed out are noted in ``begun``."""
    if executor == "ray":
        yield from _by_ray(function, tasks, begun, jobs)
    elif (workers := min(jobs or cpu_count(), len(tasks))) > 1:
        yield from _in_processes(function, tasks, begun, workers)
    else:
        for number, task in list(tasks.items()):
            begun.append(number)
            yield number, function(task)


def _in_processes(
    function: Callable[[Task], Answer], tasks: dict[int, Task], begun: list[int], jobs: int
) -> Iterator[tuple[int, Answer]]:
    waiting, pool = deque(tasks.items()), WorkerPool(jobs)
    under_way: dict[Future[Answer], int] = {}
    try:
        while waiting or under_way:
            while waiting and len(under_way) < jobs:
                number, task = waiting.popleft()
                begun.append(number)
                under_way[pool.submit(function, task)] = number
            for future in wait(under_way, _WAIT, FIRST_COMPLETED).done:
                yield under_way.pop(future), future.result()
    finally:
        pool.end()


def _by_ray(
    function: Callable[[Task], Answer], tasks: dict[int, Task], begun: list[int], jobs: int | None
) -> Iterator[tuple[int, Answer]]:
    waiting = iter(list(tasks.items()))
    parallel, size = Parallel(n_jobs=jobs or -1, batch_size=1, max_nbytes=None), 2 * (jobs or cpu_count())
    while batch := list(islice(waiting, size)):  # Ray gives results only when a whole batch has ended
        begun.extend(number for number, _ in batch)
        results = parallel(delayed(function)(task) for _, task in batch)
        yield from zip((number for number, _ in batch), results, strict=True)


def _alone(function: Callable[[Task], Answer], task: Task) -> Answer | Exception:
    try:
        return next(_in_processes(function, {0: task}, [], 1))[1]
    except Exception:  # whatever the operating system did to it
        return ExecutorError(_DIED)


def _on_dask(
    function: Callable[[Task], Answer], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[int, Answer | Exception]]:
    # Not by joblib, whose backend for Dask waits for ever for a call whose worker died.
    distributed = _imported("distributed", "dask")
    cluster = nullcontext() if import_module("dask.config").get("scheduler-address", None) else _dask(distributed, workers)
    with cluster as own, distributed.Client(own) as client:
        numbers = {client.submit(function, task, pure=False): number for number, task in enumerate(tasks)}
        for future in distributed.as_completed(numbers):
            died = future.status != "finished"
            yield numbers[future], ExecutorError(_DIED) if died else future.result()
            future.release()


@contextmanager
def _dask(distributed: Any, workers: int) -> Iterator[Any]:
    """A cluster of processes here, which shows nothing and, where keys can be made, takes orders from this process alone."""
    security = distributed.Security.temporary() if find_spec("cryptography") else distributed.Security()
    # Dask has no option without the servers that show its state: these show nothing, at a port that is free, and stop.
    no_pages: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    settings = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}, "security": security}
    processes = {"n_workers": workers, "threads_per_worker": 1, "silence_logs": logging.CRITICAL}
    with import_module("dask.config").set(no_pages), distributed.LocalCluster(**settings, **processes) as cluster:
        cluster.scheduler.http_server.stop()
        yield cluster


@contextmanager
def _ray(workers: int) -> Iterator[None]:
    ray = _imported("ray", "ray")
    settings = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers, "include_dashboard": False}
    ray.init(logging_level=logging.ERROR, log_to_driver=False, **settings)
    try:
        import_module("ray.util.joblib").register_ray()
        with parallel_config("ray"):
            yield
    finally:
        ray.shutdown()


def _imported(module: str, extra: str) -> Any:
    if find_spec(module) is None:
        raise ExecutorError(
            f"--executor: {extra} is not installed; pip install 'imle[{extra}]', or leave it out to use this machine"
        )
    return import_module(module)
