"""Threads that torch has: its OpenMP runtime, entered from Python."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import torch

_Body = ctypes.CFUNCTYPE(None, ctypes.py_object)


class TorchThreads:
    """The team with which torch shares its operations in the calling thread.

    After an operation of torch its threads spin for a while, in which they take new work within microseconds, and take the
    cores from threads of others. GNU's ``GOMP_parallel`` begins a region of that team, and other runtimes offer it under the
    same name. macOS and Windows do not.

    Args:
        begin: ``GOMP_parallel(body, argument, threads, flags)``.
    """

    def __init__(self, begin: Callable[..., None]) -> None:
        self._begin = begin

    @classmethod
    def find(cls) -> "TorchThreads | None":
        """The team of the runtime that torch was linked with, or None where there is no such runtime."""
        library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
        try:
            begin = ctypes.CDLL(str(library)).GOMP_parallel  # which the system looks for in what this library loads
        except (OSError, AttributeError):
            return None
        begin.argtypes, begin.restype = [_Body, ctypes.py_object, ctypes.c_uint, ctypes.c_uint], None
        return cls(begin)

    def run(self, work: Callable[[], None], threads: int) -> None:
        """Calls ``work`` in this thread and up to ``threads - 1`` others, and waits for all.

        Raises:
            BaseException: what it raised in one of them.
        """
        call = _Call(work)
        self._begin(_ENTER, call, threads, 0)
        if call.error is not None:
            raise call.error


class _Call:
    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.error: BaseException | None = None


def _enter(call: _Call) -> None:
    try:
        call.work()
    except BaseException as error:  # an interruption, say, which would be lost in code that is not Python
        call.error = error


_ENTER = _Body(_enter)
