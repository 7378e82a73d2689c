"""Noise distributions for perturb-and-MAP: Sum-of-Gamma, Gumbel, normal, logistic, and any of them in antithetic pairs."""

from imle_core.noise.antithetic import AntitheticNoiseDistribution
from imle_core.noise.distribution import NoiseDistribution
from imle_core.noise.goodness_of_fit import kolmogorov_smirnov
from imle_core.noise.location_scale import GumbelNoiseDistribution, LogisticNoiseDistribution, NormalNoiseDistribution
from imle_core.noise.sum_of_gamma import SumOfGammaNoiseDistribution

__all__ = [
    "AntitheticNoiseDistribution",
    "GumbelNoiseDistribution",
    "LogisticNoiseDistribution",
    "NoiseDistribution",
    "NormalNoiseDistribution",
    "SumOfGammaNoiseDistribution",
    "kolmogorov_smirnov",
]
