"""Perturb-and-MAP samples and their averages, all of :mod:`imle_core.sampling`."""

from imle_core.sampling import *  # noqa: F403
