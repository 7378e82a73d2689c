"""The making of measurements: figures, and ratios of runs that take turns."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

_TURN = 0.03  # seconds, at least, of a function's turn
_SECONDS = 0.4  # spent on each figure, at least three runs


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        subject: what is measured.
        means: with what.
        value: the figure.
        unit: its unit.
        ratio: how many times better than ``reference`` it is, in this run.
        reference: the slower way, measured by turns with it.
    """

    subject: str
    means: str
    value: float
    unit: str
    ratio: float | None = None
    reference: str | None = None


def fastest(*runs: Callable[[], object], turn: float | None = None) -> list[float]:
    """Seconds of the fastest call of each function, of calls by turns after one to warm up.

    A turn is one call, or as many as fit into a few hundredths of a second (or ``turn``, in seconds), of which the first
    pays for what the others have left in the caches.
    """
    shortest = _TURN if turn is None else turn
    for run in runs:
        run()
    best, spent, turns = [float("inf")] * len(runs), 0.0, 0
    while turns < 3 or spent < _SECONDS * len(runs):
        for number, run in enumerate(runs):
            began = now = time.perf_counter()
            while now == began or now - began < shortest:
                before = now
                run()
                now = time.perf_counter()
                best[number] = min(best[number], now - before)
            spent += now - began
        turns += 1
    return best


def in_a_turn(run: Callable[[], object], limit: int) -> int:
    """Number of calls of ``run``, from 1 to ``limit``, that fit into a quarter of the time spent on a figure."""
    run()
    began = time.perf_counter()
    run()
    return max(1, min(limit, int(_SECONDS / 4 / (time.perf_counter() - began))))


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Torch, and what follows it, on so many threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def threads_in_words(count: int) -> str:
    """A number of threads for a table."""
    return "one thread" if count == 1 else f"{count} threads"
