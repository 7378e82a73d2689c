"""Solvers of paths, sets, trees, matchings, cuts and programs, all of :mod:`imle_core.solvers`."""

from imle_core.solvers import *  # noqa: F403
