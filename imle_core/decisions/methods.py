"""Ways in which a network learns costs of decisions: through the solver by any estimator or loss, or as baselines do."""

from typing import Any, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.concurrency import process_group
from imle_core.contracts import Noise, Target, declared
from imle_core.decisions.data_set import Decisions
from imle_core.estimators import (
    DECISION_LOSSES,
    ESTIMATORS,
    AdaptiveTargetDistribution,
    Entry,
    LossName,
    TargetDistribution,
    differentiable,
)
from imle_core.solvers import SolutionPool
from imle_core.training import Clock, LearningMethod, Regression, ThroughSolver, WatchedSolver, watched_noise

_COSTS, _GOLD = "true costs", "gold solutions"
_SAMPLES = 3  # of an instance, unless an estimator usually takes more
_WORDS = {"true parameters": _COSTS, "true parameters and a pool": f"{_COSTS} and a pool"}

FITTED = {"least-squares": _COSTS, "mean-costs": _COSTS}
"""Baselines that are computed in a single step, with their supervision."""

BASELINES = {**FITTED, "regression": _COSTS}
"""Everything that learns without a solver, with its supervision."""

LEARNERS: dict[str, Entry] = {name: entry for name, entry in (ESTIMATORS | DECISION_LOSSES).items() if not entry.exact}
"""Estimators and losses that learn from decisions; those left out need an exact distribution of solutions."""


def usual_loss(name: str) -> LossName | None:
    """The loss of samples by which an estimator learns decisions; None for one that is a loss itself, and for baselines.

    Those that compare solutions take the regret, since all true costs are known; those that hand the gradient of a loss on,
    of which a linear one is the same for all solutions, the squared distance to gold solutions.
    """
    if name in BASELINES or LEARNERS[name].needs not in ("loss gradient", "loss values"):
        return None
    return "squared" if LEARNERS[name].layer.usual_loss == "squared" or name == "frank-wolfe" else "regret"


def supervision(name: str, loss: LossName | None = None) -> str:
    """What a learner learns from, in words.

    Args:
        name: a key of ``LEARNERS`` or ``BASELINES``.
        loss: of samples; the usual one if None.

    Raises:
        ArgumentError: an unknown name.
    """
    checks.check_name("estimator", name, [*LEARNERS, *BASELINES])
    if name in BASELINES:
        return BASELINES[name]
    of_samples = usual_loss(name) if loss is None else loss
    if usual_loss(name) is not None:
        return _COSTS if of_samples == "regret" else _GOLD
    needs = LEARNERS[name].needs
    return _WORDS.get(needs, needs)


def make_method(
    name: str,
    decisions: Decisions,
    *,
    noise_distribution: Noise | None = None,
    nb_samples: int | None = None,
    input_noise_temperature: float | None = None,
    target_noise_temperature: float | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
    loss: LossName | None = None,
    pool: float | None = None,
    generator: torch.Generator | None = None,
    clock: Clock | None = None,
) -> LearningMethod:
    """A method by name: a key of ``LEARNERS``, or "regression".

    Args:
        name: the name. Of the baselines "least-squares" and "mean-costs" have no loss to learn by; see
            :class:`imle_core.decisions.DecisionFit`.
        decisions: what is learned from: it has the solver, the sense, and the solutions of a pool, where one is needed.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S, samples of each instance; 3, or the estimator's usual number if that is more, if None.
        input_noise_temperature: tau_in, of the forward pass; the estimator's usual one if None.
        target_noise_temperature: tau_tgt, of the backward pass; that of the forward pass if None.
        alpha: of the target ``alpha*theta - lambda*dy``.
        beta: its lambda.
        loss: of samples, "hamming", "squared" or "regret"; that of :func:`usual_loss` if None.
        pool: share of the solver's calls that are solved, > 0; a :class:`imle_core.solvers.SolutionPool`, which begins with
            the gold solutions, answers the others. If None all are solved, and losses over a pool learn from the gold
            solutions alone.
        generator: source of the noise.
        clock: adds up the time of solver and noise, and the solves.

    Raises:
        ArgumentError: an unknown name, a loss for an estimator that has its own, noise that the estimator cannot use, a
            setting outside its range, or a pool where there are several processes, each of which would have its own.
        ArgumentTypeError: an estimator that cannot use the solver.
    """
    checks.check_name("estimator", name, [*LEARNERS, "regression"])
    if loss is not None:
        checks.check_name("loss", loss, get_args(LossName))
        if usual_loss(name) is None:
            raise checks.ArgumentError("loss", repr(loss), f"{name} has a loss of its own", "leave it out")
    if name == "regression":
        return Regression()
    entry, watch = LEARNERS[name], Clock() if clock is None else clock
    solver = WatchedSolver(decisions.solver, watch)
    growing = None if pool is None else _growing(solver, decisions, pool)
    target: Target = TargetDistribution(alpha, beta)
    if entry.adaptive:
        target = AdaptiveTargetDistribution(alpha, synchronised=True)
    forward = entry.usual_temperature if input_noise_temperature is None else input_noise_temperature
    layer = differentiable(
        name,
        solver if growing is None else growing,
        target,
        watched_noise(noise_distribution, watch),
        max(_SAMPLES, entry.usual_samples) if nb_samples is None else nb_samples,
        forward,
        forward if target_noise_temperature is None else target_noise_temperature,
        sense=decisions.sense,
        generator=generator,
        **_options(entry, decisions, growing),
    )
    return ThroughSolver(layer, usual_loss(name) if loss is None else loss, growing)


def _growing(solver: WatchedSolver, decisions: Decisions, share: float) -> SolutionPool:
    """A pool that begins with the gold solutions."""
    if process_group.size() > 1:
        got = f"{share!r} in {process_group.size()} processes"
        raise checks.ArgumentError("pool", got, "each would have its own", "leave it out, or use one process")
    sense = None if declared(solver, "sense") else decisions.sense
    return SolutionPool(solver, distinct(decisions.gold), share=share, sense=sense)


def _options(entry: Entry, decisions: Decisions, growing: SolutionPool | None) -> dict[str, Any]:
    """Options of a layer for a data set: a pool where one is needed, and signs of costs that the solver takes."""
    options: dict[str, Any] = dict(entry.cost_options) if declared(decisions.solver, "domain") else {}
    if entry.needs.endswith("pool"):
        options["pool"] = distinct(decisions.gold) if growing is None else growing
    return options


def distinct(solutions: Tensor) -> Tensor:
    """Each of several solutions ``(N, *event)`` once, ``(K, *event)``."""
    rows: Tensor = solutions.flatten(1).unique(dim=0)
    return rows.view(-1, *solutions.shape[1:])
