"""Compiling beside the work: a process that leaves kernels in the cache for later calls and later starts of Python.

It takes no part in the work, ends when its kernels are compiled, and is the only one for its folder. Threads would take the
interpreter from the work for most of the time, and have the program wait for them in the end.
"""

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba

_LOCK, _LONGEST = "imle-compiling", 600.0  # a lock so many seconds old is of a process that was killed

_PROGRAM = """
import os, sys
try:
    sys.path[:] = {path!r}
    from {module} import {name} as compile_kernels
    compile_kernels({word!r})
finally:
    os.unlink({lock!r})
"""


class Compilation:
    """A process that calls a function of some module with a word; none where that cannot be, or one is under way.

    Args:
        function: function of a module.
        word: its argument.
        folder: folder of the cache, or None if there is none.
    """

    def __init__(self, function: Callable[[str], None], word: str, folder: Path | None) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        is_python = Path(sys.executable or "").name.lower().startswith(("python", "pypy"))  # and not what it is a part of
        if folder is None or not is_python or not _lock(folder / _LOCK):
            return
        path, names = [entry for entry in sys.path if isinstance(entry, str)], (function.__module__, function.__name__)
        program = _PROGRAM.format(
            path=path, module=names[0], name=names[1], word=word, lock=str((folder / _LOCK).absolute())
        )
        try:
            self._process = _start(program)
        except OSError:
            (folder / _LOCK).unlink()
        else:
            atexit.register(self._leave)

    @property
    def is_running(self) -> bool:
        """True until the process has ended."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> None:
        """Waits until it has ended."""
        if self._process is not None:
            self._process.wait()

    def _leave(self) -> None:
        """Leaves the process to itself, without a warning of Python that it is still running."""
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0


def _lock(path: Path) -> bool:
    """Takes a lock, which its process gives back, unless another process has it."""
    try:
        if time.time() - path.stat().st_mtime > _LONGEST:
            path.unlink()
    except OSError:  # there is none
        pass
    try:
        path.open("x").close()
    except OSError:  # there is one, or nothing can be written here
        return False
    return True


def _start(program: str) -> "subprocess.Popen[bytes]":
    environment = dict(os.environ)
    if numba.config.CACHE_DIR:  # type: ignore[attr-defined]
        environment["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interruption of the work is none of it
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        env=environment,
    )
