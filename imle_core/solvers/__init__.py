"""Solvers: callables ``(N, *event) -> (N, *event)`` that give ``argmax_z <z, theta>`` row by row.

theta is a dense tensor of real numbers of any type, which are read exactly: 64-bit integers that float64 does not hold are
an ArgumentError; complex, sparse, nested, quantised and meta tensors, arrays and lists are an ArgumentTypeError. Solutions
are new tensors in theta's type.
"""

from collections.abc import Callable
from typing import Any

from imle_core.solvers.black_box import BlackBox, SolveError
from imle_core.solvers.graph import Matching, MinCut, ShortestPath, SpanningTree
from imle_core.solvers.grid import AcyclicGridPath, GridEdgePath, GridPath, Tuning
from imle_core.solvers.integer_program.files import ProgramWarning
from imle_core.solvers.integer_program.solver import (
    GapError,
    InfeasibleError,
    IntegerProgram,
    ProgramError,
    TimeLimitError,
    UnboundedError,
)
from imle_core.solvers.permutations.assignment import Assignment
from imle_core.solvers.permutations.ranking import ArgMax, Ranking
from imle_core.solvers.permutations.tour import Tour
from imle_core.solvers.pools.pool import SolutionPool
from imle_core.solvers.selections.knapsack import Knapsack
from imle_core.solvers.selections.portfolio import Portfolio
from imle_core.solvers.selections.top_k import TopK

SOLVERS: dict[str, Callable[..., Any]] = {
    "acyclic-path": AcyclicGridPath,
    "argmax": ArgMax,
    "assignment": Assignment,
    "dijkstra": GridPath,
    "grid-edge-path": GridEdgePath,
    "integer-program": IntegerProgram,
    "knapsack": Knapsack,
    "matching": Matching,
    "min-cut": MinCut,
    "path": ShortestPath,
    "portfolio": Portfolio,
    "ranking": Ranking,
    "spanning-tree": SpanningTree,
    "top-k": TopK,
    "tour": Tour,
}
"""Solvers by the name that the command line uses."""

__all__ = [
    "SOLVERS",
    "AcyclicGridPath",
    "ArgMax",
    "Assignment",
    "BlackBox",
    "GapError",
    "GridEdgePath",
    "GridPath",
    "InfeasibleError",
    "IntegerProgram",
    "Knapsack",
    "Matching",
    "MinCut",
    "Portfolio",
    "ProgramError",
    "ProgramWarning",
    "Ranking",
    "ShortestPath",
    "SolutionPool",
    "SolveError",
    "SpanningTree",
    "TimeLimitError",
    "TopK",
    "Tour",
    "Tuning",
    "UnboundedError",
]
