"""A grid of trainings on images, over estimators and seeds: accuracy against seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from imle_cli.console import Table
from imle_cli.perception.experiment import PerceptionExperiment, check_estimators
from imle_cli.perception.recorder import PerceptionRecorder
from imle_cli.runs.perception import PerceptionRun
from imle_cli.runs.sweep import TABLE, SweepCell, SweepFolder

CURVES = "accuracy.png"
AXES = ("estimator", "seed")
_HEADER = ["estimator", "supervision", "optimal", "regret", "exact on unique", "zero gradients", "seconds"]
LearningCurve = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class PerceptionCell(SweepCell):
    """One training on images."""

    experiment: PerceptionExperiment

    AXES = AXES

    @property
    def name(self) -> str:
        """Name of its folder, by its point of the grid."""
        return f"{self.point['estimator']}-seed{self.point['seed']}"

    @property
    def epochs(self) -> int:
        """Number of times that it sees each map: once, if it looks up mean colours."""
        learning = self.experiment.learning
        return 1 if learning.estimator == "mean-colour" else learning.epochs

    def start(self, path: Path) -> PerceptionRecorder:
        """Its training, which reads the data set."""
        return PerceptionRecorder.start(self.experiment, path)


class PerceptionSweep(SweepFolder[PerceptionCell]):
    """A sweep over trainings on a data set.

    Args:
        path: the folder; a new one under ``sweeps/`` if None.
        experiment: what the cells have in common.
        estimators: names of estimators and baselines.
        seeds: seeds.

    Raises:
        ValueError: an unknown estimator, or a data set that cannot be used.
    """

    RUN = PerceptionRun
    COLUMNS = (
        *AXES,
        *("supervision", "split", "optimal", "regret", "exact_on_unique", "zero_gradients", "seconds", "error"),
    )
    FILES = (TABLE, CURVES)
    OTHER = "data set"

    def __init__(
        self, path: Path | None, experiment: PerceptionExperiment, estimators: Sequence[str], seeds: Sequence[int]
    ) -> None:
        check_estimators("--estimators", estimators)
        digest = experiment.read().digest
        self.estimators, self.seeds = list(estimators), list(seeds)
        cells = [
            PerceptionCell(experiment=replace(experiment, learning=replace(experiment.learning, estimator=name), seed=seed))
            for seed, name in product(seeds, estimators)
        ]
        super().__init__(path, experiment.name, cells, digest)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The results, estimators in the order in which they were named."""
        return sorted(self.results.values(), key=lambda row: (self.estimators.index(row["estimator"]), row["seed"]))

    def of(self, estimator: str) -> list[dict[str, Any]]:
        """The results of an estimator, those that failed left out."""
        return [row for row in self.rows if row["estimator"] == estimator and not row["error"]]

    @property
    def curves(self) -> dict[str, LearningCurve]:
        """For each estimator seconds spent and share of optimal maps after each epoch, means over seeds."""
        averages = {}
        for name in self.estimators:
            runs = [
                PerceptionRun.open(self.folder(cell)).all_epochs(cell.epochs)
                for cell in self.cells
                if cell.point["estimator"] == name and (self.folder(cell) / "summary.json").exists()
            ]
            if runs:
                seconds = np.mean([np.cumsum([row["seconds"] for row in rows]) for rows in runs], axis=0)
                optimal = np.mean([[row["optimal"] for row in rows] for rows in runs], axis=0)
                averages[name] = seconds.tolist(), optimal.tolist()
        return averages

    def table(self, below: Sequence[str] = ()) -> Table:
        """Means over the seeds that have ended, and deviations of the share."""
        rows = []
        for name in self.estimators:
            finished = self.of(name)

            def mean(column: str, form: str, finished: list[dict[str, Any]] = finished) -> str:
                values = [row[column] for row in finished if row[column] is not None]
                return format(fmean(values), form) if values else "–"

            shares = [row["optimal"] for row in finished]
            spread = f" ± {stdev(shares):.1%}" if len(shares) > 1 else ""
            ended = f"{len(finished)}/{len(self.seeds)}" if len(finished) < len(self.seeds) else ""
            rows.append(
                [
                    f"{name} {ended}".rstrip(),
                    finished[0]["supervision"] if finished else "",
                    mean("optimal", ".1%") + spread,
                    mean("regret", ".3%"),
                    mean("exact_on_unique", ".1%"),
                    mean("zero_gradients", ".1%"),
                    mean("seconds", ".1f"),
                ]
            )
        return Table(_HEADER, rows, _HEADER[2:], below)

    def draw(self) -> list[Path]:
        """Accuracy against seconds, once a cell has ended."""
        from imle_cli.figures.evaluation import accuracy_curves

        if not (curves := self.curves):
            return []
        count = len(self.seeds)
        title = f"Accuracy against seconds, {self.cells[0].experiment.name}, {count} seed{'s' * (count > 1)}"
        return [self._draw(CURVES, accuracy_curves(curves, title=title, split=self._split))]

    def told(self, counts: str) -> str:
        """The line below the table: by which maps networks were judged, too."""
        return f"judged on {self._split}_, means over seeds; {counts}"

    @property
    def _split(self) -> str:
        return next((row["split"] for row in self.rows if not row["error"]), "test")

    def _enter(self, cell: PerceptionCell, summary: Any, error: str | None = None) -> None:
        epochs = summary.get("epochs")
        super()._enter(cell, {"zero_gradients": epochs[-1]["zero_gradients"] if epochs else None} | summary, error)
