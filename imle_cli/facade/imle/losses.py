"""Losses between solutions and gold solutions, all of :mod:`imle_core.losses`."""

from imle_core.losses import *  # noqa: F403
