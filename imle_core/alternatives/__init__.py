"""Other estimators behind the call of :func:`imle_core.imle`; ``differentiable(name, solver, ...)`` makes any of them."""

from imle_core.alternatives.blackbox import BlackboxInterpolation
from imle_core.alternatives.fenchel_young import FenchelYoung
from imle_core.alternatives.identity import Identity
from imle_core.alternatives.perturbed import PerturbedOptimizer
from imle_core.alternatives.registry import ESTIMATORS, Entry, differentiable
from imle_core.alternatives.score_function import ScoreFunction
from imle_core.alternatives.simple import Simple
from imle_core.alternatives.straight_through import StraightThrough

__all__ = [
    "ESTIMATORS",
    "BlackboxInterpolation",
    "Entry",
    "FenchelYoung",
    "Identity",
    "PerturbedOptimizer",
    "ScoreFunction",
    "Simple",
    "StraightThrough",
    "differentiable",
]
