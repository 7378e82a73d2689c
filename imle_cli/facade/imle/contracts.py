"""Contracts of solvers, noise and targets, all of :mod:`imle_core.contracts`."""

from imle_core.contracts import *  # noqa: F403
