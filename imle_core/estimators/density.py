"""Demands on noise of estimators that differentiate its density."""

from typing import Any

from torch import Tensor

from imle_core.checks import ArgumentError
from imle_core.noise import AntitheticNoiseDistribution


def check_density(noise: Any, who: str) -> None:
    """The noise must have a density that can be differentiated: a method ``score``, ``d/dx log p(x)``.

    Raises:
        ArgumentError: no noise, or noise without such a density.
    """
    if noise is None:
        raise ArgumentError("noise_distribution", "None", f"{who} needs noise", "use GumbelNoiseDistribution() for instance")
    reason = getattr(noise, "lacks_score", None) if hasattr(noise, "score") else "it has no method score"
    if reason:
        raise ArgumentError(
            "noise_distribution",
            repr(noise),
            f"{who} needs the gradient of its density, but {reason}",
            "use NormalNoiseDistribution() or GumbelNoiseDistribution()",
        )


def check_leave_one_out(noise: Any, nb_samples: int) -> None:
    """A baseline from the other samples needs others, which must be independent.

    Raises:
        ArgumentError: a single sample, or antithetic pairs.
    """
    if nb_samples < 2:
        raise ArgumentError("nb_samples", "1", "the baseline 'leave-one-out' needs 2 or more", "use another baseline")
    if isinstance(noise, AntitheticNoiseDistribution):
        raise ArgumentError(
            "noise_distribution",
            repr(noise),
            "the baseline 'leave-one-out' needs independent samples, or it is biased",
            "use another baseline, or noise without pairs",
        )


def relative_gradient(noise: Any, eps: Tensor | None, temperature: float) -> Tensor:
    """``-score(eps) / tau``: the gradient by theta of ``log p`` of the perturbed parameters, ``(B, S, *event)``.

    Derivation: ``theta + tau eps = x`` has density ``p((x - theta)/tau) / tau^n``, whose logarithm has this gradient.

    Raises:
        ArgumentError: temperature 0.
    """
    if eps is None or temperature == 0:
        raise ArgumentError(
            "input_noise_temperature",
            "0",
            "a gradient through the noise's density needs a temperature > 0",
            "use 1 for a start",
        )
    slope: Tensor = -noise.score(eps) / temperature
    return slope
