"""How measurements are made: figures, and ratios of runs that take turns."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

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


def fastest(*runs: Callable[[], object]) -> list[float]:
    """Seconds of the fastest of several calls of each function, called by turns after one call each to warm up."""
    for run in runs:
        run()
    best, spent, turns = [float("inf")] * len(runs), 0.0, 0
    while turns < 3 or spent < _SECONDS * len(runs):
        for number, run in enumerate(runs):
            began = time.perf_counter()
            run()
            took = time.perf_counter() - began
            best[number], spent = min(best[number], took), spent + took
        turns += 1
    return best


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
