"""One configured training of a network on decisions: its options, its data set, its network."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from imle_cli.device import find_device
from imle_cli.files.decisions import has_solutions, read_decisions, splits_in, write_solutions
from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_names
from imle_cli.options.deciding import DecisionOptions, OwnProblemOptions
from imle_cli.options.inputs import DeviceName, NoiseOptions
from imle_cli.options.recorded import RunOptions
from imle_cli.runs.decisions import DecisionRun
from imle_cli.runs.networks import Splits, read_splits
from imle_cli.trainings.decisions.problem import problem_of
from imle_core.checks import in_short
from imle_core.concurrency import process_group
from imle_core.decisions import (
    BASELINES,
    FITTED,
    LEARNERS,
    DecisionFit,
    DecisionQuality,
    Decisions,
    FittedCosts,
    judge,
    make_cost_network,
    supervision,
    usual_loss,
)


@dataclass(frozen=True)
class DecisionExperiment(RunOptions):
    """Everything that a training's result depends on."""

    data: Path
    problem: OwnProblemOptions
    learning: DecisionOptions
    noise: NoiseOptions
    seed: int
    device: DeviceName

    def __post_init__(self) -> None:
        name, loss = self.learning.estimator, self.learning.loss
        check_learners("--estimator", [name])
        if loss is not None and usual_loss(name) is None:
            raise UsageError(f"--loss: got {loss}; {name} has a loss of its own; leave it out")

    @property
    def name(self) -> str:
        """Name of the data set, after which a folder is called."""
        return self.data.resolve().name

    @property
    def supervision(self) -> str:
        """What it learns from."""
        return supervision(self.learning.estimator, self.learning.loss)

    def read(self) -> "DecisionData":
        """Reads the splits, and stores best solutions of those that have none.

        Raises:
            SourceError: a data set that cannot be used.
        """
        solver, sense = problem_of(self.data, self.problem)
        fields = read_splits(
            self.data, splits_in, lambda split: read_decisions(self.data, split, solver, sense), "instances"
        )
        data = DecisionData(*fields)
        for split, decisions in data.all.items():
            for kind in ("features", "costs"):
                shape, wanted = (tuple(getattr(part, kind).shape[1:]) for part in (decisions, data.train))
                if shape != wanted:
                    raise SourceError(self.data, f"{split}_{kind} has shape {shape} an instance, train_{kind} {wanted}")
            if process_group.rank() == 0 and not has_solutions(self.data, split):
                with suppress(OSError):  # a folder that cannot be written is solved anew each time
                    write_solutions(self.data, split, decisions)
                    data.stored.append(split)
        return data


@dataclass(frozen=True)
class DecisionData(Splits[Decisions]):
    """Instances of an experiment, read from files.

    Attributes:
        stored: splits whose solutions were missing, and were stored.
    """

    stored: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Tells other data apart, wherever they are."""
        hashed = hashlib.sha256(f"{in_short(self.train.solver)} {self.train.sense}".encode())
        for decisions in (self.train, self.judged, self.tested):
            for array in (decisions.features, decisions.costs, decisions.gold):
                hashed.update(array.numpy().tobytes())
        return hashed.hexdigest()


def check_learners(option: str, names: Sequence[str]) -> None:
    """Refuses names of what cannot learn decisions.

    Raises:
        UsageError: an unknown name, or an estimator that needs more of a solver than is known of most.
    """
    from imle_core.estimators import ESTIMATORS

    for name in names:
        if name in ESTIMATORS and ESTIMATORS[name].exact:
            text = f"{name} needs exact marginals, which are not known for most solvers; choose another estimator"
            raise UsageError(f"{option}: {text}")
    check_names(option, names, [*LEARNERS, *BASELINES])


def make_untrained(experiment: DecisionExperiment, decisions: Decisions) -> nn.Module:
    """The experiment's network for a data set, with its first weights, where it is to compute."""
    learning = experiment.learning
    if learning.estimator in FITTED:
        return FittedCosts(decisions.features, decisions.costs.shape[1:])
    return make_cost_network(learning.network, decisions, experiment.seed).to(find_device(experiment.device))


def baselines(learned_from: Decisions, judged_by: Decisions) -> dict[str, float]:
    """Regret of networks that are fitted without a solver, by name."""
    regrets = {}
    for name in FITTED:
        network = FittedCosts(learned_from.features, learned_from.costs.shape[1:])
        list(DecisionFit(name, network, learned_from))  # type: ignore[arg-type]
        regrets[name] = judge(network, judged_by, ties=False).regret
    return regrets


def beside(regrets: dict[str, float]) -> str:
    """Baselines in words, for a reader."""
    least, mean = (f"{regrets[name]:.2%}" for name in ("least-squares", "mean-costs"))
    return f"(two-stage least squares {least}, mean costs {mean})"


def describe(experiment: DecisionExperiment, quality: DecisionQuality) -> dict[str, Any]:
    """The learner, its supervision, and the quality of its decisions, for JSON."""
    learning = experiment.learning
    return {
        "estimator": learning.estimator,
        "supervision": experiment.supervision,
        "network": "least squares" if learning.estimator in FITTED else learning.network,
        "regret": quality.regret,
        "worst_regret": quality.worst,
        "optimal": quality.optimal,
        "mse": quality.mse,
    }


def epoch_rows(experiment: DecisionExperiment, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows of the metrics, for JSON."""
    learner = {"estimator": experiment.learning.estimator, "supervision": experiment.supervision}
    return [learner | dict(zip(DecisionRun.COLUMNS, row, strict=True)) for row in rows]


def typical_size(decisions: Decisions) -> float:
    """Mean number of ones of a best decision, or sum of its entries, at least 1, after which noise is made."""
    return max(1.0, float(decisions.gold.abs().double().flatten(1).sum(dim=1).mean()))
