"""A training of a network on images under way: to a run directory, and back to go on."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from imle_cli.problems.noise import make_noise
from imle_cli.runs.network_recorder import NetworkRecorder
from imle_cli.runs.perception import PerceptionRun, Views
from imle_cli.runs.process_group import process_generator
from imle_cli.trainings.perception.experiment import (
    PerceptionData,
    PerceptionExperiment,
    describe,
    epoch_rows,
    make_untrained,
)
from imle_cli.trainings.perception.memory import keep_freed_memory
from imle_core.concurrency import process_group
from imle_core.kernels.notice import clock
from imle_core.perception import (
    Clock,
    ColourLookup,
    ColourTraining,
    PerceptionTraining,
    judge,
    make_method,
    plan,
)
from imle_core.solvers import GridPath

_VIEWS = 2  # maps that are recorded

AnyTraining: TypeAlias = PerceptionTraining | ColourTraining


@dataclass(kw_only=True)
class PerceptionRecorder(NetworkRecorder):
    """A training on images under way; its history is what the network predicts for a few maps."""

    experiment: PerceptionExperiment
    inputs: PerceptionData
    training: AnyTraining
    history: Views
    run: PerceptionRun | None = None

    RUN = PerceptionRun
    EXPERIMENT = PerceptionExperiment

    def __post_init__(self) -> None:
        self._judged, self._viewed = self.share(self.inputs.judged), self.inputs.judged.part(slice(_VIEWS))

    @classmethod
    def make(
        cls, experiment: PerceptionExperiment, inputs: PerceptionData, history: Views | None = None
    ) -> "PerceptionRecorder":
        """The training, and views of the first maps."""
        viewed, training = inputs.judged.part(slice(_VIEWS)), _training(experiment, inputs)
        views = Views(viewed.paths.numpy().astype("uint8"), viewed.images.numpy(), viewed.costs.numpy())
        return cls(experiment=experiment, inputs=inputs, training=training, history=history or views)

    @property
    def notes(self) -> list[str]:
        """Lines for a reader before the first step: what is wrong with the data set, too."""
        return super().notes + [
            f"note: {count} of the stored paths of {split}_ are not optimal under the stored costs; maps are judged by "
            "the costs"
            for split, count in self.inputs.non_optimal.items()
            if count
        ]

    def begin(self) -> None:
        """Keeps memory, and records the network as it is."""
        keep_freed_memory()
        super().begin()

    def look(self) -> tuple[Any, ...]:
        """Predicted costs and paths of the first maps."""
        plans = plan(self.training.network, self._viewed)
        return plans.costs.numpy(), plans.paths.numpy()

    def judge(self, epoch: int) -> None:
        """Adds the epoch's row, and keeps the network where it is the best so far."""
        began = clock()
        judgement = judge(plan(self.training.network, self._judged), self._judged)
        spent, record = clock() - began, self.training.epoch_record
        best = max(((row[1], -row[2]) for row in self.rows), default=(-1.0, 0.0))
        times = record.network_seconds, record.solver_seconds, record.noise_seconds, spent
        numbers = judgement.optimal, judgement.regret, judgement.exact_on_unique, record.loss, record.zeros
        self.rows.append((epoch, *numbers, record.seconds + spent, *times))
        if self.run is not None and (judgement.optimal, -judgement.regret) > best:
            self.run.save_best(self.training.network.state_dict(), epoch)

    def summary(self) -> dict[str, Any]:
        """Outcome, for JSON; the last network is judged on the test maps."""
        share = self.share(self.inputs.tested)
        judgement, learning = judge(plan(self.training.network, share), share), self.experiment.learning
        return describe(self.experiment, judgement) | {
            "data": str(self.experiment.data),
            "split": self.inputs.tested_split,
            "judged": self.inputs.split,
            "maps": self.inputs.counts,
            "non_optimal_paths": self.inputs.non_optimal,
            "epochs": epoch_rows(self.experiment, self.rows),
            "seconds": self.seconds,
            "seed": self.experiment.seed,
            "processes": process_group.size(),
            "samples": learning.nb_samples,
            "run": None if self.path is None else str(self.path),
        }


def _training(experiment: PerceptionExperiment, data: PerceptionData) -> AnyTraining:
    learning, network = experiment.learning, make_untrained(experiment)
    if isinstance(network, ColourLookup):
        return ColourTraining(network, data.train)
    clock, device = Clock(), next(network.parameters()).device
    generator = process_generator(experiment.seed, device)
    forward, backward = learning.temperatures
    method = make_method(
        learning.estimator,
        noise_distribution=make_noise(experiment.noise, GridPath().typical_ones(data.train.size)),
        nb_samples=learning.nb_samples,
        input_noise_temperature=forward,
        target_noise_temperature=backward,
        alpha=learning.alpha,
        beta=learning.beta,
        loss=learning.loss,
        generator=generator,
        clock=clock,
    )
    return PerceptionTraining(
        network,
        method,
        data.train,
        epochs=learning.epochs,
        batch=learning.batch,
        lr=learning.lr,
        augment=learning.augment,
        loss_reduction=learning.loss_reduction,
        seed=experiment.seed,
        generator=generator,
        clock=clock,
    )
