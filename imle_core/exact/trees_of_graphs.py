"""Spanning trees of several graphs, one for each instance of a batch."""

from collections.abc import Hashable, Sequence
from typing import NoReturn

import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.checks import ArgumentError
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, log_sum_exp
from imle_core.exact.tree import SpanningTrees, through_node


class SpanningTreesOfGraphs(ExponentialFamily):
    """``p(z) = exp(<z, theta> - A(theta))`` over spanning trees of a graph for each instance; see :class:`SpanningTrees`.

    For B graphs theta is ``(N, E)`` with N a multiple of B and the largest number of edges E: instance b has the rows from
    ``b*N/B`` on, whose entries after the edges of its graph play no part. So are rows of
    :class:`~imle_core.solvers.SpanningTree` for a list of graphs. The structures differ from row to row, and are not listed.

    Attributes:
        graphs: family of each graph; None for one without edges, whose tree is a single node.

    Args:
        edges: a list of pairs of nodes for each graph, such as the ``edges`` of that solver.

    Raises:
        ArgumentError: no edges in any graph; else as for :class:`SpanningTrees`.

    >>> trees = SpanningTreesOfGraphs([[(0, 1), (1, 2), (0, 2)], [("a", "b")]])
    >>> trees.entropy(torch.zeros(2, 3)).exp()
    tensor([3.0000, 1.0000], dtype=torch.float64)
    """

    def __init__(self, edges: Sequence[Sequence[tuple[Hashable, Hashable]]]) -> None:
        if not any(edges):
            raise ArgumentError("edges", "none", "a spanning tree needs at least one", "add an edge to one of the graphs")
        self.graphs = [SpanningTrees(pairs) if pairs else None for pairs in edges]
        super().__init__(max(map(len, edges)))
        self._nodes = torch.tensor([1 if family is None else len(family.nodes) for family in self.graphs])
        most = int(self._nodes.max())
        self._between = torch.full((len(self.graphs), most, most), self.event[0])
        for table, family in zip(self._between, self.graphs, strict=True):
            if family is not None:
                number = len(family.nodes)
                table[:number, :number] = family.between.masked_fill(family.between == len(family.edges), self.event[0])

    def __repr__(self) -> str:
        return f"SpanningTreesOfGraphs(graphs={len(self.graphs)}, edges={self.event[0]} at most)"

    def count(self) -> int:
        """Refused: instances have different numbers of trees."""
        self._refuse()

    def _states(self) -> Tensor:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ArgumentError(
            "states",
            f"{len(self.graphs)} graphs",
            "instances of different graphs have different structures",
            "ask the family of a graph, such as family.graphs[0]",
            "there are",
        )

    def _log_partition(self, theta: Tensor) -> Tensor:
        """Eliminates nodes of all graphs at once; where a graph has fewer, a step leaves it as it is."""
        rows = self._rows(theta)
        nodes = self._nodes.to(theta.device).repeat_interleave(rows)
        between = self._between.to(theta.device).repeat_interleave(rows, dim=0)
        graphs = pad(theta, (0, 1), value=NEVER).gather(1, between.flatten(1)).view_as(between)
        total = theta.new_zeros(len(theta))
        for last in range(between.shape[1] - 1, 0, -1):
            to_last, rest = graphs[:, last, :last], graphs[:, :last, :last]
            total = total + torch.where(nodes > last, log_sum_exp(to_last, dim=1), 0.0)
            graphs = log_sum_exp(torch.stack([rest, through_node(to_last)], dim=3), dim=3)
        return total

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        rows, drawn = self._rows(theta), []
        for number, family in enumerate(self.graphs):
            size = 0 if family is None else family.event[0]
            parameters = theta[number * rows : (number + 1) * rows, :size]
            chosen = parameters.new_zeros(rows * nb_samples, 0)
            if family is not None:
                chosen = family._sample(parameters, nb_samples, generator)
            drawn.append(pad(chosen, (0, self.event[0] - size)))
        return torch.cat(drawn)

    def _rows(self, theta: Tensor) -> int:
        """Number of rows of each graph."""
        rows, left = divmod(len(theta), len(self.graphs))
        if left:
            got, rule = f"{len(theta)} rows for {len(self.graphs)} graphs", "each graph has as many rows as the others"
            raise ArgumentError("theta", got, rule, "give a row, or as many samples, of each")
        return rows
