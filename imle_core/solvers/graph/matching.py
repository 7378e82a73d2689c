"""Maximum-weight matchings in general graphs."""

import numpy as np
from numpy.typing import NDArray

from imle_core.checks import ArgumentError
from imle_core.solvers.graph.cost_solver import check_sums_finite
from imle_core.solvers.graph.exact_numbers import LIMB, in_limbs, limbs_for, whole
from imle_core.solvers.graph.graphs import Whole
from imle_core.solvers.graph.padding import rows_of
from imle_core.solvers.graph.reading import of_graph
from imle_core.solvers.graph.solver import Graph, GraphSolver, Masks, NumNodes, Offsets, in_parts
from imle_core.solvers.rows import Rows

_EDGES_A_THREAD = 2**9  # below, handing work to another thread takes as long as doing it
_EDGES_AT_ONCE = 2**14  # more go through memory instead of the processor's cache


class Matching(GraphSolver):
    """``argmax_z <z, theta>`` over matchings, or with ``perfect=True`` over perfect matchings, of an undirected graph.

    z is 1 on the edges of the matching, ``edges`` has their order. In a matching no two edges share a node, so that of
    parallel ones it has at most one; a perfect one covers every node. Without ``perfect=True`` edges with theta <= 0 are
    never chosen.

    Domain of theta: any finite numbers; theta = -inf is an edge that is never chosen. Edmonds' blossom algorithm, compiled,
    O(V E log E) a row (O(V^2 E) where blossoms open again and again), on whole numbers in the exact ratios of theta, so that
    nothing is rounded. Ties cost more: where k edges are in doubt, each number has k / 60 limbs for the tie rule.

    Among equally good matchings it takes the one with the fewest edges, and among those the one with the first edge of
    ``edges`` in which they differ.

    Args:
        graph: undirected networkx graph or multigraph, an iterable of edges ``(u, v)``, with ``num_nodes`` an edge index
            ``(2, E)``, or a list of graphs, one for each instance, as :class:`GraphSolver` takes it.
        perfect: whether every node must be covered.
        num_nodes: number of nodes of an edge index; a list has one for each graph.
        ptr: where the nodes of each graph of a batch begin, in place of ``num_nodes``.

    Raises:
        ArgumentError: a directed graph, one without edges, or without a perfect matching where one is asked for; when
            called, parameters that are not ``(N, E)``, NaN, +inf, no perfect matching without edges of -inf.

    >>> import torch
    >>> Matching([("a", "b"), ("b", "c"), ("c", "d")])(torch.tensor([[2.0, 3.0, 2.0]]))
    tensor([[1., 0., 1.]])
    """

    def __init__(self, graph: Graph, perfect: bool = False, *, num_nodes: NumNodes = None, ptr: Offsets = None) -> None:
        super().__init__(graph, num_nodes, ptr=ptr)
        self._check_undirected("a matching")
        self.perfect = bool(perfect)
        if perfect:
            self._check_perfect()

    def _arrange(self) -> None:
        super()._arrange()
        self._arcs = self._graphs.two_way_arcs()
        self._bits = np.array([int(size).bit_length() for size in self._graphs.sizes])

    def _check_perfect(self) -> None:
        count = len(self._graphs)
        allowed = self._edges.padded(~self._graphs.loops, False)
        imperfect = self._best(np.zeros(allowed.shape), allowed, np.arange(count))[1]
        if imperfect.any():
            graph = int(imperfect.argmax())
            raise ArgumentError(
                "graph",
                f"no perfect matching of its {self._graphs.sizes[graph]} nodes{of_graph(graph, self._count)}",
                "perfect=True needs one",
                "add edges, or use perfect=False",
            )

    def __repr__(self) -> str:
        return f"Matching({self._size}, perfect={self.perfect})"

    def _solve(self, rows: Rows) -> Masks:
        check_sums_finite(rows, "use a large number")
        allowed = rows > (-np.inf if self.perfect else 0)
        masks, status, owners = np.zeros(rows.shape, np.uint8), np.zeros(len(rows), np.uint8), self._owners(rows)

        def solve(first: int, last: int) -> None:
            step = 1 + _EDGES_AT_ONCE // max(1, self._edges.width)
            for row in range(first, last, step):
                chunk = slice(row, min(row + step, last))
                masks[chunk], status[chunk] = self._best(rows[chunk], allowed[chunk], owners[chunk])

        in_parts(solve, rows, _EDGES_A_THREAD)
        if status.any():
            raise ArgumentError(
                "theta",
                f"-inf on edges without which no matching is perfect{self._where(int(status.argmax()), rows)}",
                "perfect=True needs one",
                "raise one of them, or use perfect=False",
            )
        return masks

    def _best(self, rows: Rows, allowed: NDArray[np.bool_], owners: Whole) -> tuple[Masks, NDArray[np.uint8]]:
        """The best matchings among the edges that are allowed, and where there is no perfect one.

        Args:
            rows: weights, ``(n, K)``.
            allowed: which edges may be chosen, likewise.
            owners: number of the graph of each row, ``(n,)``, rising.
        """
        from imle_core.solvers.graph.kernels.matching import maximum_matchings_of  # here, since numba is slow to import

        digits, shifts, bits = whole(np.where(allowed, rows, 0))
        bits += self._bits[owners] + 7  # intermediate numbers have so many bits more than weights
        counts = limbs_for(bits)
        shifts += (LIMB * counts + 1 - bits)[:, None]  # the first limb tells most, so let it be full
        masks, status = np.zeros(rows.shape, np.uint8), np.zeros(len(rows), np.uint8)
        for count in np.unique(counts).tolist():
            chosen = np.flatnonzero(counts == count)
            weights = in_limbs(digits[chosen], shifts[chosen], count)
            group, left = masks[chosen], status[chosen]
            starts = rows_of(owners[chosen], len(self._graphs)), self._graphs.edge_starts, self._graphs.node_starts
            maximum_matchings_of(weights, allowed[chosen], group, left, *self._arcs, self.perfect, *starts)
            masks[chosen], status[chosen] = group, left
        return masks, status
