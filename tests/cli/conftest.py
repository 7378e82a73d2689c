"""What the tests of the command line share: an empty current folder, and a terminal."""

import os
import signal
import subprocess

import pytest

import warm

pytest.register_assert_rewrite("command_line", "map_files")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Terminal:
    """A pseudo-terminal: a process writes to ``line``, and what it wrote is read from the other end."""

    def __init__(self):
        import pty

        self.end, self.line = pty.openpty()
        self.shown = b""

    def start(self, *arguments, environment=None, **streams):
        """Starts Python in a process; without ``streams`` both of its outputs are the terminal."""
        settings = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONIOENCODING": "utf-8"} | (environment or {})
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        streams = {"stdout": self.line, "stderr": self.line} | streams
        process = warm.start(*arguments, env=kept | settings, **streams)
        os.close(self.line)
        return process

    def interrupted(self, text, *call):
        """Everything that a call of ``imle`` shows that is interrupted, as by Ctrl-C, when it has shown ``text``."""
        with self.start("-m", "imle_cli", *call, stdout=subprocess.DEVNULL) as process:
            self.read_until(text)
            process.send_signal(signal.SIGINT)
            shown = self.read_all()
        assert process.returncode == 130
        assert shown.rstrip().endswith("interrupted")
        return shown

    def read_until(self, text):
        """Reads on until ``text`` was shown."""
        while text not in self.shown:
            self.shown += os.read(self.end, 4096)

    def read_all(self):
        """Reads on until the process has closed its end, and gives everything that was shown."""
        try:
            while part := os.read(self.end, 4096):
                self.shown += part
        except OSError:  # how a pseudo-terminal says that its other end was closed
            pass
        os.close(self.end)
        return self.shown.decode()


@pytest.fixture
def terminal():
    if os.name != "posix":
        pytest.skip("pseudo-terminals are POSIX")
    return Terminal()
