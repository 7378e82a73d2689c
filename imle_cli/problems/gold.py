"""Gold solutions: a mask file becomes ones and zeros that the solver could give."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.maps import terrain
from imle_cli.files.sources import SourceError
from imle_cli.messages import worded
from imle_cli.problems.map import MapProblem
from imle_core.checks import ArgumentError
from imle_core.solvers import GridPath


def read_gold(path: Path, problem: MapProblem) -> NDArray[np.uint8]:
    """Reads a mask: a picture, white where tiles are chosen, or ones and zeros in an array or a table such as .npy or .csv.

    Args:
        path: the file.
        problem: the map and the solver that is to give this solution.

    Returns:
        The mask, ``(H, W)``.

    Raises:
        SourceError: a file that cannot be read, another shape than the map's, other numbers, tiles in walls, or no solution
            of the solver: a path that is broken, touches itself, or does not lead from start to goal; or not k tiles.
    """
    values = _read_numbers("--gold", path)
    if values is None:
        values = (terrain.load(path, min_cost=1.0, max_cost=2.0) < 1.5).astype(np.float64)
    _check_shape("--gold", path, values, problem, "tiles")
    if not np.isin(values, (0, 1)).all():
        number = values[~np.isin(values, (0, 1))].flat[0]
        raise SourceError("--gold", f"{path} holds {number:g}; a mask holds 1 where a tile is chosen and 0 elsewhere")
    walled = np.argwhere((values == 1) & np.isinf(problem.costs))
    if len(walled):
        raise SourceError("--gold", f"{path} chooses tile {tuple(map(int, walled[0]))}, which is a wall; go around it")
    solver = problem.solver
    if isinstance(solver, GridPath):
        try:
            solver.check_path(values)
        except ArgumentError as error:
            raise SourceError("--gold", worded(error, str(path))) from error
    elif values.sum() != solver.k:
        raise SourceError("--gold", f"{path} chooses {int(values.sum())} tiles; --top-k {solver.k} chooses {solver.k}")
    return values.astype(np.uint8)


def read_weights(path: Path, problem: MapProblem) -> NDArray[np.float32]:
    """Reads weights ``(H, W)`` to begin with from an array or a table such as .npy or .csv.

    Raises:
        SourceError: a file that cannot be read, another shape than the map's, or numbers that are not finite.
    """
    values = _read_numbers("--init", path)
    if values is None:
        raise SourceError("--init", f"{path}: is read as a picture, and weights are numbers; save them with numpy.save")
    _check_shape("--init", path, values, problem, "weights")
    with np.errstate(over="ignore"):
        weights = values.astype(np.float32)
    if not np.isfinite(weights[np.isfinite(problem.costs)]).all():
        raise SourceError("--init", f"{path} holds weights that are NaN or infinite; weights must be finite in 32 bits")
    return weights


def _read_numbers(option: str, path: Path) -> NDArray[np.float64] | None:
    """Numbers of an array or a table, as maps are read; None of a picture."""
    try:
        return None if terrain.is_picture(path) else np.asarray(terrain.read_numbers(path)).astype(np.float64)
    except SourceError as error:
        raise SourceError(option, str(error)) from error


def _check_shape(option: str, path: Path, values: NDArray[np.float64], problem: MapProblem, things: str) -> None:
    if values.shape != problem.costs.shape:
        size, needed = (" x ".join(map(str, shape)) or "1" for shape in (values.shape, problem.costs.shape))
        raise SourceError(option, f"{path} has {size} {things}, the map {needed} tiles; the two must be equal")
