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
        k: number of draws that add up to a Gumbel variable: the number of ones of a typical solution, real, > 0. If None, a
            layer asks its solver when it first draws: k of top-k, the choices of argmax, the nodes of a spanning tree less
            one, ``min(R, C)`` of an assignment, 1.3 times the height of a map for a path across it (as in the paper's
            experiments), and for graphs and knapsacks the ones of the solution for equal parameters. A solver that does
            not say it (``typical_ones``) needs a k.
        nb_iterations: truncation s of the series: a whole number >= 1, or ``math.inf``.
        device: where ``sample`` puts its draws when it is not told.

    Raises:
        ArgumentError: k or nb_iterations outside its range, no k when it is needed, a k whose draws float64 cannot hold, or
            a series of more gamma variables than :data:`.MOST_BLOCKS`. Narrower types are checked when they are drawn.

    >>> float(SumOfGammaNoiseDistribution(k=2.0, nb_iterations=1).variance)
    0.5
    """

    pure = True
    _remedy = "use about the size of a solution"

    def __init__(self, k: float | None = None, nb_iterations: float = 10, device: Device = None) -> None:
        checks.check_not_learned("nb_iterations", nb_iterations, "leave it out")
        checks.check_whole_or_infinite("nb_iterations", nb_iterations, "the usual value is 10")
        self._k: float | None = None
        self.nb_iterations, self.device = nb_iterations, device
        self.mean = self.variance = math.nan
        self._of_size = dict[float, "SumOfGammaNoiseDistribution"]()
        if k is not None:
            self._settle(k)

    def _settle(self, k: float) -> None:
        checks.check_not_learned("k", k, "learn theta, whose scale does the same")
        checks.check_finite("k", k, self._remedy, positive=True)
        self._k = float(k)
        self.mean, self.variance = sum_of_gamma_law.mean_and_variance(self.k, float(self.nb_iterations))
        self.check_type(torch.float64)
        sum_of_gamma_law.check_length(self.k, float(self.nb_iterations))

    @property
    def k(self) -> float:
        """Number of draws that add up to a Gumbel variable.

        Raises:
            ArgumentError: it is not known yet.
        """
        if self._k is None:
            raise checks.ArgumentError(
                "k",
                "None",
                "only a layer around a solver that knows its solutions can choose it",
                "give the number of ones of a typical solution",
            )
        return self._k

    @property
    def wants_size(self) -> bool:
        """True without a k, which a layer then asks its solver for."""
        return self._k is None

    def sized(self, ones: float) -> "SumOfGammaNoiseDistribution":
        """The same noise with this k."""
        if ones not in self._of_size:
            self._of_size[ones] = type(self)(ones, self.nb_iterations, self.device)
        return self._of_size[ones]

    @property
    def _settings(self) -> tuple[str, str]:
        return "k", f"{self.k:g}"

    def __repr__(self) -> str:
        k = "" if self._k is None else f"k={self._k:g}, "
        return f"{type(self).__name__}({k}nb_iterations={self.nb_iterations:g})"

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` of one draw, by :func:`imle_core.noise.sum_of_gamma_law.cdf`."""
        points = np.asarray(x, dtype=np.float64)
        values = sum_of_gamma_law.cdf(self.k, float(self.nb_iterations), points.ravel())
        return values.reshape(points.shape)

    @property
    def lacks_score(self) -> str | None:
        """Reason why the distribution has no usable ``score``: s/k <= 1, or a series too long for one table."""
        if self._k is None:
            return "its k is not known yet"
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
                "k", f"{self.k:g}", "a k-fold sum needs a whole number", "take the distribution of a single draw"
            )
        decay = np.exp(-np.asarray(x, dtype=np.float64))
        if math.isinf(self.nb_iterations):
            return np.asarray(np.exp(-decay))
        with np.errstate(divide="ignore"):  # the logarithm of 0, below the least value
            return np.asarray(np.exp(self.nb_iterations * np.log1p(-np.minimum(decay / self.nb_iterations, 1.0))))

    def _fill(self, values: Tensor, generator: torch.Generator | None) -> None:
        if self.k:  # which must be known
            super()._fill(values, generator)

    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        sum_of_gamma_law.fill(out, self.k, float(self.nb_iterations), key, threads)

    def _fill_instances(
        self, out: NDArray[np.floating], sizes: NDArray[np.int64], keys: NDArray[np.int64], threads: int
    ) -> None:
        sum_of_gamma_law.fill_instances(out, sizes, self.k, float(self.nb_iterations), keys, threads)

    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        first, *rest = sum_of_gamma_law.blocks(self.k, float(self.nb_iterations))
        total = first.draw(count, device, dtype, generator)
        for block in rest:
            total += block.draw(count, device, dtype, generator)
        return total
