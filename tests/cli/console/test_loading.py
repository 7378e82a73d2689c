"""A sign that a command has begun: on a terminal, when imports take long, until something else is said."""

import io
import sys
import threading

import pytest

from imle_cli.console import loading
from imle_cli.console.loading import Loading


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def timers(monkeypatch):
    """Timers that have been started; none runs by itself."""
    started = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: started.append(timer))
    return started


def shown(monkeypatch, stream, timers, term="xterm", wanted=True):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", stream)
    made = Loading(wanted)
    assert all(timer.interval == loading._PATIENCE and timer.daemon for timer in timers)
    return made


def test_it_comes_late_and_vanishes(monkeypatch, timers):
    stream = Terminal()
    sign = shown(monkeypatch, stream, timers)
    assert stream.getvalue() == ""
    timers[0].function()
    assert stream.getvalue() == "loading ..."
    for _ in range(2):
        sign.end()
    assert stream.getvalue() == "loading ...\r\x1b[K"


def test_who_is_quick_shows_nothing(monkeypatch, timers):
    stream = Terminal()
    shown(monkeypatch, stream, timers).end()
    timers[0].function()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "case",
    [{"term": "dumb"}, {"wanted": False}, {"stream": io.StringIO()}, {"stream": None}],
    ids=lambda case: next(iter(case)),
)
def test_none_where_it_could_not_vanish_or_is_not_wanted(monkeypatch, timers, case):
    shown(monkeypatch, case.pop("stream", Terminal()), timers, **case).end()
    assert timers == []
