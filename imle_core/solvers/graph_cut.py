"""Minimum cuts between two nodes of a graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers.graph import CostSolver, Graph, Masks, Node, in_parts, where, whole_numbers
from imle_core.solvers.rows import Rows

_FITS = 2.0**61  # a flow that goes back over an edge at most doubles what int64 must hold


class MinCut(CostSolver):
    """``argmax_z <z, theta>`` over cuts between s and t: the minimum cut, with capacities ``c = -theta`` of the edges.

    A cut puts every node on the side of s or on that of t. z is 1 on the edges between the sides, of a directed graph on
    those that lead from the side of s to that of t; ``edges`` has their order.

    Domain of theta: theta <= 0, since maximum cuts are another, hard problem; ``floor`` clamps capacities from below
    instead, and ``clamped`` counts how often, of ``seen`` edges that may be cut. theta = -inf is an edge that is never cut.
    Dinic's algorithm, O(V^2 E) a row, on whole numbers in the exact ratios of theta, so that nothing is rounded: compiled
    where they fit into 64 bits, as those of most float32 rows do, and otherwise in Python, some eighty times slower.

    Among minimum cuts it takes the one with the smallest side of s, which is a subset of that of all others.

    Args:
        graph: networkx graph, directed or not, or an iterable of edges ``(u, v)`` of an undirected one.
        s: node on one side.
        t: node on the other side.
        floor: smallest capacity, >= 0; None to take capacities as they are.

    Raises:
        ValueError: a graph without edges, with self-loops or parallel edges, an s or t that is no node, equal ones, a t
            that cannot be reached, a floor < 0; when called, parameters that are not ``(N, E)``, NaN, theta > 0 without a
            floor, no cut without edges of -inf.

    >>> import torch
    >>> MinCut([("a", "b"), ("b", "c")], "a", "c")(torch.tensor([[-1.0, -2.0]]))
    tensor([[1., 0.]])
    """

    def __init__(self, graph: Graph, s: Node, t: Node, floor: float | None = None) -> None:
        super().__init__(graph, floor)
        self.s, self.t = s, t
        self._source, self._sink = self._node("s", s), self._node("t", t)
        if self._source == self._sink:
            raise ValueError(f"t: got {t!r}; it is s as well; choose another node")
        if self._sink not in self._reached(self._source):
            raise ValueError(f"t: got {t!r}; no path leads to it from {s!r}; add edges, or choose another node")
        tails, self._heads = self._ends.ravel(), np.ascontiguousarray(self._ends[:, ::-1]).ravel()
        self._arcs = np.argsort(tails, kind="stable")
        self._first = np.append(0, np.cumsum(np.bincount(tails, minlength=len(self.nodes))))

    def __repr__(self) -> str:
        return f"MinCut(nodes={len(self.nodes)}, edges={len(self.edges)}, s={self.s!r}, t={self.t!r})"

    def _solve(self, rows: Rows) -> Masks:
        costs = self._costs(rows)
        self._check_sign(costs, "a minimum cut")
        whole, fits = _whole(costs)
        sides = np.zeros((len(rows), len(self.nodes)), np.uint8)

        def solve(first: int, last: int) -> None:
            chosen = first + np.flatnonzero(fits[first:last])
            if len(chosen):
                sides[chosen] = self._sides(whole[chosen], True)

        in_parts(solve, rows)
        for row in np.flatnonzero(~fits).tolist():
            values = np.array(whole_numbers(np.where(costs[row] == np.inf, 0, costs[row])), dtype=object)
            values[costs[row] == np.inf] = values.sum() + 1
            sides[row] = self._sides(values[None], False)[0]
        u, v = sides[:, self._ends[:, 0]], sides[:, self._ends[:, 1]]
        masks: Masks = u & (1 - v) if self.directed else u ^ v
        never = (masks.astype(bool) & (costs == np.inf)).any(axis=1)
        if never.any():
            row = int(never.argmax())
            raise ValueError(
                f"theta: got -inf on every edge of a path from {self.s!r} to {self.t!r}{where(row, rows)}; "
                "a cut needs an edge there that may be cut; raise one of them"
            )
        return masks

    def _sides(self, whole: NDArray[Any], compiled: bool) -> Masks:
        from imle_core.solvers.graph_kernel import smallest_sides  # here, since numba takes half a second to import

        capacities = np.repeat(whole, 2, axis=1)
        if self.directed:
            capacities[:, 1::2] = 0
        sides = np.zeros((len(whole), len(self.nodes)), np.uint8)
        run = smallest_sides if compiled else getattr(smallest_sides, "py_func", smallest_sides)
        run(capacities, sides, self._first, self._arcs, self._heads, self._source, self._sink)
        return sides


def _whole(costs: Rows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Capacities in exact ratios as int64, and in which rows they fit; +inf becomes more than all others together."""
    finite = np.where(costs == np.inf, 0, costs).astype(np.float64)
    fractions, exponents = np.frexp(finite)
    digits = np.ldexp(fractions, 53).astype(np.int64)
    lowest = np.frexp((digits & -digits).astype(np.float64))[1] + exponents - 54
    unit = np.where(finite > 0, lowest, np.iinfo(np.int32).max).min(axis=1, keepdims=True)
    unit[unit == np.iinfo(np.int32).max] = 0
    with np.errstate(over="ignore"):
        scaled = np.ldexp(finite, -unit)
        fits = scaled.sum(axis=1) < _FITS
    whole = np.where(fits[:, None], scaled, 0).astype(np.int64)
    whole = np.where(costs == np.inf, whole.sum(axis=1, keepdims=True) + 1, whole)
    return whole, fits
