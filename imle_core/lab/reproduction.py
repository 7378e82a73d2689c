"""The synthetic experiment of the I-MLE paper, with the results of its authors' code to compare with.

    minimise   L(theta) = E ||z - b||^2,   z ~ p(z) = exp <z, theta> / Z   over the sets of 5 out of 10

by stochastic gradients g of one sample a step:

    v <- 0.9 v + g,   theta <- theta - rate * v,   v = 0 at first

The first theta and ``b = |.|`` are drawn in turn from NumPy's ``RandomState(0)``. Whatever a method samples from, it is
judged by the gap ``L(theta) - min_z ||z - b||^2``, an exact expectation under the Gibbs distribution at temperature 1. As in
the authors' code the gap is read before each update, so that the last of 50 readings follows 49 updates, and I-MLE gradients
are not divided by lambda.

Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), section 6.1.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.estimators import ESTIMATORS, AdaptiveTargetDistribution, TargetDistribution, differentiable
from imle_core.exact import Enumeration
from imle_core.lab.problem import LabProblem, make_problem
from imle_core.noise import GumbelNoiseDistribution, NoiseDistribution, SumOfGammaNoiseDistribution

MOMENTUM = 0.9


@dataclass(frozen=True)
class PublishedGap:
    """The gap at the last step that the authors' code gives.

    Attributes:
        mean: over repetitions.
        deviation: of single repetitions.
        repetitions: how many.
    """

    mean: float
    deviation: float
    repetitions: int

    @property
    def standard_error(self) -> float:
        """Standard error of the mean."""
        return self.deviation / math.sqrt(self.repetitions)


@dataclass(frozen=True)
class PublishedMethod:
    """An estimator with its settings for an experiment.

    Attributes:
        name: what to call it.
        estimator: a key of ``imle_core.estimators.ESTIMATORS``.
        rate: learning rate.
        steps: readings of the gap, with an update between two of them.
        noise: perturbs theta, at temperature 1; None for exact samples of the Gibbs distribution.
        beta: step lambda of the target; of an adaptive one where its beta starts.
        beta_step: by how much an adaptive target moves beta.
        reference: what the authors' code gives with these settings, which are its own; None for what it does not have.
        tuned_over: what was tried where the settings were found here, with :data:`TUNING_SEED`; None for the authors'.
    """

    name: str
    estimator: str
    rate: float
    steps: int = 50
    noise: NoiseDistribution | None = None
    beta: float = 0.0
    beta_step: float = 0.0
    reference: PublishedGap | None = None
    tuned_over: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Learning rate, steps, noise and, where the estimator takes one, lambda, by name."""
        target = {"lambda": self.beta} if self.beta else {}
        start = {"first_beta": self.beta, "beta_step": self.beta_step}
        noise = {"noise": None if self.noise is None else str(self.noise)}
        return {"rate": self.rate, **(start if self.beta_step else target), "steps": self.steps, **noise}


TUNING_SEED = 1
"""Seed with which settings were found here; results with this seed alone would be too good, by the choice of the best."""

_SUM_OF_GAMMA = SumOfGammaNoiseDistribution(k=5.0, nb_iterations=10)
_GUMBEL = GumbelNoiseDistribution()

_TRIED = "lambda 0.5 to 12, rate 0.25 to 6"

METHODS: dict[str, PublishedMethod] = {
    method.name: method
    for method in (
        PublishedMethod(
            "imle-sum-of-gamma", "imle", 0.75, noise=_SUM_OF_GAMMA, beta=2.0, reference=PublishedGap(0.181, 0.188, 100)
        ),
        PublishedMethod("imle-sum-of-gamma-tuned", "imle", 3.25, noise=_SUM_OF_GAMMA, beta=3.25, tuned_over=_TRIED),
        PublishedMethod("imle-gumbel", "imle", 0.75, noise=_GUMBEL, beta=2.0, reference=PublishedGap(0.301, 0.360, 100)),
        PublishedMethod("imle-gumbel-tuned", "imle", 6.0, noise=_GUMBEL, beta=6.0, tuned_over=_TRIED),
        PublishedMethod(
            "straight-through", "straight-through", 0.019, noise=_GUMBEL, reference=PublishedGap(0.752, 0.107, 100)
        ),
        PublishedMethod("score-function", "score-function", 0.0046, steps=500, reference=PublishedGap(0.394, 0.191, 10)),
        PublishedMethod(
            "adaptive-imle",
            "adaptive-imle",
            0.4,
            noise=_SUM_OF_GAMMA,
            beta=0.8,
            beta_step=0.02,
            tuned_over="first beta 0.1 to 1.5, its step 0.001 to 0.03, rate 0.02 to 5",
        ),
        PublishedMethod("central-imle", "central-imle", 2.5, noise=_SUM_OF_GAMMA, beta=4.0, tuned_over=_TRIED),
        PublishedMethod("simple", "simple", 1.0, tuned_over="rate 0.1 to 2.5"),
    )
}
"""Methods of the experiment by name.

Those with a reference have the settings of the authors. The others are tuned here, on this experiment with seed 1, which no
default uses, by the least mean gap at the last step: of 200 to 1000 repetitions over the grid, of 2000 for the best. The
grid of lambda and rate is 0.5, 1, 2, 3, 4, 6, 8, 12 by 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 4, 6, and finer near its best cells.

* imle-sum-of-gamma-tuned: lambda and rate 3.25 give 0.117, both 3 or both 3.5 give 0.12, their neighbours 0.13 and more.
* imle-gumbel-tuned: both 6 give 0.172; both 5 to 5.5, lambda 7 with rate 2 and lambda 6 with rate 1.5 up to 0.175.
* central-imle: lambda 4 with rate 2.5 gives 0.14, lambda 3 with rate 2 gives 0.15.
* simple: rates between 0.75 and 1.75 make no difference beyond 0.03.
* adaptive-imle: beta may fall to 0, as the authors' does; the rest are the target's defaults. 50 steps are too few for a
  beta to climb from 0, and 0.15 to 0.2, where it settles, is no place to start either: so small a lambda makes the forward
  difference biased, theta grows in a wrong direction, and the gap ends between 1.2 and 1.8. From 0.8 beta comes down to
  where it settles within the run, and the gap ends at 0.29; if it could only grow, at 0.66 or more for each start and rate.
"""


class RepeatedAdaptiveTarget(AdaptiveTargetDistribution):
    """:class:`imle_core.AdaptiveTargetDistribution` with a beta of its own for each row, as if each row had its own layer.

    All rows of a layer move one beta together; repetitions must not know of one another. There is one sample a row. By the
    authors' rule beta may fall to 0.

    Args:
        rows: how many.
        beta: where each beta starts.
        step: by how much it moves.
    """

    def __init__(self, rows: int, beta: float, step: float) -> None:
        super().__init__(beta=beta, step=step, least=0.0)
        for name in ("beta", "rate", "move"):
            setattr(self, name, getattr(self, name).repeat(rows))

    @torch.no_grad()
    def observe(self, difference: Tensor) -> None:
        """Moves the beta of each row by the non-zero entries of its own difference, ``(rows, 1, *event)``."""
        self._move(torch.count_nonzero(difference.flatten(1), dim=1).to(self.rate))


class ListedSets(Enumeration):
    """Listed states whose probabilities are computed once for the same parameters. Answers have no graph.

    The gap, the score and the sample of a step all ask for them. With few states this is several times faster than
    :class:`imle_core.exact.KSubset`, whose answers are the same.
    """

    def __init__(self, states: Tensor) -> None:
        super().__init__(states)
        self._theta, self._known = torch.empty(0), torch.empty(0)

    @torch.no_grad()
    def probabilities(self, theta: Tensor) -> Tensor:
        """``p(z)`` of all M states, ``(N, M)``."""
        if not torch.equal(theta, self._theta):
            self._theta = theta.detach().clone()
            rows = self._read(self._theta)
            # Without -inf, and since all states weigh the same, a product is all there is to scores.
            scores = self._scores(rows, self._all) if self._theta.isinf().any() else rows @ self._all.T
            self._known = scores.softmax(dim=1)
        return self._known

    def marginals(self, theta: Tensor) -> Tensor:
        """``E z``, ``(N, n)``."""
        return self.probabilities(theta) @ self._all

    def expectation(self, theta: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """``E f(z)``, ``(N,)``."""
        return self.probabilities(theta) @ loss(self._all)

    def expectation_gradient(self, theta: Tensor, weights: Tensor) -> Tensor:
        """``Cov[z] w = E[z <z, w>] - E[z] E<z, w>``, ``(N, n)``."""
        weighted = self.probabilities(theta) * (weights @ self._all.T)
        return weighted @ self._all - self.marginals(theta) * weighted.sum(dim=1, keepdim=True)

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        ends = self.probabilities(theta).cumsum(dim=1)
        uniforms = torch.empty(len(theta), nb_samples, dtype=theta.dtype).uniform_(generator=generator)
        indices = torch.searchsorted(ends, uniforms * ends[:, -1:], right=True)
        return self._all[indices.clamp_(max=len(self._all) - 1)]  # a product may be rounded up to the last end


@dataclass(frozen=True)
class PublishedExperiment:
    """A minimisation that a paper published: problem, exact distribution, methods.

    Attributes:
        problem: first parameters ``(1, *event)``, solver and loss.
        family: exact distribution of the states.
        optimum: the least loss of a state, below which no expectation goes.
        methods: by name.
    """

    problem: LabProblem
    family: ListedSets
    optimum: float
    methods: Mapping[str, PublishedMethod]

    @property
    def start(self) -> float:
        """The gap of the first parameters."""
        return float(self.gap(self.problem.theta))

    def gap(self, theta: Tensor) -> Tensor:
        """``E f(z) - min_z f(z)`` at temperature 1, ``(N,)``, for parameters ``(N, *event)``."""
        return self.family.expectation(theta, self.problem.loss) - self.optimum


@lru_cache(maxsize=1)
def top_k() -> PublishedExperiment:
    """The top-5 of 10 of the paper.

    >>> round(top_k().optimum, 4)
    1.1252
    """
    problem = make_problem("top-k")
    assert problem.family is not None
    states = problem.family.states()
    return PublishedExperiment(problem, ListedSets(states), float(problem.loss(states).min()), METHODS)


EXPERIMENTS: dict[str, Callable[[], PublishedExperiment]] = {"top-k": top_k}
"""Experiments by name."""


@dataclass(frozen=True)
class Reproduction:
    """Gaps of one method.

    Attributes:
        method: which.
        gaps: ``(R, steps)``, a row for each repetition.
    """

    method: PublishedMethod
    gaps: Tensor

    @property
    def means(self) -> Tensor:
        """Means over repetitions, ``(steps,)``."""
        return self.gaps.mean(dim=0)

    @property
    def deviations(self) -> Tensor:
        """Deviations of single repetitions, ``(steps,)``."""
        return self.gaps.std(dim=0)

    @property
    def standard_errors(self) -> Tensor:
        """Standard errors of the means, ``(steps,)``."""
        return self.deviations / math.sqrt(len(self.gaps))

    def quantile(self, share: float) -> Tensor:
        """The gap that this share of the repetitions stays below, ``(steps,)``."""
        return self.gaps.quantile(share, dim=0)

    @property
    def distance(self) -> float | None:
        """The last mean less that of the reference, in combined standard errors; None without a reference.

        ``(m - m') / sqrt(s^2/R + s'^2/R')`` for means m, deviations s and repetitions R, theirs with a dash.
        """
        theirs = self.method.reference
        if theirs is None:
            return None
        error = math.hypot(float(self.standard_errors[-1]), theirs.standard_error)
        return (float(self.means[-1]) - theirs.mean) / error


def reproduce(
    experiment: PublishedExperiment,
    method: PublishedMethod,
    repetitions: int,
    seed: int = 0,
    observe: Callable[[int], None] | None = None,
) -> Reproduction:
    """Runs a method.

    Args:
        experiment: what is minimised.
        method: how.
        repetitions: R >= 2, all at once, each with noise of its own.
        seed: together with the method's name it decides every random number, whatever else is run.
        observe: is told how many steps are done.

    Raises:
        ArgumentError: repetitions or a seed out of range.
    """
    readings = []
    for reading in gaps(experiment, method, repetitions, seed):
        readings.append(reading)
        if observe is not None:
            observe(len(readings))
    return Reproduction(method, torch.stack(readings, dim=1))


def gaps(experiment: PublishedExperiment, method: PublishedMethod, repetitions: int, seed: int = 0) -> Iterator[Tensor]:
    """The gaps ``(R,)`` of all repetitions at each step; see :func:`reproduce`."""
    if repetitions < 2:
        raise checks.ArgumentError(
            "repetitions", repr(repetitions), "a deviation takes 2 or more", "the usual number is 1000"
        )
    checks.check_seed("seed", seed)
    problem = experiment.problem
    layer = _layer(experiment, method, repetitions, seed)
    theta = problem.theta.repeat(repetitions, 1)
    velocity = torch.zeros_like(theta)
    yield experiment.gap(theta)
    for _ in range(method.steps - 1):
        theta.requires_grad_()
        (gradient,) = torch.autograd.grad(layer.estimate(theta, problem.loss).sum(), theta)
        velocity = MOMENTUM * velocity + gradient
        theta = theta.detach() - method.rate * velocity
        yield experiment.gap(theta)


def _layer(experiment: PublishedExperiment, method: PublishedMethod, repetitions: int, seed: int) -> Any:
    target: contracts.Target = TargetDistribution(beta=method.beta)
    if ESTIMATORS[method.estimator].adaptive:
        target = RepeatedAdaptiveTarget(repetitions, method.beta, method.beta_step)
    exact: dict[str, Any] = {} if method.noise else {"family": experiment.family}
    name = method.name.replace("-", "_").encode()  # as names were when the figures in the documentation were drawn
    words = np.random.SeedSequence([seed, zlib.crc32(name)]).generate_state(1, np.uint64)
    generator = torch.Generator().manual_seed(int(words[0]))
    return differentiable(method.estimator, experiment.problem.solver, target, method.noise, generator=generator, **exact)
