"""Who is told of compiling, and a clock that leaves it out."""

import logging
import multiprocessing
import time

import numba
import pytest

from imle_core.kernels import notice
from imle_core.kernels.compiled import cache_folders, compiled


class Listener:
    def __init__(self):
        self.told = []

    def begins(self, subject):
        self.told.append(("begins", subject))

    def ends(self, seconds):
        self.told.append(("ends", seconds >= 0))

    def goes_on(self, subject, is_running):
        self.told.append(("goes on", subject, is_running()))


@pytest.fixture
def listener():
    made = Listener()
    notice.tell(made)
    yield made
    notice.tell(None)


class TestListener:
    def test_the_last_listener_is_told_of_every_wait(self, listener):
        last = Listener()
        notice.tell(last)
        for subject in ("noise", "maps"):
            with notice.waiting(subject):
                pass
        assert last.told == [("begins", "noise"), ("ends", True), ("begins", "maps"), ("ends", True)]
        assert listener.told == []

    def test_of_waits_within_waits_the_outermost_is_told(self, listener):
        before = notice.compiled_so_far()
        with notice.waiting("noise"), notice.waiting("bits"):
            assert listener.told == [("begins", "noise")]
        assert listener.told == [("begins", "noise"), ("ends", True)]
        assert notice.compiled_so_far() == before + 2

    def test_an_error_ends_a_wait(self, listener):
        with pytest.raises(KeyboardInterrupt), notice.waiting("noise"):
            raise KeyboardInterrupt
        assert listener.told[-1] == ("ends", True)

    def test_what_goes_on_beside_the_work(self, listener):
        notice.goes_on("maps", lambda: True)
        assert listener.told == [("goes on", "maps", True)]


def test_the_clock_stands_still_meanwhile(listener):
    began = notice.clock()
    with notice.waiting("noise"), notice.waiting("bits"):
        stopped = notice.clock()
        time.sleep(0.01)
        assert notice.clock() == stopped
    time.sleep(0.001)
    assert 0.001 <= notice.clock() - began < 0.01 + stopped - began
    assert [kind for kind, _ in listener.told] == ["begins", "ends"]


class TestLog:
    @pytest.fixture
    def lines(self, monkeypatch):
        """Lines that are logged."""
        records, handler = [], logging.Handler()
        handler.emit = records.append
        monkeypatch.setattr(notice.LOGGER, "handlers", [handler])
        monkeypatch.setattr(notice.LOGGER, "level", logging.WARNING)
        monkeypatch.setattr(notice.LOGGER, "disabled", False)  # as whoever configures logging may have it
        monkeypatch.setattr(notice.LOGGER, "propagate", False)
        notice.LOGGER.manager._clear_cache()
        notice.tell(None)
        yield records
        notice.LOGGER.manager._clear_cache()

    def test_a_line_for_whoever_listens_to_nothing_else(self, lines):
        for subject in ("noise", "maps"):
            with notice.waiting(subject):
                pass
            notice.goes_on(subject, lambda: True)
        assert [line.name for line in lines] == ["imle_core.kernels"] * 2
        assert [line.getMessage() for line in lines] == [
            "imle: compiling for this machine, once (noise): some seconds, more while others use the cores; "
            "the command imle warm-up does it beforehand",
            "imle: compiling for this machine, once (noise): a core for some 15 s, beside the work; "
            "the command imle warm-up does it beforehand",
        ]

    def test_none_in_processes_of_workers(self, lines, monkeypatch):
        monkeypatch.setattr(multiprocessing, "parent_process", lambda: "the parent")
        with notice.waiting("noise"):
            pass
        assert lines == []


class TestKernels:
    @pytest.fixture(autouse=True)
    def _an_empty_cache(self, tmp_path, monkeypatch):
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))  # or the last run may have left them compiled

    def test_a_kernel_that_is_compiled_already_tells_nobody(self, listener):
        def double(x):
            return 2 * x

        kernel = compiled(double)
        assert (kernel(3), listener.told) == (6, [("begins", "core, test notice"), ("ends", True)])
        assert (kernel(4), len(listener.told)) == (8, 2)

    def test_functions_of_others_tell_nobody(self, listener):
        assert numba.njit(lambda x: 3 * x)(3) == 9
        assert listener.told == []

    def test_folders_are_those_of_kernels_that_were_called(self, tmp_path):
        def half(x):
            return x / 2

        kernel = compiled(half)
        assert not any(tmp_path in folder.parents for folder in cache_folders())
        kernel(3)
        assert [folder.parent for folder in cache_folders() if tmp_path in folder.parents] == [tmp_path]
