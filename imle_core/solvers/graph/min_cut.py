"""Minimum cuts between two nodes of a graph."""

import numpy as np

from imle_core.checks import ArgumentError
from imle_core.solvers.graph.exact_numbers import in_limbs, limbs_for, whole
from imle_core.solvers.graph.solver import CostSolver, Floor, Graph, Masks, Node, in_parts, where
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
        graph: networkx graph or multigraph, directed or not, an iterable of edges ``(u, v)`` of an undirected one, or with
            ``num_nodes`` an edge index ``(2, E)``, as :class:`GraphSolver` takes it.
        s: node on one side.
        t: node on the other side.
        floor: smallest capacity, >= 0, to which lower ones are clamped; "domain" for 0; None to take capacities as they are,
            and refuse negative ones.
        num_nodes: number of nodes of an edge index.
        directed: whether the edges of an edge index lead from its first row to its second only.

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
        num_nodes: int | None = None,
        directed: bool = False,
    ) -> None:
        super().__init__(graph, floor, num_nodes, directed)
        self.domain = -np.inf, 0.0 - (self.floor or 0.0)
        self.s, self.t = s, t
        self._source, self._sink = self._node("s", s), self._node("t", t)
        if self._source == self._sink:
            raise ArgumentError("t", repr(t), "it is s as well", "choose another node")
        if self._sink not in self._reached(self._source):
            raise ArgumentError("t", repr(t), f"no path leads to it from {s!r}", "add edges, or choose another node")
        self._first, self._arcs, self._heads = self._two_way_arcs()

    def __repr__(self) -> str:
        return f"MinCut(nodes={len(self.nodes)}, edges={len(self.edges)}, s={self.s!r}, t={self.t!r})"

    def _solve(self, rows: Rows) -> Masks:
        costs = self._costs(rows)
        self._check_sign(costs, "a minimum cut")
        sides = np.zeros((len(rows), len(self.nodes)), np.uint8)

        def solve(first: int, last: int) -> None:
            step = 1 + _EDGES_AT_ONCE // len(self._ends)
            for row in range(first, last, step):
                sides[row : min(row + step, last)] = self._sides(costs[row : min(row + step, last)])

        in_parts(solve, rows)
        u, v = sides[:, self._ends[:, 0]], sides[:, self._ends[:, 1]]
        masks: Masks = u & (1 - v) if self.directed else u ^ v
        never = (masks.astype(bool) & (costs == np.inf)).any(axis=1)
        if never.any():
            row = int(never.argmax())
            raise ArgumentError(
                "theta",
                f"-inf on every edge of a path from {self.s!r} to {self.t!r}{where(row, rows)}",
                "a cut needs an edge there that may be cut",
                "raise one of them",
            )
        return masks

    def _sides(self, costs: Rows) -> Masks:
        from imle_core.solvers.graph.kernels.min_cut import smallest_sides  # here, since numba takes half a second to import

        never = costs == np.inf
        digits, shifts, bits = whole(np.where(never, 0, costs))
        shifts = np.where(never, bits[:, None], shifts)  # more than all others together
        digits[never] = 1
        sides = np.zeros((len(costs), len(self.nodes)), np.uint8)
        counts = limbs_for(bits)
        for count in np.unique(counts).tolist():
            chosen = np.flatnonzero(counts == count)
            capacities = np.repeat(in_limbs(digits[chosen], shifts[chosen], count), 2, axis=1)
            if self.directed:
                capacities[:, 1::2] = 0
            reached = np.zeros((len(chosen), len(self.nodes)), np.uint8)
            smallest_sides(capacities, reached, self._first, self._arcs, self._heads, self._source, self._sink)
            sides[chosen] = reached
        return sides
