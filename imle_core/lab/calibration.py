"""Temperatures of noise: at which one perturb-and-MAP comes closest to the exact distribution ``p(z) ~ exp <z, theta>``."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor

from imle_core import checks
from imle_core.checks import Record
from imle_core.contracts import Noise
from imle_core.exact import ExponentialFamily
from imle_core.sampling import dependent_samples, stream_samples

MOST_STATES, MOST_ENTRIES = 2**20, 2**26
"""Largest number of states that is enumerated, and of numbers in a table about them: half a GiB."""

REFINEMENTS = 8
"""Usual number of temperatures that are tried after the given ones: they narrow the interval around the best to 1/47."""

_GOLDEN = (3 - math.sqrt(5)) / 2
_HASHED = 2**15  # entries at once: they stay in the cache


@dataclass(frozen=True, repr=False)
class Estimate(Record):
    """A number for each of B instances.

    Attributes:
        value: ``(B,)``, float64.
        standard_error: ``(B,)``, float64; of the estimates here cautious, up to ``sqrt(2)`` times too large.
    """

    value: Tensor
    standard_error: Tensor

    @property
    def mean(self) -> float:
        """Mean over instances."""
        return float(self.value.mean())

    @property
    def mean_standard_error(self) -> float:
        """Standard error of the mean, as an estimate for these instances, whose noise is independent."""
        return float(self.standard_error.square().sum().sqrt()) / len(self.value)


@dataclass(frozen=True, repr=False)
class Calibration(Record):
    """Distance of the distribution q of ``MAP(theta + tau * eps)`` from p.

    Attributes:
        temperature: tau.
        total_variation: estimates a lower bound of ``TV(q, p)`` that tends to it as samples grow, without a bias of its
            own: where q = p it is 0 on average, and may fall below; None where p has too many states to enumerate.
        most_total_variation: ``1/2 sum_z |qhat(z) - p(z)|``, ``(B,)``: on average at least ``TV(q, p)``. Where it is far
            above the other one, samples are too few for so many states; None likewise.
        marginal_error: estimates a lower bound of ``max_i |E_q z_i - E_p z_i|``, likewise.
        nb_samples: S, for each instance.
    """

    temperature: float
    total_variation: Estimate | None
    most_total_variation: Tensor | None
    marginal_error: Estimate
    nb_samples: int

    @property
    def distance(self) -> Estimate:
        """Distance that is to be small: the total variation where it is known, else the marginal error."""
        return self.marginal_error if self.total_variation is None else self.total_variation


def is_enumerable(family: ExponentialFamily, instances: int = 1) -> bool:
    """True where total variation is found: at most 2^20 states, and 2^26 entries of them, or states of all instances."""
    return family.count() <= min(MOST_STATES, MOST_ENTRIES // max(math.prod(family.event), instances))


def calibrate(
    theta: Tensor,
    solver: Callable[[Tensor], Tensor],
    family: ExponentialFamily,
    noise_distribution: Noise,
    temperatures: Iterable[float],
    *,
    nb_samples: int = 100_000,
    seed: int = 0,
    refinements: int = REFINEMENTS,
    chunk_size: int | None = None,
    observe: Callable[[int], Any] = lambda _: None,
) -> Iterator[Calibration]:
    """Distances of the distribution q of ``MAP(theta + tau * eps)`` from ``p(z) = exp(<z, theta> - A)``, tau by tau.

    ``TV(q, p) = max_A q(A) - p(A)``, and the largest is reached at ``A* = {z: q(z) > p(z)}``. A sum ``1/2 sum_z |qhat(z) -
    p(z)|`` over frequencies qhat has a floor: it is about ``sqrt(M / (2 pi S))`` for M equally likely states even where q =
    p, since each term is positive. So A is chosen on one half of the samples, ``A = {z: qhat_1(z) > p(z)}``, and ``qhat_2(A)
    - p(A)`` is measured on the other. Given A, the second half knows nothing of the first, hence::

        E[qhat_2(A) - p(A) | A] = q(A) - p(A) <= TV(q, p)

    without bias, with the binomial variance ``v_2 = q(A) (1 - q(A)) / S_2``; and A tends to A* as samples grow. Both halves
    take either part, and the mean of the two is reported. These are independent only where no state is in doubt; where q =
    p each state is, and their correlation is ``2/pi``. A mean of two numbers deviates at most as the mean of their
    deviations, so the standard error is ``(sqrt(v_1) + sqrt(v_2)) / 2``: up to ``sqrt(2)`` times too large, rather than too
    small. The largest marginal error is found likewise: the entry and its sign on one half, the size on the other.

    All temperatures use the same noise, of which nothing but samples of one chunk and two counts for each state is kept.
    After the given temperatures, golden-section steps narrow the interval between the neighbours of that with the least
    mean distance over instances; see :func:`closest`.

    Args:
        theta: parameters, ``(B, *event)``, finite, or -inf for an entry that is never chosen.
        solver: maximises, ``(N, *event) -> (N, *event)``.
        family: the exact distribution of the solver's solutions, such as from :func:`imle_core.exact.of_solver.family_of`.
        noise_distribution: gives eps, of independent samples.
        temperatures: one or more, finite, >= 0; taken in order, each once.
        nb_samples: S >= 2, for each instance and temperature.
        seed: of the noise, a whole number >= 0.
        refinements: golden-section steps, >= 0; none are made for a single temperature.
        chunk_size: samples of each instance in one call of the solver; by memory if None. The results do not depend on it.
        observe: called with the number of samples of an instance so far, over all temperatures, after each chunk.

    Returns:
        An iterator of one record for each temperature, and then for each refinement.

    Raises:
        ArgumentError: an argument outside its range; noise in pairs or other groups, whose standard errors are others; theta
            that does not fit the family; a solver whose solution is not among the family's states, where these are
            enumerated (found by a hash of 64 bits, so that one of 2^44 others might pass); states with entries that are not
            whole numbers.

    Source: Scheffe 1947 for A*; Cox 1975 ("A note on data-splitting for the evaluation of significance levels") for the
    two halves; Kiefer 1953 for the golden section.

    >>> from imle_core import GumbelNoiseDistribution
    >>> from imle_core.exact import KSubset
    >>> from imle_core.solvers import TopK
    >>> found = calibrate(torch.zeros(1, 2), TopK(1), KSubset(1, 2), GumbelNoiseDistribution(), [1.0], nb_samples=1000)
    >>> next(found).marginal_error.mean < 0.1
    True
    """
    checks.check_theta(theta)
    if len(theta) == 0:
        raise checks.wrong_shape("theta", theta, "there must be an instance", "its batch axis is empty")
    checks.check_samples("nb_samples", nb_samples)
    if nb_samples < 2:
        raise checks.ArgumentError(
            "nb_samples", repr(nb_samples), "it must be >= 2, since one half is judged by the other", "use 100000"
        )
    if dependent_samples(noise_distribution) > 1:
        raise checks.ArgumentError(
            "noise_distribution",
            f"{noise_distribution!r}, of dependent samples",
            "the errors here are those of independent ones",
            "use the distribution itself, such as GumbelNoiseDistribution()",
        )
    checks.check_seed("seed", seed)
    checks.check_samples("chunk_size", 1 if chunk_size is None else chunk_size)
    checks.check_whole("refinements", refinements, 0, "use 0 for none")
    ordered = _in_order(temperatures)
    settings = {"nb_samples": nb_samples, "seed": seed, "chunk_size": chunk_size}
    comparison = _Comparison(theta.detach(), solver, family, noise_distribution, settings, observe)
    return _search(comparison.at, ordered, refinements if len(ordered) > 1 else 0)


def closest(records: Iterable[Calibration]) -> Calibration:
    """The record with the least mean distance over instances.

    Raises:
        ArgumentError: no records.
    """
    return min(records, key=lambda record: record.distance.mean)


def _in_order(temperatures: Iterable[float]) -> list[float]:
    ordered = sorted({float(temperature) for temperature in temperatures})
    for temperature in ordered:
        checks.check_temperature("temperatures", temperature)
    if not ordered:
        raise checks.ArgumentError("temperatures", "none", "there must be at least one", "use [0.5, 1, 2, 4]")
    return ordered


def _search(at: Callable[[float], Calibration], ordered: Sequence[float], refinements: int) -> Iterator[Calibration]:
    """Records at temperatures in order, and then where a golden section of the best of them and its neighbours leads."""
    records = []
    for temperature in ordered:
        records.append(at(temperature))
        yield records[-1]
    best = closest(records)
    index = ordered.index(best.temperature)
    low, high = ordered[max(index - 1, 0)], ordered[min(index + 1, len(ordered) - 1)]
    for _ in range(refinements):
        here = best.temperature
        side = high if high - here > here - low else low
        record = at(here + _GOLDEN * (side - here))
        yield record
        if closest([best, record]) is record:
            best, previous = record, here
            low, high = (previous, high) if side == high else (low, previous)
        elif side == high:
            high = record.temperature
        else:
            low = record.temperature


class _Comparison:
    """A distribution of samples beside an exact one, at any temperature."""

    def __init__(
        self,
        theta: Tensor,
        solver: Callable[[Tensor], Tensor],
        family: ExponentialFamily,
        noise: Noise,
        settings: dict[str, Any],
        observe: Callable[[int], Any],
    ) -> None:
        self._theta, self._solver, self._noise, self._settings, self._observe = theta, solver, noise, settings, observe
        self._means = family.marginals(theta).flatten(1).cpu()
        self._law = _Law(family, theta) if is_enumerable(family, len(theta)) else None
        self._drawn = 0

    def at(self, temperature: float) -> Calibration:
        """Distances of the samples at a temperature from the exact distribution."""
        half = self._settings["nb_samples"] // 2
        halves = [_Half(self._means.shape, self._law) for _ in range(2)]
        seen = 0
        for states in stream_samples(self._solver, self._theta, self._noise, temperature=temperature, **self._settings):
            inside = min(max(half - seen, 0), states.shape[1])
            for side, chunk in zip(halves, states.flatten(2).cpu().tensor_split([inside], dim=1), strict=True):
                side.add(chunk)
            seen += states.shape[1]
            self._observe(self._drawn + seen)
        self._drawn += seen
        splits = halves, halves[::-1]
        error = _average([_marginal_error(chosen, measured, self._means) for chosen, measured in splits])
        if self._law is None:
            return Calibration(temperature, None, None, error, seen)
        p = self._law.probabilities
        distance = _average([_scheffe_difference(chosen, measured, p) for chosen, measured in splits])
        frequencies = (halves[0].counts + halves[1].counts).view(p.shape) / seen
        return Calibration(temperature, distance, (frequencies - p).abs().sum(dim=1) / 2, error, seen)


class _Law:
    """An exact distribution, and the indices in it of sampled states.

    ``h(z) = sum_i z_i w_i`` modulo 2^64 with random whole w; a state is found by its h among the sorted ones of all states.
    """

    def __init__(self, family: ExponentialFamily, theta: Tensor) -> None:
        states = family.states().flatten(1).cpu()
        whole = _whole(states)
        if whole is None:
            raise checks.ArgumentError(
                "family", f"{family!r} with fractions in its states", "only whole numbers are counted", "scale them"
            )
        for attempt in count():
            self._weights = _random_weights(whole.shape[1], attempt)
            self._hashes, order = _hash(whole, self._weights).sort()
            if (self._hashes[1:] != self._hashes[:-1]).all():
                break
        self._name = f"the {len(states)} states of {family!r}"
        self.probabilities = _probabilities(family, theta).cpu()[:, order]

    def indices(self, states: Tensor) -> Tensor:
        """Indices ``(B, n)`` of states ``(B, n, entries)``."""
        rows = states.flatten(0, 1)
        whole = _whole(rows)
        hashes = _hash(rows.long() if whole is None else whole, self._weights)
        indices = torch.searchsorted(self._hashes, hashes).clamp_(max=len(self._hashes) - 1)
        foreign = self._hashes[indices] != hashes
        if whole is None:
            foreign |= (rows.long() != rows).any(dim=1)
        if foreign.any():
            row = rows[int(foreign.nonzero()[0])]
            entries = row.nonzero().flatten().tolist()
            shown = ", ".join(map(str, entries[:12])) + (", ..." if len(entries) > 12 else "") if entries else "nothing"
            raise checks.ArgumentError(
                "solver",
                f"a state that is not among {self._name}",
                f"it chooses {shown} of {len(row)} entries",
                "give the family of the solver's own solutions",
                "gave",
            )
        return indices.view(states.shape[:2])


class _Half:
    """One half of the samples: how often each state came, and sums of the entries."""

    def __init__(self, shape: torch.Size, law: _Law | None) -> None:
        self.size = 0
        self.sums, self.squares = torch.zeros(2, *shape, dtype=torch.float64)
        self._law = law
        self.counts = torch.zeros(0 if law is None else law.probabilities.numel(), dtype=torch.int64)

    def add(self, states: Tensor) -> None:
        """Takes states ``(B, n, entries)`` in."""
        self.size += states.shape[1]
        self.sums += states.sum(dim=1, dtype=torch.float64)
        self.squares += states.square().sum(dim=1, dtype=torch.float64)
        if self._law is not None:
            instances, total = self._law.probabilities.shape
            indices = (self._law.indices(states) + total * torch.arange(instances)[:, None]).flatten()
            self.counts.scatter_add_(0, indices, torch.ones_like(indices))


def _scheffe_difference(chosen: _Half, measured: _Half, p: Tensor) -> Estimate:
    """``q(A) - p(A)`` on one half for the ``A = {z: qhat(z) > p(z)}`` of the other, with its binomial error."""
    inside = chosen.counts.view(p.shape) > chosen.size * p
    share = (measured.counts.view(p.shape) * inside).sum(dim=1) / measured.size
    return Estimate(share.double() - (p * inside).sum(dim=1), (share * (1 - share) / measured.size).sqrt().double())


def _marginal_error(chosen: _Half, measured: _Half, means: Tensor) -> Estimate:
    """``|E z_i - mu_i|`` on one half for the entry i and the sign that are largest on the other."""
    difference = chosen.sums / chosen.size - means
    entry = difference.abs().argmax(dim=1, keepdim=True)
    mean, square = (sums.gather(1, entry)[:, 0] / measured.size for sums in (measured.sums, measured.squares))
    sign = difference.gather(1, entry)[:, 0].sign()
    variance = (square - mean.square()).clamp(min=0.0) / measured.size
    return Estimate(sign * (mean - means.gather(1, entry)[:, 0]), variance.sqrt())


def _average(estimates: Sequence[Estimate]) -> Estimate:
    """Mean of estimates, with the standard error that it has at most, whatever their correlation."""
    values, errors = ([getattr(estimate, name) for estimate in estimates] for name in ("value", "standard_error"))
    return Estimate(torch.stack(values).mean(dim=0), torch.stack(errors).mean(dim=0))


def _probabilities(family: ExponentialFamily, theta: Tensor) -> Tensor:
    """``p(z)``, ``(B, M)``: the gradient of ``sum_z p(z) f(z)`` in the values f."""
    with torch.inference_mode(False), torch.enable_grad():
        values = torch.zeros(family.count(), dtype=torch.float64, device=theta.device, requires_grad=True)
        expectations = family.expectation(theta.clone(), lambda _: values)
        rows = [torch.autograd.grad(expectation, values, retain_graph=True)[0] for expectation in expectations]
    return torch.stack(rows)


def _whole(rows: Tensor) -> Tensor | None:
    """Rows as whole numbers; None where there is a fraction."""
    whole = rows.long()
    return whole if bool((whole == rows).all()) else None


def _random_weights(entries: int, attempt: int) -> Tensor:
    generator = torch.Generator().manual_seed(attempt)
    return torch.randint(-(2**63), 2**63 - 1, (entries,), generator=generator)


def _hash(rows: Tensor, weights: Tensor) -> Tensor:
    """``sum_i z_i w_i`` of each row, modulo 2^64."""
    return torch.cat([chunk @ weights for chunk in rows.split(max(1, _HASHED // len(weights)))])
