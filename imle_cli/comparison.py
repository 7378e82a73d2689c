"""One comparison of estimators: everything that is measured, ready to be told and pictured."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from imle_cli.comparison_figures import Curve
from imle_core import AntitheticNoiseDistribution
from imle_core.alternatives import ESTIMATORS
from imle_core.lab import Cell, Settings, Skipped, best_cells, compare, measured_again
from imle_core.lab_problem import LabProblem
from imle_core.lab_reference import Reference

SAMPLES = (1, 3, 10, 30, 100)
_REPETITIONS = 100


@dataclass(frozen=True)
class Comparison:
    """What was found.

    Attributes:
        cells: every estimator at every lambda and temperature.
        best: the best cell of each estimator, the best of all first.
        skipped: why the other estimators do not apply.
        cosines: of each estimator at its best settings, with numbers of samples.
        antithetic: variance with antithetic pairs over that without, where it was asked for and the noise has pairs.
    """

    cells: Sequence[Cell]
    best: Sequence[Cell]
    skipped: Mapping[str, str]
    cosines: Mapping[str, Mapping[int, float]]
    antithetic: Mapping[str, float]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every cell, for JSON."""
        return [
            {
                "estimator": cell.estimator,
                "lambda": cell.lambda_,
                "beta": cell.beta,
                "temperature": cell.temperature,
                **{
                    name: value if value is None or math.isfinite(value) else None
                    for name, value in asdict(cell.accuracy).items()
                },
                "calls": cell.calls,
                "milliseconds": 1e3 * cell.seconds,
            }
            for cell in self.cells
        ]

    @property
    def values(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "cells": self.records,
            "best": [cell.estimator for cell in self.best],
            "skipped": self.skipped,
            "cosines": {name: {str(number): value for number, value in row.items()} for name, row in self.cosines.items()},
            "antithetic": self.antithetic,
        }

    @property
    def columns(self) -> dict[str, list[Any]]:
        """Every cell, as columns of a table."""
        return {name: [record[name] for record in self.records] for name in self.records[0]}

    @property
    def rows(self) -> list[list[str]]:
        """For a reader: each estimator at its best settings, the best first, then those that do not apply."""
        return [self._row(cell) for cell in self.best] + [
            [name, *[""] * 11, f"skipped: {reason}"] for name, reason in self.skipped.items()
        ]

    def _row(self, cell: Cell) -> list[str]:
        accuracy, notes = cell.accuracy, []
        if cell.beta is not None:
            notes.append(f"beta settles at {cell.beta:.2g}")
        if cell.estimator in self.antithetic:
            notes.append(f"antithetic pairs: {self.antithetic[cell.estimator]:.2g} times the variance")
        return [
            cell.estimator,
            "" if cell.lambda_ is None else f"{cell.lambda_:g}",
            f"{cell.temperature:g}",
            *(f"{value:.3g}" for value in (accuracy.bias, accuracy.variance, accuracy.mse, accuracy.error)),
            f"{accuracy.cosine:.2f}",
            f"{accuracy.zero_share:.0%}",
            "" if accuracy.sign_agreement is None else f"{accuracy.sign_agreement:.0%}",
            f"{cell.calls:g}",
            f"{1e3 * cell.seconds:.2g}",
            "; ".join(notes),
        ]

    @property
    def curves(self) -> dict[str, Curve]:
        """Bias and variance against lambda, at the temperature of each estimator's best cell."""
        found = {}
        for best in self.best:
            row = [cell for cell in self.cells if (cell.estimator, cell.temperature) == (best.estimator, best.temperature)]
            row = sorted((cell for cell in row if cell.lambda_), key=lambda cell: cell.lambda_ or 0.0)
            if len(row) > 1:
                lambdas = [cell.lambda_ or 0.0 for cell in row]
                bias, variance = [cell.accuracy.bias**2 for cell in row], [cell.accuracy.variance for cell in row]
                found[best.estimator] = Curve(lambdas, bias, variance, best.temperature)
        return found


def make_comparison(
    problem: LabProblem, settings: Settings, reference: Reference, antithetic: bool, advance: Callable[..., None]
) -> Comparison:
    """Measures every cell, then the best ones with other numbers of samples and, if wanted, with antithetic pairs.

    Args:
        problem: what is measured on.
        settings: what is measured.
        reference: the true gradient.
        antithetic: whether to measure antithetic pairs.
        advance: is told how much is done, and what is going on.

    Raises:
        ValueError: antithetic pairs of noise that has none; a loss that cannot be used; a true gradient of 0.
    """
    paired = replace(settings, noise=AntitheticNoiseDistribution(settings.noise)) if antithetic else None  # type: ignore[arg-type]
    records: list[Cell | Skipped] = []
    for record in compare(problem, settings, reference):
        records.append(record)
        advance(len(records), record.estimator)
    cosines: dict[str, dict[int, float]] = {}
    ratios: dict[str, float] = {}
    best = best_cells(records)
    for cell in best:
        advance(len(records) + len(SAMPLES) * len(cosines), f"{cell.estimator}, samples")
        cosines[cell.estimator] = _cosines(problem, settings, reference, cell)
        pairs = measured_again(problem, paired, reference, cell) if paired and not ESTIMATORS[cell.estimator].exact else None
        if isinstance(pairs, Cell) and cell.accuracy.variance > 0:
            ratios[cell.estimator] = pairs.accuracy.variance / cell.accuracy.variance
    cells = [record for record in records if isinstance(record, Cell)]
    reasons = {record.estimator: record.reason for record in records if isinstance(record, Skipped)}
    skipped = {name: reason for name, reason in reasons.items() if name not in cosines}
    return Comparison(cells, best, skipped, cosines, ratios)


def steps(settings: Settings) -> int:
    """How much :func:`make_comparison` has to do, in the numbers of which ``advance`` is told."""
    return len(settings.cells) + len(SAMPLES) * len(settings.estimators or ESTIMATORS)


def _cosines(problem: LabProblem, settings: Settings, reference: Reference, cell: Cell) -> dict[int, float]:
    found = {}
    for samples in SAMPLES:
        changed = replace(settings, nb_samples=samples, repetitions=_REPETITIONS)
        record = measured_again(problem, changed, reference, cell)
        if isinstance(record, Cell):
            found[samples] = record.accuracy.cosine
    return found
