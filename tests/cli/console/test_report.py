"""Reports, notes, progress, previews, errors and exit codes."""

import json
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer

from imle_cli.console import Report, Result, Table, time_and_files
from imle_cli.figures.preview import Preview
from imle_cli.messages import DataError, Exit, UsageError, notes, reported_errors
from imle_cli.runs.interruption import HeldSignals, deferred_interruption, handled_signals
from imle_core.kernels import notice


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
            (PermissionError(13, "No", "a.png"), 1, "error: a.png: No; change permissions, or choose another folder"),
            (OSError(30, "Read-only", "a.png"), 1, "error: a.png: Read-only; change permissions, or choose another folder"),
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

    def test_a_long_one_keeps_its_begin_and_its_end(self, capsys):
        _, shown = failure(capsys, ValueError("map.png: " + "x" * 5000 + "\x1b" * 100 + "; choose another"))
        assert shown.startswith("error: map.png: xxx")
        assert shown.endswith("; choose another\n")
        assert 250 < len(shown) <= 301

    def test_words_of_a_long_one_are_left_out_whole(self, capsys):
        names = ", ".join(f"estimator-{number}" for number in range(100))
        _, shown = failure(capsys, ValueError(f"name: got 'x'; it must be one of {names}; choose another"))
        assert 250 < len(shown) <= 301
        begin, end = shown.split(" … ")
        listed = begin.partition(" one of ")[2].rstrip(",").split(", ")
        assert set(listed) <= set(names.split(", "))
        assert end.startswith("estimator-9")

    @pytest.mark.parametrize("debug", [False, True])
    def test_closed_standard_error_puts_nothing_on_standard_output(self, capsys, monkeypatch, debug):
        monkeypatch.setattr(sys, "stderr", None)
        with pytest.raises(typer.Exit), reported_errors(debug):
            raise ValueError("k: got 0")
        Report(as_json=False, quiet=False).note("a note")
        assert capsys.readouterr().out == ""

    def test_a_terminal_that_has_gone_hides_no_error(self, monkeypatch):
        class Gone:
            encoding = "utf-8"

            def write(self, _):
                raise OSError(5, "Input/output error")

            def flush(self):
                raise OSError(5, "Input/output error")

            def isatty(self):
                return True

        monkeypatch.setattr(sys, "stderr", Gone())
        report = Report(as_json=False, quiet=False)
        with report.progress("training", 3) as advance, report.live() as show:
            advance(1)
            show("title", Table(["a"], [["b"]], []))
        report.note("stopped")
        with pytest.raises(typer.Exit) as caught, reported_errors(False):
            raise KeyboardInterrupt
        assert caught.value.exit_code == 130

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
        report.result(VALUES, Table(["a"], [["b"]], []))
        assert capsys.readouterr() == ("", "")

    def test_notes_go_to_standard_error(self, capsys):
        Report(as_json=True, quiet=False).note("runs/[bold]x, " + "y" * 100)
        assert capsys.readouterr() == ("", "runs/[bold]x, " + "y" * 100 + "\n")


EVIL = "a\x1b[31m\x07b\x9bc"
ESCAPED = r"a\x1b[31m\x07b\x9bc"


class TestEscapes:
    """What would do something to a terminal is escaped, wherever a name comes out."""

    def test_notes(self, capsys):
        Report(as_json=False, quiet=False).note(EVIL)
        assert capsys.readouterr().err == f"{ESCAPED}\n"

    def test_results(self, capsys):
        Report(as_json=False, quiet=False).result({}, [("map", EVIL), ("\x9b", "1\n2")])
        assert capsys.readouterr().out == f"map  {ESCAPED}\n\\x9b    1\\n2\n"

    def test_tables_and_what_is_below_them(self, capsys):
        Report(as_json=False, quiet=False).result({}, Table([EVIL], [[EVIL]], [], ["", f"picture {EVIL}\npass"]))
        lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert lines == [ESCAPED, ESCAPED, "", rf"picture {ESCAPED}\npass"]

    def test_warnings_of_others(self, monkeypatch):
        shown = []
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        monkeypatch.setattr(notes, "_show_others", lambda *call: shown.append(call[:4]))
        Report(as_json=False, quiet=False)
        warnings.showwarning(UserWarning(EVIL), UserWarning, f"{EVIL}.py", 1)
        assert shown == [(ESCAPED, UserWarning, f"{ESCAPED}.py", 1)]

    def test_tracebacks(self, capsys):
        with pytest.raises(typer.Exit), reported_errors(debug=True):
            raise DataError(EVIL)
        said = capsys.readouterr().err
        assert said.replace("\n", "").isprintable()
        assert said.startswith("Traceback")
        assert said.endswith(f"DataError: {ESCAPED}\nerror: {ESCAPED}\n")

    def test_json(self, capsys):
        Report(as_json=True, quiet=False).result({"map": EVIL}, [])
        out = capsys.readouterr().out
        assert out.strip().isprintable()
        assert json.loads(out) == {"map": EVIL}

    @pytest.mark.process
    def test_progress_and_live_tables(self, terminal):
        code = (
            "from imle_cli.console import Report, Table\n"
            f"report, evil = Report(as_json=False, quiet=False), {EVIL + '[red]'!r}\n"
            "with report.progress(evil, 3) as advance:\n    advance(1, evil)\n"
            "with report.live() as show:\n    show(evil, Table([evil], [[evil]], []))\n"
        )
        with terminal.start("-c", code) as process:
            shown = terminal.read_all()
        assert process.returncode == 0
        assert f"{ESCAPED}[red]" in shown
        assert not any(part in shown for part in ("\x1b[31m", "\x07", "\x9b"))


class TestHeldSignals:
    def test_how_they_end(self):
        held = HeldSignals()
        assert (held(), type(held.end)) == (False, KeyboardInterrupt)
        held.hold(signal.SIGTERM, None)
        held.hold(signal.SIGTERM, None)
        assert (held(), held.end.code) == (True, 128 + signal.SIGTERM)
        held.hold(signal.SIGINT, None)
        with pytest.raises(KeyboardInterrupt):
            held.hold(signal.SIGINT, None)

    @pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="it is POSIX")
    def test_nohup_is_heeded(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            assert handled_signals() == [signal.SIGINT, signal.SIGTERM]
            with deferred_interruption() as held:
                signal.raise_signal(signal.SIGHUP)
                assert not held()
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            assert signal.SIGHUP in handled_signals()
        finally:
            signal.signal(signal.SIGHUP, before)


class TestTable:
    def test_columns_are_whole_and_figures_flush_right(self, capsys):
        rows = [["[red] " + "w" * 90, "1"], ["short", "23,456"]]
        Report(as_json=False, quiet=False).result({}, Table(["what", "figure"], rows, ["figure"]))
        first, second, third = (line.rstrip() for line in capsys.readouterr().out.splitlines())
        assert first == "what" + " " * 94 + "figure"
        assert second == rows[0][0] + " " * 7 + "1"
        assert third == "short" + " " * 93 + "23,456"

    def test_json(self, capsys):
        Report(as_json=True, quiet=False).result({"rows": [1]}, Table(["a"], [["b"]], []))
        assert capsys.readouterr().out == '{"rows": [1]}\n'


class TestShow:
    """A result is completed, and told as JSON or as a text that is made of the same values."""

    def test_seconds_and_files_are_in_both(self, capsys):
        result = Result({"x": 1, "seconds": None, "y": 2}, time_and_files, ["a.png", "b.csv"])
        report = Report(as_json=True, quiet=False)
        report.show(result)
        values = json.loads(capsys.readouterr().out)
        assert list(values) == ["x", "seconds", "y", "files"]
        assert values["seconds"] >= 0
        report.as_json = False
        report.show(replace(result, values={"seconds": 1.5}))
        assert capsys.readouterr().out == "time   1.50 s\nfiles  a.png, b.csv\n"

    def test_the_clock_leaves_out_what_was_before_and_compiling(self, monkeypatch, capsys):
        clock = iter([1.0, 4.0, 14.5])
        monkeypatch.setattr("imle_cli.console.report.time.perf_counter", lambda: next(clock))
        report = Report(as_json=True, quiet=False)
        report.compiling.ends(99.0)
        report.begin()
        notice.tell(None)
        report.compiling.ends(10.0)
        report.show(Result({}, lambda _: []))
        assert json.loads(capsys.readouterr().out) == {"seconds": 0.5}

    def test_a_failure_comes_after_the_result(self, capsys):
        result = Result({}, lambda _: Table(["a"], [["b"]], [], ["c"]), notes=["a note"], failure="one failed")
        with pytest.raises(DataError, match=r"^one failed$"):
            Report(as_json=False, quiet=False).show(result)
        assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == ["a", "b", "c"]


SHOW = """
import numpy as np
from imle_cli.console import Report, Table
from imle_cli.figures.preview import Preview
report = Report(as_json={as_json}, quiet={quiet})
with report.progress("sampling", 3) as advance:
    advance(3)
with report.live() as show:
    show("2 of 3 cells", Table(["samples", "[red]"], [["10", "step 7"]], ["samples"]))
report.preview(Preview(np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), {{"start": (0, 2)}}))
"""


@pytest.mark.process
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

    def test_progress_a_live_table_and_a_preview_of_two_pixels_a_cell(self, show):
        shown = show()
        assert all(part in shown for part in ("sampling", "2 of 3 cells", "samples", "[red]", "step 7"))
        assert "\x1b[38;2;253;231;37;48;2;253;231;37m▀" in shown
        assert "   S start" in shown

    @pytest.mark.parametrize(
        "environment",
        [
            {"NO_COLOR": "1"},
            {"TERM": "dumb", "COLORTERM": ""},
            {"TERM": "xterm", "COLORTERM": ""},
            {"PYTHONIOENCODING": "ascii"},
        ],
        ids=str,
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
    report.preview(Preview(np.zeros((3, 3))))
    assert capsys.readouterr() == ("", "")


INTERRUPTED_IN_A_TEXT = """
import typer
from imle_cli.messages import reported_errors
try:
    with reported_errors(False):
        exec("raise KeyboardInterrupt")
except typer.Exit as end:
    raise SystemExit(int(end.exit_code)) from None
"""


@pytest.mark.process
def test_an_interruption_of_executing_text_ends_with_the_code_too():
    Path("interrupted.py").write_text(INTERRUPTED_IN_A_TEXT)
    done = subprocess.run([sys.executable, "-m", "interrupted"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.filterwarnings("always")
class TestWarnings:
    @pytest.fixture(autouse=True)
    def _put_back(self, monkeypatch):
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def test_of_the_library_are_notes_each_told_once(self, capsys):
        from imle_core import StepSizeWarning

        Report(as_json=True, quiet=False)
        for text in ("lambda is large", "lambda is large", "lambda is small"):
            warnings.warn(text, StepSizeWarning, stacklevel=1)
        assert capsys.readouterr() == ("", "note: lambda is large\nnote: lambda is small\n")
        Report(as_json=False, quiet=True)
        warnings.warn("lambda is large", StepSizeWarning, stacklevel=1)
        assert capsys.readouterr() == ("", "")

    def test_of_others_are_shown_as_ever(self, capsys, monkeypatch):
        shown = []
        monkeypatch.setattr("imle_cli.messages.notes._show_others", lambda *warning: shown.append(str(warning[0])))
        Report(as_json=True, quiet=False)
        warnings.warn("somebody else's", UserWarning, stacklevel=1)
        assert (shown, capsys.readouterr()) == (["somebody else's"], ("", ""))
