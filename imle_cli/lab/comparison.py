"""One comparison of estimators: everything that is measured, ready to be told and pictured."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from imle_cli.figures.comparison import ComparisonCurve, curves_of
from imle_core import AntitheticNoiseDistribution
from imle_core.estimators import ESTIMATORS
from imle_core.lab import (
    Accuracy,
    Cell,
    EstimatorSettings,
    Instance,
    IntervalEstimate,
    Skipped,
    best_cells,
    compare,
    is_told_apart,
    mean_of,
    measured_again,
    positive,
    ratio,
)

SAMPLES = {1: 300, 3: 200, 10: 100, 30: 100, 100: 50}
"""Numbers of samples, and repetitions of each."""

OPTIONS = {"lambdas": "--lambdas", "temperatures": "--temps"}
_ENDS = ("", "_standard_error", "_low", "_high")
_FIGURES = [field.name for field in fields(Accuracy)]


@dataclass(frozen=True)
class Comparison:
    """Everything that was measured.

    Attributes:
        cells: every estimator at every lambda and temperature.
        best: the best cell of each estimator, the best of all first.
        skipped: why the other estimators do not apply.
        temperature: at which lambdas and numbers of samples are compared.
        cosines: of each estimator at that temperature, with its best lambda there and with numbers of samples.
        antithetic: variance with antithetic pairs over that without, where it was asked for and the noise has pairs.
    """

    cells: Sequence[Cell]
    best: Sequence[Cell]
    skipped: Mapping[str, str]
    temperature: float
    cosines: Mapping[str, Mapping[int, IntervalEstimate]]
    antithetic: Mapping[str, IntervalEstimate]

    @property
    def alike(self) -> list[str]:
        """Estimators that are not told apart from the best."""
        return [cell.estimator for cell in self.best[1:] if not is_told_apart(cell, self.best[0])]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every cell, for a table."""
        return [_record(cell) for cell in self.cells]

    @property
    def values(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "cells": [{**_record(cell), "by_instance": _by_instance(cell)} for cell in self.cells],
            "best": [cell.estimator for cell in self.best],
            "alike": self.alike,
            "skipped": self.skipped,
            "temperature": self.temperature,
            **{f"cosines{end}": {name: _floats(row, end) for name, row in self.cosines.items()} for end in _ENDS},
            **{f"antithetic{end}": _floats(self.antithetic, end) for end in _ENDS},
        }

    @property
    def columns(self) -> dict[str, list[Any]]:
        """Every cell, as columns of a table."""
        return {name: [record[name] for record in self.records] for name in self.records[0]}

    @property
    def curves(self) -> dict[str, ComparisonCurve]:
        """Squared bias and variance against lambda, all at the same temperature."""
        order = [cell.estimator for cell in self.best]
        curves = curves_of(self.cells, self.temperature)
        return {name: curves[name] for name in order if name in curves}


def edge(cell: Cell) -> str:
    """Ends of what was tried at which a cell lies; nothing for one inside."""
    return " and ".join(f"at the edge of {OPTIONS[name]}" for name in cell.edges)


def make_comparison(
    instances: Sequence[Instance], settings: EstimatorSettings, antithetic: bool, advance: Callable[..., None]
) -> Comparison:
    """Measures every cell, then each estimator with other numbers of samples and, if wanted, with antithetic pairs.

    Args:
        instances: what is measured on.
        settings: what is measured.
        antithetic: whether to measure antithetic pairs.
        advance: is told how much is done, and what is going on.

    Raises:
        ValueError: antithetic pairs of noise that has none; a loss that cannot be used; a true gradient of 0.
    """
    paired = replace(settings, noise=AntitheticNoiseDistribution(settings.noise)) if antithetic else None  # type: ignore[arg-type]
    records: list[Cell | Skipped] = []
    names = settings.estimators or list(ESTIMATORS)
    for done, name in enumerate(names):
        advance(done, name)
        records += compare(instances, replace(settings, estimators=[name]))
    cells = [record for record in records if isinstance(record, Cell)]
    best, cosines, ratios = best_cells(cells), {}, {}
    for done, cell in enumerate(best):
        advance(len(names) + done, f"{cell.estimator}, samples")
        cosines[cell.estimator] = _cosines(instances, settings, cells, cell.estimator)
        if paired and not ESTIMATORS[cell.estimator].exact:
            pairs = measured_again(instances, replace(paired, repetitions=cell.repetitions), cell)
            if isinstance(pairs, Cell) and cell.accuracy.variance > 0:
                ratios[cell.estimator] = _variance_ratio(pairs, cell)
    reasons = {record.estimator: record.reason for record in records if isinstance(record, Skipped)}
    skipped = {name: reason for name, reason in reasons.items() if name not in cosines}
    return Comparison(cells, best, skipped, settings.shown, cosines, ratios)


def steps(settings: EstimatorSettings) -> int:
    """Amount of work of :func:`make_comparison`, in the numbers of which ``advance`` is told."""
    return 2 * len(settings.estimators or ESTIMATORS)


def _cosines(
    instances: Sequence[Instance], settings: EstimatorSettings, cells: Sequence[Cell], name: str
) -> dict[int, IntervalEstimate]:
    cosines = {}
    row = [cell for cell in cells if (cell.estimator, cell.temperature) == (name, settings.shown)]
    for samples, repetitions in SAMPLES.items() if row else ():
        changed = replace(settings, nb_samples=samples, repetitions=repetitions)
        record = measured_again(instances, changed, min(row, key=lambda cell: cell.rank))
        if isinstance(record, Cell):
            cosines[samples] = record.accuracy.cosine
    return cosines


def _variance_ratio(pairs: Cell, plain: Cell) -> IntervalEstimate:
    """Variance with pairs over that without, as if independent; over instances, the mean of their ratios."""
    both = zip(pairs.by_instance, plain.by_instance, strict=True)
    ratios = [ratio(paired.variance, single.variance) for paired, single in both if single.variance > 0]
    return ratios[0] if len(ratios) == 1 else mean_of(ratios, positive)


def _record(cell: Cell) -> dict[str, Any]:
    record: dict[str, Any] = {
        "estimator": cell.estimator,
        "lambda": cell.lambda_,
        "beta": cell.beta,
        "temperature": cell.temperature,
        "repetitions": cell.repetitions,
        "best": cell.is_best,
        "edge": edge(cell) or None,
    }
    for name in _FIGURES:
        record |= _parts(name, getattr(cell.accuracy, name))
    return {**record, "calls": cell.calls, "milliseconds": 1e3 * cell.seconds}


def _parts(name: str, estimate: IntervalEstimate | None) -> dict[str, float | None]:
    """An estimate, its standard error and the ends of its interval; None for what is infinite or not known."""
    return {f"{name}{end}": None if estimate is None else _finite(estimate, end) for end in _ENDS}


def _by_instance(cell: Cell) -> dict[str, list[float | None]]:
    """Figures and their standard errors on each instance."""
    rows = [
        {key: value for name in _FIGURES for key, value in _parts(name, getattr(accuracy, name)).items()}
        for accuracy in cell.by_instance
    ]
    return {key: [row[key] for row in rows] for key in rows[0] if not key.endswith(("_low", "_high"))}


def _finite(estimate: IntervalEstimate, end: str) -> float | None:
    """The estimate itself or, by the ``end`` of a key, its standard error or a side of its interval."""
    value = float(getattr(estimate, end[1:]) if end else estimate)
    return value if math.isfinite(value) else None


def _floats(estimates: Mapping[Any, IntervalEstimate], end: str) -> dict[str, float | None]:
    return {str(name): _finite(estimate, end) for name, estimate in estimates.items()}
