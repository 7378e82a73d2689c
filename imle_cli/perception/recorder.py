"""A training of a network on images under way: to a run directory, and back to go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch

from imle_cli.perception.experiment import (
    PerceptionData,
    PerceptionExperiment,
    describe,
    epoch_rows,
    make_untrained,
)
from imle_cli.perception.memory import keep_freed_memory
from imle_cli.problems.noise import make_noise
from imle_cli.runs.directories import DAMAGED, RunError
from imle_cli.runs.perception import PerceptionRun, Views
from imle_cli.runs.recorder import Recorder
from imle_core.concurrency import process_group
from imle_core.estimators import steps_of_any_size
from imle_core.kernels.notice import clock
from imle_core.perception import (
    Clock,
    ColourLookup,
    ColourTraining,
    PerceptionStep,
    PerceptionTraining,
    judge,
    make_method,
    plan,
)
from imle_core.solvers import GridPath

_VIEWS = 2  # maps that are recorded
_FIRST_EPOCH_VIEWS, _LATER_VIEWS = 40, 4  # records of an epoch

AnyTraining: TypeAlias = PerceptionTraining | ColourTraining


@dataclass(kw_only=True)
class PerceptionRecorder(Recorder[PerceptionStep]):
    """A training on images under way; its history is what the network predicts for a few maps."""

    experiment: PerceptionExperiment
    inputs: PerceptionData
    training: AnyTraining
    history: Views
    run: PerceptionRun | None = None

    RUN = PerceptionRun
    EXPERIMENT = PerceptionExperiment
    SAVE_SECONDS = 10.0

    def __post_init__(self) -> None:
        share = slice(process_group.rank(), None, process_group.size())
        self._judged, self._viewed = self.inputs.judged.part(share), self.inputs.judged.part(slice(_VIEWS))

    @classmethod
    def read_again(cls, run: PerceptionRun, experiment: PerceptionExperiment) -> tuple[PerceptionData, Views]:
        """The data set, as it was when the run began, and the views."""
        try:
            data = experiment.read()
        except (ValueError, OSError) as error:
            raise RunError(run.path, f"config.json names a data set that cannot be used: {error}") from error
        if data.digest != run.config.get("inputs"):
            got = f"the data set in {str(experiment.data)!r} has changed since config.json was written"
            raise RunError(run.path, f"{got}; the run cannot go on with another")
        return data, run.history()

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

    @property
    def origin(self) -> dict[str, Any]:
        """In how many processes it was begun, and by which maps epochs are judged."""
        return {"processes": process_group.size(), "judged": self.inputs.split}

    def load(self, path: Path, state: dict[str, Any], name: str) -> None:
        """Refuses the state of another number of processes, too."""
        if isinstance(self.training, PerceptionTraining) and len(state["generators"]) != process_group.size():
            begun = f"{name} was begun in {len(state['generators'])} processes"
            raise RunError(path, f"{begun}, here are {process_group.size()}; start as many")
        super().load(path, state, name)

    def cut(self, path: Path, name: str) -> None:
        """Leaves out epochs that had not ended at the training's step, and views after it."""
        step, epochs = self.training.step, len(self.rows)
        ended = step // self.training.steps_an_epoch
        if not ended <= epochs or not 0 <= step <= self.training.steps:
            got = f"{name} is in epoch {str(ended)[:20]} of {self.experiment.learning.epochs} in config.json"
            raise RunError(path, f"{got}, metrics.csv has {epochs}; {DAMAGED}")
        self.rows, self.history = self.rows[:ended], self.history.until(step)

    def begin(self) -> None:
        """Keeps memory, and records the network as it is."""
        keep_freed_memory()
        self._view()

    def make_step(self, records: Iterator[PerceptionStep]) -> PerceptionStep:
        """Judges the network at the end of an epoch, and records what it predicts after some steps."""
        with steps_of_any_size():  # the advice below an epoch tells them
            record = next(records)
        if record.ends_epoch:
            self._judge(record.epoch)
        self._view()
        return record

    def may_stop(self, record: PerceptionStep) -> bool:
        """Several processes stop and save at the ends of epochs."""
        return process_group.size() == 1 or record.ends_epoch

    def _view(self) -> None:
        """Records what the network predicts, often in the first epoch, in which most happens."""
        step, length = self.training.step, self.training.steps_an_epoch
        every = -(-length // (_FIRST_EPOCH_VIEWS if step < length else _LATER_VIEWS))
        last = self.history.steps[-1] if self.history.steps else -1
        if self.run is None or step == last or (step % every and step < self.training.steps):
            return
        plans = plan(self.training.network, self._viewed)
        self.history.add(step, plans.costs.numpy(), plans.paths.numpy())

    def _judge(self, epoch: int) -> None:
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
        share = self.inputs.tested.part(slice(process_group.rank(), None, process_group.size()))
        judgement, learning = judge(plan(self.training.network, share), share), self.experiment.learning
        return describe(self.experiment, judgement) | {
            "data": str(self.experiment.data),
            "split": self.inputs.tested_split,
            "judged": self.inputs.split,
            "maps": {"train": len(self.inputs.train), self.inputs.split: len(self.inputs.judged)}
            | {self.inputs.tested_split: len(self.inputs.tested)},
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
    # Each process draws noise of its own.
    generator = torch.Generator(device).manual_seed((experiment.seed + (process_group.rank() << 32)) % 2**63)
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
