"""Solvers on the edges of a graph: the order of nodes and edges, reading theta, costs and their floor."""

import copy
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.concurrency import OwnLock, in_threads
from imle_core.solvers.graph.edge_index import ends_of_index, pairs_of
from imle_core.solvers.graph.kinds import is_networkx
from imle_core.solvers.rows import Rows, as_rows

Node: TypeAlias = Hashable
Edge: TypeAlias = tuple[Node, Node]
Floor: TypeAlias = float | Literal["domain"] | None
"""Smallest cost; "domain" for 0 where lower costs have no solutions, and None elsewhere."""
Graph: TypeAlias = Any
"""A networkx graph or multigraph, an iterable of edges ``(u, v)``, which makes an undirected graph, or an edge index."""
Masks: TypeAlias = NDArray[np.uint8]

_NODES_SHOWN = 5
_SHOWN = 60  # letters of what is no edge
_EDGES_A_THREAD = 2**14  # below, starting threads costs more than they save


class GraphSolver:
    """A solver whose entry e of theta and of z belongs to edge ``edges[e]``.

    Parallel edges, those between the same two nodes, have an entry each. Self-loops have one, too, and are never chosen,
    whatever their theta.

    Attributes:
        nodes: in the order of ``graph.nodes()``; of an iterable of edges, in the order of their first appearance.
        edges: pairs of nodes in the order of ``graph.edges()``, of a multigraph that of ``graph.edges(keys=True)``; of an
            iterable of edges, in its own order.
        directed: whether edges lead from u to v only.

    Args:
        graph: networkx graph or multigraph, or an iterable of edges ``(u, v)``, which makes an undirected graph. Attributes
            of edges are not read. Later changes of the graph have no effect. With ``num_nodes`` an edge index ``(2, E)``, a
            tensor, array or list, as graph libraries have it. It makes an undirected graph, which lists each edge once, or
            each in both directions: then the two entries of an edge share one parameter, the sum of theirs (-inf if either
            is), and have the same z.
        num_nodes: number of nodes of an edge index, whose nodes are 0 to ``num_nodes - 1``.
        directed: whether the edges of an edge index lead from its first row to its second only.

    Raises:
        ArgumentError: a graph without edges but self-loops, an edge that is no pair of nodes, a graph of another library; an
            edge index that has not two rows of whole numbers, or has nodes beyond their number.
    """

    pure, sense, takes_padding = True, "max", False
    _alike = 1.0  # a theta for all edges
    nodes: list[Node]
    edges: list[Edge]
    directed: bool
    _number: dict[Node, int]

    def __init__(self, graph: Graph, num_nodes: int | None = None, directed: bool = False) -> None:
        if num_nodes is None:
            self._read_graph(graph)
        else:
            self._ends, self.directed = ends_of_index(graph, num_nodes), bool(directed)
            self.nodes, self.edges = list(range(num_nodes)), [_pair(edge) for edge in self._ends.tolist()]
            self._number = {node: number for number, node in enumerate(self.nodes)}
        self._pairs = None if num_nodes is None or directed else pairs_of(self._ends)
        if self._pairs is not None:
            self._ends = self._ends[self._pairs.first]
        self._loops = self._ends[:, 0] == self._ends[:, 1]
        self._looped = bool(self._loops.any())
        if self._loops.all():
            only = " but self-loops" if self.edges else ""
            raise ArgumentError("graph", f"no edges{only}", "a solver on edges needs at least one", "add an edge")

    def _read_graph(self, graph: Graph) -> None:
        is_graph = is_networkx(graph)
        self.directed = is_graph and graph.is_directed()
        self.edges = [_pair(edge) for edge in (graph.edges() if is_graph else graph)]
        nodes = graph.nodes() if is_graph else (node for edge in self.edges for node in edge)
        self.nodes = list(dict.fromkeys(nodes))
        self._number = {node: i for i, node in enumerate(self.nodes)}
        ends = [(self._number[u], self._number[v]) for u, v in self.edges]
        self._ends = np.array(ends, dtype=np.int64).reshape(-1, 2)

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, E)`` of the best solutions for parameters ``(N, E)``, in theta's type and on its device."""
        masks = self._solve(self._read(theta))
        if self._pairs is not None:
            masks = masks[:, self._pairs.edge]
        return torch.from_numpy(masks).to(device=theta.device, dtype=theta.dtype)

    def _solve(self, rows: Rows) -> Masks:
        raise NotImplementedError

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """Number of edges of the solution for equal parameters, such as of a path with the fewest edges.

        It is that of all solutions where they have as many: spanning trees and perfect matchings.
        """
        quiet = copy.copy(self)  # whose counts are its own
        return float(quiet(torch.full((1, len(self.edges)), self._alike)).sum())

    @property
    def simple(self) -> bool:
        """True where each entry is an edge of its own, with neither parallel edges nor self-loops."""
        if self._pairs is not None:
            return False
        ends = self._ends if self.directed else np.sort(self._ends, axis=1)
        return not self._looped and len(np.unique(ends, axis=0)) == len(ends)

    def _check_undirected(self, what: str) -> None:
        if self.directed:
            raise ArgumentError(
                "graph", "a directed graph", f"{what} needs an undirected one", "give graph.edges(), pairs without direction"
            )

    def _node(self, name: str, node: Node) -> int:
        """Number of a node that the user named."""
        if node not in self._number:
            names = ", ".join(map(repr, self.nodes[:_NODES_SHOWN])) + (", ..." if len(self.nodes) > _NODES_SHOWN else "")
            raise ArgumentError(name, repr(node), "it is no node of the graph", f"the nodes are {names}")
        return self._number[node]

    def _out_arcs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Compressed rows ``(first, heads, edges)``: arcs ``first[i]..first[i + 1] - 1`` leave node i, by edge number.

        Self-loops are left out.
        """
        numbers = np.flatnonzero(~self._loops)
        tails, heads = self._ends[numbers].T
        if not self.directed:
            numbers, tails, heads = np.tile(numbers, 2), np.append(tails, heads), np.append(heads, tails)
        order = np.lexsort((numbers, tails))
        first = np.zeros(len(self.nodes) + 1, np.int64)
        np.cumsum(np.bincount(tails, minlength=len(self.nodes)), out=first[1:])
        return first, np.ascontiguousarray(heads[order]), np.ascontiguousarray(numbers[order])

    def _two_way_arcs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Compressed rows ``(first, arcs, heads)``: arcs ``2 e`` and ``2 e + 1`` are edge e there and back.

        Arcs ``arcs[first[i] : first[i + 1]]`` leave node i; ``heads[a]`` is where arc a leads.
        """
        tails, heads = self._ends.ravel(), np.ascontiguousarray(self._ends[:, ::-1]).ravel()
        first = np.append(0, np.cumsum(np.bincount(tails, minlength=len(self.nodes))))
        return first, np.argsort(tails, kind="stable"), heads

    def _reached(self, start: int) -> set[int]:
        """Nodes to which a path leads from ``start``."""
        first, heads, _ = self._out_arcs()
        reached, left = {start}, [start]
        while left:
            node = left.pop()
            nearby = set(heads[first[node] : first[node + 1]].tolist()) - reached
            reached |= nearby
            left += nearby
        return reached

    def _read(self, theta: Tensor) -> Rows:
        """Theta as ``(N, E)`` contiguous float32 or float64, checked."""
        rows, edges = as_rows(theta), len(self.edges)
        if rows.ndim != 2 or rows.shape[1] != edges:
            raise wrong_shape(
                "theta",
                theta,
                f"a graph of {edges} edges needs (N, {edges})",
                "give one entry an edge, in the order of solver.edges",
            )
        if np.isnan(rows).any():
            raise ArgumentError("theta", f"{int(np.isnan(rows).sum())} NaN", "an edge needs a number", "use -inf for never")
        rows = rows if self._pairs is None else self._pairs.shared(rows)
        return np.where(self._loops, rows.dtype.type(-np.inf), rows) if self._looped else rows


class CostSolver(GraphSolver):
    """A solver that minimises costs ``c = -theta``, which ``floor`` can keep from being negative.

    Attributes:
        clamped: how many costs were raised to ``floor`` so far.
        seen: how many edges that may be chosen were read so far.
        domain: smallest and largest theta that are surely inside its domain and not clamped.

    Args:
        graph: as for :class:`GraphSolver`.
        floor: smallest cost, >= 0, in theta's type, to which lower ones are clamped; "domain" for 0 where lower ones have
            no solutions; None to take costs as they are.
        num_nodes: as for :class:`GraphSolver`.
        directed: likewise.

    Raises:
        ArgumentError: as for :class:`GraphSolver`; a floor outside its range.
    """

    _alike = -1.0

    def __init__(self, graph: Graph, floor: Floor = "domain", num_nodes: int | None = None, directed: bool = False) -> None:
        super().__init__(graph, num_nodes, directed)
        if floor == "domain":
            floor = self._least_cost
        if floor is not None and not 0 <= floor < np.inf:
            raise ArgumentError("floor", repr(floor), "it must be >= 0 and finite", "use None to take costs as they are")
        self.floor = None if floor is None else float(floor)
        self.domain = -np.inf, np.inf if self.floor is None else 0.0 - self.floor
        self.clamped = self.seen = 0
        self._counting = OwnLock()

    @property
    def _least_cost(self) -> float | None:
        """The smallest cost that surely has solutions; None where smaller ones may, too."""
        return 0.0

    def _costs(self, rows: Rows) -> Rows:
        """Costs ``(N, E)``: +inf on edges that are never chosen."""
        costs: Rows = -rows
        clamped = 0
        if self.floor is not None:
            below = costs < self.floor
            clamped = int(np.count_nonzero(below))
            costs[below] = self.floor
        else:
            check_sums_finite(rows, "use a large number, or give floor")
        with self._counting:
            self.clamped += clamped
            self.seen += int(np.count_nonzero(costs != np.inf))
        return costs

    def _check_sign(self, costs: Rows, what: str) -> None:
        negative = (costs < 0).any(axis=1)
        if negative.any():
            row = int(negative.argmax())
            count = int(np.count_nonzero(costs[row] < 0))
            raise ArgumentError(
                "theta",
                f"{count} positive entries{where(row, costs)}",
                f"{what} needs costs -theta >= 0",
                "make theta <= 0, also after noise and in targets, or leave floor out, so that costs are clamped",
            )


def check_sums_finite(rows: Rows, remedy: str) -> None:
    """Refuses rows with +inf."""
    if (rows == np.inf).any():
        raise ArgumentError("theta", f"{int(np.isposinf(rows).sum())} +inf", "sums over edges must be finite", remedy)


def whole_numbers(values: Iterable[float]) -> list[int]:
    """Finite floats as whole numbers in the same exact ratios."""
    ratios = [float(value).as_integer_ratio() for value in values]
    scale = max((below for _, below in ratios), default=1)  # all are powers of two
    return [above * (scale // below) for above, below in ratios]


def in_parts(solve: Callable[[int, int], None], rows: Rows, edges_a_thread: int = _EDGES_A_THREAD) -> None:
    """Calls ``solve(first, last)`` over the rows, on as many threads as torch may use where the work is worth it."""
    in_threads(solve, len(rows), min(torch.get_num_threads(), len(rows), rows.size // edges_a_thread))


def where(row: int, rows: Rows) -> str:
    """Words for the row that an error is about, where there are several."""
    return f" in row {row} of {len(rows)}" if len(rows) > 1 else ""


def _pair(edge: Any) -> Edge:
    if isinstance(edge, str) or not hasattr(edge, "__len__") or len(edge) != 2:
        got = repr(edge)
        raise ArgumentError(
            "graph",
            f"{got if len(got) <= _SHOWN else got[:_SHOWN] + '...'} as an edge",
            "an edge is a pair of nodes",
            "give pairs (u, v)",
        )
    u, v = edge
    if isinstance(u, Tensor) or isinstance(v, Tensor):
        raise ArgumentError(
            "graph",
            f"{edge!r} as an edge",
            "tensors are no nodes, since two of them are never the same",
            "give pairs of numbers, with edge_index.T.tolist() for instance",
        )
    return u, v
