"""Maximum-weight matchings in general graphs."""

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers.graph import Graph, GraphSolver, Masks, where, whole_numbers
from imle_core.solvers.rows import Rows


class Matching(GraphSolver):
    """``argmax_z <z, theta>`` over matchings, or with ``perfect=True`` over perfect matchings, of an undirected graph.

    z is 1 on the edges of the matching, ``edges`` has their order. In a matching no two edges share a node; a perfect one
    covers every node. Without ``perfect=True`` edges with theta <= 0 are never chosen.

    Domain of theta: any finite numbers; theta = -inf is an edge that is never chosen. Edmonds' blossom algorithm of
    networkx, O(V^3) a row in Python, on whole numbers in the exact ratios of theta, so that nothing is rounded.

    Among equally good matchings it takes the one with the fewest edges, and among those the one with the first edge of
    ``edges`` in which they differ.

    Args:
        graph: undirected networkx graph, or an iterable of edges ``(u, v)``.
        perfect: whether every node must be covered.

    Raises:
        ValueError: a directed graph, one without edges, with self-loops or parallel edges, or without a perfect matching
            where one is asked for; when called, parameters that are not ``(N, E)``, NaN, +inf, no perfect matching without
            edges of -inf.

    >>> import torch
    >>> Matching([("a", "b"), ("b", "c"), ("c", "d")])(torch.tensor([[2.0, 3.0, 2.0]]))
    tensor([[1., 0., 1.]])
    """

    def __init__(self, graph: Graph, perfect: bool = False) -> None:
        super().__init__(graph)
        self._check_undirected("a matching")
        self.perfect = bool(perfect)
        if perfect and len(self._best(np.zeros(len(self.edges)), np.arange(len(self.edges)))) * 2 < len(self.nodes):
            raise ValueError(
                f"graph: got no perfect matching of its {len(self.nodes)} nodes; perfect=True needs one; "
                "add edges, or use perfect=False"
            )

    def __repr__(self) -> str:
        return f"Matching(nodes={len(self.nodes)}, edges={len(self.edges)}, perfect={self.perfect})"

    def _solve(self, rows: Rows) -> Masks:
        if np.isposinf(rows).any():
            raise ValueError(
                f"theta: got {int(np.isposinf(rows).sum())} +inf; sums over edges must be finite; use a large number"
            )
        masks = np.zeros(rows.shape, np.uint8)
        for n, row in enumerate(rows):
            chosen = self._best(row, np.flatnonzero(row > (-np.inf if self.perfect else 0)))
            if self.perfect and len(chosen) * 2 < len(self.nodes):
                raise ValueError(
                    f"theta: got -inf on edges without which no matching is perfect{where(n, rows)}; "
                    "perfect=True needs one; raise one of them, or use perfect=False"
                )
            masks[n, chosen] = 1
        return masks

    def _best(self, row: Rows, allowed: NDArray[np.int64]) -> list[int]:
        """The best matching among the edges that are allowed.

        The lowest bits of a weight hold the tie rule: each edge costs one unit of the fewest edges, which is worth more
        than all of the powers of two below it, one a place in the order.
        """
        import networkx as nx  # here, since it takes a while to import

        count = len(allowed)
        shift = count + count.bit_length() + 1
        weights = (
            (weight << shift) - (1 << count) + (1 << (count - 1 - place))
            for place, weight in enumerate(whole_numbers(row[allowed]))
        )
        graph = nx.Graph()
        graph.add_weighted_edges_from(
            (*self._ends[edge].tolist(), weight) for edge, weight in zip(allowed.tolist(), weights, strict=True)
        )
        pairs = nx.max_weight_matching(graph, maxcardinality=self.perfect)
        number = {frozenset(self._ends[edge].tolist()): edge for edge in allowed.tolist()}
        return [number[frozenset(pair)] for pair in pairs]
