"""Waiting for kernels: a spinner on a terminal, one line elsewhere, and what remains to be said at the end."""

import io
import logging
import time

import pytest
from rich.console import Console

from imle_cli.console.compiling import Compiling
from imle_core.kernels import notice


@pytest.fixture
def said():
    return []


@pytest.fixture
def screen():
    """A terminal that can move its cursor."""
    return Console(file=io.StringIO(), force_terminal=True, width=80, legacy_windows=False, _environ={"TERM": "xterm"})


@pytest.fixture
def _logged(monkeypatch):
    monkeypatch.setattr(notice.LOGGER, "level", logging.WARNING)
    monkeypatch.setattr(notice.LOGGER, "disabled", False)  # as whoever configures logging may have it
    notice.LOGGER.manager._clear_cache()
    yield
    notice.LOGGER.manager._clear_cache()


class TestElsewhere:
    @pytest.mark.usefixtures("_logged")
    def test_one_line(self, said):
        compiling = Compiling(None, said.append)
        for subject in ("noise, sum of gamma", "grid, lanes"):
            compiling.begins(subject)
            compiling.ends(12.0)
        compiling.conclude()
        assert said == [
            "note: compiling for this machine, once (noise, sum of gamma); some seconds, more while others use the cores"
        ]
        assert compiling.seconds == 24.0

    def test_none_where_the_log_of_kernels_takes_no_warnings(self, said, monkeypatch):
        monkeypatch.setattr(notice.LOGGER, "level", logging.ERROR)
        notice.LOGGER.manager._clear_cache()
        Compiling(None, said.append).begins("noise")
        assert said == []


class TestTerminal:
    def test_the_spinner_says_what_and_for_how_long_and_vanishes(self, screen, said, monkeypatch):
        monkeypatch.setattr(time, "perf_counter", iter([10.0, *[13.2] * 99]).__next__)
        compiling = Compiling(screen, said.append)
        compiling.count = lambda: 7
        compiling.begins("noise, sum of gamma")
        compiling.ends(3.2)
        text = screen.file.getvalue()
        assert "compiling for this machine, once: noise, sum of gamma (function 7, 3 s)" in text
        assert text.endswith("\x1b[2K")
        assert compiling.line is None
        compiling.conclude()
        assert said == ["note: compiled for this machine in 3 s, once; the time leaves that out"]

    def test_a_short_wait_leaves_nothing(self, screen, said):
        compiling = Compiling(screen, said.append)
        with compiling.waiting("noise"):
            assert compiling.line.plain.endswith("compiling for this machine, once: noise (0 s)")
        compiling.conclude()
        assert said == []

    def test_a_bar_shows_the_line_in_its_own_place(self, screen, said):
        compiling = Compiling(screen, said.append)
        compiling.bar(entered=True)
        with compiling.waiting("noise"):
            assert (screen.file.getvalue(), compiling.line is None) == ("", False)
            compiling.bar(entered=False)
            assert "compiling" in screen.file.getvalue()


def test_what_goes_on_after_the_command_is_said_at_its_end(said):
    compiling = Compiling(None, said.append)
    compiling.goes_on("paths on maps", lambda: True)
    compiling.goes_on("trees", lambda: False)
    assert said == []
    compiling.conclude()
    assert said == ["note: kernels for paths on maps are still being compiled beside this, once: a core for some 15 s"]
