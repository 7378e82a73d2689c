"""What estimators that differentiate the density of the noise ask of it."""

from typing import Any

from torch import Tensor

from imle_core.noise import AntitheticNoiseDistribution


def check_density(noise: Any, who: str) -> None:
    """The noise must have a density that can be differentiated: a method ``score``, ``d/dx log p(x)``.

    Raises:
        ValueError: no noise, or noise without such a density.
    """
    if noise is None:
        raise ValueError(f"noise_distribution: got None; {who} needs noise; use GumbelNoiseDistribution() for instance")
    reason = getattr(noise, "lacks_score", None) if hasattr(noise, "score") else "it has no method score"
    if reason:
        raise ValueError(
            f"noise_distribution: got {noise!r}; {who} needs the gradient of its density, but {reason}; use "
            "NormalNoiseDistribution() or GumbelNoiseDistribution()"
        )


def check_leave_one_out(noise: Any, nb_samples: int) -> None:
    """A baseline from the other samples needs others, which must be independent.

    Raises:
        ValueError: a single sample, or antithetic pairs.
    """
    if nb_samples < 2:
        raise ValueError("nb_samples: got 1; the baseline 'leave-one-out' needs 2 or more; use another baseline")
    if isinstance(noise, AntitheticNoiseDistribution):
        raise ValueError(
            f"noise_distribution: got {noise!r}; the baseline 'leave-one-out' needs independent samples, or it is biased; "
            "use another baseline, or noise without pairs"
        )


def relative_gradient(noise: Any, eps: Tensor | None, temperature: float) -> Tensor:
    """``-score(eps) / tau``: the gradient by theta of ``log p`` of the perturbed parameters, ``(B, S, *event)``.

    Derivation: ``theta + tau eps = x`` has density ``p((x - theta)/tau) / tau^n``, whose logarithm has this gradient.

    Raises:
        ValueError: temperature 0.
    """
    if eps is None or temperature == 0:
        raise ValueError(
            "input_noise_temperature: got 0; a gradient through the noise's density needs a temperature > 0; use 1 for a "
            "start"
        )
    slope: Tensor = -noise.score(eps) / temperature
    return slope
