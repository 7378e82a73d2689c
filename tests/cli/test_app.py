"""The command as a process: start, help, version, exit codes, interruption, a disk that fills up."""

import atexit
import gc
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from inspect import getdoc
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import imle_cli
import warm
from command_line import Command, options_in
from imle_cli import commands
from imle_cli.app import SUMMARIES, app, main
from imle_cli.console import Report

COMMANDS = (
    "solve",
    "sample",
    "marginals",
    "explain",
    "noise",
    "train",
    "sweep",
    "animate",
    "check",
    "compare",
    "calibrate",
    "reproduce",
    "bench",
    "guide",
    "data",
    "perceive",
    "evaluate",
)


def imle(*arguments, **options):
    call = [sys.executable, "-m", "imle_cli", *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, encoding="utf-8", check=False, **options)


def forked(*arguments, **options):
    return warm.run("-m", "imle_cli", *arguments, **options)


class TestHelp:
    @pytest.mark.process
    def test_imports_nothing_heavy(self):
        code = (
            "import sys\n"
            "from imle_cli.app import app\n"
            "app(['--help'], standalone_mode=False)\n"
            "heavy = {'torch', 'numpy', 'numba', 'matplotlib', 'PIL', 'networkx', 'scipy', 'imageio', 'joblib'}\n"
            "heavy |= {'imle_core', 'imle_cli.console', 'imle_cli.options.groups', 'imle_cli.options.inputs', 'rich'}\n"
            "heavy |= {name for name in sys.modules if name.startswith('imle_cli.commands.')}\n"
            "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_summarises_every_command_as_its_own_help_does(self):
        modules = {name.replace("-", "_"): name for name in SUMMARIES}
        assert modules.keys() == {module.name for module in pkgutil.iter_modules(commands.__path__)}
        for module, name in modules.items():
            told = getdoc(getattr(import_module(f"imle_cli.commands.{module}"), module)).split("\n\n")[0]
            assert " ".join(told.split()) == SUMMARIES[name]

    @pytest.mark.process
    def test_a_command_imports_no_other(self):
        code = (
            "import sys\n"
            "from imle_cli.app import app\n"
            "app(['solve', 'none.png'], standalone_mode=False)\n"
            "print(*(name for name in sys.modules if name.startswith('imle_cli.commands.')))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stdout == "imle_cli.commands.solve\n"

    @pytest.mark.slow
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_option_is_explained(self, command):
        done = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}).invoke(app, [command, "--help"])
        assert done.exit_code == 0
        options = options_in(done.stdout)
        assert len(options) > 3
        assert all(options.values()), options

    def test_without_a_command_it_goes_to_standard_error_with_exit_code_2(self):
        done, asked = CliRunner().invoke(app, []), CliRunner().invoke(app, ["--help"])
        assert (done.exit_code, done.stdout, done.stderr) == (2, "", asked.stdout)
        assert all(f"  {command} " in asked.stdout for command in COMMANDS)

    @pytest.mark.slow
    @pytest.mark.parametrize("words", [["help"], ["-h"]])
    def test_is_shown_by_help_alone(self, words):
        done, asked = CliRunner().invoke(app, words), CliRunner().invoke(app, ["--help"])
        assert (done.exit_code, done.stdout, done.stderr) == (0, asked.stdout, "")

    def test_of_a_command_is_shown_by_help_and_its_name(self):
        done, asked = CliRunner().invoke(app, ["help", "solve"]), CliRunner().invoke(app, ["solve", "-h"])
        assert (done.exit_code, done.stdout, done.stderr) == (0, asked.stdout, "")
        assert done.stdout.startswith("Usage: imle solve [INPUT...] [OPTIONS]\n")

    @pytest.mark.slow
    @pytest.mark.parametrize("command", ["", *COMMANDS, "help"])
    def test_fits_80_columns_and_breaks_no_word(self, command):
        wide, narrow = (
            CliRunner(env={"COLUMNS": columns}).invoke(app, [*command.split(), "--help"]).stdout for columns in ("100", "80")
        )
        assert wide.split() == narrow.split()
        assert max(map(len, narrow.splitlines())) <= 80
        assert not re.search(r"<bool>|[^\S\n]$|\x1b", narrow, re.MULTILINE)

    @pytest.mark.slow
    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_a_command_ends_with_an_example(self, command):
        shown = CliRunner().invoke(app, [command, "--help"]).stdout
        assert re.search(rf"\nExamples?:\n(  imle {command}.*\n)+$", shown)

    @pytest.mark.parametrize("option", ["-V", "--version"])
    def test_version(self, option):
        done = CliRunner().invoke(app, [option])
        assert (done.exit_code, done.stdout) == (0, f"imle {version('imle')}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["slove"], "slove: no such command; did you mean 'solve'?"),
        (["help", "slove"], "slove: no such command; did you mean 'solve'?"),
        (["qqqq"], "qqqq: no such command; see imle --help"),
        (["--versoin"], "--versoin: no such option; did you mean --version?"),
        (["-q", "solve"], "-q: no such option; see imle --help"),
        (["solve", "-start", "0,0"], "-start: no such option; did you mean --start?"),
        (["help", "solve", "sample"], "sample: unexpected; imle help takes COMMAND; see imle help --help"),
        (["noise", "-qn", "1,5"], "--samples: got '1,5'; it must be a whole number >= 1"),
        (["noise", "--noise-k", "1,5"], "--noise-k: got '1,5'; it must be a number; write 1.5"),
        (["noise", "-n0"], "-n: got 0; it must be a whole number >= 1; use 100000 for a smooth histogram"),
        (["noise", "-n", "9", "--out", "x"], "--out: x has no extension; it must end in .png or .pdf or .svg"),
        (["noise", "-n", "9", "-o", "x.jpg"], "-o: x.jpg ends in .jpg; it must end in .png or .pdf or .svg"),
        (["noise", "--noise", "NORMAL"], "--noise: got 'NORMAL'; it must be one of 'sum-of-gamma', 'gumbel', 'normal', "
        "'logistic', 'none'; did you mean 'normal'?"),
        (["solve", "--solver", "topk"], "--solver: got 'topk'; it must be one of 'dijkstra', 'top-k', 'path', 'min-cut', "
        "'spanning-tree', 'spanning-forest', 'matching', 'perfect-matching', 'assignment', 'partial-assignment', "
        "'knapsack'; did you mean 'top-k'?"),
        (["check"], "MODULE:SOLVER: missing; give a function, object or class of a module or of a file (mine.py:solver)"),
        (["evaluate"], "RUN: missing; give the run folder of imle perceive, or of imle decide"),
        (["evaluate", "x"], "DIR: missing; give the folder of a data set"),
        (["data"], "KIND: missing; give the kind of data: images of terrain, or decisions: shortest-path, knapsack, tour, "
         "portfolio"),
        (["reproduce"], "EXPERIMENT: missing; give the experiment: top-k, the synthetic one of the I-MLE paper, or "
         "decisions, of costs that are predicted from features"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_words(words, message):
    Command().expect_refusal(words, 2, message)


@pytest.fixture
def begun(monkeypatch):
    """A function that begins the command as its process does, in this one, whose garbage is collected as before after it."""

    def begin():
        monkeypatch.setattr(sys, "argv", ["imle", "--version"])
        monkeypatch.setattr(atexit, "register", lambda _: None)
        with pytest.raises(SystemExit):
            main()

    yield begin
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_waiting_threads_do_not_spin_unless_the_user_says_so(monkeypatch, begun, before, after):
    monkeypatch.setattr(os, "environ", {} if before is None else {"OMP_WAIT_POLICY": before})
    begun()
    assert os.environ["OMP_WAIT_POLICY"] == after


def test_garbage_is_collected_once_all_is_imported_which_is_left_out(begun):
    Report(as_json=True, quiet=True).begin()
    assert gc.get_freeze_count() == 0  # of whoever calls a command in a process of their own
    begun()
    assert not gc.isenabled()
    Report(as_json=True, quiet=True).begin()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


@pytest.mark.process
class TestProcess:
    def test_result_on_stdout_and_nothing_on_stderr(self, tmp_path):
        done = imle("solve", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "cost    47\n" in done.stdout

    def test_no_colour_codes_off_a_terminal(self, tmp_path):
        assert "\x1b" not in forked("marginals", "--samples", "3", cwd=tmp_path).stdout

    def test_an_error_has_no_traceback_but_with_debug(self, tmp_path):
        assert forked("solve", "none.png", cwd=tmp_path).stderr == "error: none.png: no such file; check the path\n"
        shown = forked("solve", "none.png", "--debug", cwd=tmp_path).stderr
        assert shown.startswith("Traceback")
        assert shown.endswith("\nerror: none.png: no such file; check the path\n")

    @pytest.mark.skipif(os.name != "posix", reason="streams are closed otherwise elsewhere")
    @pytest.mark.parametrize("arguments", [["solve", "none.png"], ["solve", "none.png", "--debug"], ["solve", "a", "b"]])
    def test_errors_stay_off_standard_output_when_standard_error_is_closed(self, tmp_path, arguments):
        call = ["sh", "-c", 'exec "$0" -m imle_cli "$@" 2>&-', sys.executable, *arguments]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode > 0, done.stdout) == (True, "")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
    @pytest.mark.parametrize("words", [["help"], ["--help"], ["help", "solve"]])
    def test_help_on_standard_output_that_is_closed_or_full(self, words):
        call = [sys.executable, "-m", "imle_cli", *words]
        with open("/dev/full", "w") as full:  # noqa: PTH123
            done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *call], capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("arguments", [["solve", "\x1b[31m.png"], ["solve", "a", "\x1b[31m"], ["solve", "--\x1b[31m"]])
    def test_an_argument_is_shown_with_escapes(self, tmp_path, arguments):
        done = forked(*arguments, cwd=tmp_path)
        assert done.returncode in (1, 2)
        assert done.stderr.startswith("error: ")
        assert r"\x1b[31m" in done.stderr
        assert "\x1b" not in done.stderr + done.stdout

    def test_text_that_the_terminal_cannot_encode(self, tmp_path):
        np.save(tmp_path / "地図.npy", np.ones((2, 2)))
        done = forked("solve", "地図.npy", cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0, done.stderr
        assert r"\u5730\u56f3.npy, 2 x 2" in done.stdout

    @pytest.mark.skipif(os.name != "posix", reason="file names are text elsewhere")
    def test_a_file_name_that_is_no_text(self, tmp_path):
        name = os.fsdecode(b"map\xff.npy")
        try:
            np.save(tmp_path / name, np.ones((2, 2)))
        except OSError:
            pytest.skip("the file system takes text names only")
        done = forked("solve", name, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    def test_the_reader_has_gone(self, tmp_path):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as gone, Path("errors").open("w+") as errors:
            with warm.start("-m", "imle_cli", "solve", cwd=tmp_path, stdout=gone, stderr=errors) as process:
                pass
            errors.seek(0)
            assert (process.returncode, errors.read()) == (1, "")

    @pytest.mark.skipif(os.name != "posix", reason="limits of processes are POSIX")
    def test_a_file_that_cannot_grow_is_not_left_behind(self, tmp_path):
        limited = (
            "import resource, runpy, sys\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
            "sys.argv = ['imle', 'solve', '--out', 'map.png']\n"
            "runpy.run_module('imle_cli', run_name='__main__', alter_sys=True)\n"
        )
        done = warm.run("-c", limited, cwd=tmp_path)
        assert (done.returncode, done.stderr, done.stdout) == (1, "error: map.png: File too large\n", "")
        assert list(tmp_path.iterdir()) == []

    def test_ctrl_c_while_sampling(self, terminal, tmp_path):
        terminal.interrupted(b"sampling", "marginals", "--samples", str(10**9))
        assert list(tmp_path.iterdir()) == []


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="a current folder cannot be removed elsewhere")
def test_a_current_folder_that_was_removed():
    code = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, [sys.executable, '-m', 'imle_cli', 'solve'])"
    environment = os.environ | {"PYTHONPATH": str(Path(imle_cli.__file__).parents[1])}
    Path("gone").mkdir()
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, cwd="gone", env=environment, capture_output=True, text=True, check=False)
    expected = "error: the current folder has been removed; change to another one\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
    Path("gone").mkdir()
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", *call]
    done = subprocess.run(closed, cwd="gone", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
