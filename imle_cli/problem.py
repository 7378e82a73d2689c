"""What the map commands have in common: costs, parameters, solver and noise from the options."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli import terrain
from imle_cli.console import UsageError
from imle_cli.options import DeviceName, MapOptions, NoiseName, NoiseOptions, SolverName, SolverOptions, check_at_least
from imle_core import (
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)
from imle_core.solvers import GridPath, TopK


@dataclass(frozen=True)
class Problem:
    """A map and the solver that is asked about it.

    Attributes:
        name: what the map is called.
        costs: ``(H, W)``, +inf is a wall.
        theta: minus the costs, ``(1, H, W)``.
        solver_name: the solver's name.
        solver: the solver.
        inputs: files that were read.
    """

    name: str
    costs: NDArray[np.float64]
    theta: torch.Tensor
    solver_name: SolverName
    solver: GridPath | TopK
    inputs: tuple[Path, ...]

    @property
    def engine(self) -> str:
        """Name of the engine that solves."""
        return self.solver.engine if isinstance(self.solver, GridPath) else "torch"

    @property
    def clamped_share(self) -> float:
        """Share of the passable tiles solved so far whose cost was clamped to the solver's domain."""
        seen = self.solver.seen if isinstance(self.solver, GridPath) else 0
        return self.solver.clamped / seen if isinstance(self.solver, GridPath) and seen else 0.0

    def solve(self) -> NDArray[np.uint8]:
        """The noise-free solution, ``(H, W)``."""
        return np.asarray(self.solver(self.theta)[0].cpu().numpy(), dtype=np.uint8)

    def tiles(self, mask: NDArray[Any]) -> NDArray[np.int64] | None:
        """Tiles of a path in order, ``(L, 2)``; None for a solution that is no path."""
        return self.solver.path_tiles(mask) if isinstance(self.solver, GridPath) else None

    def cost(self, mask: NDArray[Any]) -> float:
        """Cost ``<mask, costs>`` of a solution, or expected cost of marginals, over passable tiles."""
        passable = np.isfinite(self.costs)
        return float(mask[passable] @ self.costs[passable])

    @property
    def title(self) -> str:
        """What to call the map in a picture."""
        return Path(self.name).name if self.inputs else f"{self.name} map"

    def picture(self, out: Path | None, command: str) -> Path:
        """Where the command's picture goes."""
        return out or Path(f"{Path(self.name).stem if self.inputs else 'map'}-{command}.png")

    @property
    def values(self) -> dict[str, Any]:
        """What identifies the problem, for JSON."""
        return {"map": self.name, "shape": list(self.costs.shape), "solver": self.solver_name, "engine": self.engine}

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What identifies the problem, for a reader."""
        height, width = self.costs.shape
        return [("map", f"{self.name}, {height} x {width}"), ("solver", f"{self.solver_name}, {self.engine}")]


def read_problem(options: MapOptions, choice: SolverOptions, device: DeviceName) -> Problem:
    """Reads the map and makes the solver.

    Raises:
        UsageError: options that do not fit each other or the map.
        TerrainError: a map that cannot be used.
        ValueError: a start or goal outside the map, or a floor that is not positive.
    """
    if options.map is None:
        if options.grid is not None:
            raise UsageError("--grid: the built-in map has its 16x16 tiles; give a MAP to average down")
        return make_problem(options, terrain.built_in_map(), choice, device)
    grid = options.grid_shape
    costs = terrain.load(options.map, min_cost=options.min_cost, max_cost=options.max_cost, grid=grid)
    return make_problem(options, costs, choice, device)


def make_problem(options: MapOptions, costs: NDArray[np.float64], choice: SolverOptions, device: DeviceName) -> Problem:
    """Makes the solver for a map that was read before; errors as in :func:`read_problem`."""
    solver = _solver(choice, costs)
    place = find_device(device) if isinstance(solver, TopK) else find_device("cpu" if device == "auto" else device)
    inputs = () if options.map is None else (options.map,)
    return Problem(options.name, costs, torch.from_numpy(-costs)[None].to(place), choice.solver, solver, inputs)


@dataclass(frozen=True)
class Sampling:
    """How samples are drawn.

    Attributes:
        law: the noise; None for none.
        noise: its name.
        input_temp: its temperature.
        samples: number of samples.
        seed: seed of the noise.
    """

    law: NoiseDistribution | None
    noise: NoiseName
    input_temp: float
    samples: int
    seed: int

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of ``imle_core``'s streams after the noise."""
        return {"nb_samples": self.samples, "temperature": self.input_temp, "seed": self.seed}

    @property
    def title(self) -> str:
        """What to call it in a picture."""
        name = {"sum-of-gamma": "Sum-of-Gamma", "gumbel": "Gumbel"}.get(self.noise, self.noise)
        return f"{name} noise at temperature {self.input_temp:g}" if self.law else "no noise"

    @property
    def values(self) -> dict[str, Any]:
        """What identifies it, for JSON."""
        return {"noise": self.noise, "input_temp": self.input_temp, "samples": self.samples, "seed": self.seed}

    @property
    def line(self) -> tuple[str, str]:
        """What identifies it, for a reader."""
        return "noise", f"{self.law} at temperature {self.input_temp:g}, seed {self.seed}" if self.law else "none"


def read_sampling(options: NoiseOptions, problem: Problem, input_temp: float, samples: int, seed: int) -> Sampling:
    """How to sample a map: Sum-of-Gamma's k is 1.3 x map height by default, about the tiles of a path across it.

    Raises:
        UsageError: a number of samples, a temperature, or a parameter of the noise outside its range.
    """
    check_at_least("--samples", samples, 1, "use 1000 for a first look")
    check_at_least("--input-temp", input_temp, 0, "use 0 for no noise")
    return Sampling(make_noise(options, 1.3 * len(problem.costs)), options.noise, input_temp, samples, seed)


def make_noise(options: NoiseOptions, default_k: float) -> NoiseDistribution | None:
    """The noise that the options name; None for no noise.

    Raises:
        UsageError: k or the truncation outside its range.
    """
    if options.noise == "sum-of-gamma":
        k = default_k if options.noise_k is None else options.noise_k
        if not k > 0:
            raise UsageError(f"--noise-k: got {k:g}; it must be > 0; use about the number of tiles on a path")
        return SumOfGammaNoiseDistribution(k, options.iterations)
    if options.noise_k is not None:
        raise UsageError(f"--noise-k: it belongs to --noise sum-of-gamma, not to {options.noise}; leave it out")
    others: dict[str, Callable[[], NoiseDistribution]] = {
        "gumbel": GumbelNoiseDistribution,
        "normal": NormalNoiseDistribution,
        "logistic": LogisticNoiseDistribution,
    }
    return others[options.noise]() if options.noise in others else None


def _solver(choice: SolverOptions, costs: NDArray[np.float64]) -> GridPath | TopK:
    if choice.moves not in (4, 8):
        raise UsageError(f"--moves: got {choice.moves}; it must be 8 or 4; use 8 for diagonal steps")
    if not choice.floor > 0:
        raise UsageError(f"--floor: got {choice.floor:g}; it must be > 0; the usual value is 1e-4")
    if choice.solver == "dijkstra":
        if choice.top_k is not None:
            raise UsageError("--top-k: it belongs to --solver top-k; leave it out or choose that solver")
        solver = GridPath(choice.moves, choice.tile("start"), choice.tile("goal"), choice.floor, choice.engine)
        solver.ends(*costs.shape)
        return solver
    passable = int(np.isfinite(costs).sum())
    if choice.top_k is None:
        raise UsageError(f"--top-k: missing; --solver top-k needs a number of tiles from 1 to {passable}")
    if not 1 <= choice.top_k <= passable:
        raise UsageError(f"--top-k: got {choice.top_k}; it must be from 1 to the map's {passable} passable tiles")
    return TopK(choice.top_k)


def find_device(name: DeviceName) -> torch.device:
    """The device of that name; "auto" takes a GPU where there is one.

    Raises:
        UsageError: a GPU where there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device: got cuda; torch finds no CUDA device here; use cpu or auto")
    return torch.device("cuda" if available and name != "cpu" else "cpu")
