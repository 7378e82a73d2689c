"""Losses of solutions, decisions and pools, all of :mod:`imle_core.losses`."""

from imle_core.losses import *  # noqa: F403
