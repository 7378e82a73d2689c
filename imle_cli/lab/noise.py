"""Draws of a noise beside its exact law, ready to be pictured and reported."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.problems.noise import in_words
from imle_core import GumbelNoiseDistribution, NoiseDistribution, SumOfGammaNoiseDistribution, kolmogorov_smirnov

Floats = NDArray[np.float64]
Law = Callable[[Floats], Floats]

_DRAWS_AT_ONCE = 2**22
_MOST_FOLDED = 2**20  # draws in a sum


@dataclass(frozen=True)
class DrawnNoise:
    """Values and what they are to be compared with.

    Attributes:
        title: what was drawn.
        curve: name of the density.
        fold: how many draws add up to one value.
        values: ``(S,)`` values.
        exact_mean: mean of the exact law.
        exact_variance: variance of the exact law.
        exact: distribution function of the exact law.
        shown: distribution function of the law whose density goes into the picture: for k-fold sums their limit.
    """

    title: str
    curve: str
    fold: int
    values: Floats
    exact_mean: float
    exact_variance: float
    exact: Law
    shown: Law

    @property
    def statistic(self) -> float | None:
        """Kolmogorov-Smirnov statistic of the values against the exact law; None where that cannot be computed."""
        try:
            return kolmogorov_smirnov(self.values, self.exact)
        except ValueError:
            return None

    def histogram(self, bins: int) -> tuple[Floats, Floats | None]:
        """Edges ``(bins + 1,)`` around all but a thousandth of the values, and the density shown, averaged over each bar.

        The density is None where it cannot be computed.
        """
        low, high = np.quantile(self.values, [0.0005, 0.9995])
        margin = 0.05 * (high - low) or 0.5
        edges = np.linspace(low - margin, high + margin, bins + 1)
        try:
            return edges, np.diff(self.shown(edges)) / np.diff(edges)
        except ValueError:
            return edges, None


def draw_noise(
    law: NoiseDistribution, samples: int, seed: int, device: torch.device, advance: Callable[[int], None]
) -> DrawnNoise:
    """Draws ``samples`` values: for Sum-of-Gamma with a whole k of up to 2^20 sums of k draws, else single draws.

    Args:
        law: what to draw from.
        samples: number of values.
        seed: seed of the generator.
        device: where to draw.
        advance: is told how many values are done.
    """
    generator = torch.Generator(device).manual_seed(seed)
    summed = law if isinstance(law, SumOfGammaNoiseDistribution) and law.k <= _MOST_FOLDED and law.k == int(law.k) else None
    fold = 1 if summed is None else int(summed.k)
    values, chunk_size = torch.empty(samples, dtype=torch.float64), max(1, _DRAWS_AT_ONCE // fold)
    for chunk in values.split(chunk_size):
        shape = (len(chunk), fold)
        chunk.copy_(law.sample(shape, dtype=torch.float64, device=device, generator=generator).sum(dim=1))
        advance(chunk.storage_offset() + len(chunk))
    exact, shown, curve, title = law.cdf, law.cdf, "exact density", in_words(law)
    if summed is not None:
        exact, curve = summed.fold_distribution_function, "Gumbel(0, 1)"
        shown = GumbelNoiseDistribution().cdf
        title = f"Sum of {fold} draw{'s' if fold > 1 else ''} of Sum-of-Gamma noise, {summed.nb_iterations:g} terms each"
    return DrawnNoise(title, curve, fold, values.numpy(), fold * law.mean, fold * law.variance, exact, shown)
