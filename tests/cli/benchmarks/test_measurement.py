"""Figures as records, and threads that are restored."""

import pytest
import torch

from imle_cli.benchmarks.measurement import Row, on_threads, threads_in_words
from imle_cli.benchmarks.rounds import Estimate, exactly


def test_a_record_has_the_intervals_of_both():
    row = Row("maps", "fast", Estimate(2.0, 1.0, 3.0), "maps/s", Estimate(10.0, 9.9, 10.1), "slow")
    assert row.record == {
        "subject": "maps",
        "means": "fast",
        "value": 2.0,
        "low": 1.0,
        "high": 3.0,
        "unit": "maps/s",
        "ratio": 10.0,
        "ratio_low": 9.9,
        "ratio_high": 10.1,
        "reference": "slow",
        "settled": True,
    }


def test_without_a_ratio_the_figure_decides():
    once, counted = Row("maps", "fast", Estimate(2.0), "s"), Row("maps", "rows", exactly(2.0), "%")
    assert (once.settled, counted.settled) == (False, True)
    assert {name: once.record[name] for name in ("low", "ratio", "ratio_low", "ratio_high")} == dict.fromkeys(
        ("low", "ratio", "ratio_low", "ratio_high")
    )
    assert not Row("maps", "fast", exactly(2.0), "s", Estimate(2.0, 1.0, 3.0), "slow").settled


@pytest.mark.parametrize("count", [1, 3])
def test_threads_are_restored_after_an_error_too(count):
    before, inside = torch.get_num_threads(), []

    def fail():
        with on_threads(count):
            inside.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (inside, torch.get_num_threads()) == ([count], before)


def test_threads_in_words():
    assert [threads_in_words(1), threads_in_words(3)] == ["one thread", "3 threads"]
