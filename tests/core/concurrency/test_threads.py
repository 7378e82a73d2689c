"""Sharing work among threads that are kept."""

import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from imle_core.concurrency import at_once, in_threads
from imle_core.concurrency import threads as sharing


def share(first, last):
    return list(range(first, last))


class TestInThreads:
    @pytest.mark.parametrize("threads", [-1, 0, 1, 2, 3, 7])
    @pytest.mark.parametrize("count", [7, 8, 100])
    def test_each_item_is_done_once_in_order_and_in_equal_parts(self, count, threads):
        parts = in_threads(share, count, threads)
        assert [item for part in parts for item in part] == list(range(count))
        assert len(parts) == max(threads, 1)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1

    @pytest.mark.parametrize("bad", [0, 1])
    def test_an_error_of_any_part_reaches_the_caller(self, bad):
        def fail(first, last):  # noqa: ARG001
            if first == bad:
                raise ArithmeticError(f"part {first}")

        with pytest.raises(ArithmeticError, match=f"part {bad}"):
            in_threads(fail, 2, 2)

    def test_results_are_in_order(self):
        assert at_once([lambda: "a", lambda: "b", lambda: "c"]) == ["a", "b", "c"]
        assert at_once([threading.get_ident]) == [threading.get_ident()]

    def test_none_goes_on_when_another_fails(self):
        done = []

        def late():
            time.sleep(0.2)
            done.append(True)

        def fail():
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            at_once([late, fail])
        assert done == [True]


@pytest.fixture
def pace(monkeypatch):
    """A decision that knows no attempts yet."""
    monkeypatch.setattr(sharing, "PACE", sharing._Pace())
    return sharing.PACE


@pytest.mark.usefixtures("pace")
class TestSharing:
    def test_functions_run_at_the_same_time(self):
        barrier = threading.Barrier(2, timeout=20)
        assert sorted(at_once([barrier.wait] * 2)) == [0, 1]

    def test_threads_are_kept(self, pace):
        def where():
            barrier.wait()
            return threading.get_native_id()

        barrier = threading.Barrier(2, timeout=20)
        first = {*at_once([where, where])}
        pace.was_alone(60)  # they waited for each other, which is no work
        assert {*at_once([where, where])} == first
        assert threading.get_native_id() in first

    def test_several_callers_at_once(self):
        with ThreadPoolExecutor(3) as callers:
            done = callers.map(lambda number: sum(sum(part) for part in in_threads(share, number, 2)), range(100))
            assert list(done) == [sum(range(number)) for number in range(100)]

    def test_all_that_began_has_ended_when_handing_out_work_is_interrupted(self, monkeypatch):
        began, done, submit = threading.Event(), [], ThreadPoolExecutor.submit

        def work():
            began.set()
            time.sleep(0.1)
            done.append(True)

        def interrupted(pool, function):
            submit(pool, function)
            began.wait(20)
            raise KeyboardInterrupt

        in_threads(share, 2, 2)
        monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            at_once([work, work])
        assert done == [True]

    def test_an_interruption_while_others_end_is_kept_until_they_have(self, monkeypatch):
        shared, ended = sharing._Shared([lambda: time.sleep(0.3)]), []
        other = threading.Thread(target=lambda: (shared.take(), ended.append(True)))
        other.start()
        while not shared._at_work:
            time.sleep(0.001)

        class Interrupted:
            def get(self, **_):
                monkeypatch.undo()
                raise KeyboardInterrupt

        ends = shared._ends
        monkeypatch.setattr(shared, "_ends", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            shared.end()
        assert shared._ends is ends
        assert len(shared.busy) == 1
        other.join(20)
        assert ended == [True]

    def test_within_an_operation_of_its_own(self):
        assert at_once([lambda: at_once([lambda: 1, lambda: 2]), lambda: [3]]) == [[1, 2], [3]]


class TestPace:
    def test_after_a_loss_the_caller_is_alone_until_it_is_paid(self, pace):
        pace.was_shared(seconds=0.5 + sharing._MOST_SAVED + 0.1, busy=0.5)
        for _ in range(49):  # 2% of the time of the caller alone is what was lost
            assert not pace.is_open()
            pace.was_alone(0.1)
        pace.was_alone(0.2)
        assert pace.is_open()
        pace.was_alone(100.0)  # which saves nothing
        pace.was_shared(seconds=0.6, busy=0.5)
        assert not pace.is_open()

    def test_a_loss_is_made_good_by_what_was_saved(self, pace):
        for _ in range(20):
            pace.was_shared(seconds=0.5 + sharing._MOST_SAVED, busy=0.5)
            assert pace.is_open()
            pace.was_shared(seconds=0.3, busy=0.5)

    def test_alone_the_caller_does_all(self, pace):
        pace.was_shared(seconds=1e6, busy=0.0)
        assert at_once([threading.get_ident] * 3) == [threading.get_ident()] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
class TestForks:
    def ended(self, target):
        """Exit code of a child; None if it hangs."""
        child = multiprocessing.get_context("fork").Process(target=target)
        child.start()
        child.join(20)
        code, _ = child.exitcode, child.kill()
        return code

    @pytest.mark.usefixtures("pace")
    def test_ctrl_c_while_threads_begin_does_not_keep_a_program_from_its_end(self):
        def program():
            wait, main = threading.Event.wait, threading.get_ident()

            def interrupted(event, timeout=None):
                wait(event, timeout)
                if threading.get_ident() == main:
                    threading.Event.wait = wait
                    raise KeyboardInterrupt

            threading.Event.wait = interrupted
            try:
                in_threads(share, 4, 2)
            except KeyboardInterrupt:
                sys.exit(3)

        assert self.ended(program) == 3

    def test_a_child_starts_threads_of_its_own(self):
        in_threads(share, 4, 2)
        assert self.ended(lambda: sys.exit(len(in_threads(share, 4, 2)))) == 2
