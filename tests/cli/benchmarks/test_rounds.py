"""Rounds: intervals against the binomial distribution, and turns by a clock that moves as it is told."""

import itertools
import math
import random

import pytest

from imle_cli.benchmarks import rounds
from imle_cli.benchmarks.rounds import After, Estimate, Rounds, SelfTimed, estimate, exactly, in_a_turn, in_rounds


class Clock:
    """A clock that stands still until something takes time."""

    def __init__(self):
        self.now = 0.0
        self.calls = []

    def taking(self, name, seconds):
        """A function that takes the next of these times, in a circle."""
        times = itertools.cycle(seconds)

        def run():
            self.calls.append(name)
            self.now += next(times)

        return run


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(rounds, "perf_counter", lambda: made.now)
    monkeypatch.setattr(rounds, "_TURN", 0.0)
    monkeypatch.setattr(rounds, "_SECONDS", 100.0)
    return made


def missed(count, rank):
    """Probability that the median of a distribution lies outside of the values of this rank from both ends."""
    return 2 * sum(math.comb(count, below) for below in range(rank)) / 2**count


class TestEstimate:
    @pytest.mark.parametrize("count", [6, 7, 8, 9, 12, 25, 100, 1100])
    def test_the_interval_is_the_narrowest_that_holds_the_median_with_95_per_cent(self, count):
        values = list(range(1, count + 1))
        random.Random(0).shuffle(values)
        made = estimate(values)
        rank = made.low
        assert made.high == count + 1 - rank
        assert missed(count, rank) <= 0.05 < missed(count, rank + 1)
        assert made.value == (count + 1) / 2

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_too_few_have_none(self, count):
        assert estimate([3.0] * count) == Estimate(3.0)
        assert not Estimate(3.0).settled

    def test_of_500_intervals_about_95_per_cent_hold_the_true_median_of_a_skewed_distribution(self):
        draw = random.Random(0)
        made = [estimate([draw.expovariate(1.0) for _ in range(15)]) for _ in range(500)]
        held = sum(one.low <= math.log(2) <= one.high for one in made)
        assert 0.95 <= held / 500 <= 0.985  # 15 values: 96.5%

    @pytest.mark.parametrize(
        ("low", "high", "settled"), [(10, 11, True), (10, 11.1, False), (-1, 1, False), (-2, -1, False)]
    )
    def test_a_narrow_one_is_settled(self, low, high, settled):
        assert Estimate((low + high) / 2, low, high).settled == settled

    def test_what_was_counted_is(self):
        assert exactly(0.0).settled
        assert exactly(92.5) == Estimate(92.5, 92.5, 92.5)

    def test_multiples_and_rates(self):
        made = Estimate(4.0, 2.0, 8.0)
        assert made.times(10) == Estimate(40.0, 20.0, 80.0)
        assert made.rate(16) == Estimate(4.0, 2.0, 8.0)
        assert Estimate(4.0).times(2) == Estimate(8.0)
        assert Estimate(4.0).rate() == Estimate(0.25)


class TestRounds:
    def test_ratios_are_those_of_each_round(self):
        made = Rounds([(seconds, 3 * seconds, 3 * seconds + 1) for seconds in (1.0, 50.0, 2.0, 8.0, 1.5, 9.0)])
        assert made.ratio(1, 0) == exactly(3.0)
        assert made.ratio(0, 1) == exactly(1 / 3)
        assert made.seconds(1) == Estimate(15.0, 3.0, 150.0)
        assert made.of(lambda _, second, third: third - second) == exactly(1.0)
        assert not made.settled
        assert Rounds([times[:2] for times in made.times]).settled
        assert not Rounds([times[:1] for times in made.times]).settled
        assert not Rounds([]).settled


class TestTurns:
    def test_they_end_as_soon_as_every_ratio_is_settled(self, clock):
        runs = [clock.taking(name, [seconds]) for name, seconds in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
        made = in_rounds(*runs)
        assert clock.calls == ["a", "b", "c"] * 7  # one to warm up, then six rounds
        assert made.times == [(1.0, 2.0, 3.0)] * 6

    def test_they_go_on_until_ratios_are_narrow(self, clock):
        made = in_rounds(clock.taking("a", [1.0]), clock.taking("b", [2.0, 3.0, 2.0, 2.0]), patience=10)
        assert made.settled
        assert made.ratio(1, 0).value == 2.0
        assert 6 < len(made.times) < 30
        assert not Rounds(made.times[:-1]).settled

    def test_they_end_before_their_time_is_up_where_ratios_stay_wide(self, clock):
        made = in_rounds(clock.taking("a", [1.0]), clock.taking("b", [1.0, 3.0]))
        assert not made.settled
        assert sum(map(sum, made.times)) == pytest.approx(100, abs=3)
        assert sum(map(sum, made.times)) <= 100
        assert len(in_rounds(clock.taking("a", [1.0]), clock.taking("b", [1.0, 3.0]), patience=0.5).times) < 18

    def test_there_is_one_at_least_and_none_that_would_be_late(self, clock):
        assert len(in_rounds(clock.taking("a", [1e6])).times) == 1
        clock.calls.clear()
        assert len(in_rounds(clock.taking("a", [30.0]), warm_up=False).times) == 3
        assert clock.calls == ["a"] * 3

    def test_a_turn_is_many_calls_of_a_quick_function_and_the_first_is_not_counted(self, clock):
        made = in_rounds(clock.taking("a", [0.25, 0.5, 0.25, 0.25, 0.25]), clock.taking("b", [1.0]), turn=1.0, patience=0.0)
        assert "".join(clock.calls) == "ab" + "aaa" + "b"
        assert made.times == [(0.25, 1.0)]

    def test_what_comes_before_a_call_is_not_timed(self, clock):
        run = After(clock.taking("before", [5.0]), clock.taking("run", [1.0]))
        assert in_rounds(run).times == [(1.0,)] * 6
        assert clock.calls == ["before", "run"] * 7

    def test_a_function_may_say_itself_what_it_took(self, clock):
        assert in_rounds(SelfTimed(lambda: 7.0), clock.taking("a", [14.0])).ratio(1, 0) == exactly(2.0)


@pytest.mark.parametrize(("seconds", "number"), [(5.0, 1), (0.1, 10), (0.001, 40)])
def test_a_turn_holds_at_least_one_call_and_no_more_than_there_are(seconds, number, clock, monkeypatch):
    monkeypatch.setattr(rounds, "_TURN", 1.0)
    assert in_a_turn(clock.taking("a", [seconds]), 40) == number
    assert clock.calls == ["a", "a"]
