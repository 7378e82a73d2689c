"""A lock on a folder, so that one process at a time writes a run, a sweep or a data set."""

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path
from types import TracebackType

LOCK = ".imle-lock"
"""Name of the file in a folder that is locked; a process that was killed leaves it behind, unlocked."""

_FAR = 2**30  # the byte of the file that Windows locks, far from those that are read
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class FolderLockError(ValueError):
    """A folder that another process writes, or that cannot be written to; the message is one line."""


class FolderLock:
    """A folder that no other process takes until it is released, or this process ends, in whatever way.

    The system keeps the lock, on the file :data:`LOCK`, which holds the number of the process and the name of its machine.

    Args:
        folder: a folder that exists.

    Raises:
        FolderLockError: another process has it, or it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self._process = folder / LOCK, os.getpid()
        self._number: int | None = None
        while self._number is None:
            self._number = self._tried()

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Opens the lock and removes its file; does nothing the second time, nor in a process that was forked."""
        number, self._number = self._number, None
        if number is None or os.getpid() != self._process:
            return
        try:
            with contextlib.suppress(OSError):  # Windows removes no open file, and the folder may have gone
                self.path.unlink()
        finally:
            os.close(number)

    def _tried(self) -> int | None:
        """The locked file; None if the process before removed it meanwhile."""
        try:
            number = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FolderLockError(f"{self.path.parent} cannot be written to ({error.strerror}); choose another") from error
        owner = os.read(number, 300).decode(errors="replace").split()
        if not _locked(number, owner):
            os.close(number)
            raise FolderLockError(
                f"{self.path.parent} is being written by {_described(owner)}; wait for it, or end it first"
            )
        if not self._is(number):
            os.close(number)
            return None
        os.ftruncate(number, 0)
        os.lseek(number, 0, os.SEEK_SET)
        os.write(number, f"{self._process} {socket.gethostname()}\n".encode())
        return number

    def _is(self, number: int) -> bool:
        try:
            return os.path.samestat(os.fstat(number), self.path.stat())
        except FileNotFoundError:
            return False


def _described(owner: list[str]) -> str:
    match owner:
        case [process, machine] if machine == socket.gethostname():
            return f"process {process:.20}"
        case [process, machine]:
            return f"process {process:.20} on {machine:.60}"
    return "another process"  # which has not yet said its number


if sys.platform == "win32":
    import msvcrt

    def _locked(number: int, owner: list[str]) -> bool:  # noqa: ARG001
        os.lseek(number, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(number: int, owner: list[str]) -> bool:
        """True where the lock was taken or, on a file system without locks, the process that is named has ended."""
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return not _alive(owner)
        return True


def _alive(owner: list[str]) -> bool:
    """True of a process that runs, as far as this machine can tell."""
    match owner:
        case [process, machine] if machine == socket.gethostname() and process.isdecimal() and len(process) < 10:
            try:
                os.kill(int(process), 0)
            except ProcessLookupError:
                return False
            except OSError:
                return True
            return True
    return len(owner) == 2
