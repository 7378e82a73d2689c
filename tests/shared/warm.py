"""Python processes that have imported what is heavy: forks of a server, some milliseconds away rather than seconds.

For tests that need a process, with signals, streams and an end of its own, and not that it imports everything anew.
Called as ``subprocess`` calls Python; where forks are not safe it is ``subprocess`` that starts them. Workers that such a
process starts, by multiprocessing or joblib, are forks of it. A second server has imported the library alone, for tests of
what the command imports.
"""

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import logging
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from types import ModuleType, SimpleNamespace

FORKS = sys.platform == "linux"
_ENDS_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def start(*arguments, stdout=None, stderr=None, env=None, cwd=None, imported="everything"):
    """A process of Python with these arguments, and streams that are files or numbers of theirs.

    It has imported "everything", or the "library" alone.
    """
    if not FORKS:
        return subprocess.Popen([sys.executable, *arguments], stdout=stdout, stderr=stderr, env=env, cwd=cwd)
    server, streams, environment = _servers()[imported], (stdout, stderr), dict(env or os.environ)
    return Process(server, list(map(str, arguments)), streams, environment, str(cwd or Path.cwd()))


def run(*arguments, env=None, cwd=None, imported="everything", encoding="utf-8", seconds=300):
    """Its ``returncode``, ``stdout`` and ``stderr`` when it has ended, which it does after so many seconds at the latest."""
    names = "stdout", "stderr"
    pipes = [os.pipe() for _ in names]
    readers = [os.fdopen(reader, encoding=encoding) for reader, _ in pipes]
    streams = dict(zip(names, (writer for _, writer in pipes), strict=True))
    with start(*arguments, **streams, env=env, cwd=cwd, imported=imported) as process:
        for _, writer in pipes:
            os.close(writer)
        patience = threading.Timer(seconds, process.kill)
        patience.start()
        texts = _read_all(readers)
        patience.cancel()
    return SimpleNamespace(returncode=process.returncode, **dict(zip(names, texts, strict=True)))


def _read_all(readers):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:  # a pipe that nobody reads would fill up
        texts = list(threads.map(lambda reader: reader.read(), readers))
    for reader in readers:
        reader.close()
    return texts


class Process:
    """A fork, as ``subprocess.Popen`` shows a process; its status comes through a pipe."""

    returncode = None

    def __init__(self, server, arguments, streams, environment, folder):
        reader, writer = os.pipe()
        outputs = [number if stream is None else _number(stream) for number, stream in enumerate(streams, 1)]
        request = json.dumps([arguments, environment, folder]).encode()
        server.sendall(len(request).to_bytes(4, "big"))
        socket.send_fds(server, [request[:1]], [_nothing(), *outputs, writer])
        server.sendall(request[1:])
        os.close(writer)
        self._status = os.fdopen(reader)
        self.pid = int(self._status.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):  # it has ended
            self.send_signal(signal.SIGKILL)

    def wait(self):
        if self.returncode is None:
            with self._status:
                self.returncode = int(self._status.readline())
        return self.returncode


def _number(stream):
    if stream == subprocess.DEVNULL:
        return _nothing()
    return stream if isinstance(stream, int) else stream.fileno()


@functools.cache
def _nothing():
    return os.open(os.devnull, os.O_RDWR)


@functools.cache
def _servers():
    """Connections to the servers of this process, which end with it, by what they have imported."""
    pairs = [socket.socketpair() for _ in ("library", "everything")]
    numbers = [there.fileno() for _, there in pairs]
    process = subprocess.Popen([sys.executable, __file__, *map(str, numbers)], pass_fds=numbers)
    for _, there in pairs:
        there.close()
    library, everything = (here for here, _ in pairs)
    atexit.register(lambda: (library.close(), everything.close(), process.wait()))
    return {"library": library, "everything": everything}


def _serve(connection):
    """Forks for each request; comes back in forks alone, with their arguments."""
    events = selectors.DefaultSelector()
    events.register(connection, selectors.EVENT_READ)
    while True:
        for event, _ in events.select():
            if event.fileobj is connection:
                arguments, environment, folder, (*streams, status) = _received(connection)
                if not (fork := os.fork()):
                    connection.close()
                    events.close()
                    return _begin(arguments, environment, folder, streams)
                for number in streams:
                    os.close(number)
                os.write(status, f"{fork}\n".encode())
                events.register(os.pidfd_open(fork), selectors.EVENT_READ, (fork, status))
            else:
                events.unregister(event.fileobj)
                os.close(event.fileobj)
                fork, status = event.data
                os.write(status, f"{os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])}\n".encode())
                os.close(status)


def _received(connection):
    """A request with the numbers of its streams; without one, because whoever asked has ended, so does this process."""
    if not (size := connection.recv(4)):
        os._exit(0)
    first, numbers, *_ = socket.recv_fds(connection, 1, 4)
    rest = connection.recv(int.from_bytes(size, "big") - 1, socket.MSG_WAITALL)
    return *json.loads(first + rest), numbers


def _begin(arguments, environment, folder, streams):
    """Makes everything as in a new process, which ends with the server, and heeds SIGHUP where ``nohup`` began the tests."""
    ctypes.CDLL(None).prctl(_ENDS_WITH_PARENT, signal.SIGKILL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 1024)
    os.chdir(folder)
    _surround(environment)
    return arguments


def _surround(environment):
    """Gives this process its environment, and streams that follow it."""
    os.environ.clear()
    os.environ.update(environment)
    encoding, _, errors = environment.get("PYTHONIOENCODING", "utf-8").partition(":")
    for number, stream, handling in zip(range(3), ("stdin", "stdout", "stderr"), ("", "", "backslashreplace"), strict=True):
        mode = "w" if number else "r"
        setattr(sys, stream, os.fdopen(number, mode, 1, encoding, handling or errors or "strict", closefd=False))


def _fork_worker(command, _programs, _close, kept, _folder, environment, *_):
    """In place of the function by which multiprocessing and joblib start Python: a fork that runs what that would."""
    if worker := os.fork():
        return worker
    try:
        _forget(kept)
        _surround(dict(os.environ if environment is None else (os.fsdecode(entry).split("=", 1) for entry in environment)))
        if "OMP_NUM_THREADS" in os.environ:
            sys.modules["torch"].set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        words = list(map(os.fsdecode, command))
        _run_to_the_end(*words[next(number for number, word in enumerate(words) if word in ("-c", "-m")) :])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def _forget(kept):
    """Closes all files but the standard streams and those that are kept, and heeds signals as Python does at first.

    What is to be done at the end of the process that forked, to remove its folders for instance, is not for this one to do.
    """
    atexit._clear()
    weakref.finalize._registry.clear()
    weakref.finalize._registered_with_atexit = False
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for number in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, *kept}:  # noqa: PTH208
        with contextlib.suppress(OSError):  # that of the listing
            os.close(number)


def _import_everything():
    from imle_cli.figures.settings import ignore_user_settings

    ignore_user_settings()
    import imle_cli
    import imle_core

    for package in (imle_core, imle_cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in ("matplotlib.backends.backend_agg", "scipy.optimize", "rich.live", "rich.progress", "pytest"):
        importlib.import_module(name)
    _call("train", "--steps", "2", "--quiet", "--out", "run")
    _call("marginals", "--samples", "2", "--quiet", "--out", "marginals.png")


def _call(*words):
    """Calls the command, which loads kernels, fonts and what is imported late, without threads, which no fork would have."""
    import torch
    from typer.testing import CliRunner

    from imle_cli.app import app

    before, threads = Path.cwd(), torch.get_num_threads()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = CliRunner().invoke(app, words)
        os.chdir(before)
    torch.set_num_threads(threads)
    assert (result.exit_code, result.stderr) == (0, ""), result.stderr


def _run(option, *arguments):
    """As Python runs a file, which may import what tests share, or what ``-m`` or ``-c`` name."""
    if option not in ("-m", "-c"):
        sys.argv = [option, *arguments]
        sys.path = [str(Path(option).parent), *sys.path, str(Path(__file__).parent)]
        runpy.run_path(option, run_name="__main__")
        return
    subject, *arguments = arguments
    sys.argv = [option, *arguments]
    sys.path.insert(0, str(Path.cwd()) if option == "-m" else "")
    if option == "-m":
        if not hasattr(sys.modules.get(subject), "__path__"):
            sys.modules.pop(subject, None)  # or it would be said that it had been imported before
        runpy.run_module(subject, run_name="__main__", alter_sys=True)
    else:
        sys.modules["__main__"] = module = ModuleType("__main__")
        exec(compile(subject, "<string>", "exec"), vars(module))


def _run_to_the_end(*arguments):
    """Runs it and ends the process as Python does, which would then take half a second to take apart what is imported."""
    code = 0
    try:
        _run(*arguments)
    except SystemExit as end:
        code = 0 if end.code is None else end.code
        if not isinstance(code, int):
            raise
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    import _posixsubprocess

    sys.path.pop(0)
    logging.getLogger("imle_core.kernels").setLevel(logging.ERROR)  # as in the tests
    library, everything = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    import imle_core  # noqa: F401

    if os.fork():
        library.close()
        _import_everything()
    else:
        everything.close()
        ctypes.CDLL(None).prctl(_ENDS_WITH_PARENT, signal.SIGKILL)
    gc.freeze()  # or a fork would copy what its collector looks at
    request = _serve(everything if everything.fileno() >= 0 else library)
    _posixsubprocess.fork_exec = _fork_worker
    _run_to_the_end(*request)
