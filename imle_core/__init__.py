"""Implicit Maximum Likelihood Estimation: any combinatorial solver as a differentiable PyTorch layer."""

from imle_core.contracts import Noise, Solver, Target
from imle_core.empirical import kolmogorov_smirnov
from imle_core.estimator import IMLE, Differentiable, Estimator, imle
from imle_core.layer import Layer, LayerModule, perturb_and_map
from imle_core.losses import fenchel_young, hamming
from imle_core.marginals import Marginals, marginals, stream_marginals, stream_samples
from imle_core.noise import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)
from imle_core.step_size import StepSizeWarning, ZeroGradientWarning
from imle_core.target import AdaptiveTargetDistribution, KnownTargetDistribution, TargetDistribution
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
