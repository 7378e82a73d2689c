"""Cheapest and best paths on a grid of tiles, or over the edges of a grid."""

from imle_core.solvers.grid.acyclic_path import AcyclicGridPath
from imle_core.solvers.grid.edge_path import GridEdgePath
from imle_core.solvers.grid.path import GridPath
from imle_core.solvers.grid.tuning import Tuning

__all__ = ["AcyclicGridPath", "GridEdgePath", "GridPath", "Tuning"]
