"""Cheapest paths between two nodes of a graph."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imle_core.checks import ArgumentError
from imle_core.solvers.graph.solver import CostSolver, Floor, Graph, Masks, Node, in_parts, where, whole_numbers
from imle_core.solvers.rows import Rows, shrunk


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
        graph: networkx graph or multigraph, directed or not, an iterable of edges ``(u, v)`` of an undirected one, or with
            ``num_nodes`` an edge index ``(2, E)``, as :class:`GraphSolver` takes it.
        start: first node.
        goal: last node, another one.
        floor: smallest cost, >= 0, to which lower ones are clamped; "domain" for 0 on an undirected graph and none on a
            directed one; None to take costs as they are, and refuse those outside the domain.
        num_nodes: number of nodes of an edge index.
        directed: whether the edges of an edge index lead from its first row to its second only.

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
        num_nodes: int | None = None,
        directed: bool = False,
    ) -> None:
        super().__init__(graph, floor, num_nodes, directed)
        self.start, self.goal = start, goal
        self._from, self._to = self._node("start", start), self._node("goal", goal)
        if self._from == self._to:
            raise ArgumentError("goal", repr(goal), "it is the start as well", "choose another node")
        if self._to not in self._reached(self._from):
            raise ArgumentError(
                "goal", repr(goal), f"no path leads to it from {start!r}", "add edges, or choose another node"
            )
        self._arcs = self._out_arcs()
        self._order = self._topological_order() if self.directed else None
        if self._order is None:  # no cycle may be negative, however small its other edges
            self.domain = -np.inf, 0.0 - (self.floor or 0.0)

    @property
    def _least_cost(self) -> float | None:
        return None if self.directed else 0.0

    def __repr__(self) -> str:
        return f"ShortestPath(nodes={len(self.nodes)}, edges={len(self.edges)}, start={self.start!r}, goal={self.goal!r})"

    def path_nodes(self, mask: ArrayLike) -> list[Node]:
        """Nodes of the path from start to goal, in its order, for a mask ``(E,)`` that this solver gave."""
        onward = dict[int, list[int]]()
        chosen = np.asarray(mask) if self._pairs is None else np.asarray(mask)[self._pairs.first]
        for u, v in self._ends[np.flatnonzero(chosen)].tolist():
            onward.setdefault(u, []).append(v)
            if not self.directed:
                onward.setdefault(v, []).append(u)
        path, before = [self._from], -1
        while path[-1] != self._to:
            path.append(next(node for node in onward[path[-1]] if node != before))
            before = path[-2]
        return [self.nodes[node] for node in path]

    def _topological_order(self) -> NDArray[np.int64] | None:
        """Nodes, each before those to which its edges lead, or None where there is a cycle."""
        first, heads, _ = self._arcs
        entering = np.bincount(heads, minlength=len(self.nodes))
        order = np.flatnonzero(entering == 0).tolist()
        for node in order:  # the list grows while it is walked through
            for head in heads[first[node] : first[node + 1]].tolist():
                entering[head] -= 1
                if entering[head] == 0:
                    order.append(head)
        return np.array(order, dtype=np.int64) if len(order) == len(self.nodes) else None

    def _solve(self, rows: Rows) -> Masks:
        from imle_core.solvers.graph.kernels import paths as kernel  # here, since numba takes half a second to import

        read = self._costs(rows)
        if not self.directed:
            self._check_sign(read, "a shortest path in an undirected graph")
        costs = shrunk(read.astype(np.float64))
        masks = np.zeros(costs.shape, np.uint8)
        status = np.zeros(len(costs), np.int8)
        ends = self._from, self._to

        def solve(first: int, last: int) -> None:
            chunk, out, outcomes = costs[first:last], masks[first:last], status[first:last]
            if self._order is not None:
                kernel.acyclic_paths(chunk, out, outcomes, *self._arcs, self._order, *ends)
                return
            negative = (chunk < 0).any(axis=1)
            if not negative.any():
                kernel.dijkstra_paths(chunk, out, outcomes, *self._arcs, *ends)
                return
            for chosen, method, graph in (
                (~negative, kernel.dijkstra_paths, self._arcs),
                (negative, kernel.bellman_ford_paths, (self._ends, len(self.nodes))),
            ):
                paths, states = np.zeros((chosen.sum(), chunk.shape[1]), np.uint8), np.zeros(chosen.sum(), np.int8)
                method(chunk[chosen], paths, states, *graph, *ends)
                out[chosen], outcomes[chosen] = paths, states

        in_parts(solve, costs)
        for row in np.flatnonzero(status).tolist():
            if status[row] == kernel.CUT_OFF:
                raise ArgumentError(
                    "goal",
                    repr(self.goal),
                    f"edges of -inf cut it off from start {self.start!r}{where(row, rows)}",
                    "open a way or choose another node",
                )
            masks[row, self._exact_path(read[row], where(row, rows))] = 1
        return masks

    def _exact_path(self, costs: Rows, location: str) -> list[int]:
        """Edges of the cheapest path, by the same rules in whole numbers.

        For rows whose labels in float64 do not settle: those with a negative cycle, and those where rounding makes a cycle
        of sum zero or a little more look negative.
        """
        edges = np.flatnonzero(costs != np.inf).tolist()
        cost = dict(zip(edges, whole_numbers(costs[edges]), strict=True))
        ends = {edge: tuple(self._ends[edge].tolist()) for edge in edges}
        leading = {self._to}
        for _ in self.nodes:
            leading |= {u for u, v in ends.values() if v in leading}
        useful = [edge for edge in edges if ends[edge][1] in leading]
        labels, entry, last = {self._from: (0, 0)}, dict[int, int](), -1
        for _ in range(len(self.nodes) + 1):
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
        path, node = list[int](), self._to
        while node != self._from:
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
        for _ in self.nodes:  # back along the labels until surely on the cycle
            node = before[node]
        cycle = [node]
        while before[cycle[-1]] != node:
            cycle.append(before[cycle[-1]])
        cycle.reverse()
        first = cycle.index(min(cycle))
        names = " -> ".join(repr(self.nodes[i]) for i in [*cycle[first:], *cycle[:first], cycle[first]])
        raise ArgumentError(
            "theta",
            f"a cycle of negative cost {names}{location}",
            "costs -theta must sum to >= 0 on every cycle",
            "lower theta on its edges, or give floor=0 to clamp costs",
        )
