"""Kernels shared among torch's threads, or ours where those are of no use."""

import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from imle_core.concurrency import share, team
from imle_core.concurrency import threads as sharing
from imle_core.kernels.compiled import compiled, compiled_borrowing
from imle_core.kernels.sharing import in_each_thread
from imle_core.kernels.vectors import fetch_add

needs_torch_threads = pytest.mark.skipif(not team._address(), reason="torch has another runtime here")


@compiled_borrowing
def write(number, out, who, taken):
    at = fetch_add(taken, 1)
    while at < len(out):
        total = 0.0
        for i in range(3000):
            total += 1.0 / (i + at + 1)
        out[at], who[at] = total, number
        at = fetch_add(taken, 1)


@compiled
def shared_write(out, who, team):
    in_each_thread(team, write, (out, who, team.taken))


@compiled
def refuse(_, taken):
    if fetch_add(taken, 1) == 0:
        raise ValueError


@compiled
def shared_refusal(team):
    in_each_thread(team, refuse, (team.taken,))


def written(threads, size=40):
    """What threads write, their numbers, and the teams that were asked."""
    out, who, teams = np.zeros(size), np.full(size, -1), []

    def work(asked):
        teams.append(asked)
        shared_write(out, who, asked)

    share(work, threads)
    return out.tolist(), who.tolist(), teams


@pytest.fixture
def pace(monkeypatch):
    """A decision that knows no attempts yet."""
    monkeypatch.setattr(team, "PACE", sharing._Pace())
    monkeypatch.setattr(sharing, "PACE", team.PACE)
    return team.PACE


@pytest.fixture(autouse=True)
def two_threads():
    """Torch may use two."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("pace")
class TestShare:
    @pytest.mark.parametrize("number", [1, 2, 3, 7])
    @pytest.mark.parametrize("threads", [-1, 0, 1, 2, 7])
    def test_each_piece_is_done_once_by_whatever_threads(self, number, threads):
        torch.set_num_threads(number)
        out, who, _ = written(threads)
        assert out == written(1)[0]
        assert {*who} <= {*range(max(threads, 1))}

    @needs_torch_threads
    def test_torch_has_the_threads(self):
        _, _, (asked,) = written(2)
        assert (asked.begin, asked.size, asked.threads) == (team._address(), 2, 2)
        came, busy, failed, took = asked.record
        assert (came, failed) == (2, 0)
        assert busy > 0
        assert took > 0

    @needs_torch_threads
    def test_all_of_them_come_and_those_asked_for_work(self):
        torch.set_num_threads(4)
        _, who, (asked,) = written(2)
        assert asked.record[0] == 4
        assert {*who} <= {0, 1}

    def test_without_them_ours_do(self, monkeypatch):
        monkeypatch.setattr(team, "_address", lambda: 0)
        out, _, teams = written(3)
        assert out == written(1)[0]
        assert [asked.begin for asked in teams] == [0, 0, 0]
        assert len({id(asked.taken) for asked in teams}) == 1

    @needs_torch_threads
    def test_after_losses_the_caller_does_all(self, pace):
        pace.was_shared(seconds=1e6, busy=0.0)
        owed = pace._saved
        out, who, (asked,) = written(2)
        assert out == written(1)[0]
        assert asked.begin == 0
        assert {*who} == {0}
        assert pace._saved > owed

    @needs_torch_threads
    def test_one_thread_of_python_has_them_at_a_time(self):
        asked = []

        def outer(own):
            asked.append(own.begin)
            with ThreadPoolExecutor(1) as other:
                other.submit(lambda: share(lambda own: asked.append(own.begin), 2)).result()

        share(outer, 2)
        assert asked == [team._address(), 0]
        share(lambda own: asked.append(own.begin), 2)
        assert asked[2] == team._address()

    def test_several_callers_at_once(self):
        with ThreadPoolExecutor(3) as callers:
            results = list(callers.map(lambda _: written(2)[0], range(60)))
        assert results == [written(1)[0]] * 60

    @pytest.mark.parametrize("threads", [1, 2])
    @pytest.mark.parametrize("has_torch_threads", [True, False])
    def test_an_error_of_a_thread_reaches_the_caller(self, threads, has_torch_threads, monkeypatch):
        if not has_torch_threads:
            monkeypatch.setattr(team, "_address", lambda: 0)
        with pytest.raises(MemoryError, match="no memory for the work of a thread"):
            share(shared_refusal, threads)
        assert written(2)[0] == written(1)[0]

    @needs_torch_threads
    def test_an_error_of_the_caller_gives_the_threads_back(self):
        def fail(_):
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            share(fail, 2)
        assert written(2)[2][0].begin == team._address()


class TestLibrary:
    def test_of_no_address(self):
        assert team._library_at(0) == ""

    @needs_torch_threads
    def test_of_another_runtime_ours_are_used(self, monkeypatch):
        team._address.cache_clear()
        monkeypatch.setattr(team, "_library_at", lambda _: "libiomp5.so")
        try:
            assert team._address() == 0
        finally:
            team._address.cache_clear()

    def test_without_a_map_of_the_process_it_is_not_known(self, monkeypatch, tmp_path):
        monkeypatch.setattr(team, "_MAPS", tmp_path / "maps")
        assert team._library_at(1) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("pace")
class TestForks:
    def ended(self, target):
        """Exit code of a child; None if it hangs."""
        child = multiprocessing.get_context("fork").Process(target=target)
        child.start()
        child.join(20)
        code, _ = child.exitcode, child.kill()
        return code

    def test_a_child_does_without_the_threads_of_torch(self):
        here = written(2)[0]

        def child():
            product = torch.ones(300, 300) @ torch.ones(300, 300)  # would wait for torch's threads for ever
            out, _, teams = written(2)
            sys.exit(17 if out == here and {asked.begin for asked in teams} == {0} and product[0, 0] == 300 else 1)

        assert self.ended(child) == 17
        assert torch.get_num_threads() == 2
        assert written(2)[0] == here

    def test_a_child_of_a_child(self):
        written(2)
        assert self.ended(lambda: sys.exit(self.ended(lambda: sys.exit(len(written(2)[0]))))) == 40
