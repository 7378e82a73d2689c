"""Training of weights against a gold solution, all of :mod:`imle_core.training`."""

from imle_core.training import *  # noqa: F403
