"""Measured numbers that know how sure they are: a value, its standard error, and an interval of 95%."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import fmean, stdev
from typing import Any

from torch import Tensor

WIDE = 1 / 3
"""Largest standard error, as a share of the value, of a figure that is told as a value; others are told as a bound."""

_INSIDE = 0.95
_TOLD_TAIL, _FEW, _INFINITE, _ROUNDING = 20, 10, 0.5, 1e-12
_LARGEST = 700.0  # exponents above would overflow


class IntervalEstimate(float):
    """A measured number.

    Attributes:
        standard_error: of the value; 0 for one that is known.
        low: lower end of the interval, which holds the truth in 95 of 100 measurements.
        high: its upper end, perhaps infinite.
    """

    standard_error: float
    low: float
    high: float

    def __new__(
        cls, value: float, standard_error: float = 0.0, low: float | None = None, high: float | None = None
    ) -> "IntervalEstimate":
        """A number that is known where there is nothing else."""
        made = super().__new__(cls, value)
        made.standard_error = standard_error
        made.low, made.high = value if low is None else low, value if high is None else high
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return float(self), self.standard_error, self.low, self.high

    @property
    def is_wide(self) -> bool:
        """True where the standard error is above ``WIDE`` of the value, or an end is open: only a bound is known then."""
        is_narrow = math.isfinite(self.high) and 0 < self.standard_error <= WIDE * abs(self)
        return self.low != self.high and not is_narrow


def symmetric(value: float, error: float, degrees: int) -> IntervalEstimate:
    """A figure whose estimate is about normal: ``value -+ t error``, for a standard error of so many degrees of freedom."""
    reach = _quantile(degrees) * error
    return IntervalEstimate(value, error, value - reach, value + reach)


def positive(value: float, error: float, degrees: int) -> IntervalEstimate:
    """A figure above 0 whose logarithm is about normal: ``value exp(-+ t error / value)``."""
    if not value > 0:
        return IntervalEstimate(value, error)
    reach = _quantile(degrees) * error / value
    return IntervalEstimate(value, error, value * math.exp(-reach), value * math.exp(min(reach, _LARGEST)))


def root(square: IntervalEstimate) -> IntervalEstimate:
    """The root of a square that is estimated without bias, and hence may be negative; the root is then 0.

    Its interval has the roots of the ends, and its standard error, ``error / (2 root)``, is at most half of the interval:
    near 0 there is a bound alone, for a square that seems to be below 0, too: that of one standard error at least.
    """
    largest = max(square.high, square.standard_error)
    value, low, high = (math.sqrt(max(0.0, number)) for number in (square, square.low, largest))
    error = square.standard_error / (2 * value) if value > 0 else math.inf
    return IntervalEstimate(value, min(error, (high - low) / 2), low, high)


def jackknife(whole: float, without: Tensor) -> tuple[float, float]:
    """Estimate and standard error of a function of means, from its value with each of n observations left out.

    ``n f - (n - 1) mean_i f_i`` and ``sqrt((n - 1)/n sum_i (f_i - mean f)^2)``: the first takes out what the number of
    observations adds to a square of a mean, exactly (``Var/n``), and to other smooth functions but for terms of ``1/n^2``.
    Where the function is flat, as a square is at 0, the error is up to ``sqrt(2)`` times too large, rather than too small.

    Args:
        whole: f, from all observations.
        without: ``f_i``, ``(n,)``, n >= 2.

    Source: Quenouille 1956; Tukey 1958; Efron and Stein 1981 for the direction of the error's bias.
    """
    count, mean = len(without), float(without.mean())
    spread = float((without - mean).square().sum())
    return count * whole - (count - 1) * mean, math.sqrt((count - 1) / count * spread)


def is_heavy_tailed(lengths: Tensor) -> bool:
    """True where positive numbers x have no finite variance, as the largest tell: their mean's error then means little.

    The moment estimator of the extreme value index from the m largest x, ``gamma = M_1 + 1 - 1/(2 (1 - M_1^2/M_2))`` with
    ``M_j = mean log(x_i / x_(m+1))^j``, is above 1/2, where the variance becomes infinite. Numbers with bounded or
    exponential tails have gamma <= 0. Of few numbers gamma tells little; these are called heavy-tailed as well where a few
    have most of the sum: where Kish's effective number ``(sum x)^2 / sum x^2`` is below ten and below half of theirs.

    Args:
        lengths: ``(n,)``; zeros are left out.

    Source: Dekkers, Einmahl, de Haan 1989; for m, Vehtari, Simpson, Gelman, Yao, Gabry 2024; Kish 1965.
    """
    ordered = lengths[lengths > 0].sort(descending=True).values
    shares = ordered / ordered.sum()
    if len(ordered) and 1 / float(shares.square().sum()) < min(_FEW, len(ordered) / 2):
        return True
    if len(ordered) < _TOLD_TAIL:
        return False
    count = int(min(len(ordered) / 5, 3 * math.sqrt(len(ordered))))
    excess = (ordered[:count] / ordered[count]).log()
    first, second = float(excess.mean()), float(excess.square().mean())
    flat = second - first**2 <= _ROUNDING * second  # all alike
    return not flat and first + 1 - 0.5 / (1 - first**2 / second) > _INFINITE


def mean_of(
    estimates: Sequence[IntervalEstimate], kind: Callable[[float, float, int], IntervalEstimate]
) -> IntervalEstimate:
    """Mean of two or more independent estimates of different things, such as instances, as an estimate for all such things.

    Its standard error is ``s/sqrt(n)``, from their spread s, but no smaller than what their own standard errors leave, as s
    is by chance where n is small. An upper end that is open for one of them is open for the mean.

    Args:
        estimates: n of them.
        kind: makes the interval: ``symmetric`` or ``positive``.
    """
    errors = [estimate.standard_error for estimate in estimates if math.isfinite(estimate.standard_error)]
    spread = stdev(map(float, estimates)) / math.sqrt(len(estimates))
    mean = kind(fmean(estimates), max(spread, math.hypot(*errors) / len(estimates)), len(estimates) - 1)
    high = math.inf if any(math.isinf(estimate.high) for estimate in estimates) else mean.high
    return IntervalEstimate(mean, mean.standard_error, mean.low, high)


def ratio(numerator: IntervalEstimate, denominator: IntervalEstimate) -> IntervalEstimate:
    """Ratio of two independent figures, the second above 0 and finite.

    On the scale of logarithms, ends are as far from the value as the root of the sum of squares of both figures' (MOVER: Zou
    and Donner 2008); relative standard errors add up likewise. A first figure that is infinite leaves a lower end alone.
    """
    value = numerator / denominator
    if not 0 < numerator < math.inf:
        return IntervalEstimate(
            value, numerator.standard_error / denominator, numerator.low / denominator.high, numerator.high / denominator
        )
    down = math.hypot(_logarithm(numerator, numerator.low), _logarithm(denominator.high, denominator))
    up = math.hypot(_logarithm(numerator.high, numerator), _logarithm(denominator, denominator.low))
    error = value * math.hypot(numerator.standard_error / numerator, denominator.standard_error / denominator)
    return IntervalEstimate(value, error, value * math.exp(-down), value * math.exp(up) if up < _LARGEST else math.inf)


@lru_cache(maxsize=1024)
def _quantile(degrees: int) -> float:
    """Quantile of Student's t: the number of standard errors that the ends of an interval are away."""
    from scipy.special import stdtrit  # here, since scipy takes long to import

    return float(stdtrit(max(1, degrees), (1 + _INSIDE) / 2))


def _logarithm(above: float, below: float) -> float:
    """``log(above / below)``, infinite where an end is open."""
    return math.log(above / below) if below > 0 and above < math.inf else math.inf
