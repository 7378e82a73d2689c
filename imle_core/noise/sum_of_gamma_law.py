"""The distribution of Sum-of-Gamma noise, drawn with one gamma variate an element in place of one a term of the series.

The series (Niepert, Minervini, Franceschi 2021, arXiv 2106.01798, section 3.3), with truncation ``s``, is

    X = (1/k) [ sum_{i=1..s} Gamma(1/k, scale k/i) - log s ] = sum_{i=1..s} Gamma(1/k, scale 1/i) - (log s)/k.

A sum of gamma variables with scales ``1/f, ..., 1/l`` is one gamma variable of scale ``1/l`` and random shape
(Moschopoulos 1985, Ann. Inst. Statist. Math. 37):

    sum_{i=f..l} Gamma(1/k, 1/i)  =  Gamma(n/k + J, 1/l),   n = l-f+1,   J = sum_{i=f..l} NegativeBinomial(1/k, i/l).

The distribution of J comes from the inverse Fourier transform of its generating function on the unit circle and is drawn
from an alias table. A series too long for one table is cut into blocks, each of them one gamma variate.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError
from imle_core.concurrency import in_threads

Real = NDArray[np.float64]

MOST_BLOCKS = 256  # gamma variables that are added up for one draw

_WINDOW = 2**17
_DIRECT_TERMS = 512
_MOST_INVERTED = 1e5  # k from which on a characteristic function decays too slowly to be inverted in some 400 MB
_DRAWS_A_THREAD = 2**13
_TAIL_EXPONENT = 40.0  # mass outside a table: at most 2 exp(-40)


def harmonic(first: float, last: float) -> float:
    """Sum of ``1/i`` for ``i = first..last``; ``last = inf`` stands for the limit of ``H_last - log(last)``."""
    upper = 0.0 if math.isinf(last) else _digamma(last + 1)
    return upper - _digamma(first)


def inverse_squares(first: float, last: float) -> float:
    """Sum of ``1/i^2`` for ``i = first..last`` (``last`` may be infinite)."""
    return _zeta(2, first) - (0.0 if math.isinf(last) else _zeta(2, last + 1))


def mean_and_variance(k: float, iterations: float) -> tuple[float, float]:
    """Mean ``(H_s - log s)/k`` and variance ``(1/k) sum_{i<=s} 1/i^2`` of one draw (``s`` may be infinite)."""
    mean = harmonic(1, iterations) - (0.0 if math.isinf(iterations) else math.log(iterations))
    return mean / k, inverse_squares(1, iterations) / k


@dataclass(frozen=True)
class Block:
    """``shift + Gamma(shape + J, scale)``, with J drawn from an alias table (Walker 1977); no table means J = 0."""

    shape: float
    scale: float
    shift: float = 0.0
    offset: int = 0
    pmf: Real | None = None
    keep: Tensor | None = None
    alias: Tensor | None = None

    def draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        """Draws ``(count,)`` independent values."""
        if self.keep is None or self.alias is None:
            shapes = torch.full((count,), self.shape, dtype=dtype, device=device)
        else:
            column = torch.rand(count, dtype=dtype, device=device, generator=generator).mul_(len(self.keep))
            index = column.long().clamp_(max=len(self.keep) - 1)
            kept = column.sub_(index) < self.keep.to(device, dtype)[index]
            shapes = torch.where(kept, index, self.alias.to(device)[index]).to(dtype).add_(self.shape + self.offset)
        return torch._standard_gamma(shapes, generator=generator).mul_(self.scale).add_(self.shift)


@lru_cache(maxsize=256)
def blocks(k: float, iterations: float) -> tuple[Block, ...]:
    """The series as independent blocks whose sum is exactly X; for ``iterations = inf``, X to a distance below 1e-8.

    In the limit, the terms after the first ``m >= 128 k`` are replaced by a shifted gamma variable with their first three
    cumulants. The fourth then is off by ``1/(2 k m^3)``, which moves the distribution function by less than 1e-8, since
    ``|phi(t)| <= exp(-pi t / 2k)`` bounds its fourth derivative.

    Args:
        k: number of terms in the k-fold sum that tends to a Gumbel variable, real, > 0.
        iterations: truncation ``s`` of the series, a whole number >= 1, or infinity.
    """
    bounds, last = _bounds(k, iterations), _last(k, iterations)
    pieces = [_block(k, first, end) for first, end in bounds]
    if math.isinf(iterations):
        pieces.append(_remainder(k, last))
    else:
        pieces[0] = Block(**{**vars(pieces[0]), "shift": -math.log(last) / k})
    return tuple(pieces)


def check_length(k: float, iterations: float) -> None:
    """Refuses a series of more than :data:`MOST_BLOCKS` blocks: k is too small for that many terms, or they are too many.

    Raises:
        ArgumentError: it is longer, or its terms are too many for float64 to tell apart.
    """
    if _last(k, iterations) > 2**53 or len(_bounds(k, iterations)) > MOST_BLOCKS:
        raise ArgumentError(
            "k",
            f"{k:g} with {iterations:g} iterations",
            f"each draw would be a sum of more than {MOST_BLOCKS} gamma variables",
            "take a k of about the size of a solution, and fewer iterations",
        )


def _last(k: float, iterations: float) -> float:
    """The last term that is drawn as it is."""
    return iterations if math.isfinite(iterations) else float(max(1024, math.ceil(128 * k)))


@lru_cache(maxsize=256)
def _bounds(k: float, iterations: float) -> list[tuple[float, float]]:
    """First and last term of each block, up to one block more than there may be."""
    bounds: list[tuple[float, float]] = []
    first, last = 1.0, _last(k, iterations)
    while first <= last and len(bounds) <= MOST_BLOCKS:
        bounds.append((first, _block_end(k, first, last)))
        first = bounds[-1][1] + 1
    return bounds


def fill(out: NDArray[np.floating], k: float, iterations: float, key: int, threads: int) -> None:
    """Overwrites ``out`` with draws of :func:`blocks`; other arguments as of :func:`imle_core.noise.location_scale.fill`."""
    from imle_core.noise.kernels import sum_of_gamma as kernel  # here, since numba takes half a second to import

    tables = _tables(k, iterations)
    in_threads(
        lambda first, last: kernel.fill(out, first, last, key, *tables),
        math.ceil(len(out) / kernel.STRIDE),
        min(threads, len(out) // _DRAWS_A_THREAD),
    )


def fill_instances(
    out: NDArray[np.floating],
    sizes: NDArray[np.int64],
    k: float,
    iterations: float,
    keys: NDArray[np.int64],
    threads: int,
) -> None:
    """Overwrites entries with draws of :func:`blocks`; others as of :func:`.location_scale.fill_instances`."""
    from imle_core.noise.kernels import sum_of_gamma as kernel  # here, since numba takes half a second to import

    tables = _tables(k, iterations)
    in_threads(
        lambda first, last: kernel.fill_instances(out, sizes, first, last, keys, *tables),
        len(out),
        min(threads, len(out), out.size // _DRAWS_A_THREAD),
    )


@lru_cache(maxsize=256)
def _tables(k: float, iterations: float) -> tuple[NDArray[Any], ...]:
    """The blocks of a series, and their tables one after the other, for the kernel."""
    from imle_core.noise.kernels.sum_of_gamma import cubed_scale

    series = blocks(k, iterations)
    laws = np.array([(block.shape + block.offset, block.scale, block.shift) for block in series])
    sizes = [0 if block.keep is None else len(block.keep) for block in series]
    columns = [
        torch.stack([block.keep, block.alias], 1).numpy()
        for block in series
        if block.keep is not None and block.alias is not None
    ]
    scales = [cubed_scale(law[0] + j) for law, size in zip(laws, sizes, strict=True) for j in range(size)]
    return laws, np.cumsum([0, *sizes]), np.concatenate([np.empty((0, 2)), *columns]), np.array(scales)


def cdf(k: float, iterations: float, x: Real) -> Real:
    """Distribution function ``P(X <= x)`` of one Sum-of-Gamma draw.

    For a series of one block it is the mixture ``sum_j P(J=j) P(Gamma(s/k + j, 1/s) <= x + (log s)/k)``, otherwise the
    Fourier inversion (Gil-Pelaez 1951) of ``phi(t) = s^{-it/k} prod_i (1 - it/i)^{-1/k}``.

    Raises:
        ArgumentError: a series too long for a mixture whose characteristic function decays too slowly (s < 12 k, or k >
            1e5).
    """
    if iterations >= 12 * k:
        if k > _MOST_INVERTED:
            raise ArgumentError(
                "distribution function",
                f"k={k:g} with {iterations:g} iterations",
                f"for so many it is known up to k = {_MOST_INVERTED:g}",
                "take a k of about the size of a solution",
            )
        return _by_inversion(k, iterations, x)
    (first, *rest) = blocks(k, iterations)
    if rest:
        raise ArgumentError(
            "distribution function",
            f"k={k:g} with {iterations:g} iterations",
            "a series this long needs at least 12 k iterations",
            f"take {math.ceil(12 * k)} or more",
        )
    assert first.pmf is not None or first.alias is None
    pmf = np.ones(1) if first.pmf is None else first.pmf
    kept = np.flatnonzero(pmf > 1e-14)
    shapes = torch.from_numpy(first.shape + first.offset + kept.astype(float))
    heights = torch.from_numpy((np.maximum(x, first.shift) - first.shift) / first.scale)
    weights = torch.from_numpy(pmf[kept])
    chunks = [torch.special.gammainc(shapes, chunk[:, None]) @ weights for chunk in torch.split(heights, 64)]
    return torch.cat(chunks).numpy()


def _digamma(x: float) -> float:
    return float(torch.special.digamma(torch.tensor(x, dtype=torch.float64)))


def _zeta(power: int, first: float) -> float:
    """``sum_{i >= first} i^-power``; torch's polygamma, which is this up to a factor, is off by 5e-10."""
    return float(torch.special.zeta(torch.tensor(power, dtype=torch.float64), torch.tensor(first, dtype=torch.float64)))


def _window(k: float, first: float, last: float) -> tuple[float, float]:
    """Bounds of J: mean -+ the sub-gamma deviation ``sqrt(2 v x) + c x`` with c = last/first (Boucheron et al., 2.4)."""
    mean = last * harmonic(first, last) - (last - first + 1)
    variance = last * last * inverse_squares(first, last) - last * harmonic(first, last)
    spread = math.sqrt(2 * _TAIL_EXPONENT * max(variance, 0.0) / k)
    return max(0.0, mean / k - spread), max(0.0, mean / k) + spread + _TAIL_EXPONENT * last / first


def _block_end(k: float, first: float, last: float) -> float:
    """The largest end in ``first..last`` whose J fits a table (found by bisection; a single term always fits)."""
    fits, too_far = first, last + 1
    while too_far - fits > 1:
        middle = math.floor((fits + too_far) / 2)
        low, high = _window(k, first, middle)
        fits, too_far = (middle, too_far) if high - low < _WINDOW else (fits, middle)
    return fits


def _block(k: float, first: float, last: float) -> Block:
    terms = last - first + 1
    if terms == 1:
        return Block(shape=1 / k, scale=1 / last)
    low, high = _window(k, first, last)
    size = 2 ** math.ceil(math.log2(high - low + 1))
    angle = 2 * np.pi * np.arange(size // 2 + 1) / size
    z = np.exp(-1j * angle)
    one_minus_z = 2 * np.sin(angle / 2) ** 2 + 1j * np.sin(angle)
    logarithm = _sum_log(first, last, np.ones(1, complex), np.zeros(1)) - _sum_log(first, last, z, last * one_minus_z)
    pmf = np.fft.irfft(np.exp(logarithm / k), size)
    offset = math.floor(low)
    pmf = np.maximum(np.roll(pmf, -(offset % size)), 0.0)
    pmf /= pmf.sum()
    pmf = pmf[: int(np.flatnonzero(pmf > 1e-18).max()) + 1]
    keep, alias = _alias_table(pmf)
    return Block(terms / k, 1 / last, 0.0, offset, pmf, torch.from_numpy(keep), torch.from_numpy(alias))


def _remainder(k: float, last: float) -> Block:
    """The terms after ``last`` of the infinite series: a shifted gamma variable with their first three cumulants."""
    mean = harmonic(last + 1, math.inf) / k
    variance = inverse_squares(last + 1, math.inf) / k
    third = 2 * _zeta(3, last + 1) / k
    scale = third / (2 * variance)
    shape = variance / scale**2
    return Block(shape=shape, scale=scale, shift=mean - shape * scale)


def _sum_log(first: float, last: float, z: NDArray[Any], c: NDArray[Any]) -> NDArray[Any]:
    """``sum_{i=first..last} log(i z + c)``, principal branches, for ``|x z + c| >= x``.

    Short sums are added up; of long ones the first 32 terms are, and the rest is the Euler-Maclaurin formula up to the
    fifth derivative, whose remainder is below 1e-13.
    """
    direct = last if last - first < _DIRECT_TERMS else first + 31
    total = np.zeros(np.broadcast_shapes(z.shape, c.shape), complex)
    for i in range(int(first), int(direct) + 1):
        total += np.log(i * z + c)
    if direct < last:
        start, end = (direct + 1) * z + c, last * z + c
        total += (end * (np.log(end) - 1) - start * (np.log(start) - 1)) / z + (np.log(start) + np.log(end)) / 2
        for weight, power in ((1 / 12, 1), (-2 / 720, 3), (24 / 30240, 5)):
            total += weight * ((z / end) ** power - (z / start) ** power)
    return total


def _alias_table(pmf: Real) -> tuple[Real, NDArray[np.int64]]:
    """Column i is drawn with probability 1/n and stays i with probability ``keep[i]``, else becomes ``alias[i]``."""
    scaled = (pmf * len(pmf)).tolist()
    keep, alias = [1.0] * len(scaled), list(range(len(scaled)))
    small = [i for i, share in enumerate(scaled) if share < 1.0]
    large = [i for i, share in enumerate(scaled) if share >= 1.0]
    while small and large:
        poor, rich = small.pop(), large[-1]
        keep[poor], alias[poor] = scaled[poor], rich
        scaled[rich] -= 1.0 - scaled[poor]
        if scaled[rich] < 1.0:
            small.append(large.pop())
    return np.array(keep), np.array(alias, dtype=np.int64)


def _log_characteristic(iterations: float, t: NDArray[Any]) -> NDArray[Any]:
    """``k log phi(t) = -it log s - sum_{i<=s} log(1 - it/i)``, which tends to ``log Gamma(1 - it)``.

    Long sums are ``log Gamma(1-it) + log Gamma(s+1) - log Gamma(s+1-it) - it log s``, the last three terms by Stirling's
    series, written so that nothing large cancels.
    """
    it = 1j * t
    if iterations <= _DIRECT_TERMS:
        total = -it * math.log(iterations)
        for i in range(1, int(iterations) + 1):
            total -= np.log1p(-it / i)
        return total
    total = _log_gamma(33 - it)
    for i in range(1, 33):
        total -= np.log(i - it)
    if math.isfinite(iterations):
        a, b = iterations + 1, iterations + 1 - it
        total += it * (np.log(b / iterations) - 1) - (a - 0.5) * np.log1p(-it / a) + (1 / a - 1 / b) / 12
    return total


def _log_gamma(z: NDArray[Any]) -> NDArray[Any]:
    """Stirling's series for real parts of 33 and more, where it is exact to 1e-15."""
    series = 1 / (12 * z) - 1 / (360 * z**3) + 1 / (1260 * z**5)
    return np.asarray((z - 0.5) * np.log(z) - z + 0.5 * math.log(2 * math.pi) + series)


def _by_inversion(k: float, iterations: float, x: Real) -> Real:
    """Gil-Pelaez sum by midpoints on a period that no draw leaves, as a Fourier transform, then linear interpolation."""
    mean, deviation = mean_and_variance(k, iterations)[0], math.sqrt(mean_and_variance(k, iterations)[1])
    lowest, period = mean - 12 * deviation - 5, 24 * deviation + 60
    step = 2 * np.pi / period
    terms = math.ceil(26 * max(k, 1.0) / step)
    t = (np.arange(terms) + 0.5) * step
    phi = np.exp(_log_characteristic(iterations, t) / k)
    size = max(2**18, 2 ** math.ceil(math.log2(terms + 1)))
    sums = np.fft.fft(phi / t * np.exp(-1j * t * lowest), size)
    grid = np.arange(size) * (period / size)
    values = 0.5 - (step / np.pi) * np.imag(sums * np.exp(-0.5j * step * grid))
    return np.asarray(np.interp(x, lowest + grid, np.clip(values, 0.0, 1.0)))
