"""Implicit Maximum Likelihood Estimation: any combinatorial solver as a differentiable PyTorch layer."""

from imle_core.contracts import Noise, Solver, Target
from imle_core.estimator import IMLE, Estimator, imle, perturb_and_map
from imle_core.losses import hamming
from imle_core.marginals import Marginals, marginals, stream_marginals, stream_samples
from imle_core.noise import (
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    kolmogorov_smirnov,
)
from imle_core.target import TargetDistribution
from imle_core.training import Step, Training, train

__all__ = [
    "IMLE",
    "Estimator",
    "GumbelNoiseDistribution",
    "LogisticNoiseDistribution",
    "Marginals",
    "Noise",
    "NoiseDistribution",
    "NormalNoiseDistribution",
    "Solver",
    "Step",
    "SumOfGammaNoiseDistribution",
    "Target",
    "TargetDistribution",
    "Training",
    "hamming",
    "imle",
    "kolmogorov_smirnov",
    "marginals",
    "perturb_and_map",
    "stream_marginals",
    "stream_samples",
    "train",
]
