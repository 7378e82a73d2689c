"""Gold solutions: a mask file becomes ones and zeros that the solver could give."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imle_cli.errors import worded
from imle_cli.files.maps import terrain
from imle_cli.files.sources import SourceError
from imle_cli.problems.map import MapProblem
from imle_core.checks import ArgumentError
from imle_core.solvers import GridPath


class GoldError(SourceError):
    """A gold solution or weights that cannot be used; the message is one short line and names the file."""


def read_gold(path: Path, problem: MapProblem) -> NDArray[np.uint8]:
    """Reads a mask: a picture, white where tiles are chosen, or ones and zeros in an array or a table such as .npy or .csv.

    Args:
        path: the file.
        problem: the map and the solver that is to give this solution.

    Returns:
        The mask, ``(H, W)``.

    Raises:
        GoldError: a file that cannot be read, another shape than the map's, other numbers, tiles in walls, or no solution
            of the solver: a path that is broken, touches itself, or does not lead from start to goal; or not k tiles.
        SourceError: a picture that cannot be read.
    """
    values = _read_picture(path) if _is_picture("--gold", path) else _read_array("--gold", path)
    if values.shape != problem.costs.shape:
        raise GoldError("--gold", f"{path} has {_sizes(values, problem, 'tiles')}")
    if not np.isin(values, (0, 1)).all():
        number = values[~np.isin(values, (0, 1))].flat[0]
        raise GoldError("--gold", f"{path} holds {number:g}; a mask holds 1 where a tile is chosen and 0 elsewhere")
    walled = np.argwhere((values == 1) & np.isinf(problem.costs))
    if len(walled):
        raise GoldError("--gold", f"{path} chooses tile {tuple(map(int, walled[0]))}, which is a wall; go around it")
    solver = problem.solver
    if isinstance(solver, GridPath):
        try:
            solver.check_path(values)
        except ArgumentError as error:
            raise GoldError("--gold", worded(error, str(path))) from error
    elif values.sum() != solver.k:
        raise GoldError("--gold", f"{path} chooses {int(values.sum())} tiles; --top-k {solver.k} chooses {solver.k}")
    return values.astype(np.uint8)


def read_weights(path: Path, problem: MapProblem) -> NDArray[np.float32]:
    """Reads weights ``(H, W)`` to begin with from an array or a table such as .npy or .csv.

    Raises:
        GoldError: a file that cannot be read, another shape than the map's, or numbers that are not finite.
    """
    if _is_picture("--init", path):
        raise GoldError("--init", f"{path}: is read as a picture, and weights are numbers; save them with numpy.save")
    values = _read_array("--init", path)
    if values.shape != problem.costs.shape:
        raise GoldError("--init", f"{path} has {_sizes(values, problem, 'weights')}")
    with np.errstate(over="ignore"):
        weights = values.astype(np.float32)
    if not np.isfinite(weights[np.isfinite(problem.costs)]).all():
        raise GoldError("--init", f"{path} holds weights that are NaN or infinite; weights must be finite in 32 bits")
    return weights


def _sizes(values: NDArray[np.float64], problem: MapProblem, things: str) -> str:
    size, needed = (" x ".join(map(str, shape)) or "1" for shape in (values.shape, problem.costs.shape))
    return f"{size} {things}, the map {needed} tiles; the two must be equal"


def _is_picture(option: str, path: Path) -> bool:
    try:
        return terrain.is_picture(path)
    except SourceError as error:
        raise GoldError(option, str(error)) from error


def _read_array(option: str, path: Path) -> NDArray[np.float64]:
    try:
        return np.asarray(terrain.read_numbers(path)).astype(np.float64)
    except SourceError as error:
        raise GoldError(option, str(error)) from error


def _read_picture(path: Path) -> NDArray[np.float64]:
    costs = terrain.load(path, min_cost=1.0, max_cost=2.0)
    return (costs < 1.5).astype(np.float64)
