"""Start and goal of a path on a map: whether they are passable, and where to go where they are not."""

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError
from imle_core.solvers import GridPath


def check_ends(name: str, solver: GridPath, costs: NDArray[np.float64]) -> None:
    """Refuses a start or a goal in a wall, and names the nearest tiles from which the other can be reached.

    Args:
        name: what the map is called.
        solver: has start, goal and moves.
        costs: ``(H, W)``, +inf is a wall.

    Raises:
        UsageError: an end in a wall that the user chose.
        SourceError: an end in a wall otherwise.
        ValueError: an end outside the map.
    """
    ends = dict(zip(("start", "goal"), solver.ends(*costs.shape), strict=True))
    passable = np.isfinite(costs)
    walled = [end for end, tile in ends.items() if not passable[tile]]
    if not walled:
        return
    if not passable.any():
        raise SourceError(name, "has walls only; a path needs passable tiles")
    ways = _ways(passable, solver.moves, [tile for tile in ends.values() if passable[tile]])
    remedy = " ".join(f"--{end} {_nearest(ways, ends[end])}" for end in walled)
    chosen = [end for end in walled if getattr(solver, end) is not None]
    if chosen:
        got = "--{}: got {},{}".format(chosen[0], *ends[chosen[0]])
        raise UsageError(f"{got}; it is a wall of {name}; choose a passable tile, with {remedy} for instance")
    got = " and ".join(f"the {end} {ends[end]}" for end in walled)
    rule = "is a wall; choose a passable tile" if len(walled) == 1 else "are walls; choose passable tiles"
    raise SourceError(name, f"{got} {rule}, with {remedy} for instance")


def _ways(passable: NDArray[np.bool_], moves: int, ends: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Tiles that can be reached from an end that is passable, or the largest region of such tiles."""
    from scipy.ndimage import label

    regions, _ = label(passable, np.ones((3, 3)) if moves == 8 else None)
    number = regions[ends[0]] if ends else np.bincount(regions[passable]).argmax()
    return np.asarray(regions == number)


def _nearest(ways: NDArray[np.bool_], tile: tuple[int, int]) -> str:
    tiles = np.argwhere(ways)
    row, column = tiles[((tiles - tile) ** 2).sum(axis=1).argmin()]
    return f"{row},{column}"
