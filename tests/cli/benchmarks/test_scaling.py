"""Curves: their places, what they are of, and positive times."""

import pytest
import torch

from imle_cli.benchmarks import measurement, rounds, scaling


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(rounds, "_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "_TURN", 0.0)
    monkeypatch.setattr(scaling, "_TILES", 64)


def check(curves, places):
    assert {curve.means: curve.values for curve in curves} == places
    assert len({(curve.subject, curve.against) for curve in curves}) == 1
    for curve in curves:
        assert len(curve.seconds) == len(curve.values)
        assert all(0 < seconds < 10 for seconds in curve.seconds)
        assert curve.intervals == (None,) * len(curve.values)  # of one round


def test_by_side_networkx_stops_early():
    curves = scaling.by_side(0, sides=(2, 4, 16), side_of_networkx=4)
    check(curves, {"GridPath": (2, 4, 16), "scipy": (2, 4, 16), "networkx": (2, 4)})
    assert (curves[0].subject, curves[0].against) == ("square maps, one thread", "side of a map in tiles")


def test_by_side_without_networkx():
    check(scaling.by_side(0, sides=(4,), side_of_networkx=2), {"GridPath": (4,), "scipy": (4,)})


def test_by_batch(monkeypatch):
    monkeypatch.setattr(rounds, "_SECONDS", 1e-3)
    curves = scaling.by_batch(0, batches=(1, 5), side=4)
    check(curves, {"GridPath": (1, 5), "scipy": (1, 5)})
    threads = measurement.threads_in_words(torch.get_num_threads())
    assert (curves[0].subject, curves[0].against) == (f"4x4 tiles, GridPath on {threads}", "maps in a call")


def test_points_have_the_intervals_of_a_map(monkeypatch):
    monkeypatch.setattr(scaling, "_typical", lambda *runs: [rounds.Estimate(6.0, 3.0, 12.0)] * len(runs))
    for curve in scaling.by_threads(0, counts=(1,), maps=3, side=4):
        assert curve.seconds[0] == 2 * curve.intervals[0][0] == curve.intervals[0][1] / 2
    assert scaling.by_threads(0, counts=(1,), maps=3, side=4)[0].intervals == ((1.0, 4.0),)


def test_by_threads_restores_them():
    before = torch.get_num_threads()
    curves = scaling.by_threads(0, counts=(1, 3), maps=6, side=4)
    check(curves, {"GridPath": (1, 3), "scipy": (1, 3)})
    assert (curves[0].subject, curves[0].against) == ("6 maps of 4x4 tiles", "threads")
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("processors", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_threads_double_up_to_the_number_of_processors(processors, counts, monkeypatch):
    monkeypatch.setattr(scaling.os, "cpu_count", lambda: processors)
    check(scaling.by_threads(0, maps=2, side=2), {"GridPath": counts, "scipy": counts})
