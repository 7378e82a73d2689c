"""Gradients of solvers: I-MLE and its rivals, each a layer behind the call of :func:`imle_core.imle`.

``differentiable(name, solver, ...)`` makes any of them; :mod:`imle_core.estimators.implicit_mle` is the method of the paper.
"""

from imle_core.contracts import Sense
from imle_core.estimators.blackbox import BlackboxInterpolation
from imle_core.estimators.decisions.cone_alignment import ConeAlignment
from imle_core.estimators.decisions.perturbation_gradient import PerturbationGradient
from imle_core.estimators.decisions.spo_plus import SPOPlus
from imle_core.estimators.expectation import Loss
from imle_core.estimators.fenchel_young import FenchelYoung
from imle_core.estimators.hulls.frank_wolfe import Certified, FrankWolfe
from imle_core.estimators.hulls.frank_wolfe_fenchel_young import FrankWolfeFenchelYoung
from imle_core.estimators.identity import Identity
from imle_core.estimators.implicit_mle import IMLE, Difference, Differentiable, ImplicitMLE, imle
from imle_core.estimators.layer import Layer
from imle_core.estimators.module import LayerModule
from imle_core.estimators.perturbed import PerturbedOptimizer
from imle_core.estimators.pools.contrastive import Contrastive
from imle_core.estimators.pools.contrastive_map import ContrastiveMAP
from imle_core.estimators.pools.rank_list import RankList
from imle_core.estimators.pools.rank_pair import RankPair
from imle_core.estimators.pools.rank_point import RankPoint
from imle_core.estimators.registry import ALIASES, DECISION_LOSSES, ESTIMATORS, Entry, differentiable
from imle_core.estimators.score_function import ScoreFunction
from imle_core.estimators.simple import Simple
from imle_core.estimators.step_watch import StepSizeWarning, ZeroGradientWarning, steps_of_any_size
from imle_core.estimators.straight_through import StraightThrough
from imle_core.estimators.structured_svm import StructuredSVM
from imle_core.estimators.supervision import LossName
from imle_core.estimators.target import AdaptiveTargetDistribution, KnownTargetDistribution, TargetDistribution

__all__ = [
    "ALIASES",
    "DECISION_LOSSES",
    "ESTIMATORS",
    "IMLE",
    "AdaptiveTargetDistribution",
    "BlackboxInterpolation",
    "Certified",
    "ConeAlignment",
    "Contrastive",
    "ContrastiveMAP",
    "Difference",
    "Differentiable",
    "Entry",
    "FenchelYoung",
    "FrankWolfe",
    "FrankWolfeFenchelYoung",
    "Identity",
    "ImplicitMLE",
    "KnownTargetDistribution",
    "Layer",
    "LayerModule",
    "Loss",
    "LossName",
    "PerturbationGradient",
    "PerturbedOptimizer",
    "RankList",
    "RankPair",
    "RankPoint",
    "SPOPlus",
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
