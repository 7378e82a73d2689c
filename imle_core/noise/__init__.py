"""Noise distributions for perturb-and-MAP: Sum-of-Gamma, Gumbel, normal, logistic, and any of them in antithetic pairs."""

from imle_core.noise.distribution import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)
from imle_core.noise.goodness_of_fit import kolmogorov_smirnov

__all__ = [
    "AntitheticNoiseDistribution",
    "GumbelNoiseDistribution",
    "LogisticNoiseDistribution",
    "NoiseDistribution",
    "NormalNoiseDistribution",
    "SumOfGammaNoiseDistribution",
    "kolmogorov_smirnov",
]
