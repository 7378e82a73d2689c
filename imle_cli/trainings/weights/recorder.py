"""A training of weights under way: to a run directory, and back to go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any

import torch

from imle_cli.problems.map import MapProblem, make_map_problem
from imle_cli.problems.noise import make_noise
from imle_cli.runs.cadence import is_kept
from imle_cli.runs.directories import DAMAGED, RunError
from imle_cli.runs.recorder import Recorder
from imle_cli.runs.training import Run, TrainingHistory
from imle_cli.trainings.weights.experiment import Inputs, TrainingExperiment
from imle_core import Step, TargetDistribution, Training

_COUNTS = ("clamped", "seen", "kept", "offered")  # of a solver, as far as it has them


@dataclass(kw_only=True)
class TrainingRecorder(Recorder[Step]):
    """A training of weights under way.

    Attributes:
        problem: the map and the solver.
    """

    experiment: TrainingExperiment
    inputs: Inputs
    problem: MapProblem
    training: Training
    history: TrainingHistory

    RUN = Run
    EXPERIMENT = TrainingExperiment
    SAVE_SECONDS = 2.0

    @classmethod
    def read_again(cls, run: Run, experiment: TrainingExperiment) -> tuple[Inputs, TrainingHistory]:  # noqa: ARG003
        """The history, which has the inputs in it."""
        history = run.history()
        return Inputs(history.costs, history.gold), history

    @classmethod
    def make(
        cls, experiment: TrainingExperiment, inputs: Inputs, history: TrainingHistory | None = None
    ) -> "TrainingRecorder":
        """The training, and the solver that it asks."""
        problem = make_map_problem(experiment.source, inputs.costs, experiment.choice, experiment.device)
        return cls(
            experiment=experiment,
            inputs=inputs,
            problem=problem,
            training=_training(experiment, problem, inputs),
            history=history or TrainingHistory(inputs.gold, inputs.costs),
        )

    def make_step(self, records: Iterator[Step]) -> Step:
        """Notes loss and distance of every step, and arrays of some."""
        record = next(records)
        self.rows.append((record.step, record.loss, record.distance))
        if self._is_recorded(record.step):
            arrays = (x.cpu().numpy() for x in (record.weights, record.sample, record.solution))
            self.history.add(record.step, *arrays)
        return record

    def _is_recorded(self, step: int) -> bool:
        return is_kept(step, self.experiment.record_every) or step == self.training.steps

    def state(self) -> dict[str, Any]:
        """Content of a checkpoint: the counts of the solver, too."""
        solver = self.problem.solver
        return super().state() | {"counts": {name: getattr(solver, name) for name in _COUNTS if hasattr(solver, name)}}

    def load(self, path: Path, state: dict[str, Any], name: str) -> None:
        """Lets the solver count on, too; a checkpoint of an earlier version has no counts."""
        super().load(path, state, name)
        counts = state.get("counts", {})
        for count in set(_COUNTS) & counts.keys():
            setattr(self.problem.solver, count, index(counts[count]))

    def cut(self, path: Path, name: str) -> None:
        """Leaves out what was recorded after the training's step."""
        step, last = self.training.step, self.training.steps
        if not 0 <= step <= min(len(self.rows), last + 1):
            got = f"{name} is at step {str(step)[:20]} of {last} in config.json, metrics.csv at {len(self.rows)}"
            raise RunError(path, f"{got}; {DAMAGED}")
        self.rows, self.history = self.rows[:step], self.history.until(step - 1)
        if self.history.steps != [made for made in range(step) if self._is_recorded(made)]:
            got = f"history.npz lacks steps that config.json has recorded before {step}, at which {name} is"
            raise RunError(path, f"{got}; {DAMAGED}")

    def summary(self) -> dict[str, Any]:
        """Outcome, for JSON."""
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
            "run": str(self.path),
        }


def _training(experiment: TrainingExperiment, problem: MapProblem, inputs: Inputs) -> Training:
    learning, device = experiment.learning, problem.theta.device
    return Training(
        problem.solver,
        torch.from_numpy(inputs.gold).float().to(device),
        target_distribution=TargetDistribution(learning.alpha, learning.beta),
        noise_distribution=make_noise(experiment.noise, problem.default_k),
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
