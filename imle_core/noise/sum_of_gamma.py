"""Sum-of-Gamma noise."""

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core import checks
from imle_core.noise import sum_of_gamma_law, sum_of_gamma_score
from imle_core.noise.distribution import CompiledNoise, Device


class SumOfGammaNoiseDistribution(CompiledNoise):
    """``X = (1/k) [ sum_{i=1..s} Gamma(1/k, scale k/i) - log s ]``; k such draws add up to Gumbel(0, 1) as s grows.

    It is the noise for structures with k elements, such as paths of k tiles. Mean ``(H_s - log s)/k``, variance
    ``(1/k) sum_{i<=s} 1/i^2``. One gamma variate is drawn an element, whatever s is, distributed exactly as the series is;
    the limit ``s = inf`` is exact to 1e-8 in the distribution function. Source: Niepert, Minervini, Franceschi 2021
    (arXiv 2106.01798), section 3.3, and :mod:`imle_core.noise.sum_of_gamma_law`.

    Args:
        k: number of draws that add up to a Gumbel variable: a typical size of the solver's solutions. Real, > 0.
        nb_iterations: truncation s of the series: a whole number >= 1, or ``math.inf``.
        device: where ``sample`` puts its draws when it is not told.

    Raises:
        ArgumentError: k or nb_iterations outside its range, a k whose draws float64 cannot hold, or a series of more gamma
            variables than :data:`.MOST_BLOCKS`. Narrower types are checked when they are drawn.

    >>> float(SumOfGammaNoiseDistribution(k=2.0, nb_iterations=1).variance)
    0.5
    """

    pure = True
    _remedy = "use about the size of a solution"

    def __init__(self, k: float, nb_iterations: float = 10, device: Device = None) -> None:
        checks.check_not_learned("k", k, "learn theta, whose scale does the same")
        checks.check_finite("k", k, self._remedy, positive=True)
        checks.check_not_learned("nb_iterations", nb_iterations, "leave it out")
        checks.check_whole_or_infinite("nb_iterations", nb_iterations, "the usual value is 10")
        self.k, self.nb_iterations, self.device = float(k), nb_iterations, device
        self.mean, self.variance = sum_of_gamma_law.mean_and_variance(self.k, float(nb_iterations))
        self.check_type(torch.float64)
        sum_of_gamma_law.check_length(self.k, float(nb_iterations))

    @property
    def _settings(self) -> tuple[str, str]:
        return "k", f"{self.k:g}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(k={self.k:g}, nb_iterations={self.nb_iterations:g})"

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` of one draw, by :func:`imle_core.noise.sum_of_gamma_law.cdf`."""
        points = np.asarray(x, dtype=np.float64)
        values = sum_of_gamma_law.cdf(self.k, float(self.nb_iterations), points.ravel())
        return values.reshape(points.shape)

    @property
    def lacks_score(self) -> str | None:
        """Reason why the distribution has no usable ``score``: s/k <= 1, or a series too long for one table."""
        return sum_of_gamma_score.lacking(self.k, float(self.nb_iterations))

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)``, by :mod:`imle_core.noise.sum_of_gamma_score`; its variance is infinite for s/k <= 2."""
        return sum_of_gamma_score.score(self.k, float(self.nb_iterations), x)

    def fold_distribution_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X_1 + ... + X_k <= x) = (1 - exp(-x)/s)^s`` for whole k: Gumbel(0, 1) in the limit of s.

        Derivation: the sum of s exponential variables with scales 1/i is the largest of s standard ones (Renyi 1953).

        Raises:
            ArgumentError: k is not a whole number.
        """
        if self.k != int(self.k):
            raise checks.ArgumentError(
                "k", f"{self.k:g}", "a k-fold sum needs a whole number", "take the law of a single draw"
            )
        decay = np.exp(-np.asarray(x, dtype=np.float64))
        if math.isinf(self.nb_iterations):
            return np.asarray(np.exp(-decay))
        with np.errstate(divide="ignore"):  # the logarithm of 0, below the least value
            return np.asarray(np.exp(self.nb_iterations * np.log1p(-np.minimum(decay / self.nb_iterations, 1.0))))

    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        sum_of_gamma_law.fill(out, self.k, float(self.nb_iterations), key, threads)

    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        first, *rest = sum_of_gamma_law.blocks(self.k, float(self.nb_iterations))
        total = first.draw(count, device, dtype, generator)
        for block in rest:
            total += block.draw(count, device, dtype, generator)
        return total
