"""How measurements are made."""

import itertools

import pytest
import torch

from imle_cli.benchmarks import measurement
from imle_cli.benchmarks.measurement import fastest, in_a_turn, on_threads, threads_in_words


def test_fastest_takes_turns_after_one_call_each(monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    calls = []
    seconds = fastest(lambda: calls.append("a"), lambda: calls.append("b"), turn=0.0)
    assert calls == ["a", "b"] * 4
    assert all(0 < value < 1 for value in seconds)


def test_a_turn_of_a_quick_function_is_many_calls(monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    calls = []
    fastest(lambda: calls.append("a"), lambda: calls.append("b"), turn=0.001)
    changes = sum(one != other for one, other in itertools.pairwise(calls))
    assert changes == 7  # one call each, then three turns each
    assert len(calls) > 50


@pytest.mark.parametrize(("seconds", "number"), [(0.0, 1), (1e9, 40)])
def test_a_turn_holds_at_least_one_call_and_no_more_than_there_are(seconds, number, monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", seconds)
    assert in_a_turn(lambda: None, 40) == number


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
