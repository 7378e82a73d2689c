"""Positions of the nodes of a graph: their coordinates in a file, or a layout."""

from collections.abc import Iterable, Mapping
from typing import Any

import networkx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from imle_cli.files.graphs.content import value_of
from imle_cli.files.tables.number_formats import as_number

_COORDINATES = (("x", "y"), ("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"))
_FEW, _PIVOTS = 200, 50  # nodes


def graph_of_edges(nodes: Iterable[Any], edges: Iterable[tuple[Any, Any]], *, directed: bool) -> Any:
    """The networkx multigraph of these nodes and edges."""
    graph = networkx.MultiDiGraph() if directed else networkx.MultiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return graph


def positions_of(graph: Any) -> NDArray[np.float64] | None:
    """Coordinates ``(V, 2)`` of nodes in the order of ``graph.nodes()``: x and y, longitude and latitude, pos, or graphics.

    None where a node has none, or all are in one place.
    """
    for names in (*_COORDINATES, None):
        points = [_position(data, names) for _, data in graph.nodes(data=True)]
        if all(point is not None for point in points):
            positions = np.array(points, dtype=np.float64)
            if not np.ptp(positions, axis=0).any():
                return None  # all in one place
            if names and names[1] in ("lat", "latitude"):
                # A degree of longitude is shorter than one of latitude.
                positions[:, 0] *= np.cos(np.radians(positions[:, 1].mean()))
            return positions
    return None


def _position(data: Mapping[str, Any], names: tuple[str, str] | None) -> tuple[float, float] | None:
    """Coordinates of a node by two attributes, or by pos or graphics; None where it lacks them."""
    if names is not None:
        pair: Any = [value_of(data, name) for name in names]
    elif "pos" in data:
        pair = data["pos"]
        pair = pair.strip("()[] ").split(",") if isinstance(pair, str) else pair
    else:
        graphics = data.get("graphics")
        pair = [graphics.get("x"), graphics.get("y")] if isinstance(graphics, Mapping) else []
    numbers = [as_number(str(coordinate)) for coordinate in pair] if isinstance(pair, (list, tuple)) else []
    if len(numbers) != 2 or any(number is None or np.isinf(number) for number in numbers):
        return None
    return numbers[0], numbers[1]  # type: ignore[return-value]


def layout(graph: Any, positions: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Positions of the nodes, ``(V, 2)``: those of the file, or else such that distances are close to numbers of edges.

    Sources: Kamada and Kawai 1989, "An algorithm for drawing general undirected graphs"; of more than 200 nodes, whose
    distances would take long, Brandes and Pich 2007, "Eigensolver methods for progressive multidimensional scaling".
    """
    if positions is not None:
        return positions
    simple = networkx.Graph(graph)
    simple.remove_edges_from(list(networkx.selfloop_edges(simple)))
    if len(simple) <= _FEW and networkx.is_connected(simple):
        points = networkx.kamada_kawai_layout(simple, weight=None)
        return np.array([points[node] for node in graph])
    squares = _distances(simple) ** 2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    coordinates: NDArray[np.float64] = centred @ np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    return coordinates


def _distances(graph: Any) -> NDArray[np.float64]:
    """Numbers of edges from every node to pivots, ``(V, P)``, each of which is far from those before it."""
    edges = networkx.to_scipy_sparse_array(graph, weight=None, format="csr")
    columns, nearest, pivot = [], np.full(len(graph), np.inf), 0
    for _ in range(min(_PIVOTS, len(graph))):
        columns.append(dijkstra(edges, indices=pivot, unweighted=True))
        nearest = np.minimum(nearest, columns[-1])
        pivot = int(nearest.argmax())
    distances = np.stack(columns, axis=1)
    apart = np.isinf(distances)
    distances[apart] = distances[~apart].max() + 1
    return distances
