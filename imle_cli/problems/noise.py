"""Noise from the options."""

from collections.abc import Callable

import torch

from imle_cli.errors import UsageError, worded
from imle_cli.options.inputs import NoiseName, NoiseOptions
from imle_core import (
    ArgumentError,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)


def noise_title(name: NoiseName) -> str:
    """A law's name in a picture."""
    return "no noise" if name == "none" else {"sum-of-gamma": "Sum-of-Gamma", "gumbel": "Gumbel"}.get(name, name) + " noise"


def make_noise(options: NoiseOptions, default_k: float) -> NoiseDistribution | None:
    """The noise that the options name; None for no noise.

    Raises:
        UsageError: k or the truncation outside its range.
    """
    if options.noise == "sum-of-gamma":
        k = default_k if options.noise_k is None else options.noise_k
        if not k > 0:
            raise UsageError(f"--noise-k: got {k:g}; it must be > 0; use about the number of tiles on a path")
        return _sum_of_gamma(k, options.iterations)
    if options.noise_k is not None:
        raise UsageError(f"--noise-k: it belongs to --noise sum-of-gamma, not to {options.noise}; leave it out")
    others: dict[str, Callable[[], NoiseDistribution]] = {
        "gumbel": GumbelNoiseDistribution,
        "normal": NormalNoiseDistribution,
        "logistic": LogisticNoiseDistribution,
    }
    return others[options.noise]() if options.noise in others else None


def _sum_of_gamma(k: float, iterations: float) -> NoiseDistribution:
    """Sum-of-Gamma noise that float32 can hold, in which parameters of commands are."""
    try:
        law = SumOfGammaNoiseDistribution(k, iterations)
        law.check_type(torch.float32)
    except ArgumentError as error:
        raise UsageError(worded(error, "--noise-k" if error.name == "k" else "--noise-iterations")) from None
    return law
