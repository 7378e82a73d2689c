"""A training of a network on decisions under way: to a run directory, and back to go on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from imle_cli.problems.noise import make_noise
from imle_cli.runs.decisions import DecisionRun, DecisionViews
from imle_cli.runs.network_recorder import NetworkRecorder
from imle_cli.runs.process_group import process_generator
from imle_cli.trainings.decisions.experiment import (
    DecisionData,
    DecisionExperiment,
    baselines,
    describe,
    epoch_rows,
    make_untrained,
    typical_size,
)
from imle_core.concurrency import process_group
from imle_core.decisions import DecisionFit, DecisionTraining, FittedCosts, judge, make_method, predict
from imle_core.kernels.notice import clock
from imle_core.training import Clock

_VIEWS = 2  # instances that are recorded


@dataclass(kw_only=True)
class DecisionRecorder(NetworkRecorder):
    """A training on decisions under way; its history is what the network predicts for a few instances."""

    experiment: DecisionExperiment
    inputs: DecisionData
    training: DecisionTraining | DecisionFit
    history: DecisionViews
    run: DecisionRun | None = None

    RUN = DecisionRun
    EXPERIMENT = DecisionExperiment

    def __post_init__(self) -> None:
        self._judged, self._viewed = self.share(self.inputs.judged), self.inputs.judged.part(slice(_VIEWS))

    @classmethod
    def make(
        cls, experiment: DecisionExperiment, inputs: DecisionData, history: DecisionViews | None = None
    ) -> "DecisionRecorder":
        """The training, and views of the first instances."""
        viewed, training = inputs.judged.part(slice(_VIEWS)), _training(experiment, inputs)
        views = DecisionViews(viewed.gold.float().numpy(), viewed.costs.float().numpy())
        return cls(experiment=experiment, inputs=inputs, training=training, history=history or views)

    @property
    def notes(self) -> list[str]:
        """Lines for a reader before the first step: what was stored in the data set, too."""
        stored = [f"note: {split}_ had no solutions; they were solved and stored" for split in self.inputs.stored]
        return super().notes + stored

    @cached_property
    def baselines(self) -> dict[str, float]:
        """Regret of the baselines on the test instances; all processes must ask."""
        return baselines(self.inputs.train, self.share(self.inputs.tested))

    def look(self) -> tuple[Any, ...]:
        """Predicted costs of the first instances."""
        return (predict(self.training.network, self._viewed).float().numpy(),)

    def judge(self, epoch: int) -> None:
        """Adds the epoch's row, and keeps the network where it is the best so far."""
        began = clock()
        quality = judge(self.training.network, self._judged, ties=False)
        spent, record = clock() - began, self.training.epoch_record
        best = min((row[1] for row in self.rows), default=float("inf"))
        numbers = quality.regret, quality.optimal, quality.mse, record.loss, record.zeros, record.solves
        times = record.seconds + spent, record.network_seconds, record.solver_seconds, record.noise_seconds, spent
        self.rows.append((epoch, *numbers, *times))
        if self.run is not None and quality.regret < best:
            self.run.save_best(self.training.network.state_dict(), epoch)

    def summary(self) -> dict[str, Any]:
        """Outcome, for JSON; the last network is judged on the test instances, beside the baselines."""
        quality = judge(self.training.network, self.share(self.inputs.tested))
        rows = epoch_rows(self.experiment, self.rows)
        return describe(self.experiment, quality) | {
            "baselines": self.baselines,
            "data": str(self.experiment.data),
            "split": self.inputs.tested_split,
            "judged": self.inputs.split,
            "instances": self.inputs.counts,
            "epochs": rows,
            "solves": sum(row["solves"] for row in rows),
            "training_seconds": sum(row["seconds"] - row["judging_seconds"] for row in rows),
            "seconds": self.seconds,
            "seed": self.experiment.seed,
            "processes": process_group.size(),
            "run": None if self.path is None else str(self.path),
        }


def _training(experiment: DecisionExperiment, data: DecisionData) -> DecisionTraining | DecisionFit:
    learning, network = experiment.learning, make_untrained(experiment, data.train)
    if isinstance(network, FittedCosts):
        return DecisionFit(learning.estimator, network, data.train)  # type: ignore[arg-type]
    watch, device = Clock(), next(network.parameters()).device
    generator = process_generator(experiment.seed, device)
    method = make_method(
        learning.estimator,
        data.train,
        noise_distribution=make_noise(experiment.noise, typical_size(data.train)),
        nb_samples=learning.samples,
        input_noise_temperature=learning.input_temp,
        target_noise_temperature=learning.target_temp,
        alpha=learning.alpha,
        beta=learning.beta,
        loss=learning.loss,
        pool=learning.pool,
        generator=generator,
        clock=watch,
    )
    return DecisionTraining(
        network,
        method,
        data.train,
        epochs=learning.epochs,
        batch=learning.batch,
        lr=learning.lr,
        schedule=learning.schedule,
        loss_reduction=learning.loss_reduction,
        seed=experiment.seed,
        generator=generator,
        clock=watch,
    )
