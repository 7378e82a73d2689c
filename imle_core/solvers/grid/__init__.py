"""Cheapest and best paths on a grid of tiles."""

from imle_core.solvers.grid.acyclic_path import AcyclicGridPath
from imle_core.solvers.grid.path import GridPath
from imle_core.solvers.grid.tuning import Tuning

__all__ = ["AcyclicGridPath", "GridPath", "Tuning"]
