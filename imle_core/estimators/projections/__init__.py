"""Nearest points of polytopes that a solver or normals describe: hulls of solutions, and cones of parameters."""

from imle_core.estimators.projections.cone import nearest_in_cone
from imle_core.estimators.projections.hull import Face, nearest_in_hull

__all__ = ["Face", "nearest_in_cone", "nearest_in_hull"]
