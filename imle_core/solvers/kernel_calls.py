"""A call of every kernel of solvers, so that it is compiled before anybody waits for that."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from imle_core.solvers.graph import Matching, MinCut, ShortestPath, SpanningTree
from imle_core.solvers.grid import AcyclicGridPath, GridEdgePath
from imle_core.solvers.permutations.tour import Tour
from imle_core.solvers.pools.members import Members, best_of
from imle_core.solvers.rows import as_rows
from imle_core.solvers.selections.knapsack import Knapsack
from imle_core.solvers.selections.top_k import TopK

_EDGES = [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3)]
_BACK = (3, 0)


def kernel_calls(dtype: torch.dtype) -> Iterator[tuple[str, Callable[[], None]]]:
    """Subjects, and functions that solve small problems of them.

    Args:
        dtype: float32 or float64, as which numbers of all other types are read.
    """
    from imle_core.solvers.grid.engines.ready import compile_kernels  # here, since numba takes half a second to import

    yield "paths on maps", partial(compile_kernels, str(dtype).partition(".")[2])
    yield "paths on maps without cycles", partial(_call, AcyclicGridPath(), [_gains(dtype, 3, 3)])
    yield "paths over edges of grids", partial(_call, GridEdgePath((2, 2)), [_gains(dtype, 4)])
    yield "the best items", partial(_call, TopK(2), [_gains(dtype, 5)])
    yield "knapsacks", partial(_call, Knapsack([1, 2, 3, 4, 5], 7), [_gains(dtype, 5)])
    yield "knapsacks with several constraints", partial(_call, Knapsack([[1, 2], [2, 1]], [2, 2]), [_gains(dtype, 2)])
    yield "pools of solutions", partial(_ask_members, dtype)
    yield "tours", partial(_call, Tour(3), [_gains(dtype, 3)])
    yield "spanning trees", partial(_call, SpanningTree(_EDGES), [_gains(dtype, 5)])
    yield "matchings", partial(_call, Matching(_EDGES), [_gains(dtype, 5)])
    yield "cuts", partial(_call, MinCut(_EDGES, 0, 3), [-_gains(dtype, 5)])
    yield "paths in graphs", partial(_find_paths, dtype)


def _find_paths(dtype: torch.dtype) -> None:
    """Without directions; with them, and no cycle; with one, and no cost below 0, then with such costs."""
    import networkx

    _call(ShortestPath(_EDGES, 0, 3), [-_gains(dtype, 5)])
    _call(ShortestPath(networkx.DiGraph(_EDGES), 0, 3), [-_gains(dtype, 5)])
    some = torch.full((1, 6), -3.0, dtype=dtype)
    some[0, 0] = 1.0
    _call(ShortestPath(networkx.DiGraph([*_EDGES, _BACK]), 0, 3), [-_gains(dtype, 6), some])


def _ask_members(dtype: torch.dtype) -> None:
    members = Members((5,))
    members.add(_gains(dtype, 5))
    best_of(members.entries(), as_rows(_gains(dtype, 5)), 1.0, (-math.inf, math.inf))


def _call(solver: Callable[[Tensor], Tensor], batches: Sequence[Tensor]) -> None:
    for theta in batches:
        solver(theta)


def _gains(dtype: torch.dtype, *event: int) -> Tensor:
    """Parameters ``(1, *event)``, all of them different and above 0."""
    return torch.linspace(1, 2, torch.Size(event).numel(), dtype=dtype).view(1, *event)
