"""Implicit Maximum Likelihood Estimation: any combinatorial solver as a differentiable PyTorch layer.

Packages, from top to bottom. Each imports from groups below its own, never from its own group or from above:

    perception   costs of tiles learned from images, and how well they plan
    decisions    costs predicted from features: data, labels, and the regret of decisions
    doctor       examination of a solver: is it what the estimators take it for?
    lab          bias, variance and cost of gradients; calibrated noise; a published experiment

    training     weights with which a solver gives a gold solution, one record a step

    estimators   I-MLE (``implicit_mle.py``) and its rivals, each a layer around a solver

    exact        exact marginals, gradients and samples of ``p(z) ~ exp <z, theta>``, one file a family
    noise        distributions of noise
    sampling     perturb-and-MAP samples and their averages, streamed
    losses       losses between solutions and gold solutions, decisions and true parameters, solutions and a pool

    solvers      ``argmax_z <z, theta>`` for paths, sets, trees, matchings, cuts, programs, and any function of a user

    ragged       batches of instances of several sizes: layouts, noise, sums

    contracts    what a solver, a noise and a target must do, and the calls that hold them to it

    checks       checks of arguments, the error of one that is refused, and values in a line
    kernels      foundations of compiled code: compiler, cache, vectors, random bits
    concurrency  threads, locks, processes that work together

Whatever numba compiles lies in a folder ``kernels`` beside the code that calls it.

Words, in code and prose alike:

    theta        parameters, ``(B, *event)``, or a structure of several such tensors
    instance     one of the B problems of a batch
    solver       a callable ``(N, *event) -> (N, *event)``: ``argmax_z <z, theta>`` row by row
    row          one of the N problems that a solver gets, an instance with one sample's noise
    z, state     a solution; 0 and 1 in most families
    eps          noise, ``(B, S, *event)``: drawn in the forward pass, used again in the backward pass
    sample       one ``z = MAP(theta + tau * eps)``; S samples an instance
    tau          temperature of the noise, one for the input and one for the target
    target       parameters moved against the upstream gradient: ``theta' = alpha * theta - lambda * dy``
    marginals    means of samples, ``(B, *event)``
"""

from imle_core.checks import ArgumentError
from imle_core.contracts import Noise, Solver, Target
from imle_core.estimators import (
    IMLE,
    AdaptiveTargetDistribution,
    Differentiable,
    ImplicitMLE,
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
from imle_core.sampling import (
    DistinctSolutions,
    Marginals,
    distinct_solutions,
    marginals,
    perturb_and_map,
    stream_marginals,
    stream_samples,
)
from imle_core.training import Step, Training, train

__version__ = "0.1.0"

__all__ = [
    "IMLE",
    "AdaptiveTargetDistribution",
    "AntitheticNoiseDistribution",
    "ArgumentError",
    "Differentiable",
    "DistinctSolutions",
    "GumbelNoiseDistribution",
    "ImplicitMLE",
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
    "distinct_solutions",
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
