"""Black boxes on processes: workers that die, hang, or are interrupted."""

import multiprocessing
import os
import re
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from functools import partial
from unittest import mock

import psutil
import pytest
import torch

import warm
from forked import in_fork
from imle_core.solvers import BlackBox, SolveError
from imle_core.solvers.black_box.processes import _Inquest
from imle_core.solvers.black_box.task import TaskSettings

pytestmark = pytest.mark.process

LARGE = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
ON_PROCESSES = partial(BlackBox, executor="processes", jobs=2)
ON_ONE = partial(ON_PROCESSES, jobs=1)  # where a second would do nothing but begin


class UnsendableError(Exception):
    def __init__(self, one, two):
        super().__init__(one + two)


def raise_unsendable(_):
    raise UnsendableError("a", "b")


def die_on_large(theta):
    if theta.max() > 2:
        os._exit(1)
    return theta > 0


def sleep_on_large(theta):
    while theta.max() > 2:
        time.sleep(0.01)
    return theta > 0


def compute_on_large(theta):
    if theta.max() > 2:
        max(range(150_000_000))  # for seconds in C, with the interpreter's lock and no look at signals
    return theta > 0


@pytest.mark.slow
@in_fork
def test_an_error_that_cannot_be_sent_from_a_process():
    with pytest.raises(SolveError, match=r"raised UnsendableError \(ab\) for row 0"):
        ON_ONE(raise_unsendable)(LARGE)


def test_a_function_that_cannot_be_sent_to_one():
    lock = threading.Lock()
    message = (
        "function: got one that cannot be sent to a process (TypeError: cannot pickle '_thread.lock' object); it and its "
        "arguments must be picklable, which locks and generators are not; take executor='threads', or make these inside it"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        ON_PROCESSES(lambda theta: (lock, theta)[1])(LARGE)


def with_lock(theta):
    return theta > 0, threading.Lock()


def with_sum(theta):
    return {"a": theta["a"] > 0}, float(theta["a"].sum()), lambda: 0


@pytest.mark.slow
@in_fork
def test_further_outputs_are_sent_where_they_can_be():
    z, sums, functions = ON_ONE(with_sum)({"a": LARGE})
    assert (z["a"].tolist(), sums) == ((LARGE > 0).tolist(), [1.0, 1.0, 3.0, 2.0])
    assert functions[0]() == 0
    message = (
        r"^function: gave further outputs that cannot be sent from its process \(cannot pickle '_thread.lock' object\) for "
        r"row 0; they must be picklable, which locks and generators are not; take executor='threads'$"
    )
    with pytest.raises(SolveError, match=message):
        ON_ONE(with_lock)(LARGE)


def test_processes_that_end_before_they_begin(tmp_path):
    message = (
        "function: its processes ended twice before they began; it must be one that another process can load; take "
        "executor='threads'"
    )
    inquest = _Inquest(TaskSettings(die_on_large, False, None))
    assert inquest.hold(tmp_path, BrokenExecutor()) == {}
    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}$"):
        inquest.hold(tmp_path, BrokenExecutor())


def test_a_process_that_must_not_start_others(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    message = (
        "executor: got 'processes' in a daemonic process; such a one, a DataLoader's worker for instance, must not start "
        "others; take executor='serial'"
    )
    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}$"):
        ON_PROCESSES(torch.abs)(LARGE)


@pytest.mark.skipif(os.name != "posix", reason="processes end otherwise elsewhere")
class TestDeath:
    @pytest.mark.slow
    @in_fork
    def test_a_worker_that_dies(self):
        message = "function: its process died twice for row 2; it must solve every row; look at .theta of this error"
        with pytest.raises(SolveError, match=f"^{re.escape(message)}$"):
            ON_ONE(die_on_large)(LARGE)

    @pytest.mark.slow
    @in_fork
    def test_a_worker_that_dies_once(self, tmp_path):
        def die_once(theta):
            with (tmp_path / f"{theta.tolist()}").open("a") as calls:
                calls.write("1")
            if theta.max() > 2 and not (tmp_path / "died").exists():
                (tmp_path / "died").touch()
                os._exit(1)
            return theta > 0

        theta = torch.cat([LARGE, -LARGE, LARGE[:, :1] * LARGE - 5, 2 - LARGE])
        assert torch.equal(ON_PROCESSES(die_once, chunk=1)(theta), (theta > 0).float())
        assert {len(path.read_text()) for path in tmp_path.glob("[[]*")} == {1, 2}


class TestTimeLimit:
    @pytest.mark.slow
    @in_fork
    def test_an_error(self):
        with pytest.raises(SolveError, match=r"^function: took longer than 0\.2 s for row 2; it must solve every row;"):
            ON_ONE(sleep_on_large, time_limit=0.2)(LARGE)

    @pytest.mark.slow
    @in_fork
    def test_it_holds_in_code_that_never_comes_back(self):
        solver = ON_ONE(compute_on_large, time_limit=0.2, fallback="previous", chunk=1)
        solver(-LARGE)
        assert torch.equal(solver(LARGE), torch.tensor([[0.0, 1], [1, 0], [0, 0], [1, 1]]))
        assert solver.fallbacks == 1

    @pytest.mark.slow
    @in_fork
    def test_it_holds_in_a_thread_and_where_functions_cannot_be_interrupted(self):
        with (
            mock.patch("imle_core.solvers.black_box.solver.INTERRUPTS", False),
            ThreadPoolExecutor(1) as pool,
            pytest.raises(SolveError, match=r"^function: took longer than 0\.2 s for row 2;"),
        ):
            pool.submit(ON_ONE(compute_on_large, time_limit=0.2), LARGE).result()


@pytest.mark.slow
@in_fork
def test_threads_may_fail_and_succeed_side_by_side():
    good, bad = ON_PROCESSES(torch.abs, chunk=1), ON_ONE(raise_unsendable)
    with ThreadPoolExecutor(2) as pool:
        theta = torch.arange(400.0).view(200, 2)
        solved, failed = pool.submit(good, theta), pool.submit(bad, LARGE)
        assert isinstance(failed.exception(), SolveError)
        assert torch.equal(solved.result(), theta)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent otherwise elsewhere")
@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_ctrl_c_ends_the_workers(executor):
    # Without a guard for the main module, as in a script of few lines.
    code = (
        "import os, time, torch; from imle_core.solvers import BlackBox\n"
        "def wait(theta):\n    os.write(1, b'at work\\n')\n    time.sleep(60)\n"
        f"BlackBox(wait, executor={executor!r}, jobs=2)(torch.eye(4))\n"
    )
    (reader, out), (file, err) = os.pipe(), os.pipe()
    with (
        os.fdopen(reader, "rb") as told,
        os.fdopen(file, "rb") as complaints,
        warm.start("-c", code, stdout=out, stderr=err) as process,
    ):
        os.close(out), os.close(err)
        assert told.readline() == b"at work\n"
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) >= 2 * (executor == "processes")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        told.read()  # ends when no worker holds the pipe any more
        errors = complaints.read()
        assert time.monotonic() - began < 20
    assert errors.rstrip().endswith(b"KeyboardInterrupt")
    assert all(worker.status() == psutil.STATUS_ZOMBIE for worker in psutil.wait_procs(workers, timeout=1)[1])
