"""Noise distributions for perturb-and-MAP: Sum-of-Gamma, Gumbel, normal and logistic, and any of them in antithetic pairs.

Every class has ``sample(shape, *, dtype, device, generator)``, ``mean``, ``variance``, ``distribution_function(x)`` and,
where its density has a gradient, ``score(x)``.
Draws are made in float64 and then rounded to the wanted type, so that narrow types lose precision but no tail. On the CPU,
compiled code makes them of a key that is drawn from the generator, elsewhere torch does.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core import checks
from imle_core.noise import location_scale, sum_of_gamma_law, sum_of_gamma_score

_PART = 2**16  # entries drawn at once: their temporaries stay in the cache
_REACH = 40.0  # deviations from the mean within which all draws lie

Device = torch.device | str | None


class NoiseDistribution(ABC):
    """Independent, identically distributed noise with a known law."""

    pure = True
    mean: float
    variance: float

    @property
    def lacks_score(self) -> str | None:
        """Why the law has no usable ``score``; None where it has one."""
        return None

    @abstractmethod
    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)`` for the density p, in x's shape and type; where the law lacks one, it is not to be called."""

    def sample(
        self,
        shape: Sequence[int],
        *,
        dtype: torch.dtype | None = None,
        device: Device = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws a tensor of independent values.

        Args:
            shape: shape of the result, any, empty ones included.
            dtype: floating type of the result; torch's default type if None.
            device: device of the result; the generator's, else torch's default device if None.
            generator: source of randomness; torch's global one if None. Draws are made where it lives and then moved.
        """
        target = torch.device(device) if device is not None else None
        source = generator.device if generator is not None else target or torch.get_default_device()
        values = torch.empty(math.prod(shape), dtype=dtype or torch.get_default_dtype(), device=source)
        self._fill(values, generator)
        return values.view(torch.Size(shape)).to(target or source)

    @abstractmethod
    def distribution_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` at every entry of ``x``."""

    def _fill(self, values: Tensor, generator: torch.Generator | None) -> None:
        """Overwrites ``values``, one-dimensional, with draws."""
        working = torch.float32 if values.device.type == "mps" else torch.float64
        for part in values.split(_PART):
            part.copy_(self._draw(len(part), values.device, working, generator))

    @abstractmethod
    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor: ...


class _Compiled(NoiseDistribution):
    """Noise that compiled code draws on the CPU."""

    _remedy: str

    @property
    @abstractmethod
    def _settings(self) -> str:
        """Names and values of its settings, for messages."""

    def check_type(self, dtype: torch.dtype) -> None:
        """Draws rounded to a floating type must be finite, and not all the same.

        Raises:
            ValueError: mean and deviation lie outside what the type holds.
        """
        kind, size = torch.finfo(dtype), abs(self.mean)
        deviation = math.sqrt(self.variance)
        if not (size + _REACH * deviation <= kind.max and deviation > kind.eps * max(size, kind.smallest_normal)):
            raise ValueError(
                f"{self._settings}; draws of mean {self.mean:.2g} and deviation {deviation:.2g} must be finite and differ "
                f"in {dtype}, which ends at {kind.max:.2g} and rounds to {kind.eps:.0g} of a number; {self._remedy}"
            )

    def _fill(self, values: Tensor, generator: torch.Generator | None) -> None:
        self.check_type(values.dtype)
        if values.device.type != "cpu":
            super()._fill(values, generator)
            return
        wide = values if values.dtype in (torch.float32, torch.float64) else values.double()
        key = int(torch.empty((), dtype=torch.int64, device=values.device).random_(generator=generator))
        self._fill_array(wide.numpy(), key, torch.get_num_threads())
        values.copy_(wide)

    @abstractmethod
    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        """Overwrites ``out``, ``(n,)`` float32 or float64, with draws that depend on the key and their places alone."""


class SumOfGammaNoiseDistribution(_Compiled):
    """``X = (1/k) [ sum_{i=1..s} Gamma(1/k, scale k/i) - log s ]``; k such draws add up to Gumbel(0, 1) as s grows.

    It is the noise for structures with k elements, such as paths of k tiles. Mean ``(H_s - log s)/k``, variance
    ``(1/k) sum_{i<=s} 1/i^2``. One gamma variate is drawn an element, whatever s is, with exactly the law of the series;
    the limit ``s = inf`` is exact to 1e-8 in the distribution function. Source: Niepert, Minervini, Franceschi 2021
    (arXiv 2106.01798), section 3.3, and :mod:`imle_core.noise.sum_of_gamma_law`.

    Args:
        k: number of draws that add up to a Gumbel variable: a typical size of the solver's solutions. Real, > 0.
        nb_iterations: truncation s of the series: a whole number >= 1, or ``math.inf``.
        device: where ``sample`` puts its draws when it is not told.

    Raises:
        ValueError: k or nb_iterations outside its range, a k whose draws float64 cannot hold, or a series of more gamma
            variables than :data:`.MOST_BLOCKS`. Narrower types are checked when they are drawn.

    >>> float(SumOfGammaNoiseDistribution(k=2.0, nb_iterations=1).variance)
    0.5
    """

    pure = True
    _remedy = "use about the size of a solution"

    def __init__(self, k: float, nb_iterations: float = 10, device: Device = None) -> None:
        checks.check_not_learned("k", k, "learn theta, whose scale does the same")
        if not (math.isfinite(k) and k > 0):
            raise ValueError(f"k: got {k!r}; it must be a finite number > 0; use about the size of a solution")
        checks.check_not_learned("nb_iterations", nb_iterations, "leave it out")
        if not (nb_iterations >= 1 and (math.isinf(nb_iterations) or nb_iterations == int(nb_iterations))):
            raise ValueError(f"nb_iterations: got {nb_iterations!r}; it must be a whole number >= 1, or math.inf")
        self.k, self.nb_iterations, self.device = float(k), nb_iterations, device
        self.mean, self.variance = sum_of_gamma_law.mean_and_variance(self.k, float(nb_iterations))
        self.check_type(torch.float64)
        sum_of_gamma_law.check_length(self.k, float(nb_iterations))

    @property
    def _settings(self) -> str:
        return f"k: got {self.k:g}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(k={self.k:g}, nb_iterations={self.nb_iterations:g})"

    def sample(
        self,
        shape: Sequence[int],
        *,
        dtype: torch.dtype | None = None,
        device: Device = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws a tensor of independent values; see :meth:`NoiseDistribution.sample`."""
        chosen = device if device is not None else self.device
        return super().sample(shape, dtype=dtype, device=chosen, generator=generator)

    def distribution_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` of one draw, by :func:`imle_core.noise.sum_of_gamma_law.distribution_function`."""
        points = np.asarray(x, dtype=np.float64)
        values = sum_of_gamma_law.distribution_function(self.k, float(self.nb_iterations), points.ravel())
        return values.reshape(points.shape)

    @property
    def lacks_score(self) -> str | None:
        """Why the law has no usable ``score``: s/k <= 1, or a series too long for one table."""
        return sum_of_gamma_score.lacking(self.k, float(self.nb_iterations))

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)``, by :mod:`imle_core.noise.sum_of_gamma_score`; its variance is infinite for s/k <= 2."""
        return sum_of_gamma_score.score(self.k, float(self.nb_iterations), x)

    def fold_distribution_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X_1 + ... + X_k <= x) = (1 - exp(-x)/s)^s`` for whole k: Gumbel(0, 1) in the limit of s.

        Derivation: the sum of s exponential variables with scales 1/i is the largest of s standard ones (Renyi 1953).

        Raises:
            ValueError: k is not a whole number.
        """
        if self.k != int(self.k):
            raise ValueError(f"k: got {self.k:g}; a k-fold sum needs a whole number; take the law of a single draw")
        decay = np.exp(-np.asarray(x, dtype=np.float64))
        if math.isinf(self.nb_iterations):
            return np.asarray(np.exp(-decay))
        with np.errstate(divide="ignore"):  # the logarithm of 0, below the least value
            return np.asarray(np.exp(self.nb_iterations * np.log1p(-np.minimum(decay / self.nb_iterations, 1.0))))

    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        sum_of_gamma_law.fill(out, self.k, float(self.nb_iterations), key, threads)

    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        first, *more = sum_of_gamma_law.blocks(self.k, float(self.nb_iterations))
        total = first.draw(count, device, dtype, generator)
        for block in more:
            total += block.draw(count, device, dtype, generator)
        return total


class _LocationScale(_Compiled):
    """``X = location + scale * Y`` with a standard variable Y, given by its mean, its variance and two functions."""

    _remedy = "use numbers near 1, and temperatures for the size of noise"
    _law: location_scale.Law
    _standard_mean: float
    _standard_variance: float

    def __init__(self, location: float = 0.0, scale: float = 1.0) -> None:
        for name, value in (("location", location), ("scale", scale)):
            checks.check_not_learned(name, value, "learn theta, whose place and scale do the same")
        if not math.isfinite(location):
            raise ValueError(f"location: got {location!r}; it must be finite")
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scale: got {scale!r}; it must be a finite number > 0; for no noise set temperatures to 0")
        self.location, self.scale = float(location), float(scale)
        self.mean = self.location + self.scale * self._standard_mean
        self.variance = self.scale * self.scale * self._standard_variance  # a power would raise where it overflows
        self.check_type(torch.float64)

    @property
    def _settings(self) -> str:
        return f"location, scale: got {self.location:g}, {self.scale:g}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(location={self.location:g}, scale={self.scale:g})"

    def distribution_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` at every entry of ``x``."""
        points = torch.from_numpy((np.asarray(x, dtype=np.float64) - self.location) / self.scale)
        return self._standard_distribution_function(points).numpy()

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)``."""
        return self._standard_score((x - self.location) / self.scale) / self.scale

    def reflected(self, x: Tensor) -> Tensor:
        """``F^-1(1 - F(x))``: the value as far from the other end of the law; of the same law as x."""
        return self._standard_reflected((x - self.location) / self.scale) * self.scale + self.location

    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        location_scale.fill(out, self._law, self.location, self.scale, key, threads)

    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        standard = self._draw_standard(torch.empty(count, dtype=dtype, device=device), generator)
        return standard.mul_(self.scale).add_(self.location)

    @abstractmethod
    def _standard_distribution_function(self, y: Tensor) -> Tensor: ...

    @abstractmethod
    def _standard_score(self, y: Tensor) -> Tensor: ...

    def _standard_reflected(self, y: Tensor) -> Tensor:
        return -y

    @abstractmethod
    def _draw_standard(self, empty: Tensor, generator: torch.Generator | None) -> Tensor: ...


class GumbelNoiseDistribution(_LocationScale):
    """Gumbel(location, scale): ``P(X <= x) = exp(-exp(-(x - location)/scale))``.

    With a solver that picks one of n, perturb-and-MAP at temperature tau then samples ``softmax(theta/tau)`` exactly
    (Papandreou and Yuille 2011). Draws lie -3.6 to 36.7 scales from the location: each tail ends where it holds 1e-16.

    Args:
        location: mode of the distribution.
        scale: scale, > 0; the variance is ``scale^2 pi^2/6``.

    Raises:
        ValueError: a location that is not finite, or a scale that is not finite and positive.
    """

    _law = "gumbel"
    _standard_mean = float(np.euler_gamma)
    _standard_variance = math.pi**2 / 6

    def _standard_distribution_function(self, y: Tensor) -> Tensor:
        return torch.exp(-torch.exp(-y))

    def _standard_score(self, y: Tensor) -> Tensor:
        return torch.expm1(-y)

    def _standard_reflected(self, y: Tensor) -> Tensor:
        # With E = exp(-y) exponential, the other one is -log(1 - exp(-E)); each form is exact where it is used.
        exponential = torch.exp(-y)
        small = -torch.log(-torch.expm1(-exponential))
        large = -torch.log1p(-torch.exp(-exponential))
        return -torch.log(torch.where(exponential < math.log(2), small, large))

    def _draw_standard(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        exponential = empty.exponential_(generator=generator)
        return exponential.log_().neg_()


class NormalNoiseDistribution(_LocationScale):
    """Normal(location, scale): ``P(X <= x) = Phi((x - location)/scale)``.

    Draws on the CPU lie within 8.6 scales of the location.

    Args:
        location: mean.
        scale: standard deviation, > 0.

    Raises:
        ValueError: a location that is not finite, or a scale that is not finite and positive.
    """

    _law = "normal"
    _standard_mean = 0.0
    _standard_variance = 1.0

    def _standard_distribution_function(self, y: Tensor) -> Tensor:
        values: Tensor = torch.special.ndtr(y)
        return values

    def _standard_score(self, y: Tensor) -> Tensor:
        return -y

    def _draw_standard(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        return empty.normal_(generator=generator)


class LogisticNoiseDistribution(_LocationScale):
    """Logistic(location, scale): ``P(X <= x) = 1/(1 + exp(-(x - location)/scale))``; a difference of two Gumbels.

    On a hypercube of independent bits, perturb-and-MAP at temperature tau samples each with ``sigmoid(theta/tau)``.
    Draws lie within 36.7 scales of the location: each tail ends where it holds 1e-16.

    Args:
        location: mean.
        scale: scale, > 0; the variance is ``scale^2 pi^2/3``.

    Raises:
        ValueError: a location that is not finite, or a scale that is not finite and positive.
    """

    _law = "logistic"
    _standard_mean = 0.0
    _standard_variance = math.pi**2 / 3

    def _standard_distribution_function(self, y: Tensor) -> Tensor:
        return torch.sigmoid(y)

    def _standard_score(self, y: Tensor) -> Tensor:
        return -torch.tanh(y / 2)

    def _draw_standard(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        # With E exponential, log(exp(E) - 1) is logistic; written so that neither tail overflows or cancels.
        exponential = empty.exponential_(generator=generator)
        values: Tensor = torch.log(-torch.expm1(-exponential)).add_(exponential)
        return values


class AntitheticNoiseDistribution(NoiseDistribution):
    """Pairs ``X, F^-1(1 - F(X))`` along the axis of samples: each of the same law as X, the two opposed to each other.

    Samples ``2i`` and ``2i + 1`` of an instance are a pair; of an odd number the last has no partner. The expectation of a
    mean over samples stays what it is. Its variance falls for what is nearly odd in the noise, such as the perturbed
    optimiser without a baseline, and can grow elsewhere: ``imle compare --antithetic`` measures that for a problem.

    Source: Hammersley and Morton 1956.

    Attributes:
        dependent_samples: 2, so that standard errors are taken over the means of pairs.

    Args:
        law: normal, logistic or Gumbel noise.

    Raises:
        ValueError: noise that is neither symmetric nor sampled by quantiles, such as Sum-of-Gamma.
    """

    pure = True
    dependent_samples = 2

    def __init__(self, law: NoiseDistribution) -> None:
        if not isinstance(law, _LocationScale):
            raise ValueError(
                f"law: got {law!r}; antithetic pairs need a law that is symmetric or drawn by its quantiles; use "
                "NormalNoiseDistribution(), LogisticNoiseDistribution() or GumbelNoiseDistribution()"
            )
        self.law, self.mean, self.variance = law, law.mean, law.variance

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.law!r})"

    def sample(
        self,
        shape: Sequence[int],
        *,
        dtype: torch.dtype | None = None,
        device: Device = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws ``(B, S, *event)``, in pairs along S; see :meth:`NoiseDistribution.sample`.

        Raises:
            ValueError: a shape without an axis of samples.
        """
        if len(shape) < 2:
            raise ValueError(f"shape: got {tuple(shape)}; antithetic pairs need (B, S, *event); S is the axis of samples")
        instances, samples, *event = shape
        halves = (instances, -(-samples // 2), *event)
        kind = dtype or torch.get_default_dtype()
        wide = torch.promote_types(kind, torch.float32)  # a reflection in float16 would lose the tails
        first = self.law.sample(halves, dtype=wide, device=device, generator=generator)
        pairs = torch.stack([first, self.law.reflected(first)], dim=2).to(kind)
        return pairs.view(instances, 2 * halves[1], *event)[:, :samples].contiguous()

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)`` of a single draw."""
        return self.law.score(x)

    def distribution_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` of a single draw."""
        return self.law.distribution_function(x)

    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        return self.law._draw(count, device, dtype, generator)
