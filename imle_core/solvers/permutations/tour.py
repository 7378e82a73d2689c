"""Best round tours through all nodes, the travelling salesman's problem."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.binding import Matrix, normals_at, solutions_of
from imle_core.solvers.integer_program.solver import InfeasibleError, IntegerProgram
from imle_core.solvers.rows import Rows, as_rows, check_below_infinity, shrunk

_MOST_COMPILED = 12  # nodes of which all sets are gone through; a node more takes 2.2 times as long
_STEPS_A_THREAD = 2**17
_CONNECTED = 1e-6  # an edge of a continuous solution with less joins nothing


class Tour:
    """``argmax_z <z, theta>`` over round tours that visit every node once, on a complete graph.

    z is 1 on the edges of the tour. Entries are the edges (0, 1), (0, 2), ..., (1, 2), ..., without direction; ``edges``
    lists them. theta may have either sign; -inf is an edge that is never taken. For costs take ``sense="min"`` in the
    layer, or give ``-costs``.

    Up to 12 nodes by dynamic programming over sets of nodes in float64, ``O(2^nodes nodes^2)`` operations an instance,
    compiled, on as many threads as torch may use; among equally good tours it takes the one whose nodes, from node 0 on,
    come first. Above 12 nodes by integer programs with two edges at each node, to which the tours within a part of the nodes
    that a solution has are added as constraints until there are none, by HiGHS: exact as :class:`IntegerProgram` is,
    exponential at worst, with ties at HiGHS's choice, each row on its own.

    Args:
        nodes: their number, >= 3.

    Attributes:
        nodes: 0 to one less than their number.
        edges: pairs of nodes, in the order of theta's entries.

    Raises:
        ArgumentError: fewer nodes; when called, parameters that are not ``(N, E)``, NaN, infinite gains, or edges of -inf
            that leave an instance no tour.
        ProgramError: when called, HiGHS fails.

    Source: Held and Karp 1962, "A dynamic programming approach to sequencing problems"; Dantzig, Fulkerson, Johnson 1954,
    "Solution of a large-scale traveling-salesman problem".

    >>> Tour(4)(-torch.tensor([[1.0, 5.0, 1.0, 1.0, 5.0, 1.0]]))
    tensor([[1., 0., 1., 1., 0., 1.]])
    """

    pure, sense, takes_padding, directed = True, "max", False, False

    def __init__(self, nodes: int) -> None:
        check_whole("nodes", nodes, 3, "a tour needs 3 nodes")
        self._count = int(nodes)

    @cached_property
    def nodes(self) -> list[int]:
        """0 to one less than their number."""
        return list(range(self._count))

    @cached_property
    def edges(self) -> list[tuple[int, int]]:
        """Pairs of nodes, in the order of theta's entries."""
        return [(u, v) for u in self.nodes for v in self.nodes[u + 1 :]]

    def __repr__(self) -> str:
        return f"Tour(nodes={self._count})"

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """Number of edges of a tour, that of the nodes."""
        return float(self._count)

    def tour_nodes(self, mask: ArrayLike) -> list[int]:
        """Nodes of a tour in its order, from node 0 towards the smaller of its neighbours, for a mask ``(E,)``."""
        near = dict[int, list[int]]()
        for u, v in (self.edges[edge] for edge in np.flatnonzero(np.asarray(mask)).tolist()):
            near.setdefault(u, []).append(v)
            near.setdefault(v, []).append(u)
        tour = [0, min(near[0])]
        while len(tour) < self._count:
            first, second = near[tour[-1]]
            tour.append(second if first == tour[-2] else first)
        return tour

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at tours ``(B, E)``, as :class:`imle_core.contracts.BindingSolver` says.

        Of two edges at each node, of two edges or more that leave any nodes that follow each other in the tour, and of 0
        and 1.

        Raises:
            ArgumentError: a solution that is no tour.
        """
        return normals_at(gold, len(self.edges), self._degrees(), others=self._crossing(gold))

    def _degrees(self) -> Matrix:
        """Left sides of numbers of edges at each node, ``(nodes, E)``."""
        degrees: Matrix = (np.array(self.edges)[:, :, None] == np.array(self.nodes)).any(axis=1).T.astype(np.float64)
        return degrees

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks of the best tours, ``(N, E)``, in theta's type and on its device."""
        rows, edges = as_rows(theta), self._count * (self._count - 1) // 2
        if rows.ndim != 2 or rows.shape[1] != edges:
            raise wrong_shape(
                "theta",
                theta,
                f"a tour through {self._count} nodes needs (N, {edges})",
                "give one entry an edge, in the order of solver.edges",
            )
        check_below_infinity(rows, "gains")
        rows = shrunk(rows)
        masks = self._compiled(rows) if self._count <= _MOST_COMPILED else self._programmed(rows)
        return torch.from_numpy(masks).to(theta)

    def _compiled(self, rows: Rows) -> Rows:
        from imle_core.solvers.permutations.kernels.tours import (
            best_tours,  # here, since numba takes half a second to import
        )

        masks, count = np.zeros_like(rows), self._count

        def solve(first: int, last: int) -> int:
            row = int(best_tours(rows[first:last], masks[first:last], count))
            return first + row if row >= 0 else -1

        threads = min(torch.get_num_threads(), len(rows), len(rows) * count**2 * 2**count // _STEPS_A_THREAD)
        none = [row for row in in_threads(solve, len(rows), threads) if row >= 0]
        if none:
            raise _no_tour(none[0])
        return masks

    def _programmed(self, rows: Rows) -> Rows:
        """Masks by integer programs, a row after the other."""
        masks, row = np.zeros_like(rows), 0
        try:
            for row, gains in enumerate(rows.astype(np.float64)):
                masks[row] = self._cut(gains)
        except InfeasibleError:
            raise _no_tour(row) from None
        return masks

    def _cut(self, gains: NDArray[np.float64]) -> NDArray[np.float64]:
        """The best tour of a row: linear programs until their solutions join all nodes, then integer ones."""
        ends = np.array(self.edges)
        degrees = self._degrees()
        never = gains == -np.inf
        theta = torch.from_numpy(np.where(never, 0.0, gains))[None]
        cuts: list[NDArray[np.float64]] = []
        for integral in (False, True):
            while True:
                program = IntegerProgram(
                    A=np.array(cuts) if cuts else None,
                    b=np.full(len(cuts), -2.0) if cuts else None,
                    A_eq=degrees,
                    b_eq=np.full(len(degrees), 2.0),
                    upper=np.where(never, 0.0, 1.0),
                    integrality=integral,
                )
                z: NDArray[np.float64] = program(theta)[0].numpy()
                groups = self._groups(ends[z > _CONNECTED])
                if len(groups) == 1:
                    break
                # Of the edges that leave a group a tour has two or more.
                cuts += [-(np.isin(ends, group).sum(axis=1) == 1).astype(np.float64) for group in groups]
        return z

    def _crossing(self, gold: Tensor) -> Matrix:
        """Minus the edges that leave nodes that follow each other, for all such sets and their complements at once."""
        ends, count = np.array(self.edges), self._count
        masks = solutions_of(gold, len(self.edges))
        # From the second node on, so that of a set and its complement it is the one without the first node.
        first, last = np.triu_indices(count, 1)
        first, last = (side[(first > 0) & (last - first < count - 2)] for side in (first, last))
        rows = np.zeros((len(masks), count * (count - 3) // 2, len(self.edges)))
        for number, mask in enumerate(masks):
            chosen = ends[mask == 1]
            if not (len(chosen) == (mask != 0).sum() == count and (np.bincount(chosen.ravel()) == 2).all()):
                raise _not_a_tour(number)
            if len(self._groups(chosen)) > 1:
                raise _not_a_tour(number)
            at = np.argsort(self.tour_nodes(mask))[ends]  # positions of both ends of each edge
            within = (at[..., None] >= first) & (at[..., None] <= last)
            rows[number] = -(within.sum(axis=1) == 1).T.astype(np.float64)
        return rows

    def _groups(self, ends: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Nodes that edges ``(K, 2)`` join, group by group."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        count = self._count
        graph = coo_array((np.ones(len(ends)), tuple(ends.T)), shape=(count, count))
        groups, labels = connected_components(graph, directed=False)
        return [np.flatnonzero(labels == label) for label in range(groups)]


def _not_a_tour(row: int) -> ArgumentError:
    return ArgumentError("gold", f"no tour in row {row}", "a tour joins all nodes, with two edges at each", "solve it again")


def _no_tour(row: int) -> ArgumentError:
    return ArgumentError(
        "theta", f"edges of -inf that leave instance {row} no tour", "a tour visits every node once", "allow more edges"
    )
