"""Signals that ask a command to end, wherever they meet it."""

import signal
import sys
import time
import weakref

import pytest

from imle_cli.runs.interruption import end_on_signals, handled_signals


class Thing:
    pass


@pytest.fixture
def ending(monkeypatch):
    before = {number: signal.getsignal(number) for number in handled_signals()}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", handled_signals(), ids=lambda number: number.name)
@pytest.mark.usefixtures("ending")
def test_an_end_asked_for_in_a_callback_that_cannot_raise_comes_after_it(number):
    thing, met = Thing(), []

    def interrupted(_reference):
        met.append(number)
        signal.raise_signal(number)

    reference = weakref.ref(thing, interrupted)
    del thing
    with pytest.raises((KeyboardInterrupt, SystemExit)) as ended:
        time.sleep(60)
    assert met == [number]
    assert reference() is None
    if number == signal.SIGINT:
        assert ended.type is KeyboardInterrupt
    else:
        assert ended.type is SystemExit
        assert ended.value.code == 128 + number


@pytest.mark.usefixtures("ending")
def test_other_errors_in_such_a_callback_are_told_and_end_nothing(capsys):
    thing = Thing()

    def failed(_reference):
        raise ValueError("told")

    reference = weakref.ref(thing, failed)
    del thing
    assert reference() is None
    assert "ValueError: told" in capsys.readouterr().err
