"""Solvers on the edges of graphs: the order of nodes and edges, and reading theta."""

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, is_whole, shown, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.graph.edge_index import shared
from imle_core.solvers.graph.graphs import Node, Whole
from imle_core.solvers.graph.padding import Ragged
from imle_core.solvers.graph.reading import naming, of_graph, read_graphs
from imle_core.solvers.rows import Rows, as_rows

Graph: TypeAlias = Any
"""A networkx graph or multigraph, an iterable of edges ``(u, v)``, undirected unless directed=True, or an edge index; or
a list of graphs."""
NumNodes: TypeAlias = int | Sequence[int | None] | Tensor | NDArray[np.integer[Any]] | None
"""Number of nodes of an edge index, or of each of several."""
Offsets: TypeAlias = Sequence[int] | Tensor | NDArray[np.integer[Any]] | None
"""Where the nodes of each graph of a batch begin, and where the last one's end."""
Masks: TypeAlias = NDArray[np.uint8]
AnySolver = TypeVar("AnySolver", bound="GraphSolver")

_NODES_SHOWN = 5
_EDGES_A_THREAD = 2**14  # below, starting threads costs more than they save


class GraphSolver:
    """A solver whose entry e of theta and of z belongs to edge ``edges[e]``.

    Parallel edges, those between the same two nodes, have an entry each. Self-loops have one, too, and are never chosen,
    whatever their theta.

    A list of graphs makes a solver of a batch in which each instance has a graph of its own: theta is ``(B, E)`` with the
    largest number of edges, and rows of other graphs end in -inf, as :meth:`.Layer.ragged` pads them. Of ``(B * S, E)`` the
    first S rows are those of the first graph, and so on. All graphs are solved in one compiled call, each exactly as it is
    alone.

    Attributes:
        nodes: in the order of ``graph.nodes()``; of an iterable of edges, in the order of their first appearance. Of
            several graphs a list for each.
        edges: pairs of nodes in the order of ``graph.edges()``, of a multigraph that of ``graph.edges(keys=True)``; of an
            iterable of edges, in its own order. Of several graphs a list for each.
        offsets: of several graphs, where the edges of each begin among those of all, and where the last one's end, int64
            ``(B + 1,)``; None for one graph.
        directed: whether edges lead from u to v only.

    Args:
        graph: networkx graph or multigraph, or an iterable of edges ``(u, v)``, of an undirected graph if not ``directed``.
            Attributes of edges are not read. Later changes of the graph have no effect. With ``num_nodes`` an edge index
            ``(2, E)``, a tensor, array or list, as graph libraries have it. It makes an undirected graph, which lists each
            edge once, or each in both directions: then the two entries of an edge share one parameter, the sum of theirs
            (-inf if either is), and have the same z. A list of graphs has networkx graphs, pairs ``(edge_index,
            num_nodes)``, or with ``num_nodes`` edge indices.
        num_nodes: number of nodes of an edge index, whose nodes are 0 to ``num_nodes - 1``; a list has one for each graph,
            also of one edge index whose nodes are numbered through all graphs and whose edges come graph by graph, as
            in the batches of graph libraries.
        directed: whether edges ``(u, v)``, or those of an edge index, lead from u to v only; a networkx graph knows.
        ptr: of such a batch, in place of ``num_nodes``, where the nodes of each graph begin, and where the last one's end,
            ``(B + 1,)``.

    Raises:
        ArgumentError: a graph without edges but self-loops that is no item of a list, an edge that is no pair of nodes, a
            graph of another library, an empty list, or one that has something else or directed and undirected graphs; an
            edge index that has not two rows of whole numbers, has nodes beyond their number, or edges between graphs or not
            graph by graph; numbers of nodes that are not those of the graphs.
    """

    pure, sense = True, "max"
    _alike = 1.0  # a theta for all edges
    directed: bool

    def __init__(self, graph: Graph, num_nodes: NumNodes = None, directed: bool = False, ptr: Offsets = None) -> None:
        self._graphs, self.directed, self._is_list = read_graphs(graph, num_nodes, directed, ptr)
        if not self._is_list and self._graphs.loops.all():
            only = " but self-loops" if len(self._graphs.ends) else ""
            raise ArgumentError("graph", f"no edges{only}", "a solver on edges needs at least one", "add an edge")
        self._arrange()

    def _arrange(self) -> None:
        """Makes of the graphs what rows are read and written with."""
        graphs = self._graphs
        self._entries = self._edges = Ragged(graphs.offsets)
        if graphs.pairs is not None:
            self._edges = Ragged(graphs.edge_starts)
            begin, graph = graphs.offsets[graphs.graph_of_edge], graphs.graph_of_edge
            self._first, self._second = (
                self._edges.padded(entries - begin, 0) for entries in (graphs.pairs.first, graphs.pairs.second)
            )
            of_entry = graph[graphs.pairs.edge]
            self._edge = self._entries.padded(graphs.pairs.edge - graphs.edge_starts[of_entry], 0)
        self._looped = bool(graphs.loops.any())
        if self._looped or graphs.pairs is not None:
            self._never = self._edges.padded(graphs.loops, True)

    @property
    def nodes(self) -> list[Any]:
        """Nodes in order; of several graphs a list for each."""
        return self._graphs.names if self._is_list else self._graphs.names[0]

    @property
    def edges(self) -> list[Any]:
        """Pairs of nodes in the order of theta; of several graphs a list for each."""
        return self._graphs.edges if self._is_list else self._graphs.edges[0]

    @property
    def offsets(self) -> Tensor | None:
        """Where the edges of each of several graphs begin, and where the last one's end, ``(B + 1,)``."""
        return torch.from_numpy(self._graphs.offsets.copy()) if self._is_list else None

    def graph(self: AnySolver, number: int) -> AnySolver:
        """The solver of one of several graphs alone, by its number in the list.

        Raises:
            ArgumentError: there is no such graph.
        """
        count = len(self._graphs)
        if not is_whole(number, 0) or number >= count:
            raise ArgumentError("number", shown(number), f"graphs have numbers from 0 to {count - 1}", "give one of these")
        single = copy.copy(self)
        vars(single).pop("typical_ones_of_each", None)  # those of all graphs, if anybody asked
        single._graphs, single._is_list = self._graphs.only(number), False
        single._choose(number)
        single._arrange()
        return single

    def _choose(self, number: int) -> None:
        """Leaves of what is known for each graph what is known of one."""

    @property
    def _count(self) -> int | None:
        """Number of graphs of a list, for messages; None for a graph alone."""
        return len(self._graphs) if self._is_list else None

    @property
    def _size(self) -> str:
        """Numbers of graphs, nodes and edges, for a representation."""
        several = f"graphs={len(self._graphs)}, " if self._is_list else ""
        return f"{several}nodes={self._graphs.node_starts[-1]}, edges={self._graphs.offsets[-1]}"

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, E)`` of the best solutions for parameters ``(N, E)``, in theta's type and on its device."""
        masks = self._solve(self._read(theta))
        if self._graphs.pairs is not None:
            masks = self._of_entries(masks)
        if masks.shape[1] < theta.shape[1]:
            masks = np.pad(masks, [(0, 0), (0, theta.shape[1] - masks.shape[1])])
        return torch.from_numpy(masks).to(device=theta.device, dtype=theta.dtype)

    def _solve(self, rows: Rows) -> Masks:
        raise NotImplementedError

    def solve_ragged(self, theta: Tensor, sizes: Sequence[int], /) -> Tensor:
        """Masks ``(N, E)`` for parameters of which row i has ``sizes[i]``, as many as its graph has edges.

        See :class:`imle_core.contracts.RaggedSolver`.

        Raises:
            ArgumentError: a row with another number of entries than edges, or numbers of rows and graphs that do not fit.
        """
        edges = np.diff(self._graphs.offsets)
        samples, left = divmod(len(sizes), len(edges))
        if left:
            got = f"{len(sizes)} rows for {len(edges)} graphs"
            raise ArgumentError("offsets", got, "each graph must have an instance", "give the offsets of this batch")
        wanted = edges.repeat(samples)
        wrong = np.flatnonzero(wanted != np.asarray(sizes))
        if len(wrong):
            row = int(wrong[0])
            raise ArgumentError(
                "offsets",
                f"{sizes[row]} entries for {f'instance {row // samples}' if self._is_list else f'row {row}'}",
                f"its graph has {wanted[row]} edges",
                "give the offsets of edges, such as those of the solver" if self._is_list else "take a list of graphs",
            )
        return self(theta.masked_fill(torch.from_numpy(wanted == 0).to(theta.device)[:, None], -torch.inf))

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """Number of edges of the solution for equal parameters, such as of a path with the fewest edges.

        It is that of all solutions where they have as many: spanning trees and perfect matchings. Of several graphs it is
        the mean.
        """
        return float(self.typical_ones_of_each.mean())

    @cached_property
    def typical_ones_of_each(self) -> NDArray[np.float64]:
        """The same for each graph, ``(B,)``."""
        quiet = copy.copy(self)  # whose counts are its own
        alike = self._entries.padded(np.full(self._graphs.offsets[-1], self._alike), -np.inf)
        counts: NDArray[np.float64] = quiet(torch.from_numpy(alike)).sum(dim=1).numpy()
        return counts

    @property
    def simple(self) -> bool:
        """True where each entry is an edge of its own, with neither parallel edges nor self-loops, of a single graph."""
        return not self._is_list and bool(self.is_simple[0])

    @property
    def is_simple(self) -> NDArray[np.bool_]:
        """The same of each graph, ``(B,)``."""
        graphs = self._graphs
        ends = graphs.numbered_through if self.directed else np.sort(graphs.numbered_through, axis=1)
        _, first = np.unique(ends, axis=0, return_index=True)
        simple = ~graphs.paired
        simple[graphs.graph_of_edge[graphs.loops]] = False
        simple[graphs.graph_of_edge[np.setdiff1d(np.arange(len(ends)), first)]] = False
        return simple

    def _check_undirected(self, what: str) -> None:
        if self.directed:
            raise ArgumentError(
                "graph", "a directed graph", f"{what} needs an undirected one", "give graph.edges(), pairs without direction"
            )

    def _named(self, name: str, given: Any) -> tuple[list[Node], Whole]:
        """Nodes that the user named, one for each graph, or one in all, and their numbers ``(B,)``."""
        count = len(self._graphs)
        nodes: list[Node] = [given] * count
        if self._is_list and isinstance(given, (list, np.ndarray, Tensor)):
            nodes = given if isinstance(given, list) else given.reshape(-1).tolist()
            if len(nodes) != count:
                got = f"{len(nodes)} nodes for {count} graphs"
                raise ArgumentError(name, got, "it is a node of each graph", "give a list of nodes, or a node that all have")
        numbers = np.zeros(count, np.int64)
        for graph, (node, names) in enumerate(zip(nodes, self._graphs.nodes, strict=True)):
            with naming(graph, self._count):
                numbers[graph] = _number(name, node, names)
        return nodes, numbers

    def _reached(self, starts: Whole) -> NDArray[np.bool_]:
        """Nodes to which a path leads from the start of their graph, ``(V,)``, numbered through all graphs."""
        begin = self._graphs.node_starts[:-1] + starts
        if not self.directed:
            labels = self._graphs.connected()
            mates: NDArray[np.bool_] = labels == np.repeat(labels[begin], self._graphs.sizes)
            return mates
        tails, heads = self._graphs.numbered_through.T
        order = np.argsort(tails, kind="stable")
        first, heads = np.searchsorted(tails[order], np.arange(self._graphs.node_starts[-1] + 1)), heads[order]
        reached = np.zeros(self._graphs.node_starts[-1], np.bool_)
        reached[begin] = True
        left = begin.tolist()
        while left:
            node = left.pop()
            nearby = heads[first[node] : first[node + 1]]
            nearby = nearby[~reached[nearby]]
            reached[nearby] = True
            left += set(nearby.tolist())
        return reached

    def _read(self, theta: Tensor) -> Rows:
        """Theta of edges as ``(N, K)`` contiguous float32 or float64, checked."""
        rows, edges = as_rows(theta), self._entries.width
        self._check_shape(theta, rows)
        if np.isnan(rows).any():
            raise ArgumentError("theta", f"{int(np.isnan(rows).sum())} NaN", "an edge needs a number", "use -inf for never")
        if self._is_list:
            self._check_padding(rows)
            rows = rows if rows.shape[1] == edges else rows[:, :edges].copy()
        if not self._looped and self._graphs.pairs is None:
            return rows
        count, edges = len(self._graphs), self._edges.width
        by_graph: Any = rows.reshape(count, len(rows) // count, rows.shape[1])
        if self._graphs.pairs is not None:
            first, second = taken(by_graph, self._first), taken(by_graph, self._second)
            by_graph = shared(first, second, (self._first == self._second)[:, None])
        masked: Any = np.where(self._never[:, None], by_graph.dtype.type(-np.inf), by_graph)
        never: Rows = masked.reshape(len(rows), edges)
        return never

    def _check_shape(self, theta: Tensor, rows: Rows) -> None:
        edges, count = self._entries.width, len(self._graphs)
        if not self._is_list:
            if rows.ndim != 2 or rows.shape[1] != edges:
                raise wrong_shape(
                    "theta",
                    theta,
                    f"a graph of {edges} edges needs (N, {edges})",
                    "give one entry an edge, in the order of solver.edges",
                )
            return
        if rows.ndim != 2 or rows.shape[1] < edges:
            raise wrong_shape(
                "theta",
                theta,
                f"{count} graphs of up to {edges} edges need (N, {edges})",
                "give one entry an edge, in the order of solver.edges, and -inf after those of smaller graphs",
            )
        if len(rows) % count:
            raise ArgumentError(
                "theta",
                f"{len(rows)} rows for {count} graphs",
                "each graph has as many rows, next to each other",
                "give a row for each graph in the list, and for each sample",
            )

    def _check_padding(self, rows: Rows) -> None:
        """Refuses entries other than -inf after those of a graph; rows of a graph without any are not looked at."""
        owners = np.arange(len(rows)) // max(1, len(rows) // len(self._graphs))
        inside, width = self._entries.inside, self._entries.width
        open_ones = rows != -np.inf
        if inside is not None:
            open_ones[:, :width] &= (~inside & inside[:, :1])[owners]
            open_ones[:, width:] &= inside[owners, :1]
        else:
            open_ones = open_ones[:, width or rows.shape[1] :]
        if not open_ones.any():
            return
        row = int(open_ones.any(axis=1).argmax())
        edges = int(np.diff(self._graphs.offsets)[owners[row]])
        raise ArgumentError(
            "theta",
            f"entries after the {edges} edges{self._where(row, rows)}",
            "padding is -inf",
            "pad rows with -inf, and give them in the order of the graphs",
        )

    def _of_entries(self, masks: Masks) -> Masks:
        """Masks of edges ``(N, K)`` as masks of entries ``(N, E)``."""
        count = len(self._graphs)
        by_graph = masks.reshape(count, len(masks) // count, masks.shape[1])
        entries: Masks = taken(by_graph, self._edge)
        if self._entries.inside is not None:
            entries &= self._entries.inside[:, None]
        return entries.reshape(len(masks), self._edge.shape[1])

    def _owners(self, rows: Rows) -> Whole:
        """Number of the graph of each row."""
        count = len(self._graphs)
        return np.zeros(len(rows), np.int64) if count == 1 else np.repeat(np.arange(count), len(rows) // count)

    def _where(self, row: int, rows: Rows) -> str:
        """Words for the row and the graph that an error is about, where there are several."""
        return where(row, rows) + of_graph(row * len(self._graphs) // len(rows), self._count)


def in_parts(solve: Callable[[int, int], None], rows: Rows, edges_a_thread: int = _EDGES_A_THREAD) -> None:
    """Calls ``solve(first, last)`` over the rows, on as many threads as torch may use where the work is worth it."""
    in_threads(solve, len(rows), min(torch.get_num_threads(), len(rows), rows.size // edges_a_thread))


def where(row: int, rows: Rows) -> str:
    """Words for the row that an error is about, where there are several."""
    return f" in row {row} of {len(rows)}" if len(rows) > 1 else ""


def _number(name: str, node: Node, nodes: Sequence[Node]) -> int:
    """Number of a node that the user named."""
    if isinstance(node, (list, np.ndarray, Tensor)) or node not in nodes:
        names = ", ".join(map(repr, nodes[:_NODES_SHOWN])) + (", ..." if len(nodes) > _NODES_SHOWN else "")
        raise ArgumentError(name, repr(node), "it is no node of the graph", f"the nodes are {names}")
    return nodes.index(node)


def taken(by_graph: NDArray[Any], columns: Whole) -> Any:
    """Columns ``(B, K)`` of the rows of each graph ``(B, R, E)``, as ``(B, R, K)``."""
    if len(columns) == 1:
        return by_graph[:, :, columns[0]]
    return np.take_along_axis(by_graph, columns[:, None], axis=2)
