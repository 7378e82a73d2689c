"""Worker processes: they end with the process that started them, and at once when they are told to."""

import json
import os
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import psutil
import pytest

import warm
from forked import in_fork
from imle_core.concurrency import WorkerPool

pytestmark = pytest.mark.process

OWNER = """
import os, sys, time
from imle_core.concurrency.worker_pool import WorkerPool

if __name__ == "__main__":
    pool = WorkerPool(2)
    first, _ = pool.submit(os.getpid), pool.submit(time.sleep, 600)
    first.result()
    print([worker.pid for worker in pool._pool._processes.values()], flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="there a process cannot tell that its parent has ended")
def test_workers_of_a_process_that_is_killed_end(tmp_path):
    Path(tmp_path, "owner.py").write_text(OWNER)
    reader, writer = os.pipe()
    with os.fdopen(reader) as told, warm.start("owner.py", cwd=tmp_path, stdout=writer) as process:
        os.close(writer)
        workers = [psutil.Process(number) for number in json.loads(told.readline())]
        process.kill()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert len(workers) == 2
    assert left == []


@pytest.mark.slow
@in_fork
def test_an_end_with_calls_that_nobody_has_begun():
    pool = WorkerPool(2)
    pool.submit(os.getpid).result()
    workers = [psutil.Process(number) for number in pool._pool._processes]
    futures = [pool.submit(time.sleep, 600) for _ in range(20)]
    pool.end()
    assert all(isinstance(future.exception(), BrokenExecutor) for future in futures)
    assert psutil.wait_procs(workers, timeout=60)[1] == []
