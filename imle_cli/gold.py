"""Gold solutions: a mask file becomes ones and zeros that the solver could give."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imle_cli import terrain
from imle_cli.map_problem import MapProblem
from imle_core.solvers import GridPath


class GoldError(ValueError):
    """A gold solution that cannot be used; the message is one line."""


def read_gold(path: Path, problem: MapProblem) -> NDArray[np.uint8]:
    """Reads a mask: a picture, white where tiles are chosen, or ones and zeros in a .npy, .csv or .txt file.

    Args:
        path: the file.
        problem: the map and the solver that is to give this solution.

    Returns:
        The mask, ``(H, W)``.

    Raises:
        GoldError: a file that cannot be read, another shape than the map's, other numbers, tiles in walls, or no solution
            of the solver: a path that is broken, touches itself, or does not lead from start to goal; or not k tiles.
        TerrainError: a picture that cannot be read.
    """
    values = _read_array("--gold", path) if path.suffix.lower() in (".npy", ".csv", ".txt") else _read_picture(path)
    if values.shape != problem.costs.shape:
        raise GoldError(f"--gold: {path} has {_sizes(values, problem, 'tiles')}")
    if not np.isin(values, (0, 1)).all():
        other = values[~np.isin(values, (0, 1))].flat[0]
        raise GoldError(f"--gold: {path} holds {other:g}; a mask holds 1 where a tile is chosen and 0 elsewhere")
    walled = np.argwhere((values == 1) & np.isinf(problem.costs))
    if len(walled):
        raise GoldError(f"--gold: {path} chooses tile {tuple(map(int, walled[0]))}, which is a wall; go around it")
    solver = problem.solver
    if isinstance(solver, GridPath):
        try:
            solver.check_path(values)
        except ValueError as error:
            raise GoldError(f"--gold: {path}: {error}") from error
    elif values.sum() != solver.k:
        raise GoldError(f"--gold: {path} chooses {int(values.sum())} tiles; --top-k {solver.k} chooses {solver.k}")
    return values.astype(np.uint8)


def read_weights(path: Path, problem: MapProblem) -> NDArray[np.float32]:
    """Reads weights ``(H, W)`` to begin with from a .npy, .csv or .txt file.

    Raises:
        GoldError: a file that cannot be read, another shape than the map's, or numbers that are not finite.
    """
    values = _read_array("--init", path)
    if values.shape != problem.costs.shape:
        raise GoldError(f"--init: {path} has {_sizes(values, problem, 'weights')}")
    with np.errstate(over="ignore"):
        weights = values.astype(np.float32)
    if not np.isfinite(weights[np.isfinite(problem.costs)]).all():
        raise GoldError(f"--init: {path} holds weights that are NaN or infinite; weights must be finite in 32 bits")
    return weights


def _sizes(values: NDArray[np.float64], problem: MapProblem, things: str) -> str:
    size, needed = (" x ".join(map(str, shape)) or "1" for shape in (values.shape, problem.costs.shape))
    return f"{size} {things}, the map {needed} tiles; the two must be equal"


def _read_array(option: str, path: Path) -> NDArray[np.float64]:
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = np.loadtxt(path, delimiter="," if path.suffix.lower() == ".csv" else None, ndmin=2)
    except FileNotFoundError as error:
        raise GoldError(f"{option}: {path}: no such file; check the path") from error
    except Exception as error:  # NumPy has no common error for the many ways in which a file can be broken
        reason = " ".join(str(error).split())
        raise GoldError(f"{option}: {path} cannot be read as numbers ({reason}); save it with numpy.save") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        raise GoldError(f"{option}: {path} holds something else than real numbers; save a mask or weights with numpy.save")
    return values.astype(np.float64)


def _read_picture(path: Path) -> NDArray[np.float64]:
    costs = terrain.load(path, min_cost=1.0, max_cost=2.0)
    return (costs < 1.5).astype(np.float64)
