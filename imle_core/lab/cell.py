"""Figures of an estimator with one setting, and the question whether two settings differ by more than chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from imle_core.lab.accuracy import Accuracy
from imle_core.lab.estimate import IntervalEstimate, jackknife, symmetric

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Cell:
    """An estimator with its settings, and how good it is.

    Attributes:
        estimator: its name.
        lambda_: step of the target; None for an estimator without one, or that finds its own.
        beta: what an adaptive target settled at, the mean over instances; else None.
        temperature: of the noise, or of exact samples.
        nb_samples: samples of a gradient.
        accuracy: how good its gradients are, the mean over instances.
        calls: instances solved, or drawn exactly, for one gradient.
        seconds: time of one forward and backward pass for one instance.
        repetitions: independent gradients of each instance.
        by_instance: accuracy on each instance.
        is_best: whether it is the best of its estimator. Its repetitions are then others than those that chose it, among
            which the luckiest of many cells looks better than it is.
        edges: "lambdas" and "temperatures" of which it has the smallest or largest that was tried, where there were several,
            or up to which the error is not seen to rise; a better one may lie outside.
    """

    estimator: str
    lambda_: float | None
    beta: float | None
    temperature: float
    nb_samples: int
    accuracy: Accuracy
    calls: float
    seconds: float
    repetitions: int
    by_instance: tuple[Accuracy, ...]
    is_best: bool = False
    edges: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """Error times calls: what an unbiased estimator keeps when it draws more samples."""
        return self.accuracy.error * self.calls

    @property
    def rank(self) -> tuple[float, float]:
        """Smaller is better: the cost, and where that is infinite, alignment."""
        return self.cost, -self.accuracy.alignment


@dataclass(frozen=True)
class Skipped:
    """An estimator that does not apply.

    Attributes:
        estimator: its name.
        reason: why.
    """

    estimator: str
    reason: str


def best_cells(records: Sequence[Cell | Skipped]) -> list[Cell]:
    """The best cell of each estimator, estimators in order of cost."""
    return sorted((record for record in records if isinstance(record, Cell) and record.is_best), key=lambda cell: cell.rank)


def is_told_apart(cell: Cell, best: Cell) -> bool:
    """True where the errors of two cells at equal calls differ by more than chance, in 95 of 100 comparisons.

    Compared is the cell's alignment with what it would have to be for the other's cost, ``1/sqrt(1 + cost/calls)``, since
    both are finite and about normal. On several instances it is the difference of the two means that counts, whose error is
    that of the jackknife over instances: estimators are measured on the same ones, and what is common to both cancels. On a
    single one the interval of a difference is made of both intervals (MOVER: Zou and Donner 2008), as if independent.
    """
    difference = _difference(cell, best) if len(cell.by_instance) > 1 else _difference_of_one(cell, best)
    return not difference.low - _ROUNDING <= 0 <= difference.high + _ROUNDING


def _difference_of_one(cell: Cell, best: Cell) -> IntervalEstimate:
    """Alignment of a cell less the one with which it would have another's cost."""
    own, ends, ratio = cell.accuracy.alignment, best.accuracy.alignment, best.calls / cell.calls
    needed, lowest, highest = (_at_calls(value, ratio) for value in (ends, ends.low, ends.high))
    difference = own - needed
    below, above = math.hypot(own - own.low, highest - needed), math.hypot(own.high - own, needed - lowest)
    return IntervalEstimate(difference, max(below, above) / 2, difference - below, difference + above)


def _at_calls(alignment: float, ratio: float) -> float:
    """Alignment of an error that is ``ratio`` times as large."""
    return alignment / math.sqrt(alignment**2 + ratio * (1 - min(1.0, alignment**2))) if alignment > 0 else 0.0


def _difference(cell: Cell, best: Cell) -> IntervalEstimate:
    """Mean alignment of a cell on several instances, less the one with which it would have another's cost."""
    rows = [[float(accuracy.alignment) for accuracy in compared.by_instance] for compared in (cell, best)]
    own, rival = torch.tensor(rows, dtype=torch.float64)
    ratio, count = best.calls / cell.calls, len(own)

    def difference(a: Tensor, b: Tensor) -> float:
        return float(a.mean()) - _at_calls(float(b.mean()), ratio)

    subsets = [torch.arange(count) != left_out for left_out in range(count)]
    without = torch.tensor([difference(own[kept], rival[kept]) for kept in subsets], dtype=torch.float64)
    return symmetric(*jackknife(difference(own, rival), without), count - 1)
