"""What all tests share: threads that wait for work do not spin, and bounds on time and memory."""

import faulthandler
import gc
import logging
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

# Tests run side by side: threads of torch that spin while they wait would take the cores from each other. Read when torch
# is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Workers of pytest-xdist, and what they start, share the cores: with as many threads each as there are cores, they take a
# third more time of processors. Tests of threads set their number themselves.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if _WORKERS > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _WORKERS)))

# Tests of kernels need them, and processes that compile beside the tests would take the cores from them.
os.environ.setdefault("IMLE_COMPILE", "first")

# Whether a test is the first to call a kernel on this machine must not show in what it prints.
logging.getLogger("imle_core.kernels").setLevel(logging.ERROR)

# Where bytecode is not kept, every worker rewrites the assertions of every test module, and every process that a test starts
# compiles both packages. Set for the tests alone, whoever runs them; git ignores what is written.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def browser():
    """A browser for all tests that open pages, which start it once; they are skipped where none is installed."""
    from browser import installed, start

    if not installed():
        pytest.skip("no Chromium with its driver is installed")
    with start() as started:
        yield started


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # or what tests start would not heed it either
    if hasattr(config, "workerinput") and hasattr(config, "cache") and os.name == "posix":
        _compile_in_turn(config.cache.mkdir("kernels"))
    config.stash[_STDERR] = os.dup(2)  # before pytest captures it


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node):
    """A limit for what follows a failure, the ends of fixtures: pytest drops its own, for debuggers, which are done here."""
    _limit(node.config)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """A limit for the end of the process, which threads or functions for its exit could delay for ever."""
    _limit(config)


# A test that waits in machine code, where no exception reaches it, ends with its process, which shows the stacks of all
# threads. The limit is pushed back by the first test of a minute: a thread waits for it, and one a test would cost more than
# many a test does.
_SECONDS, _MINUTE = 720, 60  # longer than the limit of pytest, by more than a minute
_STDERR = pytest.StashKey[int]()
_LIMITED = pytest.StashKey[float]()


def _limit(config):
    config.stash[_LIMITED] = time.monotonic()
    faulthandler.dump_traceback_later(_SECONDS, exit=True, file=config.stash[_STDERR])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    if time.monotonic() - item.config.stash.get(_LIMITED, -_MINUTE) >= _MINUTE:
        _limit(item.config)
    try:
        return (yield)
    finally:
        if nextitem is None:  # it may wait for other processes
            faulthandler.cancel_dump_traceback_later()
            item.config.stash[_LIMITED] = -_MINUTE


class _Measured:
    """A context manager within which coverage is measured; what pytest itself does would take as long as the tests do."""

    def __init__(self, coverage):
        self.coverage, self.depth = coverage, 0
        coverage.stop()

    def __enter__(self):
        self.depth += 1
        if self.depth == 1:
            self.coverage.start()

    def __exit__(self, *_):
        self.depth -= 1
        if self.depth == 0:
            self.coverage.stop()


_MEASURED = pytest.StashKey[AbstractContextManager]()
# Coverage is measured in quick functions, and in the first case of slow ones of these folders. What else is slow reaches a
# tenth of a per cent more, and measuring takes a third of its time again.
_FURTHER = "tests/cli/", "tests/core/doctor/", "tests/core/estimators/"
_COUNTED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(request):
    with _measuring(request.node):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    with _measuring(item):
        return (yield)


def _measuring(node):
    """Measures coverage in a test or a fixture, unless the test is left out."""
    return node.config.stash[_MEASURED] if node.stash.get(_COUNTED, True) else nullcontext()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Has the collector of garbage rest: it would look again and again at all that was collected."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish(session):
    """Has the collector of garbage leave out what was collected, which stays, and coverage what is not of tests."""
    gc.freeze()
    controller = getattr(session.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    session.config.stash[_MEASURED] = _Measured(controller.cov) if controller else nullcontext()
    functions = [item.nodeid.partition("[")[0] for item in session.items]
    cases = Counter()
    for function, item in zip(functions, session.items, strict=True):
        repeats = item.get_closest_marker("slow") and (cases[function] > 0 or not function.startswith(_FURTHER))
        elsewhere = any(item.get_closest_marker(name) for name in ("process", "browser"))
        item.stash[_COUNTED] = not (repeats or elsewhere)
        cases[function] += 1


def _compile_in_turn(folder):
    """Has processes that need the same kernel compile it one after the other, so that the second finds it in the cache.

    Only the kernel that was called is waited for, not those that it calls: who waits holds nothing that others wait for.
    """
    import fcntl

    from numba.core.dispatcher import Dispatcher

    compile_at_once, inside = Dispatcher.compile, threading.local()

    def compile_in_turn(kernel, types):
        if getattr(inside, "kernel", None):
            return compile_at_once(kernel, types)
        name = f"{kernel.py_func.__module__}.{kernel.py_func.__qualname__}"
        with (folder / name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            inside.kernel = kernel
            try:
                return compile_at_once(kernel, types)
            finally:
                inside.kernel = None

    Dispatcher.compile = compile_in_turn


SECONDS, MEGABYTES = 5, 500
_STATUS, _PAGES, _RESET = (Path("/proc/self", name) for name in ("status", "statm", "clear_refs"))


@pytest.fixture
def bounded():
    """A context manager: its block computes for less than 5 s, and takes less than 500 MB where Linux measures it."""
    return _bounded


@contextmanager
def _bounded():
    before, began = _memory_before(), time.process_time()  # not that of the clock, which other tests take up
    yield
    assert time.process_time() - began < SECONDS
    assert _highest() - before < MEGABYTES or _peak() - before < MEGABYTES


def _memory_before():
    """What this process has now, in megabytes; the peak begins anew where it was far above."""
    if not _RESET.exists():
        return 0.0
    now = int(_PAGES.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    if _highest() - now > MEGABYTES / 2:
        _RESET.write_text("5")
    return now


def _highest():
    """Most megabytes that this process, or the one that it was before it began Python, has ever had: at least the peak."""
    if not _RESET.exists():
        return 0.0
    import resource  # which Windows lacks

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _peak():
    """Most megabytes that this process has had since the peak was reset; to say that takes the system a while."""
    return int(re.search(r"VmHWM:\s+(\d+)", _STATUS.read_text())[1]) / 1024
