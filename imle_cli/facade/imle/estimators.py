"""Gradients of solvers, all of :mod:`imle_core.estimators`."""

from imle_core.estimators import *  # noqa: F403
