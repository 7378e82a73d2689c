"""Implicit Maximum Likelihood Estimation: any combinatorial solver as a differentiable PyTorch layer."""

from imle_core.contracts import Noise, Solver, Target
from imle_core.estimators import (
    IMLE,
    AdaptiveTargetDistribution,
    Differentiable,
    Estimator,
    KnownTargetDistribution,
    Layer,
    LayerModule,
    StepSizeWarning,
    TargetDistribution,
    ZeroGradientWarning,
    imle,
)
from imle_core.losses import fenchel_young, hamming
from imle_core.noise import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    kolmogorov_smirnov,
)
from imle_core.sampling import Marginals, marginals, perturb_and_map, stream_marginals, stream_samples
from imle_core.training import Step, Training, train

__all__ = [
    "IMLE",
    "AdaptiveTargetDistribution",
    "AntitheticNoiseDistribution",
    "Differentiable",
    "Estimator",
    "GumbelNoiseDistribution",
    "KnownTargetDistribution",
    "Layer",
    "LayerModule",
    "LogisticNoiseDistribution",
    "Marginals",
    "Noise",
    "NoiseDistribution",
    "NormalNoiseDistribution",
    "Solver",
    "Step",
    "StepSizeWarning",
    "SumOfGammaNoiseDistribution",
    "Target",
    "TargetDistribution",
    "Training",
    "ZeroGradientWarning",
    "fenchel_young",
    "hamming",
    "imle",
    "kolmogorov_smirnov",
    "marginals",
    "perturb_and_map",
    "stream_marginals",
    "stream_samples",
    "train",
]
