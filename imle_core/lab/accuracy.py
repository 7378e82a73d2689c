"""Accuracy of gradients, and how surely it is known: bias, variance, direction, on one instance or on several."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from imle_core.lab.estimate import IntervalEstimate, is_heavy_tailed, jackknife, mean_of, positive, root, symmetric

_ROUNDING = 1e-12
_SURELY = 5  # standard errors
_PAIRS = 64  # pairs of repetitions that tell how directions vary


@dataclass(frozen=True)
class Accuracy:
    """Gradients g of many repetitions beside the true one ``g*``; lengths are in units of ``||g*||``.

    Each is a :class:`imle_core.lab.estimate.IntervalEstimate`, with a standard error and an interval.

    Attributes:
        bias: ``||E g - g*|| / ||g*||``, the root of the squared bias; over instances, of its mean.
        variance: ``E ||g - E g||^2 / ||g*||^2``.
        mse: ``E ||g - g*||^2 / ||g*||^2``, the sum of squared bias and variance. A gradient of 0 has 1.
        error: the mean squared error of ``g/c``, with the c that gives its mean the true length along ``g*``:
            ``E ||g||^2 ||g*||^2 / (E <g, g*>)^2 - 1 = 1 / alignment^2 - 1``. What a step size would do for it is done, so
            that it tells direction and noise alone: the variance for an unbiased gradient, infinite for one that makes no
            progress along ``g*``, or none that is seen. Over instances it is the error that belongs to the mean alignment.
        cosine: mean cosine of g and ``g*``; that of a zero gradient counts as 0.
        zero_share: share of gradients that are 0 in every entry.
        sign_agreement: share of entries with the sign of ``g*``, of those that are 0 in neither; None where all are.
        squared_bias: ``||E g - g*||^2 / ||g*||^2``, without what the number of repetitions adds to it; on average the truth,
            and hence at times below 0.
        alignment: ``E <g, g*> / (||g*|| sqrt(E ||g||^2))``, from -1 to 1: progress along ``g*`` of steps of length 1.
    """

    bias: IntervalEstimate
    variance: IntervalEstimate
    mse: IntervalEstimate
    error: IntervalEstimate
    cosine: IntervalEstimate
    zero_share: IntervalEstimate
    sign_agreement: IntervalEstimate | None
    squared_bias: IntervalEstimate
    alignment: IntervalEstimate


def measure(gradients: Tensor, true: Tensor, doubt: float = 0.0, *, is_random: bool = True) -> Accuracy:
    """Compares independent gradients ``(R, *event)`` with the true one ``(*event)``, R >= 2; see :class:`Accuracy`.

    Every figure is a function of means over repetitions. Value and standard error come from the jackknife over
    repetitions (:func:`imle_core.lab.estimate.jackknife`), which takes the bias of squared means out: R repetitions add
    ``variance/R`` to the squared bias and to the squared progress. Intervals are symmetric for figures whose estimates are
    about normal (squared bias, cosine, alignment), and for their logarithm where they are positive (variance, mse). The
    error's ends belong to the alignment's, since its own denominator, the squared progress, may come near 0.

    Where a few long gradients have most of the mean square (:func:`imle_core.lab.estimate.is_heavy_tailed`), longer ones may
    never have been drawn: variance, mse and error are then below the truth rather than above, and have no upper end. Where
    all gradients are 0, though drawn at random, other ones are rare, but nothing is known of their size: bias, variance and
    mse are then not known at all, and alignment and error have a bound.

    Args:
        gradients: of independent repetitions.
        true: the true one.
        doubt: its own relative standard error: its square is taken out of squared bias and mse, and what it may do to each
            figure at most is added to their errors.
        is_random: whether a repetition may differ from the others.
    """
    count, length = len(gradients), true.double().norm()
    rows, unit = gradients.flatten(1).double() / length, true.flatten().double() / length
    lengths = rows.square().sum(dim=1)
    if is_random and not lengths.any():
        return _all_zero(count)
    square, variance, mse = _squares(rows - unit, doubt)
    alignment = _alignment(rows @ unit, lengths, doubt)
    if is_heavy_tailed(lengths):
        variance, mse = (IntervalEstimate(figure, figure.standard_error, figure.low, math.inf) for figure in (variance, mse))
        alignment = IntervalEstimate(alignment, alignment.standard_error, min(alignment.low, 0.0), alignment.high)
    cosines = torch.where(lengths > 0, rows @ unit / lengths.sqrt().clamp(min=torch.finfo(lengths.dtype).tiny), 0.0)
    cosine, error = jackknife(float(cosines.mean()), _without(cosines))
    return Accuracy(
        bias=root(square),
        variance=variance,
        mse=mse,
        error=error_of(alignment, alignment.standard_error),
        cosine=symmetric(cosine, math.hypot(error, doubt), count - 1),
        zero_share=_share(int((lengths == 0).sum()), count),
        sign_agreement=_sign_agreement(rows.sign() * unit.sign()),
        squared_bias=square,
        alignment=alignment,
    )


def mean_accuracy(instances: Sequence[Accuracy]) -> Accuracy:
    """Means over instances, whose spread gives standard errors and intervals (Student's t); of one, itself.

    See :func:`imle_core.lab.estimate.mean_of`. Where an instance has heavy tails, or gradients that are all 0, what
    its own interval leaves below is added to that of the mean.
    """
    if len(instances) == 1:
        return instances[0]
    doubtful = [math.isinf(accuracy.variance.high) for accuracy in instances]

    def mean(name: str, kind: Callable[[float, float, int], IntervalEstimate]) -> IntervalEstimate:
        figures = [getattr(accuracy, name) for accuracy in instances]
        pooled = mean_of(figures, kind)
        below = sum(figure - figure.low for figure, is_open in zip(figures, doubtful, strict=True) if is_open) / len(figures)
        return IntervalEstimate(pooled, pooled.standard_error, pooled.low - below, pooled.high)

    square, alignment = mean("squared_bias", symmetric), mean("alignment", symmetric)
    signs = [accuracy.sign_agreement for accuracy in instances if accuracy.sign_agreement is not None]
    return Accuracy(
        bias=root(square),
        variance=mean("variance", positive),
        mse=mean("mse", positive),
        error=error_of(alignment, noise_of_mean(instances)),
        cosine=mean("cosine", symmetric),
        zero_share=_mean_share([accuracy.zero_share for accuracy in instances]),
        sign_agreement=_mean_share(signs) if len(signs) > 1 else None,
        squared_bias=square,
        alignment=alignment,
    )


def noise_of_mean(instances: Sequence[Accuracy]) -> float:
    """Standard error of the mean alignment that repetitions alone leave."""
    return math.hypot(*(accuracy.alignment.standard_error for accuracy in instances)) / len(instances)


def error_of(alignment: IntervalEstimate, noise: float) -> IntervalEstimate:
    """``1 / (a^2 - noise^2) - 1`` for an alignment a whose square the repetitions' noise makes too large by ``noise^2``.

    Its ends belong to the alignment's. An alignment that is surely below 0 has an infinite error, and no end; one that only
    seems to be, as one in 40 of those near 0 does, has the lower end of an alignment of one standard error.
    """
    square, reach = alignment * abs(alignment) - noise**2, alignment.standard_error
    value = _error(math.sqrt(max(0.0, square)))
    slope = 2 * square**-1.5 if square > 0 else math.inf
    largest = alignment.high if alignment < -_SURELY * reach else max(alignment.high, reach)
    return IntervalEstimate(
        value, slope * reach if reach else 0.0, min(value, _error(largest)), max(value, _error(alignment.low))
    )


def _error(alignment: float) -> float:
    """``1 / a^2 - 1``, infinite where there is no progress; what is left of 0 after rounding counts as 0."""
    if alignment <= 0:
        return math.inf
    error = 1 / alignment**2 - 1
    return error if error > _ROUNDING else 0.0


def _all_zero(count: int) -> Accuracy:
    """Accuracy of so many random gradients that were 0 in every entry.

    Gradients other than 0 have a probability p below Wilson's bound. Hence ``|E <g, u>| <= sqrt(p E ||g||^2)`` for a unit
    vector u: the alignment is at most ``sqrt(p)``.
    """
    zeros = _share(count, count)
    rare, largest = 1 - zeros.low, math.sqrt(1 - zeros.low)
    alignment = IntervalEstimate(0.0, largest / 2, -largest, largest)
    zero, unit = (IntervalEstimate(value, math.inf, 0.0, math.inf) for value in (0.0, 1.0))
    return Accuracy(
        bias=unit,
        variance=zero,
        mse=unit,
        error=error_of(alignment, alignment.standard_error),
        cosine=IntervalEstimate(0.0, rare / 2, -rare, rare),
        zero_share=zeros,
        sign_agreement=None,
        squared_bias=unit,
        alignment=alignment,
    )


def _squares(away: Tensor, doubt: float) -> tuple[IntervalEstimate, IntervalEstimate, IntervalEstimate]:
    """Squared bias, variance and mse of differences from the true gradient, ``(R, entries)``."""
    count, squares, total = len(away), away.square().sum(dim=1), away.sum(dim=0)
    whole = float(total @ total)
    mean_square, mean_squares = whole / count**2, (whole - 2 * away @ total + squares) / (count - 1) ** 2
    mse, mses = float(squares.mean()), _without(squares)
    bias, bias_error = jackknife(mean_square, mean_squares)
    bias_error = max(bias_error, math.sqrt(2 * _squared_covariance(away)) / count)
    variance, variance_error = jackknife(mse - mean_square, mses - mean_squares)
    if variance <= _ROUNDING * mse:
        variance = variance_error = 0.0
    mse, mse_error = jackknife(mse, mses)
    moved = 2 * doubt * math.sqrt(max(0.0, bias)) * (1 + math.sqrt(max(0.0, bias)))
    square = symmetric(bias - doubt**2, math.hypot(bias_error, moved, math.sqrt(2) * doubt**2), count - 1)
    return (
        square,
        positive(max(0.0, variance), math.hypot(variance_error, 2 * doubt * variance), count - 1),
        positive(max(0.0, mse - doubt**2), math.hypot(mse_error, moved + 2 * doubt * variance), count - 1),
    )


def _squared_covariance(rows: Tensor) -> float:
    """``tr(V^2)`` for rows ``(R, entries)`` of covariance V; for fewer than four rows ``tr(V)^2``, which is no smaller.

    ``2 tr(V^2) / R^2`` is the variance of the squared mean of rows without a mean, where the jackknife, which sees the slope
    at the mean that was found, is too sure by chance. ``tr(V^2) = E <a, b>^2 / 4`` for differences a, b of pairs of rows.
    """
    pairs = rows[: min(len(rows) // 2, _PAIRS) * 2].unflatten(0, (-1, 2))
    differences = pairs[:, 0] - pairs[:, 1]
    products, count = differences @ differences.T, len(differences)
    if count < 2:
        return float(products.sum() / 2) ** 2
    return float((products.square().sum() - products.diagonal().square().sum()) / (4 * count * (count - 1)))


def _alignment(progress: Tensor, lengths: Tensor, doubt: float) -> IntervalEstimate:
    """``E <g, g*> / sqrt(E ||g||^2)``, from both of each repetition, in units of the true gradient."""
    tiny = torch.finfo(lengths.dtype).tiny
    whole = float(progress.mean() / lengths.mean().clamp(min=tiny).sqrt())
    value, error = jackknife(whole, _without(progress) / _without(lengths).clamp(min=tiny).sqrt())
    value = min(1.0, max(-1.0, value))
    return symmetric(value, math.hypot(error, doubt * math.sqrt(1 - value**2)), len(progress) - 1)


def _sign_agreement(signs: Tensor) -> IntervalEstimate | None:
    """Share of 1 among what is not 0, of the products of signs ``(R, entries)``."""
    same, told = (signs > 0).double().sum(dim=1), signs.abs().sum(dim=1)
    if not told.any():
        return None
    whole = float(same.sum() / told.sum())
    value, error = jackknife(whole, _without(same) / _without(told).clamp(min=1 / len(told)))
    return symmetric(min(1.0, max(0.0, value)), error, len(told) - 1)


def _share(hits: int, count: int) -> IntervalEstimate:
    """A share with its binomial error and Wilson's interval, which is not empty where nothing or everything was hit."""
    share, square = hits / count, 1.96**2
    middle, reach = share + square / (2 * count), 1.96 * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    low, high = ((middle + side * reach) / (1 + square / count) for side in (-1, 1))
    return IntervalEstimate(share, math.sqrt(share * (1 - share) / count), max(0.0, low), min(1.0, high))


def _mean_share(shares: Sequence[IntervalEstimate]) -> IntervalEstimate:
    """Mean of shares, whose ends are no nearer than the means of theirs: where all are 0, their spread tells nothing."""
    mean = mean_of(shares, symmetric)
    low, high = min(mean.low, fmean(share.low for share in shares)), max(mean.high, fmean(share.high for share in shares))
    return IntervalEstimate(mean, mean.standard_error, max(0.0, low), min(1.0, high))


def _without(values: Tensor) -> Tensor:
    """Means with each of n numbers left out."""
    return (values.sum() - values) / (len(values) - 1)
