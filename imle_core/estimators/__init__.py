"""Gradients of solvers: I-MLE and its rivals, each a layer behind the call of :func:`imle_core.imle`.

``differentiable(name, solver, ...)`` makes any of them; :mod:`imle_core.estimators.implicit_mle` is the method of the paper.
"""

from imle_core.contracts import Sense
from imle_core.estimators.blackbox import BlackboxInterpolation
from imle_core.estimators.fenchel_young import FenchelYoung
from imle_core.estimators.identity import Identity
from imle_core.estimators.implicit_mle import IMLE, Difference, Differentiable, ImplicitMLE, imle
from imle_core.estimators.layer import Layer, Loss
from imle_core.estimators.module import LayerModule
from imle_core.estimators.perturbed import PerturbedOptimizer
from imle_core.estimators.registry import ALIASES, ESTIMATORS, Entry, differentiable
from imle_core.estimators.score_function import ScoreFunction
from imle_core.estimators.simple import Simple
from imle_core.estimators.step_watch import StepSizeWarning, ZeroGradientWarning, steps_of_any_size
from imle_core.estimators.straight_through import StraightThrough
from imle_core.estimators.structured_svm import StructuredSVM
from imle_core.estimators.target import AdaptiveTargetDistribution, KnownTargetDistribution, TargetDistribution

__all__ = [
    "ALIASES",
    "ESTIMATORS",
    "IMLE",
    "AdaptiveTargetDistribution",
    "BlackboxInterpolation",
    "Difference",
    "Differentiable",
    "Entry",
    "FenchelYoung",
    "Identity",
    "ImplicitMLE",
    "KnownTargetDistribution",
    "Layer",
    "LayerModule",
    "Loss",
    "PerturbedOptimizer",
    "ScoreFunction",
    "Sense",
    "Simple",
    "StepSizeWarning",
    "StraightThrough",
    "StructuredSVM",
    "TargetDistribution",
    "ZeroGradientWarning",
    "differentiable",
    "imle",
    "steps_of_any_size",
]
