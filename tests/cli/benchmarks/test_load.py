"""The load, from counters and clocks that are given."""

import os

import pytest

from imle_cli.benchmarks import load


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Sets what the system says: columns of /proc/stat in ticks of 10 ms, own seconds, the time, and the load."""
    ticks = tmp_path / "stat"
    monkeypatch.setattr(load, "_TICKS", ticks)
    monkeypatch.setattr(load.os, "sysconf", lambda _: 100, raising=False)
    monkeypatch.setattr(load.os, "cpu_count", lambda: 2)

    def say(columns, own, now, average):
        ticks.write_text(f"cpu  {' '.join(map(str, columns))} 0 0\ncpu0 1 2 3\n")
        monkeypatch.setattr(load.os, "times", lambda: (own / 2, own / 4, own / 8, own / 8, 1e9))
        monkeypatch.setattr(load.time, "perf_counter", lambda: now)
        monkeypatch.setattr(load.os, "getloadavg", lambda: (average, 9.0, 9.0), raising=False)

    return say


def test_others_are_all_but_this_process_and_its_own(system):
    system([1000, 100, 200, 5000, 50, 10, 20, 30], 4.0, 100.0, 1.5)
    watch = load.LoadWatch()
    # Six columns of work grow by a second each, idling and waiting by more; three of these seconds are our own.
    system([1100, 200, 300, 9000, 5000, 110, 120, 130], 7.0, 110.0, 2.25)
    assert watch.record() == {"before": 1.5, "after": 2.25, "others": pytest.approx(3 / 20)}


@pytest.mark.parametrize(("own", "share"), [(0.0, 1.0), (1e6, 0.0)])
def test_a_share_is_one_in_spite_of_clocks_that_differ(own, share, system):
    system([0] * 8, 0.0, 0.0, 0.0)
    watch = load.LoadWatch()
    system([1000] * 8, own, 10.0, 0.0)
    assert watch.record()["others"] == share


def test_a_system_that_does_not_say(system, tmp_path, monkeypatch):
    system([0] * 8, 0.0, 0.0, 0.0)
    monkeypatch.setattr(load, "_TICKS", tmp_path / "none")
    monkeypatch.delattr(load.os, "getloadavg")
    found = load.LoadWatch().record()
    assert found == {"before": None, "after": None, "others": None}
    assert load.in_words(found) == ""


def test_a_load_that_cannot_be_had(monkeypatch):
    def fail():
        raise OSError

    monkeypatch.setattr(load.os, "getloadavg", fail, raising=False)
    assert load.LoadWatch().record()["before"] is None


def test_in_words():
    full = {"before": 0.54, "after": 2.0, "others": 0.314}
    assert load.in_words(full) == "0.5 processes before, 2.0 after; others took 31% of the processors meanwhile"
    assert load.in_words(full | {"after": None}) == "others took 31% of the processors meanwhile"
    assert load.in_words(full | {"others": None}) == "0.5 processes before, 2.0 after"


def test_this_machine():
    found = load.LoadWatch().record()
    assert list(found) == ["before", "after", "others"]
    assert found["others"] is None or 0 <= found["others"] <= 1
    assert (found["before"] is None) == (not hasattr(os, "getloadavg"))
