"""Many calls of one function, on the processes of this machine, or on a Dask or Ray cluster."""

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config

from imle_cli.options import ExecutorName

Task = TypeVar("Task")
Result = TypeVar("Result")

_DIED = "its worker process died, perhaps for want of memory"
_LOOK = 0.5  # seconds between two looks of a worker whether this process is still there


class ExecutorError(ValueError):
    """An executor that cannot be used; the message is one line."""


def outcomes(
    function: Callable[[Task], Result], tasks: Sequence[Task], executor: ExecutorName, jobs: int | None
) -> Iterator[tuple[int, Result | Exception]]:
    """The results of all calls, or what prevented them, each with its task's number, in the order in which they end.

    When a worker dies, the calls that were under way are made once more, each in a process of its own on this machine: so
    one that takes all memory fails alone. Dask does the like by itself. When this process is killed, its workers end too.

    Args:
        function: can be pickled, as must be tasks and results; what it raises counts as the death of its worker.
        tasks: its arguments.
        executor: "joblib" for processes here; "dask" for the cluster at DASK_SCHEDULER_ADDRESS and "ray" for that at
            RAY_ADDRESS, or one of their own on this machine.
        jobs: how many calls at a time; as many as there are cores if None. One runs in this process.

    Raises:
        ExecutorError: Dask or Ray is not installed.
    """
    if not tasks:
        return
    jobs = None if jobs is None else min(jobs, len(tasks))
    if executor == "dask":
        yield from _on_dask(function, tasks, jobs)
        return
    left = dict(enumerate(tasks))
    with nullcontext() if executor == "joblib" else _ray(jobs):
        while left:
            begun: list[int] = []
            failure: Exception | None = None
            try:
                for number, result in _stream(function, left, begun, executor, jobs):
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
    function: Callable[[Task], Result], tasks: dict[int, Task], begun: list[int], executor: ExecutorName, jobs: int | None
) -> Iterator[tuple[int, Result]]:
    """Results with their numbers; those of ``tasks`` that are handed out are noted in ``begun``."""

    def calls() -> Iterator[Any]:
        for number, task in list(tasks.items()):
            begun.append(number)
            yield delayed(_numbered)(function, number, task)

    # Ray gives results only when a whole batch has ended.
    form = "list" if executor == "ray" else "generator_unordered"
    settings = {"n_jobs": jobs or -1, "max_nbytes": None} if executor == "ray" else _workers(jobs or -1)
    parallel = Parallel(return_as=form, batch_size=1, **settings)
    waiting, size = calls(), 2 * (jobs or cpu_count()) if executor == "ray" else len(tasks)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* tasks which were still being processed")  # after an interruption
        for _ in range(0, len(tasks), size):
            yield from parallel(islice(waiting, size))


def _alone(function: Callable[[Task], Result], task: Task) -> Result | Exception:
    with parallel_config("loky"):
        try:
            results: list[Result] = Parallel(**_workers(2))([delayed(function)(task)])
            return results[0]
        except Exception:  # whatever the operating system did to it
            return ExecutorError(_DIED)


def _workers(jobs: int) -> dict[str, Any]:
    """Settings of joblib for processes of this machine."""
    return {"n_jobs": jobs, "max_nbytes": None, "initializer": _end_with, "initargs": (os.getpid(),)}


def _end_with(owner: int) -> None:
    """Lets a worker end soon after its owner, which may be killed: it would compute on, and then wait for minutes."""

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(_LOOK)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()


def _numbered(function: Callable[[Task], Result], number: int, task: Task) -> tuple[int, Result]:
    return number, function(task)


def _on_dask(
    function: Callable[[Task], Result], tasks: Sequence[Task], jobs: int | None
) -> Iterator[tuple[int, Result | Exception]]:
    # Not by joblib, whose backend for Dask waits for ever for a call whose worker died.
    distributed = _imported("distributed", "dask")
    cluster = nullcontext() if import_module("dask.config").get("scheduler-address", None) else _dask(distributed, jobs)
    with cluster as own, distributed.Client(own) as client:
        numbers = {client.submit(function, task, pure=False): number for number, task in enumerate(tasks)}
        for future in distributed.as_completed(numbers):
            died = future.status != "finished"
            yield numbers[future], ExecutorError(_DIED) if died else future.result()
            future.release()


@contextmanager
def _dask(distributed: Any, jobs: int | None) -> Iterator[Any]:
    """A cluster of processes here, which shows nothing and, where keys can be made, takes orders from this process alone."""
    security = distributed.Security.temporary() if find_spec("cryptography") else distributed.Security()
    # Dask has no option without the servers that show its state: these show nothing, at a port that is free, and stop.
    no_pages: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    settings = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}, "security": security}
    workers = {"n_workers": jobs or cpu_count(), "threads_per_worker": 1, "silence_logs": logging.CRITICAL}
    with import_module("dask.config").set(no_pages), distributed.LocalCluster(**settings, **workers) as cluster:
        cluster.scheduler.http_server.stop()
        yield cluster


@contextmanager
def _ray(jobs: int | None) -> Iterator[None]:
    ray = _imported("ray", "ray")
    settings = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": jobs or cpu_count(), "include_dashboard": False}
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
