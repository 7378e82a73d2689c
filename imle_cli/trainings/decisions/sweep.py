"""A grid of trainings on decisions, over estimators and seeds: regret against seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from imle_cli.runs.decisions import DecisionRun
from imle_cli.runs.network_sweep import AXES, NetworkCell, NetworkSweep
from imle_cli.runs.sweep import TABLE
from imle_cli.trainings.decisions.experiment import DecisionExperiment, check_learners
from imle_cli.trainings.decisions.recorder import DecisionRecorder
from imle_core.decisions import FITTED

CURVES = "regret.png"


@dataclass(frozen=True, kw_only=True)
class DecisionCell(NetworkCell):
    """One training on decisions."""

    experiment: DecisionExperiment

    @property
    def epochs(self) -> int:
        """Number of times that it sees each instance: once, if it is computed."""
        learning = self.experiment.learning
        return 1 if learning.estimator in FITTED else learning.epochs

    def start(self, path: Path) -> DecisionRecorder:
        """Its training, which reads the data set."""
        return DecisionRecorder.start(self.experiment, path)


class DecisionSweep(NetworkSweep[DecisionCell]):
    """A sweep over trainings on decisions; arguments as for :class:`.NetworkSweep`.

    Raises:
        ValueError: an unknown estimator, or a data set that cannot be used.
    """

    RUN = DecisionRun
    CELL = DecisionCell
    CURVE = "regret"
    COLUMNS = (
        *AXES,
        *("supervision", "split", "regret", "worst_regret", "optimal", "solves", "zero_gradients", "training_seconds"),
        "error",
    )
    FIGURES: ClassVar[Mapping[str, tuple[str, str]]] = {
        "regret": ("regret", ".2%"),
        "worst_regret": ("worst regret", ".2%"),
        "optimal": ("optimal", ".1%"),
        "solves": ("solves", ",.0f"),
        "training_seconds": ("seconds", ".2f"),
    }
    FILES = (TABLE, CURVES)

    def __init__(
        self, path: Path | None, experiment: DecisionExperiment, estimators: Sequence[str], seeds: Sequence[int]
    ) -> None:
        check_learners("--estimators", estimators)
        self.baselines: dict[str, float] = {}
        super().__init__(path, experiment, estimators, seeds, experiment.read().digest)

    def spent(self, row: Mapping[str, Any]) -> float:
        """Seconds of training in an epoch."""
        return float(row["seconds"] - row["judging_seconds"])

    def draw(self) -> list[Path]:
        """Regret against seconds, once a cell has ended."""
        from imle_cli.figures.evaluation import regret_curves

        if not (curves := self.curves):
            return []
        count, levels = len(self.seeds), {name.replace("-", " "): regret for name, regret in self.baselines.items()}
        title = f"Regret against seconds, {self.cells[0].experiment.name}, {count} seed{'s' * (count > 1)}"
        judged = self.RUN.open(self.folder(self._ended[0])).config["judged"]
        return [self._draw(CURVES, regret_curves(curves, levels, title=title, split=judged))]

    def told(self, counts: str) -> str:
        """The line below the table: the baselines, too."""
        from imle_cli.trainings.decisions.experiment import beside

        known = f" {beside(self.baselines)}" if self.baselines else ""
        return f"judged on {self.split}_{known}, means over seeds; {counts}"

    @property
    def _ended(self) -> list[DecisionCell]:
        return [cell for cell in self.cells if (self.folder(cell) / "summary.json").exists()]

    def _enter(self, cell: DecisionCell, summary: Any, error: str | None = None) -> None:
        self.baselines = summary.get("baselines") or self.baselines
        super()._enter(cell, summary, error)
