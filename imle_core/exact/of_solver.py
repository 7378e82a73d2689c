"""The exact distribution that belongs to a solver."""

from collections.abc import Sequence
from typing import Any

from imle_core.checks import ArgumentTypeError
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.grid import AcyclicGridPaths
from imle_core.exact.independent import Categorical
from imle_core.exact.knapsack import KnapsackSets
from imle_core.exact.subset import KSubset
from imle_core.exact.tree import SpanningTrees
from imle_core.solvers import AcyclicGridPath, ArgMax, Knapsack, SpanningTree, TopK


def family_of(solver: Any, event: Sequence[int]) -> ExponentialFamily | None:
    """The Gibbs distribution over the solutions of ``solver``, whose mode it finds; None where no family here is exact.

    Args:
        solver: a solver.
        event: shape of its parameters.
    """
    shape = tuple(event)
    if isinstance(solver, TopK) and solver.k is not None:
        return KSubset(solver.k, shape)
    if isinstance(solver, ArgMax):
        return Categorical(shape)
    if isinstance(solver, AcyclicGridPath):
        return AcyclicGridPaths(shape, solver.diagonal)
    if isinstance(solver, SpanningTree) and not solver.forest and solver.simple:
        return SpanningTrees(solver.edges)
    if isinstance(solver, Knapsack):
        return KnapsackSets(solver.weights, solver.capacity)
    return None


def check_family(solver: Any, who: str) -> None:
    """The exact distribution of the solver's solutions must be known, for parameters of some shape.

    Raises:
        ArgumentTypeError: it is not.
    """
    known = solver.k is not None if isinstance(solver, TopK) else family_of(solver, (1, 1)) is not None
    if known:
        return
    raise ArgumentTypeError(
        "function",
        repr(solver),
        f"{who} needs exact marginals, which are known for TopK(k), ArgMax, AcyclicGridPath, SpanningTree and Knapsack",
        "give its exact distribution as family=...",
    )
