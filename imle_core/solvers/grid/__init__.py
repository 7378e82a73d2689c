"""Cheapest and best paths on a grid of tiles."""

from imle_core.solvers.grid.acyclic_path import AcyclicGridPath
from imle_core.solvers.grid.path import GridPath

__all__ = ["AcyclicGridPath", "GridPath"]
