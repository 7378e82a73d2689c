"""A training under way: recorded in its run directory, saved now and then and at its end, and resumed from there."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from imle_cli.console import Report
from imle_cli.options.recorded import RunOptions
from imle_cli.runs.checkpoints import load
from imle_cli.runs.directories import CHECKPOINT, COMMANDS, DAMAGED, PREVIOUS, RunError, new_folder
from imle_cli.runs.folder import RunFolder
from imle_cli.runs.interruption import deferred_interruption
from imle_core.concurrency import process_group
from imle_core.contracts import Trainable
from imle_core.kernels.notice import clock

_LIBRARIES = ("imle", "torch", "numpy", "numba")
_SAVED = 20  # times what a save takes: so long it is to the next one, at least

Step = TypeVar("Step")
SomeRecorder = TypeVar("SomeRecorder", bound="Recorder[Any]")


@dataclass(kw_only=True)
class Recorder(ABC, Generic[Step]):
    """A training under way. Of several processes the first one records it, the others compute along.

    Attributes:
        experiment: what was asked.
        inputs: what it learns from; their ``digest`` tells other inputs apart.
        training: the training.
        history: what is recorded so far, for pictures; ``arrays()`` of it go to the disk.
        run: where it is recorded; None in other processes than the first.
        rows: rows of the metrics so far.
        seconds: time spent so far.
        fell_back: whether it goes on from the checkpoint before the last, which was damaged.
        RUN: what its run directory is.
        EXPERIMENT: what it can be asked.
        SAVE_SECONDS: shortest time between two saves.
    """

    experiment: RunOptions
    inputs: Any
    training: Trainable[Step]
    history: Any
    run: RunFolder[Any] | None = None
    rows: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    fell_back: bool = False

    RUN: ClassVar[type[RunFolder[Any]]]
    EXPERIMENT: ClassVar[type[RunOptions]]
    SAVE_SECONDS: ClassVar[float]

    @classmethod
    @abstractmethod
    def read_again(cls, run: Any, experiment: Any) -> tuple[Any, Any]:
        """The inputs and the history of a run; a RunError, if it is damaged, or its inputs have changed."""

    @classmethod
    @abstractmethod
    def make(cls: type[SomeRecorder], experiment: Any, inputs: Any, history: Any = None) -> SomeRecorder:
        """A training before its first step, with what was recorded since, if anything."""

    @abstractmethod
    def make_step(self, records: Iterator[Step]) -> Step:
        """Takes the next one of the training's records, and notes it in rows and history."""

    @abstractmethod
    def cut(self, path: Path, name: str) -> None:
        """Leaves out rows and history after the training's step; a RunError, if they lack some up to it.

        Args:
            path: the run directory, for messages.
            name: its checkpoint that has the step.
        """

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Outcome, for JSON. All processes must call it."""

    def begin(self) -> None:
        """Prepares the process for the steps."""

    def may_stop(self, record: Step) -> bool:  # noqa: ARG002
        """True where all processes can stop and save after this record."""
        return True

    @property
    def notes(self) -> list[str]:
        """Lines for a reader before the first step."""
        if self.run is None or not self.fell_back:
            return []
        text = f"{CHECKPOINT} was damaged; going on from the one before it, after {self.training.step} steps"
        return [f"note: {self.path}: {text}"]

    @property
    def origin(self) -> dict[str, Any]:
        """Entries of ``config.json`` besides options, inputs and versions."""
        return {}

    def state(self) -> dict[str, Any]:
        """Content of a checkpoint. All processes must call it."""
        return self.training.state_dict() | {"seconds": self.seconds}

    def load(self, path: Path, state: dict[str, Any], name: str) -> None:  # noqa: ARG002
        """Goes to a state, of the checkpoint ``name`` of the run ``path``; any error, if it is that of another training."""
        load(self.training, state)

    def __enter__(self: SomeRecorder) -> SomeRecorder:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.run is not None:
            self.run.release()

    @classmethod
    def start(cls: type[SomeRecorder], experiment: Any, path: Path | None = None, inputs: Any = None) -> SomeRecorder:
        """Makes the run directory and saves the state before the first step; reads the inputs if they are not given.

        Without a path it is a new one under ``runs/``. No other process writes it until the recorder is left as a context.

        Raises:
            ValueError: options, inputs or a run directory that cannot be used.
        """
        made = cls.make(experiment, experiment.read() if inputs is None else inputs)
        state = made.state()  # of all processes
        if process_group.rank() == 0:
            config = {"options": experiment.options, "inputs": made.inputs.digest, **made.origin}
            config["versions"] = {name: version(name) for name in _LIBRARIES}
            made.run = cls.RUN.create(path or new_folder(experiment.name), config, made.history.arrays(), state)
        return made

    @classmethod
    def resume(cls: type[SomeRecorder], path: Path) -> SomeRecorder:
        """Goes to where a run stood when it was last saved, or if that is damaged, when it was saved before.

        No other process writes it until the recorder is left as a context.

        Raises:
            RunError: no run, a damaged one, or one whose inputs have changed.
            FolderLockError: another process writes it.
        """
        run = cls.RUN.open_to_write(path) if process_group.rank() == 0 else cls.RUN.open(path)
        try:
            experiment = run.experiment(cls.EXPERIMENT)
            inputs, history = cls.read_again(run, experiment)
            made = run.made_of_options(lambda _: cls.make(experiment, inputs, history))
            (state, name), _ = run.last_checkpoint(), process_group.gathered(None)  # once all have read it
            made.rows = run.rows(state, name)
            made._go_to(path, state, name)
            made.cut(path, name)
            made.run = run if process_group.rank() == 0 else None
            made.seconds, made.fell_back = state["seconds"], name == PREVIOUS
            if made.run is not None and made.fell_back:
                (path / PREVIOUS).replace(path / CHECKPOINT)
        except BaseException:
            run.release()
            raise
        return made

    def _go_to(self, path: Path, state: dict[str, Any], name: str) -> None:
        try:
            self.load(path, state, name)
        except RunError:
            raise
        except Exception as error:  # whatever a foreign state may lead to
            raise RunError(path, f"{name} does not fit config.json; {DAMAGED}") from error

    def steps(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Trains on, records, and saves now and then and at the end; ends early, saved, when ``stop()`` says so.

        Several processes can stop and save together only, after records of which :meth:`may_stop` says so.
        """
        began, saved, cost = clock() - self.seconds, time.perf_counter(), 0.0
        alone = process_group.size() == 1
        self.begin()
        whole = True  # between two steps; amid one, only the state that was saved last is of a piece
        try:
            records = iter(self.training)
            while not self.training.done:
                whole = False
                record = self.make_step(records)
                self.seconds = clock() - began
                whole = True
                yield record
                if not self.may_stop(record):
                    continue
                if any(process_group.gathered(stop())):
                    break
                now = time.perf_counter()
                if not alone or now - saved > max(self.SAVE_SECONDS, _SAVED * cost):
                    self.save()
                    saved, cost = time.perf_counter(), time.perf_counter() - now
        finally:
            if whole and alone:
                self.save()

    def complete(self, console: Report, told: Callable[[Step], tuple[int, str]]) -> dict[str, Any]:
        """Makes the steps that are left; the summary, which the run directory gets, too.

        Args:
            console: gets notes, and a bar.
            told: number and text of a record in the bar.

        Raises:
            BaseException: a signal has ended it before; the run is saved.
        """
        for line in self.notes:
            console.note(line)
        with deferred_interruption() as stop, console.progress("training", self.training.steps) as advance:
            for record in self.steps(stop):
                advance(*told(record))
        if not self.training.done:
            made, command = self.training.step, COMMANDS[self.RUN.FORMAT]
            console.note(f"stopped after {made} steps; go on with: imle {command} --resume {self.path}")
            raise stop.end
        summary = self.summary()
        if self.run is not None:
            self.run.write_summary(summary)
        return summary

    def save(self) -> None:
        """Writes metrics, history and checkpoint; in several processes all of them must call it."""
        state = self.state()
        if self.run is not None:
            self.run.save(self.history.arrays(), self.rows, state)

    @property
    def path(self) -> Path | None:
        """The run directory, in the first process."""
        return None if self.run is None else self.run.path
