"""Minimum cuts between two nodes of a graph."""

import numpy as np

from imle_core.checks import ArgumentError
from imle_core.solvers.graph.cost_solver import CostSolver, Floor
from imle_core.solvers.graph.exact_numbers import in_limbs, limbs_for, whole
from imle_core.solvers.graph.graphs import Node, Whole
from imle_core.solvers.graph.padding import rows_of
from imle_core.solvers.graph.reading import of_graph
from imle_core.solvers.graph.solver import Graph, Masks, NumNodes, Offsets, in_parts, taken
from imle_core.solvers.rows import Rows

_EDGES_AT_ONCE = 2**14  # more go through memory instead of the processor's cache


class MinCut(CostSolver):
    """``argmax_z <z, theta>`` over cuts between s and t: the minimum cut, with capacities ``c = -theta`` of the edges.

    A cut puts every node on the side of s or on that of t. z is 1 on the edges between the sides, of a directed graph on
    those that lead from the side of s to that of t, all parallel ones included; ``edges`` has their order.

    Domain of theta: theta <= 0, since to find a maximum cut is NP-hard; ``floor`` clamps capacities from below, those
    that noise and targets make negative at 0, and ``clamped`` counts how often, of ``seen`` edges that may be cut.
    ``domain`` holds the smallest and the largest theta of the domain. theta = -inf is an edge that is never cut. Dinic's
    algorithm, O(V^2 E) a row, on whole numbers in the exact ratios of theta, so that nothing is rounded, in as many limbs
    of 60 bits as a row needs: one for most rows of float32, two for most of float64.

    Among minimum cuts it takes the one with the smallest side of s, which is a subset of that of all others.

    Args:
        graph: networkx graph or multigraph, directed or not, an iterable of edges ``(u, v)`` of an undirected one, with
            ``num_nodes`` an edge index ``(2, E)``, or a list of graphs, one for each instance, as :class:`GraphSolver`
            takes it.
        s: node on one side; of several graphs a list of nodes, or a node that all have.
        t: node on the other side, likewise.
        floor: smallest capacity, >= 0, to which lower ones are clamped; "domain" for 0; None to take capacities as they are,
            and refuse negative ones.
        num_nodes: number of nodes of an edge index; a list has one for each graph.
        directed: whether the edges of an edge index lead from its first row to its second only.
        ptr: where the nodes of each graph of a batch begin, in place of ``num_nodes``.

    Raises:
        ArgumentError: a graph without edges, an s or t that is no node, equal ones, a t that cannot be reached, a floor < 0;
            when called, parameters that are not ``(N, E)``, NaN, theta > 0 without a floor, no cut without edges of -inf.

    >>> import torch
    >>> MinCut([("a", "b"), ("b", "c")], "a", "c")(torch.tensor([[-1.0, -2.0]]))
    tensor([[1., 0.]])
    """

    def __init__(
        self,
        graph: Graph,
        s: Node,
        t: Node,
        floor: Floor = "domain",
        *,
        num_nodes: NumNodes = None,
        directed: bool = False,
        ptr: Offsets = None,
    ) -> None:
        super().__init__(graph, floor, num_nodes, directed, ptr)
        self.domain = -np.inf, 0.0 - (self.floor or 0.0)
        self.s, self.t = s, t
        (sources, self._source), (sinks, self._sink) = self._named("s", s), self._named("t", t)
        reached = self._reached(self._source)[self._graphs.node_starts[:-1] + self._sink]
        for graph in np.flatnonzero((self._source == self._sink) | ~reached).tolist():
            source, sink, location = sources[graph], sinks[graph], of_graph(graph, self._count)
            if self._source[graph] == self._sink[graph]:
                raise ArgumentError("t", f"{sink!r}{location}", "it is s as well", "choose another node")
            raise ArgumentError(
                "t", f"{sink!r}{location}", f"no path leads to it from {source!r}", "add edges, or choose another node"
            )

    def _arrange(self) -> None:
        super()._arrange()
        self._arcs = self._graphs.two_way_arcs()
        self._tails, self._heads = (self._edges.padded(self._graphs.ends[:, end], 0) for end in (0, 1))
        self._most_nodes = int(self._graphs.sizes.max())

    def _choose(self, number: int) -> None:
        super()._choose(number)
        self._source, self._sink = self._source[number : number + 1], self._sink[number : number + 1]
        (nodes,) = self._graphs.nodes
        self.s, self.t = nodes[self._source[0]], nodes[self._sink[0]]

    def __repr__(self) -> str:
        return f"MinCut({self._size}, s={self.s!r}, t={self.t!r})"

    def _solve(self, rows: Rows) -> Masks:
        costs: Rows = -rows
        self._check_sign(costs, "a minimum cut")
        owners, count = self._owners(rows), len(self._graphs)
        sides = np.zeros((len(rows), self._most_nodes), np.uint8)

        def solve(first: int, last: int) -> None:
            step = 1 + _EDGES_AT_ONCE // max(1, self._edges.width)
            for row in range(first, last, step):
                chunk = slice(row, min(row + step, last))
                sides[chunk] = self._sides(costs[chunk], owners[chunk])

        in_parts(solve, rows)
        by_graph = sides.reshape(count, len(rows) // count, sides.shape[1])
        u, v = taken(by_graph, self._tails), taken(by_graph, self._heads)
        masks: Masks = (u & (1 - v) if self.directed else u ^ v).reshape(rows.shape)
        never = (masks.astype(bool) & (costs == np.inf)).any(axis=1)
        if never.any():
            row = int(never.argmax())
            nodes = self._graphs.nodes[owners[row]]
            s, t = nodes[self._source[owners[row]]], nodes[self._sink[owners[row]]]
            raise ArgumentError(
                "theta",
                f"-inf on every edge of a path from {s!r} to {t!r}{self._where(row, rows)}",
                "a cut needs an edge there that may be cut",
                "raise one of them",
            )
        return masks

    def _sides(self, costs: Rows, owners: Whole) -> Masks:
        """Nodes on the side of s, ``(n, V)``, for costs ``(n, K)`` of graphs of such numbers ``(n,)``, rising."""
        from imle_core.solvers.graph.kernels.min_cut import smallest_sides_of  # here, since numba is slow to import

        never = costs == np.inf
        digits, shifts, bits = whole(np.where(never, 0, costs))
        shifts = np.where(never, bits[:, None], shifts)  # more than all others together
        digits[never] = 1
        sides, counts = np.zeros((len(costs), self._most_nodes), np.uint8), limbs_for(bits)
        for count in np.unique(counts).tolist():
            chosen = np.flatnonzero(counts == count)
            capacities = np.repeat(in_limbs(digits[chosen], shifts[chosen], count), 2, axis=1)
            if self.directed:
                capacities[:, 1::2] = 0
            reached = np.zeros((len(chosen), self._most_nodes), np.uint8)
            starts = rows_of(owners[chosen], len(self._graphs)), self._graphs.edge_starts, self._graphs.node_starts
            smallest_sides_of(capacities, reached, *self._arcs, self._source, self._sink, *starts)
            sides[chosen] = reached
        return sides
