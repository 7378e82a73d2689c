"""A grid of trainings on images, over estimators and seeds: accuracy against seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from imle_cli.runs.network_sweep import AXES, NetworkCell, NetworkSweep
from imle_cli.runs.perception import PerceptionRun
from imle_cli.runs.sweep import TABLE
from imle_cli.trainings.perception.experiment import PerceptionExperiment, check_estimators
from imle_cli.trainings.perception.recorder import PerceptionRecorder

CURVES = "accuracy.png"


@dataclass(frozen=True, kw_only=True)
class PerceptionCell(NetworkCell):
    """One training on images."""

    experiment: PerceptionExperiment

    @property
    def epochs(self) -> int:
        """Number of times that it sees each map: once, if it looks up mean colours."""
        learning = self.experiment.learning
        return 1 if learning.estimator == "mean-colour" else learning.epochs

    def start(self, path: Path) -> PerceptionRecorder:
        """Its training, which reads the data set."""
        return PerceptionRecorder.start(self.experiment, path)


class PerceptionSweep(NetworkSweep[PerceptionCell]):
    """A sweep over trainings on images; arguments as for :class:`.NetworkSweep`.

    Raises:
        ValueError: an unknown estimator, or a data set that cannot be used.
    """

    RUN = PerceptionRun
    CELL = PerceptionCell
    CURVE = "optimal"
    COLUMNS = (
        *AXES,
        *("supervision", "split", "optimal", "regret", "exact_on_unique", "zero_gradients", "seconds", "error"),
    )
    FIGURES: ClassVar[Mapping[str, tuple[str, str]]] = {
        "optimal": ("optimal", ".1%"),
        "regret": ("regret", ".3%"),
        "exact_on_unique": ("exact on unique", ".1%"),
        "zero_gradients": ("zero gradients", ".1%"),
        "seconds": ("seconds", ".1f"),
    }
    FILES = (TABLE, CURVES)

    def __init__(
        self, path: Path | None, experiment: PerceptionExperiment, estimators: Sequence[str], seeds: Sequence[int]
    ) -> None:
        check_estimators("--estimators", estimators)
        super().__init__(path, experiment, estimators, seeds, experiment.read().digest)

    def draw(self) -> list[Path]:
        """Accuracy against seconds, once a cell has ended."""
        from imle_cli.figures.evaluation import accuracy_curves

        if not (curves := self.curves):
            return []
        count = len(self.seeds)
        title = f"Accuracy against seconds, {self.cells[0].experiment.name}, {count} seed{'s' * (count > 1)}"
        return [self._draw(CURVES, accuracy_curves(curves, title=title, split=self.split))]
