"""Exact answers about Gibbs distributions over finite sets of structures: log-partitions, marginals, gradients, samples."""

from imle_core.exact.chain import Chain
from imle_core.exact.enumeration import Enumeration
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.grid import AcyclicGridPaths
from imle_core.exact.independent import Categorical, Hypercube
from imle_core.exact.knapsack import KnapsackSets
from imle_core.exact.of_solver import check_family, exact_family, family_of
from imle_core.exact.subset import KSubset
from imle_core.exact.tree import SpanningTrees
from imle_core.exact.trees_of_graphs import SpanningTreesOfGraphs

__all__ = [
    "AcyclicGridPaths",
    "Categorical",
    "Chain",
    "Enumeration",
    "ExponentialFamily",
    "Hypercube",
    "KSubset",
    "KnapsackSets",
    "SpanningTrees",
    "SpanningTreesOfGraphs",
    "check_family",
    "exact_family",
    "family_of",
]
