"""Estimators by name, behind one call."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Literal, overload

import torch

from imle_core import checks
from imle_core.contracts import Noise, Sense, Solver, Target
from imle_core.estimators.blackbox import BlackboxInterpolation
from imle_core.estimators.decisions.cone_alignment import ConeAlignment
from imle_core.estimators.decisions.perturbation_gradient import PerturbationGradient
from imle_core.estimators.decisions.spo_plus import SPOPlus
from imle_core.estimators.fenchel_young import FenchelYoung
from imle_core.estimators.hulls.frank_wolfe import FrankWolfe
from imle_core.estimators.hulls.frank_wolfe_fenchel_young import FrankWolfeFenchelYoung
from imle_core.estimators.identity import Identity, Projection
from imle_core.estimators.implicit_mle import Difference, ImplicitMLE
from imle_core.estimators.layer import Layer, Reduction
from imle_core.estimators.perturbed import Baseline, Perturbation, PerturbedOptimizer
from imle_core.estimators.pools.contrastive import Contrastive
from imle_core.estimators.pools.contrastive_map import ContrastiveMAP
from imle_core.estimators.pools.rank_list import RankList
from imle_core.estimators.pools.rank_pair import RankPair
from imle_core.estimators.pools.rank_point import RankPoint
from imle_core.estimators.score_function import ScoreFunction
from imle_core.estimators.simple import Simple
from imle_core.estimators.straight_through import StraightThrough
from imle_core.estimators.structured_svm import StructuredSVM
from imle_core.estimators.target import AdaptiveTargetDistribution, TargetDistribution
from imle_core.exact import ExponentialFamily

Need = Literal[
    "loss gradient",
    "loss values",
    "gold solutions",
    "gold solutions and a pool",
    "gold solutions and normals",
    "true parameters",
    "true parameters and a pool",
]


@dataclass(frozen=True)
class Entry:
    """An estimator of the registry, with all that other packages and commands know of it.

    Attributes:
        layer: its class.
        needs: what supervises it.
        uses_step: whether the target's step lambda changes its gradient.
        options: arguments of the class that the name stands for.
        adaptive: whether its target finds its own step.
        exact: whether it draws exact samples, of an option ``family``, in place of the solver's.
        scaled: whether its size is an estimate of the gradient's.
        scale_options: arguments of the class that are needed for this, such as a division by the step.
        cost_options: arguments of the class where parameters are minus costs, which must stay positive.
        usual_samples: samples of an instance where nobody asks for a number: 1, or more for gradients that vary much.
        usual_temperature: likewise, temperature of noise that suits parameters of size 1 as the solver gets them.
        usual_loss: distance to a gold solution y: "hamming", linear, where solutions are compared; "squared",
            ``||z - y||^2``, where the loss gradient is handed on as it is, since that of a linear one is the same for all z.
    """

    layer: type[Layer]
    needs: Need = "loss gradient"
    uses_step: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    adaptive: bool = False
    exact: bool = False
    scaled: bool = True
    scale_options: dict[str, Any] = field(default_factory=dict)
    cost_options: dict[str, Any] = field(default_factory=dict)
    usual_samples: int = 1
    usual_temperature: float = 1.0
    usual_loss: Literal["hamming", "squared"] = "hamming"


_imle = partial(Entry, ImplicitMLE, scale_options={"scale_gradient": True})
_perturbed = partial(Entry, PerturbedOptimizer, usual_samples=10)
_score_function = partial(Entry, ScoreFunction, "loss values", usual_samples=10)
_handing_on = partial(Entry, scaled=False, usual_loss="squared")

ESTIMATORS: dict[str, Entry] = {
    "imle": _imle(uses_step=True),
    "central-imle": _imle(uses_step=True, options={"difference": "central"}),
    "adaptive-imle": _imle(adaptive=True),
    "adaptive-central-imle": _imle(adaptive=True, options={"difference": "central"}),
    "blackbox": Entry(BlackboxInterpolation, uses_step=True),
    "straight-through": _handing_on(StraightThrough),
    # Other projections subtract the mean, and half of the costs that are left would be negative. Under "norm" parameters
    # have norm 1, which noise of temperature 1 would drown.
    "identity": _handing_on(Identity, cost_options={"projection": "norm"}, usual_temperature=0.0),
    "perturbed": _perturbed(),
    "perturbed-baseline": _perturbed(options={"baseline": "noise-free"}),
    "perturbed-multiplicative": _perturbed(options={"perturbation": "multiplicative"}),
    "fenchel-young": Entry(FenchelYoung, "gold solutions"),
    "structured-svm": Entry(StructuredSVM, "gold solutions", usual_temperature=0.0),
    "score-function": _score_function(),
    "score-function-baseline": _score_function(options={"baseline": "leave-one-out"}),
    "score-function-exact": _score_function(options={"family": "solver"}, exact=True),
    "simple": Entry(Simple, exact=True),
}
"""Every estimator by the name that :func:`differentiable` and the command line use."""

DECISION_LOSSES: dict[str, Entry] = {
    "spo-plus": Entry(SPOPlus, "true parameters"),
    "perturbation-gradient": Entry(PerturbationGradient, "true parameters", uses_step=True),
    "central-perturbation-gradient": Entry(
        PerturbationGradient, "true parameters", uses_step=True, options={"difference": "central"}
    ),
    "contrastive": Entry(Contrastive, "gold solutions and a pool"),
    "contrastive-map": Entry(ContrastiveMAP, "gold solutions and a pool"),
    "rank-list": Entry(RankList, "true parameters and a pool"),
    "rank-pair": Entry(RankPair, "true parameters and a pool"),
    "rank-point": Entry(RankPoint, "true parameters and a pool"),
    "frank-wolfe": Entry(FrankWolfe, "loss gradient"),
    "frank-wolfe-fenchel-young": Entry(FrankWolfeFenchelYoung, "gold solutions"),
    "cone": Entry(ConeAlignment, "gold solutions and normals"),
    "cone-margin": Entry(ConeAlignment, "gold solutions and normals", options={"margin": 0.5}),
}
"""Estimators without noise that learn from decisions, by name; :func:`differentiable` makes them likewise."""

ALIASES: dict[str, tuple[str, dict[str, Any]]] = {
    # For subsets of k. Wijk, Vinuesa, Azizpour 2024 (arXiv 2407.16058).
    "sfess": ("score-function-exact", {}),
}
"""Names that estimators have elsewhere, each with a key of ``ESTIMATORS`` and options that make it the same."""

_OPTIONS = ("scale_gradient", "difference", "baseline", "perturbation", "projection", "family", "margin", "pool", "normals")


@overload
def differentiable(
    estimator: str,
    function: Solver,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    generator: torch.Generator | None = None,
    scale_gradient: bool | None = None,
    difference: Difference | None = None,
    baseline: Baseline | None = None,
    perturbation: Perturbation | None = None,
    projection: Projection | None = None,
    family: ExponentialFamily | Literal["solver"] | None = None,
    margin: float | None = None,
    pool: Any = None,
    normals: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Layer: ...
@overload
def differentiable(
    estimator: str,
    function: None = None,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    generator: torch.Generator | None = None,
    scale_gradient: bool | None = None,
    difference: Difference | None = None,
    baseline: Baseline | None = None,
    perturbation: Perturbation | None = None,
    projection: Projection | None = None,
    family: ExponentialFamily | Literal["solver"] | None = None,
    margin: float | None = None,
    pool: Any = None,
    normals: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Callable[[Solver], Layer]: ...
def differentiable(
    estimator: str,
    function: Solver | None = None,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    *,
    sense: Sense = "max",
    reduction: Reduction = "none",
    generator: torch.Generator | None = None,
    scale_gradient: bool | None = None,
    difference: Difference | None = None,
    baseline: Baseline | None = None,
    perturbation: Perturbation | None = None,
    projection: Projection | None = None,
    family: ExponentialFamily | Literal["solver"] | None = None,
    margin: float | None = None,
    pool: Any = None,
    normals: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Layer | Callable[[Solver], Layer]:
    """A layer of a solver with the gradient of a named estimator: the call of :func:`imle_core.imle`, with a name before it.

    Changing the name changes the estimator and nothing else; what an estimator has no use for is left aside.
    ``layer.loss(theta, truth=..., gold=...)`` works with all of them, each of which takes what it learns from.
    ``layer.estimate(theta, loss)`` works with all that have no loss of their own, and ``layer(theta)`` with these but the
    score functions. Gradients are averaged over samples, and are those of :func:`imle_core.imle` for "imle".

    Args:
        estimator: a key of ``ESTIMATORS``, of ``DECISION_LOSSES``, or of ``ALIASES``.
        function: the solver; without it the result is a decorator.
        target_distribution: as for :func:`imle_core.imle`; the adaptive estimators make an
            :class:`imle_core.AdaptiveTargetDistribution` of their own, with its alpha, unless they are given one.
        noise_distribution: as there.
        nb_samples: as there.
        input_noise_temperature: as there.
        target_noise_temperature: as there.
        sense: as there.
        reduction: as there.
        generator: as there.
        scale_gradient: of I-MLE, as there.
        difference: of I-MLE, as there; of :class:`.PerturbationGradient`.
        baseline: of :class:`.PerturbedOptimizer`, or :class:`.ScoreFunction`, which lacks "noise-free".
        perturbation: of :class:`.PerturbedOptimizer`.
        projection: of :class:`.Identity`.
        family: of :class:`.ScoreFunction` and :class:`.Simple`: an exact family, by default that of the solver. For several
            parameters one of all their entries side by side, ``(total,)``.
        margin: of :class:`.StructuredSVM` and :class:`.ConeAlignment`.
        pool: of contrastive and ranking losses; see :class:`.PoolLoss`.
        normals: of :class:`.ConeAlignment`.

    Raises:
        ArgumentError: an unknown name; an option that belongs to other estimators; noise that the estimator cannot use; or
            as :func:`imle_core.imle`.
        ArgumentTypeError: a solver that the estimator cannot use; or as :func:`imle_core.imle`.

    >>> from imle_core.solvers import TopK
    >>> differentiable("straight-through", TopK(1))(torch.tensor([[0.5, -0.5]]))
    tensor([[1., 0.]])
    """
    checks.check_name("estimator", estimator, [*ESTIMATORS, *DECISION_LOSSES, *ALIASES])
    given = locals()
    if function is None:
        settings = {name: value for name, value in given.items() if name not in ("estimator", "function")}
        return partial(differentiable, estimator, **settings)
    key, usual = ALIASES.get(estimator, (estimator, {}))
    entry = (ESTIMATORS | DECISION_LOSSES)[key]
    target: Target = TargetDistribution() if target_distribution is None else target_distribution
    if entry.adaptive and isinstance(target, TargetDistribution):
        target = AdaptiveTargetDistribution(target.alpha)
    options = {name: given[name] for name in _OPTIONS if given[name] is not None}
    for name in options.keys() - {entry.name for entry in fields(entry.layer)}:
        rule = f"estimator {estimator!r} has no option of that name"
        raise checks.ArgumentError(
            name, checks.shown(options[name]), rule, "leave it out, or take the estimator that has it"
        )
    layer: Callable[..., Layer] = entry.layer
    return layer(
        function,
        target,
        noise_distribution,
        nb_samples,
        input_noise_temperature,
        target_noise_temperature,
        sense,
        reduction,
        generator,
        **{**entry.options, **usual, **options},
    )
