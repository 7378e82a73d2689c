"""Crossovers: the arithmetic of times that are known, ways that are really taken, and real times on small problems."""

import pytest
import torch

from grids import kernel_calls
from imle_cli.benchmarks import crossovers, rounds
from imle_core.kernels.vectors import LANES
from imle_core.solvers import Tuning

USED = Tuning()


@pytest.fixture
def taking(monkeypatch):
    """Makes all measurements give times that a function computes from the solvers' tunings and the number of maps."""

    def take(seconds):
        def timed(*runs):
            return [seconds(run.func.tuning, len(run.args[0])) for run in runs]

        monkeypatch.setattr(crossovers, "_typical", timed)

    return take


@pytest.fixture
def asked(monkeypatch):
    """Kernels that the measured runs call, each run once."""
    monkeypatch.setattr(crossovers, "_typical", lambda *runs: [1.0 for run in runs if run() is not None])
    return kernel_calls(monkeypatch)


class TestArithmetic:
    @pytest.mark.slow
    def test_a_vector_that_takes_as_long_as_seven_maps(self, taking):
        taking(lambda tuning, count: 7e-6 if tuning.medium_tiles else count * 1e-6)
        rows = list(crossovers.fewest_side_by_side(0, sides=(8, 64, 96, 97)))
        assert [row.number for row in rows] == ["fewest_small", "fewest_small", "fewest_medium", "medium_tiles"]
        assert [row.measured for row in rows] == pytest.approx([7.0] * 4)
        assert [row.in_use for row in rows] == [USED.fewest_small, USED.fewest_small, USED.fewest_medium, None]

    def test_a_vector_that_is_never_sooner(self, taking):
        taking(lambda tuning, count: 2.0 * count if tuning.medium_tiles else 1.0 * count)
        assert [row.measured for row in crossovers.fewest_side_by_side(0, sides=(8,))] == [None]

    @pytest.mark.parametrize(("start", "expected"), [(40.0, 64), (1.0, 4), (1e9, None)])
    def test_threads_that_cost_as_much_as_some_maps(self, taking, start, expected):
        def seconds(tuning, count):
            is_shared = 1 in (tuning.tiles_a_thread, tuning.tiles_a_thread_one_by_one)
            return count / 2 + start / 2 if is_shared else count

        taking(seconds)
        counts = (4, 16, 64, 128)
        rows = list(crossovers.tiles_a_thread(0, side=4, counts=counts, counts_one_by_one=counts))
        assert [row.measured for row in rows] == [expected and expected * 16 / 2] * 2
        assert [row.in_use for row in rows] == [USED.tiles_a_thread, USED.tiles_a_thread_one_by_one]

    def test_exact_labels(self, taking):
        # a map takes 10 by itself; a vector 20 by scaled labels, and 80 by exact ones
        def seconds(tuning, count):
            if not tuning.medium_tiles:
                return 10 * count
            return 20 * count / LANES + (10 * count if tuning.fewest_left else 80 * count / LANES)

        taking(seconds)
        left, share = crossovers.scaled_and_exact(0, side=4, groups=3)
        assert (left.number, left.in_use) == ("fewest_left", USED.fewest_left)
        assert left.measured == pytest.approx(8)
        assert (share.measured, share.in_use) == (pytest.approx(0.75), 0.5)


class TestWays:
    def test_few_and_many(self, asked):
        list(crossovers.fewest_side_by_side(0, sides=(4, 130)))
        assert asked == [("cheapest_paths", LANES), ("scaled_paths", LANES)] * 2

    def test_threads(self, asked):
        list(crossovers.tiles_a_thread(0, side=4, counts=(64,), counts_one_by_one=(8,)))
        assert [name for name, _ in asked] == ["scaled_paths"] * 2 + ["cheapest_paths"] * 3
        assert sorted(size for name, size in asked if name == "cheapest_paths") == [4, 4, 8]

    def test_scaled_labels_leave_all(self, asked):
        list(crossovers.scaled_and_exact(0, side=6, groups=3))
        count = 3 * LANES
        alone, left = ("cheapest_paths", count), ("scaled_paths", count)
        assert asked == [alone, left, ("exact_paths", count), left, alone]


def test_small_problems_in_earnest(monkeypatch):
    monkeypatch.setattr(rounds, "_SECONDS", 1e-3)
    monkeypatch.setattr(rounds, "_TURN", 1e-4)
    threads = torch.get_num_threads()
    rows = list(crossovers.fewest_side_by_side(0, sides=(6,)))
    rows += crossovers.tiles_a_thread(0, side=6, counts=(64,), counts_one_by_one=(2,))
    rows += crossovers.scaled_and_exact(0, side=6, groups=1)
    assert torch.get_num_threads() == threads
    assert len(rows) == 5
    assert all(row.measured is None or row.measured >= 0 for row in rows[:4])
    assert rows[4].measured is None or rows[4].measured <= 1
