"""Errors and kinds of the user's code in a line, and Ctrl-C told apart from those who raise its like."""

import signal
import threading

import numpy as np
import pytest
import torch

from imle_core.contracts import CtrlC, ctrl_c_told_apart, is_ctrl_c, kind_of, one_line, raised, text_of


class UntoldError(Exception):
    def __str__(self):
        raise RuntimeError


def test_errors_in_a_line():
    assert raised(ValueError("one\n  two")) == "raised ValueError (one two)"
    assert raised(SystemExit()) == "raised SystemExit"
    assert raised(SystemExit(3)) == "raised SystemExit (3)"
    assert raised(UntoldError()) == "raised UntoldError"
    assert text_of(KeyError("a")) == "'a'"
    assert one_line("\x1b[31mred\ttea") == "\\x1b[31mred tea"
    assert one_line("x" * 500) == "x" * 160 + "..."


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "NoneType"),
        ([1], "list"),
        ((torch.zeros(1), 1.0), "(Tensor, float)"),
        ((1, 2, 3, 4, 5), "(int, int, int, int, ...)"),
        (np.zeros(1), "ndarray"),
        (np.zeros(1, complex), "ndarray of complex128"),
        (torch.eye(2).to_sparse(), "sparse Tensor"),
    ],
)
def test_kinds(value, kind):
    assert kind_of(value) == kind


def test_ctrl_c_is_told_from_who_raises_its_like():
    assert is_ctrl_c(KeyboardInterrupt())  # it may be
    with ctrl_c_told_apart():
        assert not is_ctrl_c(KeyboardInterrupt())
        with pytest.raises(CtrlC) as caught:
            signal.raise_signal(signal.SIGINT)
        assert is_ctrl_c(caught.value)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not is_ctrl_c(SystemExit())


def test_the_handler_of_somebody_else_stays():
    def handler(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        with ctrl_c_told_apart():
            assert signal.getsignal(signal.SIGINT) is handler
            assert is_ctrl_c(KeyboardInterrupt())
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_handled():
    seen = []

    def work():
        with ctrl_c_told_apart():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
