"""Spanning trees."""

from collections.abc import Hashable, Iterable

import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.checks import ArgumentError
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, flips, log_sum_exp
from imle_core.exact.tree_growth import column_numbers, connected_components, entries_at, with_one_more_node


class SpanningTrees(ExponentialFamily):
    """``p(z) = exp(<z, theta> - A)`` over spanning trees of an undirected graph, z 1 on the edges of the tree.

    A is the log-determinant of a weighted Laplacian (the matrix-tree theorem), found by elimination of nodes: a node v with
    edges of weights ``w_va = exp theta_va``, which sum to s, leaves ``w_ab + w_va w_vb / s`` between its neighbours, and
    ``A = sum_v log s_v``. In logarithms and with sums only nothing cancels, whatever the range of theta: ``O(V^3)``.
    Marginals are right to about 1e-15 times the largest theta or 1, absolutely: those below that are rounded.

    Samples put nodes back in reverse order, exactly: each edge of a tree without v came from the graph or through v; the
    parts that the former make are joined by one edge each to v.

    Attributes:
        nodes: in the order in which edges name them.
        between: number of the edge between two nodes, ``(V, V)``; E where there is none.

    Args:
        edges: pairs of nodes, such as the ``edges`` of :class:`~imle_core.solvers.SpanningTree`; z has their order.

    Raises:
        ArgumentError: no edges, an edge that is no pair, self-loops, parallel edges, or a graph in several parts; else as
            for :class:`ExponentialFamily`.

    Source: Kirchhoff 1847; Grassmann, Taksar, Heyman 1985 for elimination without subtraction.

    >>> SpanningTrees([(0, 1), (1, 2), (0, 2)]).marginals(torch.tensor([[0.0, 0.0, -torch.inf]])).tolist()
    [[1.0, 1.0, 0.0]]
    """

    def __init__(self, edges: Iterable[tuple[Hashable, Hashable]]) -> None:
        self.edges = [_pair(edge) for edge in edges]
        if not self.edges:
            raise ArgumentError("edges", "none", "a spanning tree needs at least one", "add an edge")
        super().__init__(len(self.edges))
        self.nodes = list(dict.fromkeys(node for edge in self.edges for node in edge))
        number = {node: i for i, node in enumerate(self.nodes)}
        self._ends = torch.tensor([(number[u], number[v]) for u, v in self.edges])
        self.between = self._table()
        apart = connected_components(self._ends[None, :, 0], self._ends[None, :, 1], len(self.nodes))[0].nonzero()
        if len(apart):
            raise ArgumentError(
                "edges",
                f"no path between {self.nodes[0]!r} and {self.nodes[int(apart[0])]!r}",
                "a spanning tree needs a connected graph",
                "add edges",
            )

    def __repr__(self) -> str:
        return f"SpanningTrees(nodes={len(self.nodes)}, edges={len(self.edges)})"

    def _table(self) -> Tensor:
        """Number of the edge between two nodes, ``(V, V)``; E where there is none."""
        table = torch.full((len(self.nodes), len(self.nodes)), len(self.edges))
        for edge, (i, j) in enumerate(self._ends.tolist()):
            u, v = self.edges[edge]
            if i == j:
                raise ArgumentError("edges", f"a self-loop at {u!r}", "an edge must join two nodes", "take it away")
            if table[i, j] < len(self.edges):
                raise ArgumentError(
                    "edges",
                    f"parallel edges between {u!r} and {v!r}",
                    "two nodes may have one edge",
                    "make them one, with the logaddexp of their parameters",
                )
            table[i, j] = table[j, i] = edge
        return table

    def count(self) -> int:
        """Determinant of the Laplacian without its first row and column, in whole numbers."""
        joined = (self.between < len(self.edges)).long()
        return _determinant((joined.sum(dim=1).diag() - joined)[1:, 1:].tolist())

    def _states(self) -> Tensor:
        chosen = torch.zeros(1, 0, dtype=torch.float64)
        forest = torch.arange(len(self.nodes))[None]
        for edge, (u, v) in enumerate(self._ends.tolist()):
            # An edge is taken where it joins two parts, and left out where later edges can still do that.
            taken = forest[:, u] != forest[:, v]
            later = self._ends[edge + 1 :].T.unsqueeze(1).expand(-1, len(forest), -1)
            joined = connected_components(
                torch.cat([forest, later[0]], dim=1), torch.cat([column_numbers(forest), later[1]], dim=1), len(self.nodes)
            )
            left = joined[:, u] == joined[:, v]
            merged = torch.where(forest == forest[:, v, None], forest[:, u, None], forest)
            chosen = torch.cat([pad(chosen[left], (0, 1)), pad(chosen[taken], (0, 1), value=1.0)])
            forest = torch.cat([forest[left], merged[taken]])
        return chosen

    def _log_partition(self, theta: Tensor) -> Tensor:
        return torch.stack([log_sum_exp(graph[:, -1, :-1], dim=1) for graph in self._eliminations(theta)[:-1]]).sum(dim=0)

    def _eliminations(self, theta: Tensor) -> list[Tensor]:
        """Log-weights between V, V - 1, ..., 1 nodes, ``(N, nodes, nodes)``, the last node eliminated each time.

        Diagonals mean nothing and are never read.
        """
        nodes = len(self.nodes)
        between = self.between.to(theta.device).flatten()
        graphs = [pad(theta, (0, 1), value=NEVER).index_select(1, between).view(-1, nodes, nodes)]
        for last in range(nodes - 1, 0, -1):
            to_last, rest = graphs[-1][:, last, :last], graphs[-1][:, :last, :last]
            graphs.append(log_sum_exp(torch.stack([rest, through_node(to_last)], dim=3), dim=3))
        return graphs

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        graphs = self._eliminations(theta)[-2::-1]
        tails = torch.zeros(len(theta) * nb_samples, 0, dtype=torch.long, device=theta.device)
        heads = tails
        for graph in graphs:
            to_last, rest = graph[:, -1, :-1], graph[:, :-1, :-1]
            kept = flips(entries_at(rest - through_node(to_last), tails, heads), generator)
            weights = to_last.repeat_interleave(nb_samples, dim=0)
            tails, heads = with_one_more_node(weights, tails, heads, kept, generator)
        chosen = self.between.to(theta.device)[tails, heads]
        return theta.new_zeros(len(tails), len(self.edges)).scatter_(1, chosen, 1)


def through_node(to_last: Tensor) -> Tensor:
    """Log-weights ``(N, nodes, nodes)`` that a node leaves between others to which it has log-weights ``(N, nodes)``."""
    return to_last.unsqueeze(2) + to_last.unsqueeze(1) - log_sum_exp(to_last, dim=1)[:, None, None]


def _determinant(matrix: list[list[int]]) -> int:
    """Determinant of a positive definite matrix of whole numbers, by Bareiss's elimination without fractions."""
    divisor = 1
    while len(matrix) > 1:
        pivot, *rest = matrix
        matrix = [[(pivot[0] * a - row[0] * b) // divisor for a, b in zip(row[1:], pivot[1:], strict=True)] for row in rest]
        divisor = pivot[0]
    return matrix[0][0]


def _pair(edge: tuple[Hashable, Hashable]) -> tuple[Hashable, Hashable]:
    if isinstance(edge, str) or not hasattr(edge, "__len__") or len(edge) != 2:
        raise ArgumentError("edges", f"{edge!r} as an edge", "an edge is a pair of nodes", "give pairs (u, v)")
    u, v = edge
    return u, v
