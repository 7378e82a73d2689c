"""Exact marginals, gradients and samples, all of :mod:`imle_core.exact`."""

from imle_core.exact import *  # noqa: F403
