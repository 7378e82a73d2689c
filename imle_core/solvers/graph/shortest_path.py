"""Cheapest paths between two nodes of a graph."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError
from imle_core.solvers.binding import flow, normals_at
from imle_core.solvers.graph.cost_solver import CostSolver, Floor, whole_numbers
from imle_core.solvers.graph.graphs import Node, Whole
from imle_core.solvers.graph.padding import rows_of
from imle_core.solvers.graph.reading import of_graph
from imle_core.solvers.graph.solver import Graph, Masks, NumNodes, Offsets, in_parts
from imle_core.solvers.rows import Rows, as_array, shrunk

_ACYCLIC, _POSITIVE, _SIGNED = range(3)
"""Algorithms: one pass in topological order, Dijkstra's, and that of Bellman and Ford."""


class ShortestPath(CostSolver):
    """``argmax_z <z, theta>`` over paths from start to goal: the cheapest path, with costs ``c = -theta`` of the edges.

    z is 1 on the edges of the path, ``edges`` has their order. A path visits no node twice, and takes the best of parallel
    edges; theta = -inf is an edge that is never taken.

    Domain of theta: any real numbers on a directed graph without cycles, solved by one pass in topological order,
    O(V + E) a row. On other directed graphs, costs that give no cycle between start and goal a negative sum: Dijkstra's
    algorithm, O(E log E), where a row has no negative cost, Bellman and Ford's, O(V E), where it has. On undirected graphs,
    costs >= 0, that is theta <= 0, since an edge with a negative cost is a cycle: noise and targets that make costs
    negative are clamped at 0. ``floor`` clamps costs from below, and ``clamped`` counts how often, of ``seen`` edges that
    may be taken. ``domain`` holds a smallest and a
    largest theta that are inside the domain, whatever the other edges have.

    Among equally cheap paths it takes one with the fewest edges, and among those the one whose last edge comes first in
    ``edges``, then the last but one, and so on. Costs of paths are sums in float64.

    Args:
        graph: networkx graph or multigraph, directed or not, an iterable of edges ``(u, v)``, with
            ``num_nodes`` an edge index ``(2, E)``, or a list of graphs, one for each instance, as :class:`GraphSolver`
            takes it.
        start: first node; of several graphs a list of nodes, or a node that all have.
        goal: last node, another one, likewise.
        floor: smallest cost, >= 0, to which lower ones are clamped; "domain" for 0 on an undirected graph and none on a
            directed one; None to take costs as they are, and refuse those outside the domain.
        num_nodes: number of nodes of an edge index; a list has one for each graph.
        directed: whether edges ``(u, v)``, or those of an edge index, lead from u to v only; a networkx graph knows.
        ptr: where the nodes of each graph of a batch begin, in place of ``num_nodes``.

    Raises:
        ArgumentError: a graph without edges, a start or goal that is no node, equal ones, a goal that cannot be reached, a
            floor < 0; when called, parameters that are not ``(N, E)``, NaN, +inf without a floor, parameters outside the
            domain, a goal that cannot be reached without edges of -inf.

    >>> import torch
    >>> ShortestPath([("a", "b"), ("b", "c"), ("a", "c")], "a", "c")(torch.tensor([[-1.0, -1.0, -3.0]]))
    tensor([[1., 1., 0.]])
    """

    def __init__(
        self,
        graph: Graph,
        start: Node,
        goal: Node,
        floor: Floor = "domain",
        *,
        num_nodes: NumNodes = None,
        directed: bool = False,
        ptr: Offsets = None,
    ) -> None:
        super().__init__(graph, floor, num_nodes, directed, ptr)
        self.start, self.goal = start, goal
        (starts, self._from), (goals, self._to) = self._named("start", start), self._named("goal", goal)
        reached = self._reached(self._from)[self._graphs.node_starts[:-1] + self._to]
        for graph in np.flatnonzero((self._from == self._to) | ~reached).tolist():
            first, last, location = starts[graph], goals[graph], of_graph(graph, self._count)
            if self._from[graph] == self._to[graph]:
                raise ArgumentError("goal", f"{last!r}{location}", "it is the start as well", "choose another node")
            raise ArgumentError(
                "goal", f"{last!r}{location}", f"no path leads to it from {first!r}", "add edges, or choose another node"
            )

    def _arrange(self) -> None:
        super()._arrange()
        self._arcs = self._graphs.out_arcs(self.directed)
        self._order, self._acyclic = self._topological_order()

    def _choose(self, number: int) -> None:
        super()._choose(number)
        self._from, self._to = self._from[number : number + 1], self._to[number : number + 1]
        (nodes,) = self._graphs.nodes
        self.start, self.goal = nodes[self._from[0]], nodes[self._to[0]]

    @property
    def domain(self) -> tuple[float, float]:
        """A smallest and a largest theta that are inside the domain, whatever the other edges have."""
        largest = np.inf if self.floor is None else 0.0 - self.floor
        return -np.inf, largest if self._acyclic.all() else min(largest, 0.0)  # no cycle may be negative

    @property
    def _least_cost(self) -> float | None:
        return None if self.directed else 0.0

    @property
    def normals(self) -> Callable[[Tensor], Tensor] | None:
        """From paths ``(B, E)`` to normals, as :class:`imle_core.contracts.BindingSolver` says: flow through nodes, 0 and 1.

        None without directions, where no flow describes the paths, and of a list of graphs.
        """
        return self._normals if self.directed and not self._is_list else None

    def _normals(self, gold: Tensor) -> Tensor:
        ends, loops = self._graphs.ends, self._graphs.loops
        return normals_at(gold, len(ends), flow(ends[:, 0], ends[:, 1], len(self.nodes)), high=np.where(loops, 0.0, 1.0))

    def __repr__(self) -> str:
        return f"ShortestPath({self._size}, start={self.start!r}, goal={self.goal!r})"

    def path_nodes(self, mask: ArrayLike) -> list[Any]:
        """Nodes of the path from start to goal, in its order, for a mask ``(E,)`` that this solver gave.

        Of several graphs a list of nodes for each, for masks ``(B, E)``.
        """
        masks = as_array(mask)
        if self._is_list:
            counts = np.diff(self._graphs.offsets)
            return [self.graph(graph).path_nodes(masks[graph, :edges]) for graph, edges in enumerate(counts)]
        onward, nodes = dict[int, list[int]](), self._graphs.nodes[0]
        chosen = masks if self._graphs.pairs is None else masks[self._graphs.pairs.first]
        for u, v in self._graphs.ends[np.flatnonzero(chosen)].tolist():
            onward.setdefault(u, []).append(v)
            if not self.directed:
                onward.setdefault(v, []).append(u)
        path, before = [int(self._from[0])], -1
        while path[-1] != self._to[0]:
            path.append(next(node for node in onward[path[-1]] if node != before))
            before = path[-2]
        return [nodes[node] for node in path]

    def _topological_order(self) -> tuple[Whole, NDArray[np.bool_]]:
        """Nodes of each graph, each before those to which its edges lead; and which graphs ``(B,)`` have such an order.

        Without directions none is looked for. Of a graph with a cycle the order means nothing.
        """
        graphs = self._graphs
        acyclic = np.full(len(graphs), self.directed)
        if not self.directed:
            return np.zeros(0, np.int64), acyclic
        tails, heads = graphs.numbered_through[~graphs.loops].T
        size = int(graphs.node_starts[-1])
        heads = heads[np.argsort(tails, kind="stable")]
        first = np.append(0, np.cumsum(np.bincount(tails, minlength=size)))
        entering = np.bincount(heads, minlength=size)
        order = np.flatnonzero(entering == 0).tolist()
        for node in order:  # the list grows while it is walked through
            for head in heads[first[node] : first[node + 1]].tolist():
                entering[head] -= 1
                if entering[head] == 0:
                    order.append(head)
        graph_of_node = np.repeat(np.arange(len(graphs)), graphs.sizes)
        acyclic[graph_of_node[entering > 0]] = False
        order += np.flatnonzero(entering > 0).tolist()
        through = np.array(order, np.int64)
        through = through[np.argsort(graph_of_node[through], kind="stable")]
        return through - graphs.node_starts[graph_of_node], acyclic

    def _solve(self, rows: Rows) -> Masks:
        from imle_core.solvers.graph.kernels.paths import CUT_OFF  # here, since numba takes half a second to import

        owners = self._owners(rows)
        read: Rows = -rows
        if not self.directed:
            self._check_sign(read, "a shortest path in an undirected graph")
        costs = shrunk(read.astype(np.float64))
        masks = np.zeros(costs.shape, np.uint8)
        status = np.zeros(len(costs), np.int8)

        def solve(first: int, last: int) -> None:
            chunk, graphs = costs[first:last], owners[first:last]
            for kind, chosen in self._methods(chunk, graphs):
                masks[first:last][chosen], status[first:last][chosen] = self._paths(kind, chunk[chosen], graphs[chosen])

        in_parts(solve, costs)
        for row in np.flatnonzero(status).tolist():
            graph, location = owners[row], self._where(row, rows)
            if status[row] == CUT_OFF:
                nodes = self._graphs.nodes[graph]
                raise ArgumentError(
                    "goal",
                    repr(nodes[self._to[graph]]),
                    f"edges of -inf cut it off from start {nodes[self._from[graph]]!r}{location}",
                    "open a way or choose another node",
                )
            alone = self.graph(graph) if self._is_list else self
            edges = alone._edges.width
            masks[row, alone._exact_path(read[row, :edges], location)] = 1
        return masks

    def _methods(self, costs: Rows, owners: Whole) -> Iterator[tuple[int, Any]]:
        """Algorithms for rows of graphs of such numbers, and which rows each is for."""
        if self._acyclic.all():
            yield _ACYCLIC, slice(None)
            return
        negative = (costs < 0).any(axis=1)
        if not (negative.any() or self._acyclic.any()):
            yield _POSITIVE, slice(None)
            return
        methods = np.where(self._acyclic[owners], _ACYCLIC, np.where(negative, _SIGNED, _POSITIVE))
        for method in np.unique(methods).tolist():
            yield method, np.flatnonzero(methods == method)

    def _paths(self, kind: int, costs: Rows, owners: Whole) -> tuple[Masks, NDArray[np.int8]]:
        """Masks ``(n, K)`` and their status for costs of graphs of such numbers ``(n,)``, rising, by one algorithm."""
        from imle_core.solvers.graph.kernels import paths as kernel

        masks, status = np.zeros(costs.shape, np.uint8), np.zeros(len(costs), np.int8)
        starts = rows_of(owners, len(self._graphs)), self._graphs.node_starts
        if kind == _ACYCLIC:
            kernel.acyclic_paths_of(costs, masks, status, *self._arcs, self._order, self._from, self._to, *starts)
        elif kind == _POSITIVE:
            kernel.dijkstra_paths_of(costs, masks, status, *self._arcs, self._from, self._to, *starts)
        else:
            edges = self._graphs.ends, self._graphs.edge_starts
            kernel.bellman_ford_paths_of(costs, masks, status, *edges, self._from, self._to, *starts)
        return masks, status

    def _exact_path(self, costs: Rows, location: str) -> list[int]:
        """Edges of the cheapest path, by the same rules in whole numbers.

        For rows whose labels in float64 do not settle: those with a negative cycle, and those where rounding makes a cycle
        of sum zero or a little more look negative.
        """
        edges = np.flatnonzero(costs != np.inf).tolist()
        cost = dict(zip(edges, whole_numbers(costs[edges]), strict=True))
        ends = {edge: tuple(self._graphs.ends[edge].tolist()) for edge in edges}
        start, goal, nodes = int(self._from[0]), int(self._to[0]), self._graphs.nodes[0]
        leading = {goal}
        for _ in nodes:
            leading |= {u for u, v in ends.values() if v in leading}
        useful = [edge for edge in edges if ends[edge][1] in leading]
        labels, entry, last = {start: (0, 0)}, dict[int, int](), -1
        for _ in range(len(nodes) + 1):
            last = -1
            for edge in useful:
                u, v = ends[edge]
                if u in labels:
                    label = labels[u][0] + cost[edge], labels[u][1] + 1
                    if v not in labels or label < labels[v]:
                        labels[v], entry[v], last = label, edge, v
            if last < 0:
                break
        if last >= 0:
            self._raise_cycle(last, {v: ends[edge][0] for v, edge in entry.items()}, location)
        path, node = list[int](), goal
        while node != start:
            fitting = (
                edge
                for edge in useful
                if ends[edge][1] == node
                and (at := labels.get(ends[edge][0])) is not None
                and (at[0] + cost[edge], at[1] + 1) == labels[node]
            )
            path.append(next(fitting))
            node = ends[path[-1]][0]
        return path

    def _raise_cycle(self, node: int, before: dict[int, int], location: str) -> None:
        nodes = self._graphs.nodes[0]
        for _ in nodes:  # back along the labels until surely on the cycle
            node = before[node]
        cycle = [node]
        while before[cycle[-1]] != node:
            cycle.append(before[cycle[-1]])
        cycle.reverse()
        first = cycle.index(min(cycle))
        names = " -> ".join(repr(nodes[i]) for i in [*cycle[first:], *cycle[:first], cycle[first]])
        raise ArgumentError(
            "theta",
            f"a cycle of negative cost {names}{location}",
            "costs -theta must sum to >= 0 on every cycle",
            "lower theta on its edges, or give floor=0 to clamp costs",
        )
