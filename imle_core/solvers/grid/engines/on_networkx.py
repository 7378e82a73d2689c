"""Cheapest grid paths by networkx's Dijkstra: slow and plain, the reference for the compiled engine."""

from functools import lru_cache
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

Tile = tuple[int, int]


@lru_cache(maxsize=8)
def grid_graph(height: int, width: int, moves: tuple[Tile, ...]) -> Any:
    """Undirected graph of a grid; nodes are (row, column), adjacent in row-major order."""
    graph = nx.Graph()
    tiles = [(row, column) for row in range(height) for column in range(width)]
    graph.add_nodes_from(tiles)
    for row, column in tiles:
        around = ((row + down, column + right) for down, right in moves)
        graph.add_edges_from(((row, column), tile) for tile in around if tile in graph)
    return graph


def cheapest_path(costs: NDArray[np.float64], start: Tile, goal: Tile, moves: tuple[Tile, ...]) -> list[Tile] | None:
    """Tiles of the cheapest path from goal back to start, or None where walls cut them off.

    Ties follow the rule of the compiled engine: the smallest row-major predecessor with a smaller, exact label; where
    rounding leaves none, the fewest steps to leave the plateau of equal labels.

    Args:
        costs: ``(H, W)``, positive; +inf is a wall.
        start: first tile, no wall.
        goal: last tile, no wall.
        moves: steps (rows, columns) to the neighbours, in row-major order.
    """
    graph = grid_graph(*costs.shape, moves)
    cost = {tile: float(costs[tile]) for tile in graph}
    labels = nx.single_source_dijkstra_path_length(
        graph, start, weight=lambda _, tile, __: None if cost[tile] == np.inf else cost[tile]
    )
    if goal not in labels:
        return None

    def predecessors(tile: Tile) -> list[Tile]:
        around = ((tile[0] + down, tile[1] + right) for down, right in moves)
        return [neighbour for neighbour in around if neighbour in labels and labels[neighbour] + cost[tile] == labels[tile]]

    path = [goal]
    while path[-1] != start:
        tile = path[-1]
        lower = [neighbour for neighbour in predecessors(tile) if labels[neighbour] < labels[tile]]
        path += lower[:1] or _off_plateau(tile, start, labels, predecessors)
    return path


def _off_plateau(tile: Tile, start: Tile, labels: dict[Tile, float], predecessors: Any) -> list[Tile]:
    """Fewest steps back from ``tile``, over equal labels, to a tile that is the start or has a lower predecessor."""

    def is_exit(candidate: Tile) -> bool:
        return candidate == start or any(labels[neighbour] < labels[candidate] for neighbour in predecessors(candidate))

    paths, seen = [[tile]], {tile}
    while True:
        # Paths grow in row-major order of their steps from the goal, so that the first to arrive is the smallest.
        for path in paths:
            if is_exit(path[-1]):
                return path[1:]
        grown = []
        for path in paths:
            for neighbour in predecessors(path[-1]):
                if neighbour not in seen:
                    seen.add(neighbour)
                    grown.append([*path, neighbour])
        paths = grown
