"""A lock on a folder: one holder at a time, named to the others, and none once its process has ended."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from imle_cli.files.folder_lock import LOCK, FolderLock, FolderLockError

posix = pytest.mark.skipif(os.name != "posix", reason="flock is POSIX")
HOLD = """
from pathlib import Path
from imle_cli.files.folder_lock import FolderLock
lock = FolderLock(Path())
print(flush=True)
input()
"""


def refusal(owner):
    return pytest.raises(FolderLockError, match=rf"^\. is being written by {owner}; wait for it, or end it first$")


@pytest.fixture
def holder():
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_one_holder_at_a_time():
    with FolderLock(Path()) as lock:
        with refusal(f"process {os.getpid()}"):
            FolderLock(Path())
        lock.release()
        lock.release()
        FolderLock(Path()).release()
    assert list(Path().iterdir()) == []


def test_one_that_is_forgotten_is_released():
    FolderLock(Path())
    FolderLock(Path()).release()


@pytest.mark.process
def test_the_other_process_is_named_and_its_death_opens_the_lock(holder):
    with refusal(f"process {holder.pid}"):
        FolderLock(Path())
    holder.kill()
    holder.wait()
    assert Path(LOCK).exists()
    FolderLock(Path()).release()
    assert not Path(LOCK).exists()


@posix
@pytest.mark.parametrize(
    ("text", "owner"), [("7 elsewhere", "process 7 on elsewhere"), ("", "another process"), ("a b c", "another process")]
)
def test_an_owner_elsewhere_or_unknown(text, owner):
    import fcntl

    with Path(LOCK).open("w+") as file:
        file.write(text)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with refusal(owner):
            FolderLock(Path())


@posix
def test_a_file_that_was_removed_meanwhile_is_not_the_lock(monkeypatch):
    stat, asked = Path.stat, []

    def removed(path, **options):
        asked.append(path)
        if len(asked) == 1:
            path.unlink()
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", removed)
    with FolderLock(Path()), refusal(f"process {os.getpid()}"):
        FolderLock(Path())


@posix
class TestWithoutLocks:
    """On a file system that has no locks, the process that is named must have ended."""

    @pytest.fixture(autouse=True)
    def _no_locks(self, monkeypatch):
        def fail(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("fcntl.flock", fail)

    def test_one_that_runs(self):
        with FolderLock(Path()), refusal(f"process {os.getpid()}"):
            FolderLock(Path())

    @pytest.mark.process
    def test_one_that_has_ended(self, holder):
        holder.kill()
        holder.wait()
        Path(LOCK).write_text(f"{holder.pid} {socket.gethostname()}\n")
        FolderLock(Path()).release()

    def test_one_on_another_machine(self):
        Path(LOCK).write_text("1 elsewhere\n")
        with refusal("process 1 on elsewhere"):
            FolderLock(Path())


def test_a_folder_that_cannot_be_written_to():
    with pytest.raises(FolderLockError, match=r"^none cannot be written to \(No such file or directory\); choose another$"):
        FolderLock(Path("none"))
