"""Sharing work among threads that are kept."""

import multiprocessing
import os
import sys
import threading
import time

import pytest

from imle_core.concurrency import at_once, in_threads


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

    def test_the_first_part_is_the_callers_and_the_others_threads_are_kept(self):
        def where(first, last):  # noqa: ARG001
            return threading.get_ident()

        caller, other = in_threads(where, 2, 2)
        assert caller == threading.get_ident() != other
        assert in_threads(where, 2, 2) == [caller, other]

    @pytest.mark.parametrize("bad", [0, 1])
    def test_an_error_of_any_part_reaches_the_caller(self, bad):
        def fail(first, last):  # noqa: ARG001
            if first == bad:
                raise ArithmeticError(f"part {first}")

        with pytest.raises(ArithmeticError, match=f"part {bad}"):
            in_threads(fail, 2, 2)

    def test_functions_run_at_the_same_time_and_results_are_in_order(self):
        barrier = threading.Barrier(3, timeout=20)
        assert sorted(at_once([barrier.wait] * 3)) == [0, 1, 2]
        assert at_once([lambda: "a", lambda: "b"]) == ["a", "b"]
        assert at_once([threading.get_ident]) == [threading.get_ident()]

    def test_none_goes_on_when_the_caller_fails(self):
        done = []

        def late():
            time.sleep(0.2)
            done.append(True)

        def fail():
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            at_once([fail, late])
        assert done == [True]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_forked_child_starts_threads_of_its_own(self):
        in_threads(share, 4, 2)
        child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(len(in_threads(share, 4, 2))))
        child.start()
        child.join(20)
        code, _ = child.exitcode, child.kill()
        assert code == 2
