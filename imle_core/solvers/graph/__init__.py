"""Solvers on the edges of a graph."""

from imle_core.solvers.graph.matching import Matching
from imle_core.solvers.graph.min_cut import MinCut
from imle_core.solvers.graph.shortest_path import ShortestPath
from imle_core.solvers.graph.spanning_tree import SpanningTree

__all__ = ["Matching", "MinCut", "ShortestPath", "SpanningTree"]
