"""Bias, variance and cost of gradients, all of :mod:`imle_core.lab`."""

from imle_core.lab import *  # noqa: F403
