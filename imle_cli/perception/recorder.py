"""A training of a network on images under way: to a run directory, and back to go on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import torch

from imle_cli.perception.experiment import (
    PerceptionData,
    PerceptionExperiment,
    check_estimators,
    describe,
    epoch_rows,
    make_untrained,
)
from imle_cli.perception.memory import keep_freed_memory
from imle_cli.problems.noise import make_noise
from imle_cli.runs.checkpoints import load
from imle_cli.runs.folder import DAMAGED, PREVIOUS, RunError, new_folder
from imle_cli.runs.perception import PerceptionRun, Views
from imle_core.concurrency import process_group
from imle_core.estimators import steps_of_any_size
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

_SAVE_SECONDS = 10.0
_VIEWS = 2  # maps that are recorded
_FIRST_EPOCH_VIEWS, _LATER_VIEWS = 40, 4  # records of an epoch

AnyTraining: TypeAlias = PerceptionTraining | ColourTraining


@dataclass
class PerceptionRecorder:
    """A training under way; the first process records it in its run directory, the others compute along.

    Attributes:
        run: where it is recorded; None in other processes than the first.
        experiment: what was asked.
        data: what it learns from.
        training: the training.
        views: what is recorded of a few maps.
        rows: rows of the metrics so far.
        seconds: time spent so far.
        fell_back: whether it goes on from the checkpoint before the last, which was damaged.
    """

    run: PerceptionRun | None
    experiment: PerceptionExperiment
    data: PerceptionData
    training: AnyTraining
    views: Views
    rows: list[tuple[Any, ...]]
    seconds: float = 0.0
    fell_back: bool = False

    def __post_init__(self) -> None:
        share = slice(process_group.rank(), None, process_group.size())
        self._judged, self._viewed = self.data.judged.part(share), self.data.judged.part(slice(_VIEWS))

    def __enter__(self) -> "PerceptionRecorder":
        return self

    def __exit__(self, *_: Any) -> None:
        if self.run is not None:
            self.run.release()

    @classmethod
    def start(cls, experiment: PerceptionExperiment, path: Path | None = None) -> "PerceptionRecorder":
        """Reads the data set, makes the run directory and saves the state before the first step.

        Without a path it is a new one under ``runs/``. No other process writes it until the recorder is left as a context.

        Raises:
            ValueError: a data set, an option or a run directory that cannot be used.
        """
        check_estimators("--estimator", [experiment.learning.estimator])
        data = PerceptionData.read(experiment.data)
        training = _training(experiment, data)
        viewed = data.judged.part(slice(_VIEWS))
        views = Views(viewed.images.numpy(), viewed.paths.numpy().astype("uint8"), viewed.costs.numpy())
        state = training.state_dict() | {"seconds": 0.0}
        run = None
        if process_group.rank() == 0:
            versions = {name: version(name) for name in ("imle", "torch", "numpy", "numba")}
            config = {
                "options": experiment.options,
                "inputs": data.digest,
                "processes": process_group.size(),
                "judged": data.split,
                "versions": versions,
            }
            run = PerceptionRun.create(path or new_folder(experiment.data.resolve().name), config, views.arrays(), state)
        return cls(run, experiment, data, training, views, [])

    @classmethod
    def resume(cls, path: Path) -> "PerceptionRecorder":
        """Goes to where a run stood when it was last saved, or if that is damaged, when it was saved before.

        No other process writes it until the recorder is left as a context.

        Raises:
            RunError: no run, a damaged one, or one whose data set has changed.
            FolderLockError: another process writes it.
            DataSetError: a data set that cannot be used.
        """
        run = PerceptionRun.open_to_write(path) if process_group.rank() == 0 else PerceptionRun.open(path)
        try:
            return cls._resumed(run)
        except BaseException:
            run.release()
            raise

    @classmethod
    def _resumed(cls, run: PerceptionRun) -> "PerceptionRecorder":
        path, experiment = run.path, run.made_of_options(PerceptionExperiment.from_options)
        try:
            data = PerceptionData.read(experiment.data)
        except (ValueError, OSError) as error:
            raise RunError(path, f"config.json names a data set that cannot be used: {error}") from error
        if data.digest != run.config.get("inputs"):
            got = f"the data set in {str(experiment.data)!r} has changed since config.json was written"
            raise RunError(path, f"{got}; the run cannot go on with another")
        views, training = run.views(), run.made_of_options(lambda _: _training(experiment, data))
        (state, name), _ = run.last_checkpoint(), process_group.gathered(None)  # once all have read it
        rows = run.rows(state, name)
        if isinstance(training, PerceptionTraining) and len(state["generators"]) != process_group.size():
            begun = f"{name} was begun in {len(state['generators'])} processes"
            raise RunError(path, f"{begun}, here are {process_group.size()}; start as many")
        try:
            load(training, state)
        except Exception as error:  # whatever a foreign state may lead to
            raise RunError(path, f"{name} does not fit config.json; {DAMAGED}") from error
        ended = training.step // training.steps_an_epoch
        if not ended <= len(rows) or not 0 <= training.step <= training.steps:
            got = f"{name} is in epoch {str(ended)[:20]} of {experiment.learning.epochs} in config.json"
            raise RunError(path, f"{got}, metrics.csv has {len(rows)}; {DAMAGED}")
        if name == PREVIOUS and process_group.rank() == 0:
            run.drop_last_checkpoint()
        kept, seen = run if process_group.rank() == 0 else None, views.until(training.step)
        return cls(kept, experiment, data, training, seen, rows[:ended], state["seconds"], name == PREVIOUS)

    def steps(self, stop: Callable[[], bool] = lambda: False) -> Iterator[PerceptionStep]:
        """Trains on, records, and saves now and then and at the end; ends early, saved, when ``stop()`` says so.

        Several processes can stop and save together only: they do so at the ends of epochs.
        """
        keep_freed_memory()
        began, saved = time.perf_counter() - self.seconds, time.perf_counter()
        alone = process_group.size() == 1
        whole = True  # between two steps; amid one, only the state that was saved last is of a piece
        try:
            records = iter(self.training)
            while self.training.step < self.training.steps:
                whole = False
                self._view()
                with steps_of_any_size():  # the advice below an epoch tells them
                    record = next(records)
                if record.ends_epoch:
                    self._judge(record.epoch)
                self.seconds = time.perf_counter() - began
                whole = True
                yield record
                if not (alone or record.ends_epoch):
                    continue
                if any(process_group.gathered(stop())):
                    break
                if not alone or time.perf_counter() - saved > _SAVE_SECONDS:
                    self.save()
                    saved = time.perf_counter()
            self._view()
        finally:
            if whole and alone:
                self.save()

    def save(self) -> None:
        """Writes metrics, history and checkpoint; in several processes all of them must call it."""
        state = self.training.state_dict() | {"seconds": self.seconds}
        if self.run is not None:
            self.run.save(self.views.arrays(), self.rows, state)

    def _view(self) -> None:
        """Records what the network predicts, often in the first epoch, in which most happens."""
        step, length = self.training.step, self.training.steps_an_epoch
        every = -(-length // (_FIRST_EPOCH_VIEWS if step < length else _LATER_VIEWS))
        last = self.views.steps[-1] if self.views.steps else -1
        if self.run is None or step == last or (step % every and step < self.training.steps):
            return
        plans = plan(self.training.network, self._viewed)
        self.views.add(step, plans.costs.numpy(), plans.paths.numpy())

    def _judge(self, epoch: int) -> None:
        """Adds the epoch's row, and keeps the network where it is the best so far."""
        began = time.perf_counter()
        found = judge(plan(self.training.network, self._judged), self._judged)
        spent, record = time.perf_counter() - began, self.training.epoch_record
        best = max(((row[1], -row[2]) for row in self.rows), default=(-1.0, 0.0))
        times = record.network_seconds, record.solver_seconds, record.noise_seconds, spent
        numbers = found.optimal, found.regret, found.exact_on_unique, record.loss, record.zeros
        self.rows.append((epoch, *numbers, record.seconds + spent, *times))
        if self.run is not None and (found.optimal, -found.regret) > best:
            self.run.save_best(self.training.network.state_dict(), epoch)

    @property
    def path(self) -> Path | None:
        """The run directory, in the first process."""
        return None if self.run is None else self.run.path

    @property
    def done(self) -> bool:
        """Whether the last step was made."""
        return self.training.step == self.training.steps

    def summary(self) -> dict[str, Any]:
        """What came out, for JSON; the last network is judged on the test maps. All processes must call it."""
        share = self.data.tested.part(slice(process_group.rank(), None, process_group.size()))
        found, learning = judge(plan(self.training.network, share), share), self.experiment.learning
        return describe(self.experiment, found) | {
            "data": str(self.experiment.data),
            "split": self.data.tested_split,
            "judged": self.data.split,
            "maps": {"train": len(self.data.train), self.data.split: len(self.data.judged)}
            | {self.data.tested_split: len(self.data.tested)},
            "non_optimal_paths": self.data.non_optimal,
            "epochs": epoch_rows(self.experiment, self.rows),
            "seconds": self.seconds,
            "seed": self.experiment.seed,
            "processes": process_group.size(),
            "samples": learning.nb_samples,
            "run": None if self.run is None else str(self.run.path),
        }


def _training(experiment: PerceptionExperiment, data: PerceptionData) -> AnyTraining:
    learning, network = experiment.learning, make_untrained(experiment)
    if isinstance(network, ColourLookup):
        return ColourTraining(network, data.train)
    clock, place = Clock(), next(network.parameters()).device
    # Each process draws noise of its own.
    generator = torch.Generator(place).manual_seed((experiment.seed + (process_group.rank() << 32)) % 2**63)
    forward, backward = learning.temperatures
    method = make_method(
        learning.estimator,
        noise_distribution=make_noise(experiment.noise, 1.3 * data.train.size[0]),
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
