"""One configured training: its options, and what it reads from files."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import DeviceName, MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions
from imle_cli.options.recorded import RunOptions
from imle_cli.problems.gold import read_gold, read_weights
from imle_cli.problems.map import read_map_problem
from imle_cli.problems.noise import make_noise, noise_title


@dataclass(frozen=True)
class TrainingExperiment(RunOptions):
    """Everything that a training's result depends on, and how often it is recorded."""

    source: MapOptions
    choice: MapSolverOptions
    noise: NoiseOptions
    learning: LearningOptions
    seed: int
    device: DeviceName
    record_every: int | None

    def __post_init__(self) -> None:
        if self.record_every is not None:
            check_at_least("--record-every", self.record_every, 1, "leave it out, or use 10")

    @property
    def name(self) -> str:
        """Name of the map, after which a folder is called."""
        return self.source.name

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Lines that identify it, for a reader."""
        learning, law = self.learning, noise_title(self.noise.noise)
        return [
            ("noise", f"{law} at temperature {learning.input_temp:g}, in the target {learning.target_temp:g}"),
            ("lambda", f"{learning.beta:g}"),
            ("samples", f"{learning.samples} a step"),
            ("steps", f"{learning.steps} of Adam, {learning.lr:g} each, {learning.schedule}"),
            ("seed", f"{self.seed}"),
        ]

    def read(self) -> "Inputs":
        """Reads the map, the gold path and the weights that the options name.

        Raises:
            ValueError: one of these that cannot be used.
        """
        problem, files = read_map_problem(self.source, self.choice, self.device), self.learning.files
        gold = read_gold(files["--gold"], problem) if "--gold" in files else problem.solve()
        return Inputs(problem.costs, gold, read_weights(files["--init"], problem) if "--init" in files else None)

    def rehearse(self) -> None:
        """Draws noise and solves once, as every step does, so that what that compiles is told of and there for workers."""
        problem = read_map_problem(self.source, self.choice, self.device)
        noise, theta = make_noise(self.noise, problem.default_k), problem.theta.float()
        if noise is not None:
            theta = theta + noise.sample(theta.shape, dtype=theta.dtype, generator=torch.Generator().manual_seed(0)).to(
                theta
            )
        problem.solver(theta)


@dataclass(frozen=True)
class Inputs:
    """Inputs of an experiment, read from files or given in their place.

    Attributes:
        costs: the map, ``(H, W)``.
        gold: the gold solution, ``(H, W)``.
        weights: weights to begin with, ``(H, W)``; random ones if None.
    """

    costs: NDArray[np.float64]
    gold: NDArray[np.uint8]
    weights: NDArray[np.float32] | None = None

    @property
    def digest(self) -> str:
        """Tells other inputs apart, whatever their files are called."""
        arrays = (self.costs, self.gold, np.empty(0) if self.weights is None else self.weights)
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
