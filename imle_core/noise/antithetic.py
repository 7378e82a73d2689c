"""Noise in antithetic pairs."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError
from imle_core.noise.distribution import Device, NoiseDistribution
from imle_core.noise.location_scale import LocationScaleNoise


class AntitheticNoiseDistribution(NoiseDistribution):
    """Pairs ``X, F^-1(1 - F(X))`` along the axis of samples: each distributed as X is, the two opposed to each other.

    Samples ``2i`` and ``2i + 1`` of an instance are a pair; of an odd number the last has no partner. The expectation of a
    mean over samples stays what it is. Its variance falls for what is nearly odd in the noise, such as the perturbed
    optimiser without a baseline, and can grow elsewhere: ``imle compare --antithetic`` measures that for a problem.

    Source: Hammersley and Morton 1956.

    Attributes:
        dependent_samples: 2, so that standard errors are taken over the means of pairs.

    Args:
        law: normal, logistic or Gumbel noise.

    Raises:
        ArgumentError: noise that is neither symmetric nor sampled by quantiles, such as Sum-of-Gamma.
    """

    pure = True
    dependent_samples = 2

    def __init__(self, law: NoiseDistribution) -> None:
        if not isinstance(law, LocationScaleNoise):
            raise ArgumentError(
                "law",
                repr(law),
                "antithetic pairs need a distribution that is symmetric or drawn by its quantiles",
                "use NormalNoiseDistribution(), LogisticNoiseDistribution() or GumbelNoiseDistribution()",
            )
        self.law: LocationScaleNoise = law
        self.mean, self.variance = law.mean, law.variance

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
            ArgumentError: a shape without an axis of samples.
        """
        if len(shape) < 2:
            raise ArgumentError(
                "shape", str(tuple(shape)), "antithetic pairs need (B, S, *event)", "S is the axis of samples"
            )
        kind = dtype or torch.get_default_dtype()
        first = self.law.sample(_halves(shape), dtype=_wide(kind), device=device, generator=generator)
        return self._pairs(first, shape, kind)

    def sample_ragged(
        self, shape: Sequence[int], sizes: NDArray[np.int64], keys: NDArray[np.int64], *, dtype: torch.dtype, device: Device
    ) -> Tensor:
        """Draws for instances of several sizes; see :class:`imle_core.contracts.RaggedNoise`."""
        first = self.law.sample_ragged(_halves(shape), sizes, keys, dtype=_wide(dtype), device=device)
        beyond = torch.arange(shape[2]) >= torch.from_numpy(sizes)[:, None]  # what is reflected there is no draw
        return self._pairs(first, shape, dtype).masked_fill_(
            beyond.view(shape[0], 1, shape[2], *[1] * (len(shape) - 3)).to(device), 0.0
        )

    def _pairs(self, first: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        pairs = torch.stack([first, self.law.reflected(first)], dim=2).to(dtype)
        return pairs.flatten(1, 2)[:, : shape[1]].contiguous()

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)`` of a single draw."""
        return self.law.score(x)

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` of a single draw."""
        return self.law.cdf(x)

    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor:
        return self.law._draw(count, device, dtype, generator)


def _halves(shape: Sequence[int]) -> tuple[int, ...]:
    """Shape of one of each pair, for pairs ``(B, S, *event)``."""
    instances, samples, *event = shape
    return instances, -(-samples // 2), *event


def _wide(dtype: torch.dtype) -> torch.dtype:
    """A type in which reflections lose no tails, as they would in float16."""
    return torch.promote_types(dtype, torch.float32)
