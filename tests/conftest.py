"""What all tests share."""

import os
import signal
import threading

# Tests run side by side: threads of torch that spin while they wait would take the cores from each other. Read when torch
# is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # or what tests start would not heed it either
    if hasattr(config, "workerinput") and hasattr(config, "cache") and os.name == "posix":
        _compile_in_turn(config.cache.mkdir("kernels"))


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
