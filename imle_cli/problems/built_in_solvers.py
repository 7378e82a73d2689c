"""Our solvers by name, with arguments that suit an event shape where the user gives none."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class BuiltIn:
    """Settings with which a solver of ours is checked.

    Attributes:
        shape: an event shape for a first look.
        arguments: gives arguments for an event shape.
    """

    shape: Shape = (5, 5)
    arguments: Callable[[Shape], dict[str, Any]] = field(default=lambda _: {})


def make(name: str, shape: Shape, given: dict[str, Any]) -> Any:
    """A solver of ours, from the arguments given and otherwise those that suit the shape."""
    from imle_core.solvers import SOLVERS

    return SOLVERS[name](**{**BUILT_IN[name].arguments(shape), **given})


def edges(count: int) -> list[tuple[int, int]]:
    """The first edges of a complete graph, in which every node is joined to as many earlier ones as there are edges left."""
    numbered = ((low, high) for high in range(1, count + 1) for low in range(high))
    return [edge for edge, _ in zip(numbered, range(count), strict=False)]


def _between(first: str, last: str, shape: Shape) -> dict[str, Any]:
    """A graph and two of its nodes; costs below 0 are clamped, since targets may have some."""
    graph = edges(math.prod(shape))
    return {"graph": graph, first: 0, last: max(map(max, graph)), "floor": 0.0}


def _grid(count: int) -> tuple[int, int]:
    """Rows and columns of the grid of nodes that is nearest to a square, among those with so many edges."""
    grids = ((rows, (count + rows) // (2 * rows - 1)) for rows in range(1, math.isqrt(count) + 2))
    return next(reversed([grid for grid in grids if 2 * math.prod(grid) - sum(grid) == count]))


def _covariance(count: int) -> Any:
    """Variances 1, 2, ..., and covariances of 1/2."""
    import numpy as np

    return np.diag(np.arange(count) + 0.5) + 0.5


def _nodes(count: int) -> int:
    """Number of nodes of a complete graph with so many edges, or with the next number that one has, which is refused."""
    return max(3, math.ceil((1 + math.sqrt(1 + 8 * count)) / 2))


def _weights(shape: Shape) -> tuple[list[int], int]:
    """Weights 1, 2, ..., and half of their sum."""
    count = math.prod(shape)
    return list(range(1, count + 1)), count * (count + 1) // 4


def _knapsack(shape: Shape) -> dict[str, Any]:
    import numpy as np

    weights, capacity = _weights(shape)
    return {"weights": np.reshape(weights, shape), "capacity": capacity}


def _program(shape: Shape) -> dict[str, Any]:
    weights, capacity = _weights(shape)
    return {"A": [weights], "b": [capacity]}


BUILT_IN = {
    "acyclic-path": BuiltIn(),
    "argmax": BuiltIn(),
    "assignment": BuiltIn(),
    "dijkstra": BuiltIn(),
    "grid-edge-path": BuiltIn((12,), lambda shape: {"grid": _grid(math.prod(shape))}),
    "integer-program": BuiltIn((8,), _program),
    "knapsack": BuiltIn((10,), _knapsack),
    "matching": BuiltIn((10,), lambda shape: {"graph": edges(math.prod(shape))}),
    "min-cut": BuiltIn((10,), lambda shape: _between("s", "t", shape)),
    "path": BuiltIn((10,), lambda shape: _between("start", "goal", shape)),
    "portfolio": BuiltIn((10,), lambda shape: {"covariance": _covariance(math.prod(shape))}),
    "ranking": BuiltIn(),
    "spanning-tree": BuiltIn((10,), lambda shape: {"graph": edges(math.prod(shape))}),
    "top-k": BuiltIn((5, 5), lambda shape: {"k": max(1, math.prod(shape) // 3)}),
    "tour": BuiltIn((10,), lambda shape: {"nodes": _nodes(math.prod(shape))}),
}
"""Solvers that ``imle check`` knows by name: top-k takes a third of the entries, a knapsack or integer program weights
1, 2, ... up to half of their sum, a portfolio variances 1, 2, ... and covariances of 1/2; solvers on graphs have one edge
an entry, (0, 1), (0, 2), (1, 2), (0, 3), ..., and lead from the first node to the last."""
