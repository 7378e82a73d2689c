"""Rounds in which functions take turns, until the ratios of their times are known well or their own time is up.

Every round gives each function one turn, so that whatever else the machine does meets all of them; its time is the mean of
the calls of that turn. A median of them, or the fastest, would favour short calls, which interruptions often spare, over
long ones, which they never do. Estimates are medians over rounds: of times, or of what is computed from the times of a
round, such as the ratio of two. Their intervals are free of any distribution: of n values, the k-th smallest and the k-th
largest hold the true median between them with 95% or more, by the binomial distribution. Six rounds are the fewest that have
such an interval. How wide intervals are decides when rounds end; where they lie does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, median
from time import perf_counter
from typing import TypeAlias

_TURN = 0.01  # seconds, at least, of a function's turn
_SECONDS = 2.0  # of rounds, at most, unless those who measure have more or less patience
_NARROW = 1.1  # times its lower end is the upper end of an interval that is narrow
_MISSES = 20  # intervals of which one at most may miss what it estimates


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: the median of what was measured.
        low: lower end of the interval of 95%; None where too little was measured for one.
        high: its upper end, likewise.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def settled(self) -> bool:
        """True where there is an interval, and it is narrow."""
        return self.low is not None and self.high is not None and self.high <= _NARROW * self.low

    def times(self, factor: float) -> "Estimate":
        """Multiplied by a positive number."""
        low, high = (None if end is None else factor * end for end in (self.low, self.high))
        return Estimate(factor * self.value, low, high)

    def rate(self, count: float = 1.0) -> "Estimate":
        """A positive number of things in this time of them all, as things to a second."""
        low, high = (None if end is None else count / end for end in (self.high, self.low))
        return Estimate(count / self.value, low, high)


def exactly(value: float) -> Estimate:
    """A number that was counted, and comes out the same each time."""
    return Estimate(value, value, value)


def estimate(values: Sequence[float]) -> Estimate:
    """The median of values, and the interval of the true one."""
    ordered, rank = sorted(values), _rank(len(values))
    return Estimate(median(ordered), *((ordered[rank - 1], ordered[-rank]) if rank else ()))


@dataclass(frozen=True)
class After:
    """A function that is timed right after a call of ``before``, which is not.

    Attributes:
        before: comes before each call.
        run: what is timed.
    """

    before: Callable[[], object]
    run: Callable[[], object]


@dataclass(frozen=True)
class SelfTimed:
    """A function that gives the seconds of what it measured itself, such as the first call in a process of its own."""

    run: Callable[[], float]


Run: TypeAlias = Callable[[], object] | After | SelfTimed


@dataclass(frozen=True)
class Rounds:
    """Times that were measured by turns.

    Attributes:
        times: seconds of a call of each function, one tuple a round.
    """

    times: Sequence[tuple[float, ...]]

    def of(self, compute: Callable[..., float]) -> Estimate:
        """Estimate of what ``compute`` gives of the seconds of a round, one argument for each function."""
        return estimate([compute(*seconds) for seconds in self.times])

    def seconds(self, number: int = 0) -> Estimate:
        """Time of a call of the function with this number."""
        return estimate([seconds[number] for seconds in self.times])

    def ratio(self, slow: int, fast: int) -> Estimate:
        """The number of times as long as the second function that the first takes."""
        return estimate([seconds[slow] / seconds[fast] for seconds in self.times])

    @property
    def settled(self) -> bool:
        """True where every ratio to the first function is; of a function alone, where its time is."""
        if not self.times:
            return False
        rivals = range(1, len(self.times[0]))
        return all(self.ratio(rival, 0).settled for rival in rivals) if rivals else self.seconds().settled


def in_rounds(*runs: Run, patience: float = 1.0, turn: float | None = None, warm_up: bool = True) -> Rounds:
    """Measures functions by turns until all ratios to the first are settled; there is one round at least.

    Args:
        runs: what is measured.
        patience: of the usual seconds; no round begins that would probably end later.
        turn: seconds of a turn, at least one call, as many as fit; the first of several is not counted, since it pays for
            what others have left in the caches. None for the usual hundredth of a second.
        warm_up: whether each is called once before, so that no time has compiling in it.
    """
    if warm_up:
        for run in runs:
            _seconds(run)
    shortest, limit = _TURN if turn is None else turn, patience * _SECONDS
    times: list[tuple[float, ...]] = []
    began = perf_counter()
    while not Rounds(times).settled:
        spent = perf_counter() - began
        if times and spent + spent / len(times) > limit:
            break
        times.append(tuple(_turn(run, shortest) for run in runs))
    return Rounds(times)


def in_a_turn(run: Callable[[], object], limit: int) -> int:
    """Number of calls of ``run``, from 1 to ``limit``, that fit into a turn."""
    run()
    return max(1, min(limit, int(_TURN / _seconds(run))))


def _turn(run: Run, shortest: float) -> float:
    """Seconds of a call, in a turn of so many seconds."""
    taken: list[float] = []
    began = perf_counter()
    while not taken or perf_counter() - began < shortest:
        taken.append(_seconds(run))
    return mean(taken[1:] or taken)


def _seconds(run: Run) -> float:
    """Seconds of one call."""
    if isinstance(run, SelfTimed):
        return run.run()
    timed = run
    if isinstance(run, After):
        run.before()
        timed = run.run
    began = perf_counter()
    timed()  # type: ignore[operator]
    return perf_counter() - began


@cache
def _rank(count: int) -> int:
    """Rank from both ends of so many values between which the median lies with 95%; 0 where there are too few."""
    rank, ways, below = 0, 1, 1  # of 2**count ways to lie on the two sides of the median
    while 2 * below * _MISSES <= 2**count:
        rank += 1
        ways = ways * (count - rank + 1) // rank
        below += ways
    return rank
