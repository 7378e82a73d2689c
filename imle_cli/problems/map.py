"""A map as a problem: which tiles are on the cheapest path, or among the cheapest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.maps import terrain
from imle_cli.messages import UsageError, worded
from imle_cli.options.inputs import DeviceName, MapOptions, SolverOptions
from imle_cli.problems.map_ends import check_ends
from imle_cli.problems.problem import Fact, Floats, Ground, Masks, Problem, Words, enumerated, theta_of
from imle_core.checks import ArgumentError
from imle_core.solvers import GridPath, TopK


@dataclass(frozen=True)
class MapProblem(Problem):
    """A map and the solver that is asked about it; theta is minus the costs, ``(1, H, W)``."""

    solver: GridPath | TopK
    words = Words("map", "tiles", "length", "cost", "costs", "tiles")

    @property
    def costs(self) -> Floats:
        """The map ``(H, W)``; +inf is a wall."""
        return self.numbers

    @property
    def engine(self) -> str:
        """Name of the engine that solves."""
        return self.solver.engine if isinstance(self.solver, GridPath) else "torch"

    @property
    def _size(self) -> Fact:
        height, width = self.costs.shape
        return {"shape": [height, width]}, f"{height} x {width}"

    @property
    def _task(self) -> Fact:
        return {"engine": self.engine}, self.engine

    @property
    def labels(self) -> Mapping[str, Sequence[Any]]:
        """Columns that name every tile, and its cost."""
        rows, columns = (index.ravel().tolist() for index in np.indices(self.costs.shape))
        return {"row": rows, "column": columns, "cost": self.costs.ravel().tolist()}

    @property
    def marks(self) -> dict[str, tuple[int, int]]:
        """Start and goal of a path."""
        ends = self.solver.ends(*self.costs.shape) if isinstance(self.solver, GridPath) else ()
        return dict(zip(("start", "goal"), ends, strict=False))

    def tiles(self, mask: NDArray[Any]) -> NDArray[np.int64] | None:
        """Tiles of a path in order, ``(L, 2)``; None for a solution that is no path."""
        return self.solver.path_tiles(mask) if isinstance(self.solver, GridPath) else None

    def chosen(self, mask: Masks) -> Any:
        """Row and column of each tile."""
        path = self.tiles(mask)
        return (np.argwhere(mask) if path is None else path).tolist()

    def chosen_text(self, mask: Masks) -> str:
        """The same for a reader."""
        return enumerated([f"{row},{column}" for row, column in self.chosen(mask)])

    @property
    def ground(self) -> Ground:
        """The map."""
        from imle_cli.figures.grounds import Terrain

        return Terrain(self.costs, self.tiles)


def read_map_problem(options: MapOptions, choice: SolverOptions, device: DeviceName, *, surely: bool = False) -> MapProblem:
    """Reads the map and makes the solver.

    Args:
        options: which map, and how it is read.
        choice: which solver.
        device: where to compute.
        surely: the input is a map, even if it may be a list of edges or a table of scores.

    Raises:
        UsageError: options that do not fit each other or the map.
        SourceError: a map that cannot be used.
        ValueError: a start or goal outside the map, or a floor that is not positive.
    """
    if options.map is None:
        if options.grid is not None:
            raise UsageError("--grid: the built-in map has its 16x16 tiles; give a map of your own to average down")
        for option, cost, usual in (("--min-cost", options.min_cost, 1), ("--max-cost", options.max_cost, 100)):
            if cost != usual:
                raise UsageError(f"{option}: got {cost:g}; the built-in map has costs of its own; give a picture to read")
        return make_map_problem(options, terrain.built_in_map(), choice, device)
    grid = options.grid_shape
    scale = {"min_cost": options.min_cost, "max_cost": options.max_cost}
    costs = terrain.load(options.map, **scale, grid=grid, surely=surely)
    return make_map_problem(options, costs, choice, device)


def make_map_problem(
    options: MapOptions, costs: NDArray[np.float64], choice: SolverOptions, device: DeviceName
) -> MapProblem:
    """Makes the solver for a map that was read before; errors as in :func:`read_map_problem`."""
    solver = _solver(options.name, choice, costs)
    theta = theta_of(costs, "min", "cpu" if device == "auto" and isinstance(solver, GridPath) else device)
    inputs = () if options.map is None else (options.map,)
    return MapProblem(options.name, theta, choice.solver, solver, inputs, costs)


def _solver(name: str, choice: SolverOptions, costs: NDArray[np.float64]) -> GridPath | TopK:
    if choice.moves not in (4, 8):
        raise UsageError(f"--moves: got {choice.moves}; it must be 8 or 4; use 8 for diagonal steps")
    if not choice.floor > 0:
        raise UsageError(f"--floor: got {choice.floor:g}; it must be a number > 0; the usual value is 1e-4")
    if choice.solver == "dijkstra":
        if choice.top_k is not None:
            raise UsageError("--top-k: it belongs to --solver top-k; leave it out or choose that solver")
        engine = None if choice.engine == "compiled" else choice.engine  # a picture need not wait until it is compiled
        solver = GridPath(choice.moves, choice.tile("start"), choice.tile("goal"), choice.floor, engine)
        try:
            solver.ends(*costs.shape)
        except ArgumentError as error:  # a tile outside the map
            raise UsageError(worded(error)) from error
        check_ends(name, solver, costs)
        return solver
    passable = int(np.isfinite(costs).sum())
    if choice.top_k is None:
        raise UsageError(f"--top-k: missing; --solver top-k needs a number of tiles from 1 to {passable}")
    if not 1 <= choice.top_k <= passable:
        raise UsageError(f"--top-k: got {choice.top_k}; it must be from 1 to the map's {passable} passable tiles")
    return TopK(choice.top_k)
