"""Perturb-and-MAP samples and their averages, streamed."""

from imle_core.sampling.averages import Marginals, dependent_samples, marginals, stream_marginals, stream_samples
from imle_core.sampling.distinct import DistinctSolutions, distinct_solutions
from imle_core.sampling.samples import add_noise, perturb_and_map

__all__ = [
    "DistinctSolutions",
    "Marginals",
    "add_noise",
    "dependent_samples",
    "distinct_solutions",
    "marginals",
    "perturb_and_map",
    "stream_marginals",
    "stream_samples",
]
