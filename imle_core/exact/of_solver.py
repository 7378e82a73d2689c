"""The exact distribution that belongs to a solver."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor

from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.grid import AcyclicGridPaths
from imle_core.exact.independent import Categorical
from imle_core.exact.knapsack import KnapsackSets
from imle_core.exact.subset import KSubset
from imle_core.exact.tree import SpanningTrees
from imle_core.exact.trees_of_graphs import SpanningTreesOfGraphs
from imle_core.solvers import AcyclicGridPath, ArgMax, Knapsack, SolutionPool, SpanningTree, TopK


def family_of(solver: Any, event: Sequence[int], *args: Any, **kwargs: Any) -> ExponentialFamily | None:
    """The Gibbs distribution over the solutions of ``solver``, whose mode it finds; None where no family here is exact.

    Args:
        solver: a solver.
        event: shape of its parameters.
        *args: further arguments that the solver would be called with, such as a k for each instance.
        **kwargs: likewise, by name.
    """
    shape = tuple(event)
    if isinstance(solver, SolutionPool):
        return family_of(solver.solver, event, *args, **kwargs)
    if isinstance(solver, TopK):
        k = kwargs.get("k", args[0] if args else None)
        k = solver.k if k is None else k
        return None if k is None else KSubset(k, shape, at_most=solver.at_most, dim=solver.dim)
    if isinstance(solver, ArgMax):
        return Categorical(shape)
    if isinstance(solver, AcyclicGridPath):
        return AcyclicGridPaths(shape, solver.diagonal)
    if isinstance(solver, SpanningTree) and solver.offsets is not None:
        return _of_graphs(solver)
    if isinstance(solver, SpanningTree) and not solver.forest and solver.simple:
        return SpanningTrees(solver.edges)
    if isinstance(solver, Knapsack) and not solver.several:
        return KnapsackSets(solver.whole.weights, solver.whole.capacity)
    return None


_known: WeakKeyDictionary[SpanningTree, SpanningTreesOfGraphs | None] = WeakKeyDictionary()
"""Families of lists of graphs, which take long to make."""


def _of_graphs(solver: SpanningTree) -> SpanningTreesOfGraphs | None:
    """The family of a list of graphs; None where one of them has no family alone."""
    if solver not in _known:
        is_known = not solver.forest and solver.is_simple.all() and any(solver.edges)
        _known[solver] = SpanningTreesOfGraphs(solver.edges) if is_known else None
    return _known[solver]


def exact_family(
    solver: Any, theta: Tensor, arguments: tuple[tuple[Any, ...], dict[str, Any]], instance: int | None = None
) -> ExponentialFamily:
    """:func:`family_of` a solver known to :func:`check_family`, for parameters ``(N, *event)`` and arguments of a call.

    Args:
        solver: the solver.
        theta: the parameters.
        arguments: further arguments.
        instance: number of the only instance that theta is of, where a solver has a family for each.

    Raises:
        ArgumentError: a solver that needs an argument, and does not get it; a number of entries that is not that of the
            instance's graph.
    """
    args, kwargs = arguments
    family = family_of(solver, theta.shape[1:], *args, **kwargs)
    if family is None:
        raise ArgumentError("k", "None", "TopK() needs one for each instance", "call it with k=[...]")
    if instance is None or not isinstance(family, SpanningTreesOfGraphs):
        return family
    alone = family.graphs[instance] if instance < len(family.graphs) else None
    if alone is None or alone.event != theta.shape[1:]:
        edges = 0 if alone is None else alone.event[0]
        got, rule = f"{theta.shape[1]} entries for instance {instance}", f"its graph has {edges} edges"
        raise ArgumentError("offsets", got, rule, "give the offsets of edges, such as those of the solver")
    return alone


def check_family(solver: Any, who: str) -> None:
    """The exact distribution of the solver's solutions must be known, for parameters of some shape.

    Raises:
        ArgumentTypeError: it is not.
    """
    within = solver.solver if isinstance(solver, SolutionPool) else solver
    if isinstance(within, TopK) or family_of(within, (1, 1)) is not None:
        return
    raise ArgumentTypeError(
        "function",
        repr(solver),
        f"{who} needs exact marginals, which are known for TopK, ArgMax, AcyclicGridPath, SpanningTree and Knapsack",
        "give its exact distribution as family=...",
    )
