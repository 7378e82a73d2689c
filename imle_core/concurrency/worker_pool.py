"""Worker processes of this machine that leave the cores to each other, and end when the process that started them does."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

_IDLE = 300.0  # seconds after which a worker ends that has nothing to do
_LOOK = 0.5  # seconds between two looks of a worker whether its owner is still there
_LIBRARIES = ("BLIS", "MKL", "NUMBA", "NUMEXPR", "OMP", "OPENBLAS")  # libraries with threads of their own


class WorkerPool:
    """Workers that begin with the first call, each with its share of the cores unless the user has said otherwise.

    Args:
        jobs: how many.
    """

    def __init__(self, jobs: int) -> None:
        from joblib import cpu_count  # here, since joblib takes a while to import
        from joblib.externals.loky import ProcessPoolExecutor

        threads = str(max(1, cpu_count() // jobs))
        names = [f"{library}_NUM_THREADS" for library in _LIBRARIES]
        environment = {name: os.environ.get(name, threads) for name in names}
        begin = {"initializer": _end_with, "initargs": (os.getpid(),)}
        self._pool = ProcessPoolExecutor(jobs, timeout=_IDLE, env=environment, **begin)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Future result of the function, which a worker calls."""
        future: Future[Any] = self._pool.submit(function, *arguments)
        return future

    def end(self) -> None:
        """Ends the workers at once, with what they have started."""
        from joblib.externals.loky.backend.utils import kill_process_tree

        # The pool's own way fails where calls are not handed out yet; a dead worker it can cope with.
        for worker in list(self._pool._processes.values()):
            kill_process_tree(worker)
        self._pool.shutdown(wait=True)


def _end_with(owner: int) -> None:
    """Ends a worker soon after its owner, which may be killed: it would compute on, and then wait for minutes."""

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(_LOOK)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()
