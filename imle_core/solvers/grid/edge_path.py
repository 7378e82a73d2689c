"""Best paths on a grid whose edges have the gains or costs, not its tiles."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole, wrong_shape
from imle_core.concurrency import in_threads
from imle_core.solvers.binding import flow, normals_at
from imle_core.solvers.rows import as_rows, check_below_infinity, shrunk

Node = tuple[int, int]

_EDGES_A_THREAD = 2**15  # below, starting threads costs more than they save


class GridEdgePath:
    """``argmax_z <z, theta>`` over paths right and down from the top left to the bottom right node of a grid.

    z is 1 on the edges of the path. Entries come row by row of nodes: first the edges to the right within the row, then
    those down from it; ``edges`` lists them. Since no path returns to a node, the answer is exact for any real theta, of
    either sign: by dynamic programming in float64, ``O(E)`` operations an instance, compiled, on as many threads as torch
    may use. theta = -inf is an edge that is never taken. For costs take ``sense="min"`` in the layer, or give ``-costs``.
    Among equally good paths it takes the one found by walking back from the goal to the smallest row-major predecessor, up
    rather than left.

    Args:
        grid: rows and columns of nodes, at least 2 nodes together.

    Attributes:
        grid: rows and columns of nodes.
        nodes: ``(row, column)``, row by row.
        edges: pairs of nodes ``(row, column)``, in the order of theta's entries.

    Raises:
        ArgumentError: no such grid; when called, parameters that are not ``(N, E)``, NaN, infinite gains, or corners that
            edges of -inf separate.

    >>> solver = GridEdgePath((2, 2))
    >>> solver.edges
    [((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 1), (1, 1)), ((1, 0), (1, 1))]
    >>> solver(-torch.tensor([[1.0, 4.0, 2.0, -3.0]]))
    tensor([[0., 1., 0., 1.]])
    """

    pure, sense, takes_padding, directed = True, "max", False, True

    def __init__(self, grid: tuple[int, int]) -> None:
        if not isinstance(grid, (tuple, list)) or len(grid) != 2:
            raise ArgumentError("grid", repr(grid), "it must be rows and columns of nodes", "use (5, 5) for instance")
        for side in grid:
            check_whole("grid", side, 1, "use (5, 5) for instance")
        self.grid = int(grid[0]), int(grid[1])
        if self.grid == (1, 1):
            raise ArgumentError("grid", repr(grid), "it needs 2 nodes or more", "use (5, 5) for instance")

    @cached_property
    def nodes(self) -> list[Node]:
        """Nodes ``(row, column)``, row by row."""
        return [(row, column) for row in range(self.grid[0]) for column in range(self.grid[1])]

    @cached_property
    def edges(self) -> list[tuple[Node, Node]]:
        """Pairs of nodes, in the order of theta's entries."""
        height, width = self.grid
        edges: list[tuple[Node, Node]] = []
        for row in range(height):
            edges += [((row, column), (row, column + 1)) for column in range(width - 1)]
            edges += [((row, column), (row + 1, column)) for column in range(width) if row < height - 1]
        return edges

    def __repr__(self) -> str:
        return f"GridEdgePath({self.grid})"

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """Number of edges of a path, the same for all."""
        return float(sum(self.grid) - 2)

    def path_nodes(self, mask: ArrayLike) -> list[Node]:
        """Nodes ``(row, column)`` of the path from corner to corner, in its order, for a mask ``(E,)`` of this solver."""
        return [(0, 0), *sorted(self.edges[edge][1] for edge in np.flatnonzero(np.asarray(mask)).tolist())]

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at paths ``(B, E)``, as :class:`imle_core.contracts.BindingSolver` says: flow through nodes, 0 and 1."""
        number = {node: number for number, node in enumerate(self.nodes)}
        tails, heads = ([number[edge[end]] for edge in self.edges] for end in (0, 1))
        return normals_at(gold, len(self.edges), flow(tails, heads, len(self.nodes)))

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks of the best paths, ``(N, E)``, in theta's type and on its device."""
        height, width = self.grid
        rows, edges = as_rows(theta), height * (width - 1) + width * (height - 1)
        if rows.ndim != 2 or rows.shape[1] != edges:
            raise wrong_shape(
                "theta",
                theta,
                f"a grid of {height} x {width} nodes needs (N, {edges})",
                "give one entry an edge, in the order of solver.edges",
            )
        check_below_infinity(rows, "gains")
        rows = shrunk(rows)
        from imle_core.solvers.grid.kernels.edge_paths import best_edge_paths  # here: numba takes half a second to import

        masks = np.zeros_like(rows)

        def solve(first: int, last: int) -> int:
            row = int(best_edge_paths(rows[first:last], masks[first:last], *self.grid))
            return first + row if row >= 0 else -1

        threads = min(torch.get_num_threads(), len(rows), rows.size // _EDGES_A_THREAD)
        cut_off = [row for row in in_threads(solve, len(rows), threads) if row >= 0]
        if cut_off:
            raise ArgumentError(
                "theta",
                f"edges of -inf that separate the corners in row {cut_off[0]}",
                "a path leads right and down from corner to corner",
                "open a way",
            )
        return torch.from_numpy(masks).to(theta)
