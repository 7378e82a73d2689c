"""Reports, notes, progress, previews, errors and exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from imle_cli.console import DataError, Exit, Report, UsageError, reported_errors
from imle_core import compilation


def failure(capsys, error, debug=False):
    """Exit code and standard error of a command that raises ``error``."""
    with pytest.raises(typer.Exit) as caught, reported_errors(debug):
        raise error
    out, err = capsys.readouterr()
    assert out == ""
    return caught.value.exit_code, err


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "code", "line"),
        [
            (DataError("map.png: bad"), 1, "error: map.png: bad"),
            (UsageError("--samples: got 0"), 2, "error: --samples: got 0"),
            (ValueError("k: got 0"), 1, "error: k: got 0"),
            (FileNotFoundError(2, "No such file or directory", "a.png"), 1, "error: a.png: No such file or directory"),
            (OSError(28, "No space left on device"), 1, "error: No space left on device"),
            (OSError("odd"), 1, "error: odd"),
            (MemoryError(), 1, "error: out of memory; take a smaller map, --grid, or fewer samples"),
            (KeyboardInterrupt(), 130, "interrupted"),
            (ZeroDivisionError("x"), 1, "internal error: ZeroDivisionError: x; --debug shows where"),
            (RuntimeError("one\ntwo"), 1, "internal error: RuntimeError: one two; --debug shows where"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_each_is_one_line_and_an_exit_code(self, capsys, error, code, line):
        assert failure(capsys, error) == (code, f"{line}\n")

    def test_debug_shows_the_traceback_first(self, capsys):
        _, shown = failure(capsys, ValueError("k: got 0"), debug=True)
        assert shown.startswith("Traceback (most recent call last)")
        assert shown.endswith("ValueError: k: got 0\nerror: k: got 0\n")

    def test_an_exit_on_purpose_passes(self):
        with pytest.raises(typer.Exit) as caught, reported_errors(False):
            raise typer.Exit(7)
        assert caught.value.exit_code == 7

    def test_no_error(self):
        done = False
        with reported_errors(False):
            done = True
        assert done

    def test_exit_codes(self):
        assert [int(code) for code in Exit] == [0, 1, 2, 130]


VALUES = {"map": "地図 [red].png", "cost": 1.5, "none": None}
LINES = [("map", "地図 [red].png, a long line " + "x" * 100), ("expected cost", "1.5")]


class TestResult:
    def test_text_is_aligned_literal_and_never_wrapped(self, capsys):
        Report(as_json=False, quiet=False).result(VALUES, LINES)
        out, err = capsys.readouterr()
        assert out == f"map            {LINES[0][1]}\nexpected cost  1.5\n"
        assert err == ""

    @pytest.mark.parametrize("quiet", [False, True])
    def test_json_is_one_object_on_one_line(self, capsys, quiet):
        Report(as_json=True, quiet=quiet).result(VALUES, LINES)
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        assert json.loads(out) == VALUES

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_json_has_no_nan(self, value):
        with pytest.raises(ValueError, match="not JSON compliant"):
            Report(as_json=True, quiet=False).result({"x": value}, LINES)

    def test_quiet(self, capsys):
        report = Report(as_json=False, quiet=True)
        report.result(VALUES, LINES)
        report.note("a note")
        report.table(VALUES, ["a"], [["b"]], [])
        assert capsys.readouterr() == ("", "")

    def test_notes_go_to_standard_error(self, capsys):
        Report(as_json=True, quiet=False).note("runs/[bold]x, " + "y" * 100)
        assert capsys.readouterr() == ("", "runs/[bold]x, " + "y" * 100 + "\n")


class TestTable:
    def test_columns_are_whole_and_figures_flush_right(self, capsys):
        rows = [["[red] " + "w" * 90, "1"], ["short", "23,456"]]
        Report(as_json=False, quiet=False).table({}, ["what", "figure"], rows, ["figure"])
        first, second, third = (line.rstrip() for line in capsys.readouterr().out.splitlines())
        assert first == "what" + " " * 94 + "figure"
        assert second == rows[0][0] + " " * 7 + "1"
        assert third == "short" + " " * 93 + "23,456"

    def test_json(self, capsys):
        Report(as_json=True, quiet=False).table({"rows": [1]}, ["a"], [["b"]], [])
        assert capsys.readouterr().out == '{"rows": [1]}\n'


SHOW = """
import numpy as np
from imle_cli.console import Report
report = Report(as_json={as_json}, quiet={quiet})
with report.progress("sampling", 3) as advance:
    advance(3)
with report.live() as show:
    show("2 of 3 cells", ["samples", "[red]"], [["10", "step 7"]], ["samples"])
report.preview(lambda rows, columns: np.full((3, 2, 3), [[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]]], dtype=np.uint8))
"""


class TestTerminal:
    @pytest.fixture
    def show(self, terminal):
        """What the report shows where both streams are a terminal."""

        def run(as_json=False, quiet=False, **environment):
            with terminal.start("-c", SHOW.format(as_json=as_json, quiet=quiet), environment=environment) as process:
                shown = terminal.read_all()
            assert process.returncode == 0
            return shown

        return run

    def test_a_preview_has_two_pixels_a_cell(self, show):
        shown = show()
        assert "\x1b[38;2;1;2;3;48;2;4;5;6m▀▀\x1b[0m" in shown or shown.count("\x1b[38;2;1;2;3;48;2;4;5;6m▀") == 2
        assert "\x1b[38;2;7;8;9m▀" in shown

    def test_progress_names_what_is_done_and_vanishes(self, show):
        assert "sampling" in show()

    def test_a_live_table_has_its_title_and_rows(self, show):
        shown = show()
        assert all(part in shown for part in ("2 of 3 cells", "samples", "[red]", "step 7"))

    @pytest.mark.parametrize(
        "environment", [{"NO_COLOR": "1"}, {"TERM": "dumb", "COLORTERM": ""}, {"PYTHONIOENCODING": "ascii"}], ids=str
    )
    def test_no_preview_without_colour_or_letters(self, environment, show):
        shown = show(**environment)
        assert "▀" not in shown
        assert "48;2" not in shown

    @pytest.mark.parametrize("option", ["quiet", "as_json"])
    def test_no_preview_for_machines(self, option, show):
        assert "▀" not in show(**{option: True})

    def test_quiet_shows_no_progress(self, show):
        assert show(quiet=True) == ""


def test_off_a_terminal_there_is_neither_progress_nor_preview(capsys):
    report = Report(as_json=False, quiet=False)
    with report.progress("sampling", 3) as advance:
        advance(1)
        advance(3)
    report.preview(lambda rows, columns: np.zeros((rows, columns, 3), np.uint8))
    assert capsys.readouterr() == ("", "")


class TestCompiling:
    """A note that compiled code has to be made first: on a terminal, and only when that happens."""

    @pytest.fixture(autouse=True)
    def _nobody_after(self):
        yield
        compilation.tell(lambda: None)

    @pytest.mark.parametrize(("terminal", "quiet"), [(True, False), (True, True), (False, False)])
    def test_on_a_terminal_it_is_said_once(self, capsys, monkeypatch, terminal, quiet):
        monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
        monkeypatch.delenv("NO_COLOR" if terminal else "FORCE_COLOR", raising=False)
        compilation.tell(lambda: None)
        Report(as_json=False, quiet=quiet)
        assert capsys.readouterr().err == ""
        compilation.begins()
        compilation.begins()
        told = terminal and not quiet
        assert capsys.readouterr().err == "compiling for this machine, once; that takes some seconds\n" * told


INTERRUPTED_IN_A_TEXT = """
import typer
from imle_cli.console import reported_errors
try:
    with reported_errors(False):
        exec("raise KeyboardInterrupt")
except typer.Exit as end:
    raise SystemExit(int(end.exit_code)) from None
"""


def test_an_interruption_of_executing_text_ends_with_the_code_too():
    Path("interrupted.py").write_text(INTERRUPTED_IN_A_TEXT)
    done = subprocess.run([sys.executable, "-m", "interrupted"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
