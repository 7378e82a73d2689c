"""One configured training of a network on images: its options, its data set, its network."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from imle_cli.device import find_device
from imle_cli.files.datasets import non_optimal, read_maps, splits_in
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_names
from imle_cli.options.inputs import DeviceName, NoiseOptions
from imle_cli.options.learning import PerceptionOptions
from imle_cli.options.recorded import RunOptions
from imle_cli.problems.noise import noise_title
from imle_cli.runs.networks import Splits, read_splits
from imle_cli.runs.perception import PerceptionRun
from imle_core.estimators import ESTIMATORS
from imle_core.perception import SUPERVISION, ColourLookup, ImageMaps, Judgement, make_network


@dataclass(frozen=True)
class PerceptionExperiment(RunOptions):
    """Everything that a training's result depends on."""

    data: Path
    learning: PerceptionOptions
    noise: NoiseOptions
    seed: int
    device: DeviceName

    def __post_init__(self) -> None:
        check_estimators("--estimator", [self.learning.estimator])

    @property
    def name(self) -> str:
        """Name of the data set, after which a folder is called."""
        return self.data.resolve().name

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Lines that identify it, for a reader."""
        learning = self.learning
        forward, backward = learning.temperatures
        lines = [
            ("maps", str(self.data)),
            ("estimator", learning.estimator),
            ("learns from", SUPERVISION[learning.estimator]),
        ]
        if learning.estimator in ESTIMATORS:
            lines += [("noise", f"{noise_title(self.noise.noise)} at temperature {forward:g}, in the target {backward:g}")]
            lines += [("lambda", f"{learning.beta:g}")]
        return [*lines, ("epochs", f"{learning.epochs}, {learning.batch} maps a step"), ("seed", f"{self.seed}")]

    def read(self) -> "PerceptionData":
        """Reads the splits: validation maps judge epochs where there are some, test maps the end where there are some.

        Raises:
            SourceError: a data set that cannot be used.
        """
        return PerceptionData(*read_splits(self.data, splits_in, partial(read_maps, self.data), "maps"))


@dataclass(frozen=True)
class PerceptionData(Splits[ImageMaps]):
    """Maps of an experiment, read from files."""

    @property
    def digest(self) -> str:
        """Tells other data apart, wherever they are."""
        hashed = hashlib.sha256()
        for maps in (self.train, self.judged, self.tested):
            for array in (maps.images, maps.costs, maps.paths):
                hashed.update(array.numpy().tobytes())
        return hashed.hexdigest()

    @property
    def non_optimal(self) -> dict[str, int]:
        """Number of stored paths that are not optimal under the stored costs, by split."""
        return {split: non_optimal(maps) for split, maps in self.all.items()}


def check_estimators(option: str, names: Sequence[str]) -> None:
    """Refuses names of what cannot learn from images.

    Raises:
        UsageError: an unknown name, or an estimator that needs more of a solver than is known of paths on a grid.
    """
    check_names(option, names, SUPERVISION)
    for name in names:
        if name in ESTIMATORS and ESTIMATORS[name].exact:
            raise UsageError(
                f"{option}: {name} needs exact marginals, which are not known for paths on a grid; choose another estimator"
            )


def make_untrained(experiment: PerceptionExperiment) -> nn.Module:
    """The experiment's network with its first weights, where it is to compute."""
    learning = experiment.learning
    if learning.estimator == "mean-colour":
        return ColourLookup()
    return make_network(learning.network, experiment.seed).to(find_device(experiment.device))


@dataclass(frozen=True)
class Trained:
    """A network as a run has it.

    Attributes:
        experiment: how it was trained.
        network: the network.
        epoch: epochs that it has learned.
        rows: rows of the run's metrics.
    """

    experiment: PerceptionExperiment
    network: nn.Module
    epoch: int
    rows: list[tuple[Any, ...]]

    @classmethod
    def read(cls, path: Path, checkpoint: str, device: DeviceName) -> "Trained":
        """Reads the "last" or the "best" network of a run.

        Raises:
            RunError: no run, a damaged one, one of another command, or a checkpoint of another network.
        """
        run = PerceptionRun.open(path)
        experiment = replace(run.experiment(PerceptionExperiment), device=device)
        rows = run.metrics()
        network = make_untrained(experiment)
        epoch = run.load_network(network, checkpoint, experiment.learning.network)
        return cls(experiment, network, len(rows) if epoch is None else epoch, rows)


def describe(experiment: PerceptionExperiment, judgement: Judgement) -> dict[str, Any]:
    """The learner, its supervision, and the quality of its plans, for JSON."""
    learning = experiment.learning
    return {
        "estimator": learning.estimator,
        "supervision": SUPERVISION[learning.estimator],
        "network": "colour table" if learning.estimator == "mean-colour" else learning.network,
        "optimal": judgement.optimal,
        "regret": judgement.regret,
        "exact_on_unique": judgement.exact_on_unique,
        "unique_share": judgement.unique,
    }


def epoch_rows(experiment: PerceptionExperiment, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows of the metrics, for JSON."""
    name = experiment.learning.estimator
    return [
        {"estimator": name, "supervision": SUPERVISION[name]} | dict(zip(PerceptionRun.COLUMNS, row, strict=True))
        for row in rows
    ]
