"""Cheapest paths on grids by other libraries, a map at a time, with everything built beforehand that can be.

What is prepared is what each library calls a graph, or an array where it takes one. Walking back through the tiles, where a
library leaves that to its user, and making a mask are not asked of any: they are measured at their best.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.benchmarks.rounds import in_a_turn
from imle_core.solvers import GridPath

Costs: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.int32]
Solve: TypeAlias = Callable[[], Any]
Prepare: TypeAlias = Callable[[Costs], Solve]

_MOVES = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)]


def installed() -> dict[str, Prepare]:
    """For each library that is here, what takes costs ``(H, W)`` > 0 of entering tiles and gives the solving of that map.

    Paths lead from the top left tile to the bottom right one, with 8 moves.
    """
    prepares: dict[str, Prepare] = {"scipy": _scipy, "networkx": _networkx, "networkx engine": _networkx_engine}
    for name, (path, prepare) in OPTIONAL.items():
        module = _module(path)
        if module is not None:
            prepares[name] = partial(prepare, module)
    return prepares


def missing() -> list[str]:
    """Libraries that could be measured, were they installed."""
    return [name for name, (path, _) in OPTIONAL.items() if _module(path) is None]


def prepare_sample(prepare: Prepare, costs: Costs) -> list[Solve]:
    """The solving of each of as many of the maps ``(N, H, W)`` as fit into a turn."""
    number = in_a_turn(prepare(costs[0]), len(costs))
    return [prepare(costs_of_map) for costs_of_map in costs[:number]]


def one_by_one(solves: Sequence[Solve]) -> None:
    """Solves each of these maps."""
    for solve in solves:
        solve()


def _module(path: str) -> Any:
    try:
        return import_module(path)
    except ImportError:
        return None


@lru_cache(maxsize=8)
def _edges(height: int, width: int) -> tuple[Indices, Indices]:
    """Tiles ``(E,)`` that edges leave and enter, by their row-major numbers, in order of both."""
    number = np.pad(np.arange(height * width, dtype=np.int32).reshape(height, width), 1, constant_values=-1)
    around = [number[1 + down : 1 + down + height, 1 + right : 1 + right + width].ravel() for down, right in _MOVES]
    neighbours = np.stack(around, axis=1)
    sources, moves = np.nonzero(neighbours >= 0)
    return sources.astype(np.int32), neighbours[sources, moves]


def _weighted_edges(costs: Costs) -> list[tuple[int, int, float]]:
    sources, targets = _edges(*costs.shape)
    return list(zip(sources.tolist(), targets.tolist(), costs.ravel()[targets].tolist(), strict=True))


def _scipy(costs: Costs) -> Solve:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    sources, targets = _edges(*costs.shape)
    starts = np.searchsorted(sources, np.arange(costs.size + 1)).astype(np.int32)
    graph = csr_array((costs.ravel()[targets].astype(np.float64), targets, starts), shape=(costs.size, costs.size))
    return lambda: dijkstra(graph, indices=0, return_predecessors=True)


def _networkx(costs: Costs) -> Solve:
    import networkx

    graph, goal = networkx.DiGraph(), costs.size - 1
    graph.add_weighted_edges_from(_weighted_edges(costs))
    return lambda: networkx.dijkstra_path(graph, 0, goal)


def _networkx_engine(costs: Costs) -> Solve:
    return partial(GridPath(engine="networkx"), -torch.from_numpy(costs)[None])


def _dijkstra3d(module: Any, costs: Costs) -> Solve:
    field, goal = np.asfortranarray(costs), (costs.shape[0] - 1, costs.shape[1] - 1)
    return lambda: module.dijkstra(field, (0, 0), goal, connectivity=8)


def _scikit_image(module: Any, costs: Costs) -> Solve:
    goal = costs.shape[0] - 1, costs.shape[1] - 1
    return lambda: module.route_through_array(costs, (0, 0), goal, fully_connected=True, geometric=False)


def _rustworkx(module: Any, costs: Costs) -> Solve:
    graph, goal = module.PyDiGraph(), costs.size - 1
    graph.add_nodes_from(range(costs.size))
    graph.add_edges_from(_weighted_edges(costs))
    return lambda: module.dijkstra_shortest_paths(graph, 0, goal, weight_fn=float)


OPTIONAL: dict[str, tuple[str, Callable[[Any, Costs], Solve]]] = {
    "dijkstra3d": ("dijkstra3d", _dijkstra3d),
    "scikit-image": ("skimage.graph", _scikit_image),
    "rustworkx": ("rustworkx", _rustworkx),
}
"""By the names under which they are installed: what is imported, and how it is used."""
