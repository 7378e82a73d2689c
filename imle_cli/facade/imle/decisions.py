"""Costs predicted from features, judged by decisions, all of :mod:`imle_core.decisions`."""

from imle_core.decisions import *  # noqa: F403
