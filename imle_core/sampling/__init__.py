"""Perturb-and-MAP samples and their averages, streamed."""

from imle_core.sampling.averages import (
    Marginals,
    dependent_samples,
    marginals,
    stream_marginals,
    stream_samples,
)

__all__ = ["Marginals", "dependent_samples", "marginals", "stream_marginals", "stream_samples"]
