"""Whole solutions of a problem, by how often they are sampled: numbers and words of each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from imle_cli.console import Lines, Table
from imle_cli.figures.percentages import percentages
from imle_cli.problems.problem import Masks, Problem
from imle_cli.problems.sampling import Sampling
from imle_core import DistinctSolutions, distinct_solutions

CAPACITY = 2**16
"""Number of solutions that are kept while they are counted."""

_LONGEST = 100  # letters of what a solution consists of, beyond which the table leaves that to JSON and pictures


@dataclass(frozen=True)
class WholeSolutions:
    """Different solutions of a problem, the most frequent first.

    Attributes:
        problem: the problem.
        record: solutions and shares.
        asked: number of solutions that were asked for.
    """

    problem: Problem
    record: DistinctSolutions
    asked: int

    @cached_property
    def masks(self) -> Masks:
        """The solutions, ``(K, *event)``."""
        return np.asarray(self.record.solutions.cpu().numpy(), dtype=np.uint8)

    @cached_property
    def sizes(self) -> list[int]:
        """Number of things that each consists of."""
        return [int(mask.sum()) for mask in self.masks]

    @cached_property
    def totals(self) -> list[float]:
        """Sum of the numbers of each."""
        return [self.problem.total(mask) for mask in self.masks]

    @property
    def new(self) -> list[int]:
        """Of each, how many things the most frequent one does not have."""
        return [int(((mask != 0) & (self.masks[0] == 0)).sum()) for mask in self.masks]

    @property
    def title(self) -> str:
        """Number and kind of the solutions, for a picture."""
        count, samples, kind = len(self.masks), f"{self.record.nb_samples:,}", self.problem.solutions
        if self.record.nb_distinct == 1:
            return f"all {samples} samples are the same" if self.record.nb_samples > 1 else "1 sample"
        if self.record.nb_distinct == count:
            return f"all {count} different {kind} of {samples}"
        return f"{count} most frequent of {samples} {kind}"

    @property
    def values(self) -> dict[str, Any]:
        """The solutions for JSON."""
        words, shares, errors = self.problem.words, self.record.shares.tolist(), self.record.standard_errors.tolist()
        solutions = [
            {
                "share": share,
                "standard_error": None if math.isnan(error) else error,
                words.extent: size,
                words.measure: total if math.isfinite(total) else None,
                words.chosen: self.problem.chosen(mask),
            }
            for share, error, size, total, mask in zip(shares, errors, self.sizes, self.totals, self.masks, strict=True)
        ]
        return {"distinct": self.record.nb_distinct, "largest_left_out": self.record.left_out, "solutions": solutions}

    @property
    def lines(self) -> Lines:
        """Number of solutions, and how much of the samples they are, for a reader."""
        record, count = self.record, len(self.masks)
        different = f"more than {CAPACITY:,}" if record.nb_distinct is None else f"{record.nb_distinct:,}"
        share = float(record.shares.sum())
        (together, left), _ = percentages([share, record.left_out], record.standard_errors.tolist(), 2)
        shown = f"{count}, together {together} of the samples; any other has at most {left}"
        if record.left_out == 0:
            shown = f"{count}, which are all" + (f": fewer than the {self.asked} asked for" if count < self.asked else "")
        lines = [("samples", f"{record.nb_samples:,}, {different} distinct"), ("shown", shown)]
        surely = int((record.shares > record.left_out).sum())
        if record.nb_distinct is None and surely < count:
            which = "none is surely among" if surely == 0 else f"only the first {surely} are surely among"
            lines.append(("note", f"{which} the most frequent; raise --samples, or lower --input-temp"))
        return lines

    def table(self, below: list[str]) -> Table:
        """A row for each solution, with lines below."""
        words = self.problem.words
        texts = [self.problem.chosen_text(mask) for mask in self.masks]
        shares, errors = percentages(self.record.shares.tolist(), self.record.standard_errors.tolist(), 2)
        header = ["rank", "share", "standard error", words.extent, words.measure, "not in 1st"]
        columns = [list(map(str, range(1, len(texts) + 1))), shares, errors, [f"{size}" for size in self.sizes]]
        columns += [[f"{total:.6g}" for total in self.totals], [f"{count}" for count in self.new]]
        figures = list(header)
        if max(map(len, texts)) <= _LONGEST:
            header, columns = [*header, words.things], [*columns, texts]
        return Table(header, list(zip(*columns, strict=True)), figures, below)


def draw_whole_solutions(problem: Problem, sampling: Sampling, most: int, observe: Callable[[int], None]) -> WholeSolutions:
    """The most frequent solutions among samples; ``observe`` is told how many of these are drawn, perhaps twice."""
    settings = sampling.settings | {"most": most, "capacity": max(CAPACITY, most), "observe": observe}
    (record,) = distinct_solutions(problem.solver, problem.theta, sampling.law, **settings)
    return WholeSolutions(problem, record, most)
