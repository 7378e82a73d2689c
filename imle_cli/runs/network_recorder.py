"""A training of a network under way: to a run directory, and back to go on, whatever it learns from."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imle_cli.runs.directories import DAMAGED, RunError
from imle_cli.runs.networks import NetworkRun, Splits
from imle_cli.runs.recorder import Recorder
from imle_core.concurrency import process_group
from imle_core.estimators import steps_of_any_size
from imle_core.training import NetworkStep, NetworkTraining

_FIRST_EPOCH_VIEWS, _LATER_VIEWS = 40, 4  # records of an epoch


@dataclass(kw_only=True)
class NetworkRecorder(Recorder[NetworkStep]):
    """A training of a network under way; its history is what the network predicts for a few instances."""

    experiment: Any
    inputs: Splits[Any]
    training: Any
    history: Any
    run: NetworkRun[Any] | None = None

    SAVE_SECONDS = 10.0

    @abstractmethod
    def judge(self, epoch: int) -> None:
        """Adds the epoch's row, and keeps the network where it is the best so far."""

    @abstractmethod
    def look(self) -> tuple[Any, ...]:
        """Arrays for the history: what the network predicts at present."""

    @classmethod
    def read_again(cls, run: Any, experiment: Any) -> tuple[Any, Any]:
        """The data set, as it was when the run began, and the views."""
        try:
            data = experiment.read()
        except (ValueError, OSError) as error:
            raise RunError(run.path, f"config.json names a data set that cannot be used: {error}") from error
        if data.digest != run.config.get("inputs"):
            got = f"the data set in {str(experiment.data)!r} has changed since config.json was written"
            raise RunError(run.path, f"{got}; the run cannot go on with another")
        return data, run.history()

    @property
    def origin(self) -> dict[str, Any]:
        """In how many processes it was begun, and by which split epochs are judged."""
        return {"processes": process_group.size(), "judged": self.inputs.split}

    def share(self, instances: Any) -> Any:
        """This process's part of instances."""
        return instances.part(slice(process_group.rank(), None, process_group.size()))

    def load(self, path: Path, state: dict[str, Any], name: str) -> None:
        """Refuses the state of another number of processes, too."""
        if isinstance(self.training, NetworkTraining) and len(state["generators"]) != process_group.size():
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
        """Records the network as it is."""
        self._view()

    def make_step(self, records: Iterator[NetworkStep]) -> NetworkStep:
        """Judges the network at the end of an epoch, and records what it predicts after some steps."""
        with steps_of_any_size():  # the advice below an epoch tells them
            record = next(records)
        if record.ends_epoch:
            self.judge(record.epoch)
        self._view()
        return record

    def may_stop(self, record: NetworkStep) -> bool:
        """Several processes stop and save at the ends of epochs."""
        return process_group.size() == 1 or record.ends_epoch

    def _view(self) -> None:
        """Records what the network predicts, often in the first epoch, in which most happens."""
        step, length = self.training.step, self.training.steps_an_epoch
        every = -(-length // (_FIRST_EPOCH_VIEWS if step < length else _LATER_VIEWS))
        last = self.history.steps[-1] if self.history.steps else -1
        if self.run is None or step == last or (step % every and step < self.training.steps):
            return
        self.history.add(step, *self.look())
