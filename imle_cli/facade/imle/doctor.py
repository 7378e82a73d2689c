"""Examination of a solver, all of :mod:`imle_core.doctor`."""

from imle_core.doctor import *  # noqa: F403
