"""Costs of tiles learned from images, all of :mod:`imle_core.perception`."""

from imle_core.perception import *  # noqa: F403
