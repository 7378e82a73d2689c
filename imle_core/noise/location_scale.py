"""Gumbel, normal and logistic noise: ``location + scale * Y``, drawn by compiled code that threads share."""

import math
from abc import abstractmethod
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core import checks
from imle_core.concurrency import in_threads
from imle_core.noise.distribution import CompiledNoise

Law = Literal["gumbel", "normal", "logistic"]

_DRAWS_A_THREAD = 2**16


def fill(out: NDArray[np.floating], law: Law, location: float, scale: float, key: int, threads: int) -> None:
    """Overwrites ``out`` with draws that depend on ``key`` and their positions in it, not on the number of threads.

    Args:
        out: ``(n,)`` float32 or float64.
        law: what Y is.
        location: what is added to ``scale * Y``.
        scale: what multiplies Y.
        key: the seed of this array, 0 to 2^63 - 1; other keys give independent draws.
        threads: how many may share the work, if there is enough of it.
    """
    from imle_core.noise.kernels import location_scale as kernel  # here, since numba takes half a second to import

    draw = getattr(kernel, law)
    in_threads(
        lambda first, last: draw(out, first, last, key, location, scale),
        math.ceil(len(out) / kernel.STRIDE),
        min(threads, len(out) // _DRAWS_A_THREAD),
    )


def fill_instances(
    out: NDArray[np.floating],
    sizes: NDArray[np.int64],
    law: Law,
    location: float,
    scale: float,
    keys: NDArray[np.int64],
    threads: int,
) -> None:
    """Overwrites the first ``sizes[b]`` entries of the samples of each instance, as :func:`fill` does with ``keys[b]``.

    Args:
        out: ``(B, S, n)`` float32 or float64.
        sizes: ``(B,)``, at most n.
        law: as for :func:`fill`.
        location: likewise.
        scale: likewise.
        keys: ``(B,)`` seeds of the instances.
        threads: likewise.
    """
    from imle_core.noise.kernels import location_scale as kernel  # here, since numba takes half a second to import

    draw = getattr(kernel, f"{law}_of_instances")
    in_threads(
        lambda first, last: draw(out, sizes, first, last, keys, location, scale),
        len(out),
        min(threads, len(out), out.size // _DRAWS_A_THREAD),
    )


class LocationScaleNoise(CompiledNoise):
    """``X = location + scale * Y`` with a standard variable Y, given by its mean, its variance and two functions."""

    _remedy = "use numbers near 1, and temperatures for the size of noise"
    _law: Law
    _standard_mean: float
    _standard_variance: float

    def __init__(self, location: float = 0.0, scale: float = 1.0) -> None:
        for name, value in (("location", location), ("scale", scale)):
            checks.check_not_learned(name, value, "learn theta, whose place and scale do the same")
        if not math.isfinite(location):
            raise checks.ArgumentError("location", repr(location), "it must be finite", "the usual value is 0")
        checks.check_finite("scale", scale, "for no noise set temperatures to 0", positive=True)
        self.location, self.scale = float(location), float(scale)
        self.mean = self.location + self.scale * self._standard_mean
        self.variance = self.scale * self.scale * self._standard_variance  # a power would raise where it overflows
        self.check_type(torch.float64)

    @property
    def _settings(self) -> tuple[str, str]:
        return "location, scale", f"{self.location:g}, {self.scale:g}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(location={self.location:g}, scale={self.scale:g})"

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` at every entry of ``x``."""
        points = torch.from_numpy((np.asarray(x, dtype=np.float64) - self.location) / self.scale)
        return self._standard_distribution_function(points).numpy()

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)``."""
        return self._standard_score((x - self.location) / self.scale) / self.scale

    def reflected(self, x: Tensor) -> Tensor:
        """``F^-1(1 - F(x))``: the value as far from the other end of the distribution; distributed as x is."""
        return self._standard_reflected((x - self.location) / self.scale) * self.scale + self.location

    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        fill(out, self._law, self.location, self.scale, key, threads)

    def _fill_instances(
        self, out: NDArray[np.floating], sizes: NDArray[np.int64], keys: NDArray[np.int64], threads: int
    ) -> None:
        fill_instances(out, sizes, self._law, self.location, self.scale, keys, threads)

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


class GumbelNoiseDistribution(LocationScaleNoise):
    """Gumbel(location, scale): ``P(X <= x) = exp(-exp(-(x - location)/scale))``.

    With a solver that picks one of n, perturb-and-MAP at temperature tau then samples ``softmax(theta/tau)`` exactly
    (Papandreou and Yuille 2011). Draws lie -3.6 to 36.7 scales from the location: each tail ends where it holds 1e-16.

    Args:
        location: mode of the distribution.
        scale: scale, > 0; the variance is ``scale^2 pi^2/6``.

    Raises:
        ArgumentError: a location that is not finite, or a scale that is not finite and positive.
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


class NormalNoiseDistribution(LocationScaleNoise):
    """Normal(location, scale): ``P(X <= x) = Phi((x - location)/scale)``.

    Draws on the CPU lie within 8.6 scales of the location.

    Args:
        location: mean.
        scale: standard deviation, > 0.

    Raises:
        ArgumentError: a location that is not finite, or a scale that is not finite and positive.
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


class LogisticNoiseDistribution(LocationScaleNoise):
    """Logistic(location, scale): ``P(X <= x) = 1/(1 + exp(-(x - location)/scale))``; a difference of two Gumbels.

    On a hypercube of independent bits, perturb-and-MAP at temperature tau samples each with ``sigmoid(theta/tau)``.
    Draws lie within 36.7 scales of the location: each tail ends where it holds 1e-16.

    Args:
        location: mean.
        scale: scale, > 0; the variance is ``scale^2 pi^2/3``.

    Raises:
        ArgumentError: a location that is not finite, or a scale that is not finite and positive.
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
