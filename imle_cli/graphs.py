"""Graphs from files: GraphML, GML, or a table of edges; their weights, and where their nodes are."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from imle_cli.sources import NUMBER, SourceError, as_number, check_file, read_table

_COORDINATES = (("x", "y"), ("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"))
_ENDS = (("source", "from", "u"), ("target", "to", "v"))
_SHOWN = 6
_FEW, _PIVOTS = 200, 50  # nodes


@dataclass(frozen=True)
class GraphFile:
    """A graph as it was read.

    Attributes:
        graph: a networkx multigraph, directed or not, whose nodes are texts; parallel edges and self-loops are kept.
        weights: ``(E,)``, in the order of ``graph.edges()``.
        positions: ``(V, 2)``, in the order of ``graph.nodes()``; None where the file has none.
    """

    graph: Any
    weights: NDArray[np.float64]
    positions: NDArray[np.float64] | None

    @property
    def acyclic(self) -> bool:
        """Whether its edges are directed, and none leads back."""
        return bool(networkx.is_directed_acyclic_graph(self.graph))


def read_graph(path: Path, weight: str = "weight", directed: bool = False) -> GraphFile:
    """Reads a graph and the weights of its edges.

    Nodes are called by their ``label`` where all have one of their own, else by their identifier. Their coordinates are the
    attributes x and y, lon and lat (or longitude and latitude), pos (two numbers), or x and y in graphics. A ``.csv`` has an
    edge in each line: two nodes, then its weight; with a header, columns source and target (or from and to), or else two
    columns beside the one with the name of the weight.

    Args:
        path: a ``.graphml``, ``.gml`` or ``.csv`` file.
        weight: attribute, or column, that holds the weights.
        directed: whether the edges of a ``.csv`` lead from the first node to the second; other files say it themselves.

    Raises:
        SourceError: a file that cannot be read, has no edges, or lacks a weight that is a number.
    """
    graph = _read_edges(path, weight, directed) if path.suffix.lower() == ".csv" else _read_markup(path)
    if not graph.number_of_edges():
        raise SourceError(path, "has no edges; a solver on edges needs at least one")
    weights = np.array([_weight(path, weight, *edge) for edge in graph.edges(data=True)])
    return GraphFile(graph, weights, _positions(graph))


def _read_edges(path: Path, weight: str, directed: bool) -> Any:
    table = read_table(path, (*_ENDS[0], *_ENDS[1], weight))
    graph = networkx.MultiDiGraph() if directed else networkx.MultiGraph()
    header, place = table.header, table.column(weight)
    if header is None:
        if len(table.rows[0]) != 3:
            raise SourceError(
                path,
                f"has {len(table.rows[0])} columns and no header; an edge needs two nodes and a weight: write source,"
                f"target,{weight} above",
            )
        if weight != "weight":
            raise SourceError(path, f"has no header with {weight!r}; write source,target,{weight} above its lines")
        ends, place = (0, 1), 2
    else:
        if place is None:
            raise SourceError(path, f"has no column {weight!r}; its columns are {_listed(header)}; name one with --weight")
        named = [table.column(*names) for names in _ENDS]
        others = [column for column in range(len(header)) if column != place]
        if None not in named and named[0] != named[1]:
            others = [column for column in named if column is not None]
        if len(others) != 2:
            raise SourceError(
                path,
                f"has columns {_listed(header)}; an edge needs two nodes and a weight: call those of the nodes source and "
                "target",
            )
        ends = others[0], others[1]
    for row, cells in enumerate(table.rows):
        graph.add_edge(cells[ends[0]], cells[ends[1]], **{weight: table.number(row, place)})
    return graph


def _read_markup(path: Path) -> Any:
    check_file(path, "a .graphml, .gml or .csv file", "graph")
    kind, read = {".graphml": ("GraphML", networkx.read_graphml), ".gml": ("GML", _read_gml)}[path.suffix.lower()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = read(path)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # networkx has no common error for what may be wrong in a file
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SourceError(path, f"cannot be read as {kind} ({reason}); save it again, with networkx for instance") from error
    return _renamed(path, graph)


def _read_gml(path: Path) -> Any:
    text = path.read_text(encoding="utf-8-sig").splitlines()
    # Its reader takes characters beyond ASCII only as numbers.
    plain = [line.encode("ascii", "xmlcharrefreplace").decode() for line in text]
    try:
        return networkx.parse_gml(plain)
    except networkx.NetworkXError as error:
        if "'label'" not in str(error) and "node label" not in str(error):
            raise
        return networkx.parse_gml(plain, label="id")


def _renamed(path: Path, graph: Any) -> Any:
    """The same as a multigraph whose nodes are texts."""
    names = [str(node) for node in graph]
    labels = [str(data.get("label", "")) for _, data in graph.nodes(data=True)]
    if len(set(labels)) == len(names) and all(labels):
        names = labels
    if len(set(names)) < len(names):
        raise SourceError(path, "has different nodes of the same name; give each a name of its own")
    number = dict(zip(graph, names, strict=True))
    renamed = networkx.MultiDiGraph() if graph.is_directed() else networkx.MultiGraph()
    renamed.add_nodes_from((number[node], data) for node, data in graph.nodes(data=True))
    renamed.add_edges_from((number[u], number[v], data) for u, v, data in graph.edges(data=True))
    return renamed


def _weight(path: Path, name: str, u: str, v: str, data: Mapping[str, Any]) -> float:
    if name not in data:
        others = f"its attributes are {_listed(list(data))}; name one with --weight" if data else "write one"
        raise SourceError(path, f"the edge between {u!r} and {v!r} has no {name!r}; {others}")
    value = as_number(str(data[name]))
    if value is None:
        got = f"{str(data[name])[:40]!r}"
        raise SourceError(path, f"the edge between {u!r} and {v!r} has {name} {got}; {NUMBER}; correct it")
    return value


def _positions(graph: Any) -> NDArray[np.float64] | None:
    for names in (*_COORDINATES, None):
        found = [_position(data, names) for _, data in graph.nodes(data=True)]
        if all(place is not None for place in found):
            places = np.array(found, dtype=np.float64)
            if not np.ptp(places, axis=0).any():
                return None  # all in one place
            if names and names[1] in ("lat", "latitude"):
                # A degree of longitude is shorter than one of latitude.
                places[:, 0] *= np.cos(np.radians(places[:, 1].mean()))
            return places
    return None


def _position(data: Mapping[str, Any], names: tuple[str, str] | None) -> tuple[float, float] | None:
    """Coordinates of a node by two attributes, or by pos or graphics; None where it lacks them."""
    if names is not None:
        pair: Any = [data.get(name) for name in names]
    elif "pos" in data:
        pair = data["pos"]
        pair = pair.strip("()[] ").split(",") if isinstance(pair, str) else pair
    else:
        graphics = data.get("graphics")
        pair = [graphics.get("x"), graphics.get("y")] if isinstance(graphics, Mapping) else []
    numbers = [as_number(str(part)) for part in pair] if isinstance(pair, (list, tuple)) else []
    if len(numbers) != 2 or any(number is None or np.isinf(number) for number in numbers):
        return None
    return numbers[0], numbers[1]  # type: ignore[return-value]


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def layout(file: GraphFile) -> NDArray[np.float64]:
    """Where to draw the nodes, ``(V, 2)``: where the file says, or else so that distances are close to numbers of edges.

    Sources: Kamada and Kawai 1989, "An algorithm for drawing general undirected graphs"; of more than 200 nodes, whose
    distances would take long, Brandes and Pich 2007, "Eigensolver methods for progressive multidimensional scaling".
    """
    if file.positions is not None:
        return file.positions
    simple = networkx.Graph(file.graph)
    simple.remove_edges_from(list(networkx.selfloop_edges(simple)))
    if len(simple) <= _FEW and networkx.is_connected(simple):
        places = networkx.kamada_kawai_layout(simple, weight=None)
        return np.array([places[node] for node in file.graph])
    squares = _distances(simple) ** 2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    found: NDArray[np.float64] = centred @ np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    return found


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
