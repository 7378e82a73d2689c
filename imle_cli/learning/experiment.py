"""One configured training: options to a run directory, and back to go on."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import DeviceName, MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions
from imle_cli.options.recorded import from_recorded, recorded
from imle_cli.problems.gold import read_gold, read_weights
from imle_cli.problems.map import MapProblem, make_map_problem, read_map_problem
from imle_cli.problems.noise import make_noise
from imle_cli.runs.checkpoints import load
from imle_cli.runs.folder import DAMAGED, PREVIOUS, RunError, new_folder
from imle_cli.runs.training import History, Row, Run
from imle_core import Step, TargetDistribution, Training

_SAVE_SECONDS = 2.0  # between two saves; and at most a twentieth of the time goes into them
_COUNTS = ("clamped", "seen", "kept", "offered")  # of a solver, as far as it has them


@dataclass(frozen=True)
class TrainingExperiment:
    """Everything that a training's result depends on, and how often it is recorded."""

    place: MapOptions
    choice: MapSolverOptions
    noise: NoiseOptions
    learning: LearningOptions
    seed: int
    device: DeviceName
    record_every: int

    @property
    def options(self) -> dict[str, Any]:
        """Every option by its name, for JSON."""
        return recorded(self)

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> "TrainingExperiment":
        """The experiment that has these :attr:`options`.

        Raises:
            KeyError: an option is missing.
            ValueError: an option is of another type, none of its choices, or outside its range.
        """
        experiment = from_recorded(cls, options)
        check_at_least("--record-every", experiment.record_every, 1, "the usual value is 10")
        return experiment


@dataclass(frozen=True)
class Inputs:
    """What an experiment reads from files, or is given in their place.

    Attributes:
        costs: the map, ``(H, W)``.
        gold: the gold solution, ``(H, W)``.
        weights: weights to begin with, ``(H, W)``; random ones if None.
    """

    costs: NDArray[np.float64]
    gold: NDArray[np.uint8]
    weights: NDArray[np.float32] | None = None

    @classmethod
    def read(cls, experiment: TrainingExperiment) -> "Inputs":
        """Reads the files that the experiment's options name.

        Raises:
            ValueError: a map, gold path, or weights that cannot be used.
        """
        learning = experiment.learning
        problem = read_map_problem(experiment.place, experiment.choice, experiment.device)
        gold = problem.solve() if learning.gold is None else read_gold(learning.gold, problem)
        weights = None if learning.init == "uniform" else read_weights(Path(learning.init), problem)
        return cls(problem.costs, gold, weights)

    @property
    def digest(self) -> str:
        """Tells other inputs apart, whatever their files are called."""
        parts = (self.costs, self.gold, np.empty(0) if self.weights is None else self.weights)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


@dataclass
class TrainingRecorder:
    """A training under way in its run directory.

    Attributes:
        run: where it is recorded.
        experiment: what was asked.
        problem: the map and the solver.
        training: the training.
        history: what is recorded so far.
        rows: rows of the metrics so far.
        seconds: time spent so far.
        fell_back: whether it goes on from the checkpoint before the last, which was damaged.
    """

    run: Run
    experiment: TrainingExperiment
    problem: MapProblem
    training: Training
    history: History
    rows: list[Row]
    seconds: float = 0.0
    fell_back: bool = False

    def __enter__(self) -> "TrainingRecorder":
        return self

    def __exit__(self, *_: Any) -> None:
        self.run.release()

    @classmethod
    def start(
        cls, experiment: TrainingExperiment, path: Path | None = None, inputs: Inputs | None = None
    ) -> "TrainingRecorder":
        """Makes the run directory and saves the state before the first step; reads the inputs if they are not given.

        Without a path it is a new one under ``runs/``. No other process writes it until the recorder is left as a context.

        Raises:
            ValueError: a map, gold path, weights or run directory that cannot be used.
        """
        read = Inputs.read(experiment) if inputs is None else inputs
        problem = make_map_problem(experiment.place, read.costs, experiment.choice, experiment.device)
        training = _training(experiment, problem, read)
        versions = {name: version(name) for name in ("imle", "torch", "numpy", "numba")}
        config = {"options": experiment.options, "inputs": read.digest, "versions": versions}
        history = History(read.gold, read.costs)
        run = Run.create(path or new_folder(experiment.place.name), config, history.arrays(), _state(training, problem, 0.0))
        return cls(run, experiment, problem, training, history, [])

    @classmethod
    def resume(cls, path: Path) -> "TrainingRecorder":
        """Goes to where a run stood when it was last saved, or if that is damaged, when it was saved before.

        No other process writes it until the recorder is left as a context.

        Raises:
            RunError: no run, or a damaged one.
            FolderLockError: another process writes it.
        """
        run = Run.open_to_write(path)
        try:
            return cls._resumed(run)
        except BaseException:
            run.release()
            raise

    @classmethod
    def _resumed(cls, run: Run) -> "TrainingRecorder":
        experiment, history = run.made_of_options(TrainingExperiment.from_options), run.history()
        problem = run.made_of_options(
            lambda _: make_map_problem(experiment.place, history.costs, experiment.choice, experiment.device)
        )
        training = run.made_of_options(lambda _: _training(experiment, problem, Inputs(history.costs, history.gold)))
        state, name = run.last_checkpoint()
        rows = run.rows(state, name)
        try:
            load(training, state)
            _set_counts(problem, state.get("counts", {}))
        except Exception as error:  # whatever a foreign state may lead to
            raise RunError(run.path, f"{name} does not fit config.json; {DAMAGED}") from error
        step = training.step
        if not 0 <= step <= min(len(rows), training.steps + 1):
            got = f"{name} is at step {str(step)[:20]} of {training.steps} in config.json, metrics.csv at {len(rows)}"
            raise RunError(run.path, f"{got}; {DAMAGED}")
        kept = history.until(step)
        if kept.steps != [made for made in range(step) if made % experiment.record_every == 0 or made == training.steps]:
            got = f"history.npz lacks steps that config.json has recorded before {step}, at which {name} is"
            raise RunError(run.path, f"{got}; {DAMAGED}")
        if name == PREVIOUS:
            run.drop_last_checkpoint()
        return cls(run, experiment, problem, training, kept, rows[:step], state["seconds"], name == PREVIOUS)

    def steps(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Trains on, records, and saves now and then and at the end; ends early, saved, when ``stop()`` says so."""
        began, saved, cost = time.perf_counter() - self.seconds, time.perf_counter(), 0.0
        last, every = self.training.steps, self.experiment.record_every
        whole = True  # between two steps; amid one, only the state that was saved last is of a piece
        try:
            records = iter(self.training)
            while self.training.step <= last:
                whole = False
                record = next(records)
                self.rows.append((record.step, record.loss, record.distance))
                if record.step % every == 0 or record.step == last:
                    arrays = (x.cpu().numpy() for x in (record.weights, record.sample, record.solution))
                    self.history.add(record.step, *arrays)
                self.seconds = time.perf_counter() - began
                whole = True
                yield record
                if stop():
                    break
                now = time.perf_counter()
                if now - saved > max(_SAVE_SECONDS, 20 * cost):
                    self.save()
                    saved, cost = time.perf_counter(), time.perf_counter() - now
        finally:
            if whole:
                self.save()

    def save(self) -> None:
        """Writes metrics, history and checkpoint."""
        self.run.save(self.history.arrays(), self.rows, _state(self.training, self.problem, self.seconds))

    @property
    def done(self) -> bool:
        """Whether the last step was made."""
        return self.training.step > self.training.steps

    @property
    def summary(self) -> dict[str, Any]:
        """What came out, for JSON."""
        first = next((step for step, _, distance in self.rows if distance == 0), None)
        learning = self.experiment.learning
        return self.problem.values | {
            "noise": self.experiment.noise.noise,
            "input_temp": learning.input_temp,
            "target_temp": learning.target_temp,
            "samples": learning.samples,
            "seed": self.experiment.seed,
            "steps": learning.steps,
            "steps_made": min(self.training.step, learning.steps),
            "final_loss": self.rows[-1][1] if self.rows else None,
            "final_hamming": self.rows[-1][2] if self.rows else None,
            "first_gold_step": first,
            "clamped_share": self.problem.clamped_share,
            "kept_share": self.problem.kept_share,
            "seconds": self.seconds,
            "run": str(self.run.path),
        }


def _state(training: Training, problem: MapProblem, seconds: float) -> dict[str, Any]:
    counts = {name: getattr(problem.solver, name) for name in _COUNTS if hasattr(problem.solver, name)}
    return training.state_dict() | {"seconds": seconds, "counts": counts}


def _set_counts(problem: MapProblem, counts: dict[str, Any]) -> None:
    """Lets the solver count on; a checkpoint of an earlier version has no counts.

    Raises:
        TypeError: they are none.
    """
    for name in set(_COUNTS) & counts.keys():
        setattr(problem.solver, name, index(counts[name]))


def _training(experiment: TrainingExperiment, problem: MapProblem, inputs: Inputs) -> Training:
    learning, device = experiment.learning, problem.theta.device
    return Training(
        problem.solver,
        torch.from_numpy(inputs.gold).float().to(device),
        target_distribution=TargetDistribution(learning.alpha, learning.beta),
        noise_distribution=make_noise(experiment.noise, 1.3 * len(problem.costs)),
        nb_samples=learning.samples,
        input_noise_temperature=learning.input_temp,
        target_noise_temperature=learning.target_temp,
        difference=learning.difference,
        steps=learning.steps,
        lr=learning.lr,
        schedule=learning.schedule,
        loss_reduction=learning.loss_reduction,
        weights=None if inputs.weights is None else torch.from_numpy(inputs.weights).to(device),
        walls=torch.from_numpy(problem.costs).isinf().to(device),
        seed=experiment.seed,
    )
