"""The gradient of the log-density of Sum-of-Gamma noise, where it has one.

It is distributed as ``shift + U`` with ``U = Gamma(a + J, scale)``, a = s/k (see :mod:`imle_core.noise.sum_of_gamma_law`).
Differentiating the mixture of gamma densities gives

    d/dx log p(x) = E[a + J - 1 | U = u] / u - 1/scale,   u = x - shift.

The posterior mean is tabulated, since a mixture may have thousands of terms: it is smooth in u, constant near 0 and linear
far from it. For a <= 1 the density does not vanish at its lower end, and a gradient through it would miss what crosses
that end.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from imle_core.noise import sum_of_gamma_law

_POINTS = 2**13
_SMALLEST, _LARGEST = 1e-7, 60.0  # ends of the table: u over its mean; deviations of u above its mean


def lacking(k: float, iterations: float) -> str | None:
    """Reason why the distribution has no usable gradient; None where it has one."""
    if math.isfinite(iterations) and iterations / k <= 1:
        return (
            f"s/k = {iterations / k:g} is not above 1 and the density does not vanish at its lower end: take more than "
            f"{k:g} iterations"
        )
    if len(sum_of_gamma_law.blocks(k, iterations)) > 1:
        return "its series is too long for one table: take fewer iterations"
    return None


@dataclass(frozen=True)
class _Table:
    """Posterior means of ``a + J - 1`` at values of u, both ``(n,)``."""

    shift: float
    scale: float
    points: Tensor
    means: Tensor


def score(k: float, iterations: float, x: Tensor) -> Tensor:
    """``d/dx log p(x)``, in x's shape, type and on its device; x below the lowest draw counts as the lowest.

    The distribution must not be :func:`lacking` it.
    """
    table = _table(k, iterations)
    points, means = table.points.to(x.device), table.means.to(x.device)
    u = (x.to(points) - table.shift).clamp_(min=float(table.points[0]))
    right = torch.searchsorted(points, u).clamp_(1, len(points) - 1)
    left = right - 1
    share = (u - points[left]) / (points[right] - points[left])  # above 1 beyond the last point, where the mean is linear
    mean = means[left] + share * (means[right] - means[left])
    return (mean / u - 1 / table.scale).to(x)


@lru_cache(maxsize=32)
def _table(k: float, iterations: float) -> _Table:
    (block,) = sum_of_gamma_law.blocks(k, iterations)
    mean, variance = sum_of_gamma_law.mean_and_variance(k, iterations)
    middle = mean - block.shift
    points = torch.logspace(
        math.log10(_SMALLEST * middle), math.log10(middle + _LARGEST * math.sqrt(variance)), _POINTS, dtype=torch.float64
    )
    pmf = torch.ones(1, dtype=torch.float64) if block.pmf is None else torch.from_numpy(block.pmf)
    kept = torch.nonzero(pmf > 0)[:, 0]
    shapes = block.shape + block.offset + kept.double()
    constant = pmf[kept].log() - torch.lgamma(shapes) - shapes * math.log(block.scale)
    means = [_means(shapes - 1, constant, chunk.log()[:, None]) for chunk in points.split(64)]
    return _Table(block.shift, block.scale, points, torch.cat(means))


def _means(values: Tensor, constant: Tensor, logs: Tensor) -> Tensor:
    """Means of ``values`` with weights ``exp(constant + values * logs)``, for rising ``logs`` ``(n, 1)``.

    The weights move up with ``logs``, so that those that matter lie between the least of the first row and the largest of
    the last; the others are below exp(-60) of the greatest.
    """
    ends = constant + values * logs[[0, -1]]
    near = ends > ends.amax(dim=1, keepdim=True) - 60
    first, last = int(near[0].nonzero()[0]), int(near[1].nonzero()[-1])
    used = values[first : last + 1]
    return torch.softmax(constant[first : last + 1] + used * logs, dim=1) @ used
