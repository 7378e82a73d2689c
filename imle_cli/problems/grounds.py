"""Grounds made of what users have in Python: an array of numbers, a networkx graph, or a solver."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np

from imle_cli.figures.canvas import Mask
from imle_cli.figures.graphs import Drawing
from imle_cli.figures.grounds import Ground, ItemTable, Network, PairTable, Terrain
from imle_cli.figures.items import Items
from imle_cli.figures.maps import Tiles
from imle_cli.figures.pairs import Pairs
from imle_cli.figures.path_lines import ordered
from imle_cli.files.graphs.layout import graph_of_edges, layout, positions_of
from imle_cli.problems.arrays import Array, Event, as_array, instance_of
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.solvers import AcyclicGridPath, Assignment, GridEdgePath, GridPath, Knapsack, MinCut, ShortestPath

Kind = Literal["map", "matrix"]


def shape_of(ground: Any, numbers: Any) -> Event | None:
    """Shape that solutions on a ground have; None if it does not say.

    Raises:
        ArgumentError: no ground.
    """
    if numbers is not None:
        return as_array("numbers", numbers).shape
    if ground is None or callable(ground):
        edges = getattr(ground, "edges", None)
        items = ground.event if isinstance(ground, Knapsack) else None
        return (len(edges),) if isinstance(edges, list) else items
    if hasattr(ground, "is_directed") and hasattr(ground, "edges"):
        return (ground.number_of_edges(),)
    try:
        return as_array("ground", ground).shape
    except ArgumentTypeError as error:
        rule = "it must be an array of costs or scores, a networkx graph, or a solver"
        raise ArgumentTypeError("ground", error.got, rule, "leave it out to draw solutions alone") from error


def ground_of(
    ground: Any, event: Event, *, numbers: Any = None, names: Any = None, kind: Kind | None = None, instance: int = 0
) -> Ground:
    """The ground of solutions ``(*event)``.

    Args:
        ground: array, graph, solver or None.
        event: shape of a solution.
        numbers: costs or scores, where the ground is a graph or a solver.
        names: of the items, or of rows and columns.
        kind: a map or a matrix, of solutions with two axes.
        instance: the instance that numbers are taken of.

    Raises:
        ArgumentError: parts that do not fit each other.
    """
    if kind not in (None, "map", "matrix"):
        raise ArgumentError("kind", repr(kind), "it must be 'map' or 'matrix'", "leave it out")
    graph = _graph_of(ground)
    given = ground if numbers is None and not (ground is None or callable(ground) or graph is not None) else numbers
    name = "ground" if numbers is None else "numbers"
    array = None if given is None else instance_of(name, as_array(name, given), event, instance)
    if graph is not None:
        return _network(graph, ground, array)
    if len(event) == 2 and _is_map(ground, array, names, kind):
        if array is not None and not (array > 0).all():
            got = f"{int((array <= 0).sum())} that are <= 0"
            raise ArgumentError(name, got, "costs of tiles are > 0", "use kind='matrix' for other numbers")
        return Terrain(array, _tiles_of(ground))
    if len(event) == 2:
        return PairTable(Pairs(*_pair_names(names, event), array))
    heavy = ground if isinstance(ground, Knapsack) and not ground.several else None
    weights = None if heavy is None else np.ravel(heavy.weights).astype(float)
    labels = _names("names", names, int(np.prod(event)), _entry_names(event))
    capacity = None if heavy is None else heavy.capacity
    return ItemTable(Items(labels, None if array is None else array.ravel(), weights, capacity))


def _is_map(ground: Any, array: Array | None, names: Any, kind: Kind | None) -> bool:
    if kind is not None:
        return kind == "map"
    if isinstance(ground, (GridPath, AcyclicGridPath)):
        return True
    if names is not None or isinstance(ground, Assignment):
        return False
    return array is None or bool((array > 0).all())


def _tiles_of(ground: Any) -> Callable[[Mask], Tiles | None]:
    """Order of the tiles of a solution: by the solver, or of a path between the corners read off its mask."""

    def asked(mask: Mask) -> Tiles | None:
        try:
            return np.asarray(ground.path_tiles(np.asarray(mask)))
        except ArgumentError:
            return None

    def read(mask: Mask) -> Tiles | None:
        path = ordered(mask) if np.isin(mask, (0, 1)).all() else None
        corners = [[0, 0], [mask.shape[0] - 1, mask.shape[1] - 1]]
        return path if path is not None and path[[0, -1]].tolist() == corners else None

    return asked if isinstance(ground, GridPath) else read


def _graph_of(ground: Any) -> Any:
    """The networkx graph that a ground is or that a solver holds; None if there is none."""
    if hasattr(ground, "is_directed") and hasattr(ground, "number_of_edges"):
        return ground
    if not (isinstance(getattr(ground, "edges", None), list) and hasattr(ground, "nodes")):
        return None
    return graph_of_edges(ground.nodes, ground.edges, directed=ground.directed)


def _network(graph: Any, ground: Any, numbers: Array | None) -> Network:
    number = {node: index for index, node in enumerate(graph.nodes())}
    edges = list(graph.edges(data=True))
    # Of a solver, edges are in its own order, which a multigraph need not keep.
    pairs = [(u, v) for u, v, _ in edges] if graph is ground else ground.edges
    ends = np.array([(number[u], number[v]) for u, v in pairs])
    if numbers is None and all(isinstance(data.get("weight"), (int, float)) for _, _, data in edges):
        numbers = np.array([data["weight"] for _, _, data in edges], dtype=np.float64)
    marked = []
    if isinstance(ground, ShortestPath):
        marked = [ground.start, ground.goal]
    if isinstance(ground, MinCut):
        marked = [ground.s, ground.t]
    if isinstance(ground, GridEdgePath):
        marked = [ground.nodes[0], ground.nodes[-1]]
        positions = np.array([(column, -row) for row, column in ground.nodes], dtype=np.float64)
    else:
        positions = layout(graph, positions_of(graph))
    names = list(map(str, graph.nodes()))
    return Network(Drawing(names, positions, ends, numbers, graph.is_directed(), [number[node] for node in marked]))


def _pair_names(names: Any, event: Event) -> tuple[Sequence[str], Sequence[str]]:
    """Names of rows and of columns; their numbers, if they have none."""
    pair = (None, None) if names is None else names
    if isinstance(pair, str) or len(pair) != 2:
        raise ArgumentError("names", f"{len(names)}", "a matrix has names of rows and of columns", "give a pair of lists")
    rows, columns = (
        _names("names", given, count, [str(number) for number in range(count)])
        for given, count in zip(pair, event, strict=True)
    )
    return rows, columns


def _names(argument: str, names: Any, count: int, usual: Sequence[str]) -> Sequence[str]:
    if names is None:
        return usual
    if not isinstance(names, Iterable):
        raise ArgumentError(argument, repr(names), "names are listed", "give one name for each")
    listed = list(map(str, names))
    if len(listed) != count:
        raise ArgumentError(argument, f"{len(listed)}", f"there are {count} to be named", "give one name for each")
    return listed


def _entry_names(event: Event) -> Sequence[str]:
    """Indices of the entries of a solution."""
    return [",".join(map(str, index)) for index in np.ndindex(*event)] if event else [""]
