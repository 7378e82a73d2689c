"""A grid of trainings of networks, over estimators and seeds."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from imle_cli.console import Table
from imle_cli.runs.networks import NetworkRun
from imle_cli.runs.sweep import SweepCell, SweepFolder

AXES = ("estimator", "seed")
LearningCurve = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class NetworkCell(SweepCell):
    """One training of a network."""

    AXES = AXES

    @property
    def name(self) -> str:
        """Name of its folder, by its point of the grid."""
        return f"{self.point['estimator']}-seed{self.point['seed']}"

    @property
    @abstractmethod
    def epochs(self) -> int:
        """Number of times that it sees each instance."""


SomeCell = TypeVar("SomeCell", bound=NetworkCell)


class NetworkSweep(SweepFolder[SomeCell], Generic[SomeCell]):
    """A sweep over trainings on a data set.

    Args:
        path: the folder; a new one under ``sweeps/`` if None.
        experiment: what the cells have in common.
        estimators: names of estimators and baselines.
        seeds: seeds.
        inputs: tells other data sets apart.

    Attributes:
        CELL: what the cells are.
        CURVE: column of the metrics that is drawn against seconds.
        FIGURES: columns of the table with the forms of their means; that of the first has deviations.
    """

    RUN: ClassVar[type[NetworkRun[Any]]]
    OTHER = "data set"
    CELL: ClassVar[type[NetworkCell]]
    CURVE: ClassVar[str]
    FIGURES: ClassVar[Mapping[str, tuple[str, str]]]

    def __init__(
        self, path: Path | None, experiment: Any, estimators: Sequence[str], seeds: Sequence[int], inputs: str
    ) -> None:
        self.estimators, self.seeds = list(estimators), list(seeds)
        cells: list[Any] = [
            self.CELL(experiment=replace(experiment, learning=replace(experiment.learning, estimator=name), seed=seed))
            for seed, name in product(seeds, estimators)
        ]
        super().__init__(path, experiment.name, cells, inputs)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The results, estimators in the order in which they were named."""
        return sorted(self.results.values(), key=lambda row: (self.estimators.index(row["estimator"]), row["seed"]))

    def of(self, estimator: str) -> list[dict[str, Any]]:
        """The results of an estimator, those that failed left out."""
        return [row for row in self.rows if row["estimator"] == estimator and not row["error"]]

    @property
    def curves(self) -> dict[str, LearningCurve]:
        """For each estimator seconds spent and the figure that is drawn after each epoch, means over seeds."""
        averages = {}
        for name in self.estimators:
            runs = [
                self.RUN.open(self.folder(cell)).all_epochs(cell.epochs)
                for cell in self.cells
                if cell.point["estimator"] == name and (self.folder(cell) / "summary.json").exists()
            ]
            if runs:
                seconds = np.mean([np.cumsum([self.spent(row) for row in rows]) for rows in runs], axis=0)
                figures = np.mean([[row[self.CURVE] for row in rows] for rows in runs], axis=0)
                averages[name] = seconds.tolist(), figures.tolist()
        return averages

    def spent(self, row: Mapping[str, Any]) -> float:
        """Seconds of an epoch."""
        return float(row["seconds"])

    def table(self, below: Sequence[str] = ()) -> Table:
        """Means over the seeds that have ended, and deviations of the first figure."""
        header = ["estimator", "supervision", *(title for title, _ in self.FIGURES.values())]
        return Table(header, [self._line(name) for name in self.estimators], header[2:], below)

    def _line(self, name: str) -> list[str]:
        """The line of an estimator."""
        finished = self.of(name)
        ended = f"{len(finished)}/{len(self.seeds)}" if len(finished) < len(self.seeds) else ""
        cells = [f"{name} {ended}".rstrip(), finished[0]["supervision"] if finished else ""]
        for number, (column, (_, form)) in enumerate(self.FIGURES.items()):
            values = [row[column] for row in finished if row[column] is not None]
            spread = f" ± {format(stdev(values), form)}" if number == 0 and len(values) > 1 else ""
            cells.append(format(fmean(values), form) + spread if values else "–")
        return cells

    def told(self, counts: str) -> str:
        """The line below the table: by which split networks were judged, too."""
        return f"judged on {self.split}_, means over seeds; {counts}"

    @property
    def split(self) -> str:
        """The split by which networks were judged at their ends."""
        return next((row["split"] for row in self.rows if not row["error"]), "test")

    def _enter(self, cell: SomeCell, summary: Any, error: str | None = None) -> None:
        epochs = summary.get("epochs")
        super()._enter(cell, {"zero_gradients": epochs[-1]["zero_gradients"] if epochs else None} | summary, error)
