"""The published protocols of predict-then-optimise, done again with every method of this library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_seed, check_steps
from imle_core.decisions.data_set import Decisions
from imle_core.decisions.methods import FITTED, LEARNERS, make_method, supervision
from imle_core.decisions.metrics import predict, regret
from imle_core.decisions.networks import FittedCosts, make_cost_network
from imle_core.decisions.protocols import Protocol, PublishedRegret
from imle_core.decisions.training import DecisionFit, DecisionTraining
from imle_core.estimators import ESTIMATORS, BlackboxInterpolation, Identity, StructuredSVM
from imle_core.noise import NormalNoiseDistribution, SumOfGammaNoiseDistribution
from imle_core.training import Clock, Schedule

_WITHOUT_NOISE = (BlackboxInterpolation, Identity, StructuredSVM)
"""Estimators that were published without noise, and learn so."""


@dataclass(frozen=True)
class DecisionMethod:
    """A method of the protocols.

    Attributes:
        name: what to call it.
        learner: a key of ``LEARNERS`` or ``BASELINES``.
        settings: arguments of :func:`make_method` other than its usual ones.
        pooled: whether most calls of the solver are answered by a pool of solutions, of the protocol's share.
    """

    name: str
    learner: str
    settings: dict[str, Any] = field(default_factory=dict)
    pooled: bool = False

    @property
    def is_computed(self) -> bool:
        """True of baselines that are computed in a single step, whatever the seed is."""
        return self.learner in FITTED

    @property
    def supervision(self) -> str:
        """What it learns from, in words."""
        return supervision(self.learner, self.settings.get("loss"))


def _usual(name: str) -> DecisionMethod:
    return DecisionMethod(name, name)


def _pooled(name: str) -> DecisionMethod:
    return DecisionMethod(name, name, pooled=True)


METHODS: dict[str, DecisionMethod] = {
    method.name: method
    for method in (
        _usual("least-squares"),
        _usual("mean-costs"),
        _usual("regression"),
        _usual("spo-plus"),
        DecisionMethod("spo-plus-pool", "spo-plus", pooled=True),
        _usual("perturbation-gradient"),
        _usual("central-perturbation-gradient"),
        _usual("imle"),
        DecisionMethod("imle-hamming", "imle", {"loss": "hamming"}),
        _usual("central-imle"),
        _usual("adaptive-imle"),
        _usual("fenchel-young"),
        _usual("structured-svm"),
        DecisionMethod("perturbed", "perturbed", {"loss": "hamming", "noise_distribution": NormalNoiseDistribution()}),
        _usual("blackbox"),
        _usual("identity"),
        _pooled("contrastive"),
        _pooled("contrastive-map"),
        _pooled("rank-list"),
        _pooled("rank-pair"),
        _pooled("rank-point"),
        _usual("frank-wolfe"),
        _usual("frank-wolfe-fenchel-young"),
        _usual("cone"),
        _usual("cone-margin"),
    )
}
"""Methods of the protocols by name."""


@dataclass(frozen=True)
class ReproducedRegret:
    """Regrets of one method, for each of several seeds.

    Attributes:
        protocol: where.
        method: which.
        regrets: normalised, after each epoch, ``(seeds, epochs)`` float64.
        epoch_seconds: of each epoch of each training, without judging, ``(seeds, epochs)`` float64.
        solves: rows that the solver was given in the training of each, ``(seeds,)``.
    """

    protocol: Protocol
    method: DecisionMethod
    regrets: Tensor
    epoch_seconds: Tensor
    solves: Tensor

    def __repr__(self) -> str:
        return f"ReproducedRegret({self.method.name} on {self.protocol.name}, {self.mean:.2%} of {len(self.regrets)} seeds)"

    @property
    def published(self) -> PublishedRegret | None:
        """Figures of the protocol's authors, if they have any."""
        return self.protocol.published.get(self.method.name)

    @property
    def mean(self) -> float:
        """Mean regret after the last epoch."""
        return float(self.regrets[:, -1].mean())

    @property
    def deviation(self) -> float:
        """Deviation of single seeds from it; 0 for one seed."""
        return float(self.regrets[:, -1].std()) if len(self.regrets) > 1 else 0.0

    @property
    def seconds(self) -> float:
        """Mean seconds of a training."""
        return float(self.epoch_seconds.sum(dim=1).mean())

    @property
    def fastest_epoch(self) -> float:
        """Least seconds of an epoch, of which other work on the machine changes least."""
        return float(self.epoch_seconds.min())

    @property
    def best(self) -> float:
        """Mean of the least regret of each seed after any epoch."""
        return float(self.regrets.amin(dim=1).mean())


def reproduce_protocol(
    protocol: Protocol,
    method: DecisionMethod,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    epochs: int | None = None,
    schedule: Schedule = "cosine",
    observe: Callable[[int], None] | None = None,
) -> ReproducedRegret:
    """Trains a linear network by a method, once for each seed, and judges it after every epoch.

    What is no setting of the protocol or the method is that of :class:`DecisionTraining` and :func:`make_method` by
    default: batches of 32, Adam with a step size that decays to 0; Sum-of-Gamma noise. A step of a training that is thrown
    away takes what is compiled and loaded at first use out of the seconds.

    Args:
        protocol: the data, and how long to learn.
        method: how to learn. Baselines that are computed need no seed, and have one result.
        seeds: of first weights, order and noise, at least one.
        epochs: how often each instance is seen; the protocol's number if None.
        schedule: of the step size, as for :class:`DecisionTraining`; the authors have "constant".
        observe: is told how many trainings have ended.

    Raises:
        ArgumentError: no seed, or one out of range; epochs out of range.

    >>> from imle_core.decisions import METHODS, PROTOCOLS
    >>> reproduce_protocol(PROTOCOLS["paths"], METHODS["least-squares"]).mean.__round__(6)
    0.085787
    """
    if not seeds:
        raise ArgumentError("seeds", "none", "it takes one or more", "the usual ones are 0, 1, 2")
    for seed in seeds:
        check_seed("seeds", seed)
    epochs = protocol.epochs if epochs is None else epochs
    check_steps("epochs", epochs, protocol.epochs)
    learned_from, judged_by = protocol.make()
    next(iter(_training(protocol, method, learned_from, seeds[0], 1, schedule)))
    runs = []
    for seed in seeds[:1] if method.is_computed else seeds:
        runs.append(_run(_training(protocol, method, learned_from, seed, epochs, schedule), judged_by))
        if observe is not None:
            observe(len(runs))
    columns = [torch.tensor(values, dtype=torch.float64) for values in zip(*runs, strict=True)]
    return ReproducedRegret(protocol, method, *columns)


def _run(training: DecisionTraining | DecisionFit, judged_by: Decisions) -> tuple[list[float], list[float], int]:
    """Regrets and seconds of each epoch, and the solves of a training."""
    regrets: list[float] = []
    seconds: list[float] = []
    solves = 0
    for step in training:
        if step.ends_epoch:
            regrets.append(float(regret(predict(training.network, judged_by), judged_by)))
            seconds.append(training.epoch_record.seconds)
            solves += training.epoch_record.solves
    return regrets, seconds, solves


def _training(
    protocol: Protocol, method: DecisionMethod, learned_from: Decisions, seed: int, epochs: int, schedule: Schedule
) -> DecisionTraining | DecisionFit:
    if method.is_computed:
        fitted = FittedCosts(learned_from.features, learned_from.costs.shape[1:])
        return DecisionFit(cast(Any, method.learner), fitted, learned_from)
    clock, generator = Clock(), torch.Generator().manual_seed(seed)
    settings = _settings(protocol, method)
    made = make_method(method.learner, learned_from, generator=generator, clock=clock, **settings)
    network = make_cost_network("linear", learned_from, seed)
    return DecisionTraining(
        network,
        made,
        learned_from,
        epochs=epochs,
        lr=protocol.lr,
        schedule=schedule,
        seed=seed,
        generator=generator,
        clock=clock,
    )


def _settings(protocol: Protocol, method: DecisionMethod) -> dict[str, Any]:
    """Settings of the method, with the noise, samples and pool of the protocol where it has any."""
    settings: dict[str, Any] = {"pool": protocol.pool} if method.pooled else {}
    if method.learner in ESTIMATORS and LEARNERS[method.learner].layer not in _WITHOUT_NOISE:
        settings = {"noise_distribution": SumOfGammaNoiseDistribution(), "nb_samples": protocol.samples}
    return settings | method.settings
