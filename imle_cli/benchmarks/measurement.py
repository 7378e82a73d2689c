"""Figures of a table, and the threads that they are measured on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from imle_cli.benchmarks.rounds import Estimate


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        subject: what is measured.
        means: with what.
        figure: what came out.
        unit: its unit.
        ratio: how many times better than ``reference`` it is, in this run.
        reference: the way that it is compared with, measured by turns with it.
    """

    subject: str
    means: str
    figure: Estimate
    unit: str
    ratio: Estimate | None = None
    reference: str | None = None

    @property
    def settled(self) -> bool:
        """True where the interval of the ratio is narrow, or that of the figure where there is no ratio."""
        return (self.ratio or self.figure).settled

    @property
    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        figure, ratio = self.figure, self.ratio
        return {
            "subject": self.subject,
            "means": self.means,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "unit": self.unit,
            "ratio": ratio and ratio.value,
            "ratio_low": ratio and ratio.low,
            "ratio_high": ratio and ratio.high,
            "reference": self.reference,
            "settled": self.settled,
        }


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
