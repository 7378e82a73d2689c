"""Noise from the options."""

import math
from typing import Any

import torch

from imle_cli.messages import UsageError, worded
from imle_cli.options.inputs import NoiseName, NoiseOptions
from imle_core import (
    ArgumentError,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)

_USUAL_TERMS = 100
_LAWS: dict[NoiseName, type[GumbelNoiseDistribution | NormalNoiseDistribution | LogisticNoiseDistribution]] = {
    "gumbel": GumbelNoiseDistribution,
    "normal": NormalNoiseDistribution,
    "logistic": LogisticNoiseDistribution,
}


def noise_title(name: NoiseName) -> str:
    """A law's name in a picture."""
    return "no noise" if name == "none" else {"sum-of-gamma": "Sum-of-Gamma", "gumbel": "Gumbel"}.get(name, name) + " noise"


def in_words(law: NoiseDistribution) -> str:
    """A distribution for a reader, with its parameters; usual ones go without saying."""
    if isinstance(law, SumOfGammaNoiseDistribution):
        terms = "all" if law.nb_iterations == math.inf else f"{law.nb_iterations:g}"
        return f"Sum-of-Gamma noise, k {law.k:g}" + ("" if law.nb_iterations == _USUAL_TERMS else f", {terms} terms")
    for name, kind in _LAWS.items():
        if isinstance(law, kind):
            moved = "" if (law.location, law.scale) == (0, 1) else f", location {law.location:g}, scale {law.scale:g}"
            return noise_title(name) + moved
    return str(law)  # of a user's own


def law_values(law: NoiseDistribution, iterations: str = "") -> dict[str, Any]:
    """Parameters of Sum-of-Gamma noise, for JSON, which has no infinity; None of another law."""
    if not isinstance(law, SumOfGammaNoiseDistribution):
        return {"k": None, "iterations": None}
    return {"k": law.k, "iterations": iterations or ("inf" if law.nb_iterations == math.inf else law.nb_iterations)}


def make_law(options: NoiseOptions, default_k: float, consequence: str) -> NoiseDistribution:
    """The noise that the options name, without which there would be this consequence.

    Raises:
        UsageError: no noise, or as :func:`make_noise`.
    """
    law = make_noise(options, default_k)
    if law is None:
        raise UsageError(f"--noise: got none; {consequence}; choose a distribution")
    return law


def make_noise(options: NoiseOptions, default_k: float) -> NoiseDistribution | None:
    """The noise that the options name; None for no noise.

    Raises:
        UsageError: k or the truncation outside its range.
    """
    if options.noise == "sum-of-gamma":
        k = default_k if options.noise_k is None else options.noise_k
        if not k > 0:
            raise UsageError(f"--noise-k: got {k:g}; it must be a number > 0; use about the number of tiles on a path")
        return _sum_of_gamma(k, options.iterations)
    if options.noise_k is not None:
        raise UsageError(f"--noise-k: it belongs to --noise sum-of-gamma, not to {options.noise}; leave it out")
    return _LAWS[options.noise]() if options.noise in _LAWS else None


def _sum_of_gamma(k: float, iterations: float) -> NoiseDistribution:
    """Sum-of-Gamma noise that float32 can hold, in which parameters of commands are."""
    try:
        law = SumOfGammaNoiseDistribution(k, iterations)
        law.check_type(torch.float32)
    except ArgumentError as error:
        raise UsageError(worded(error, "--noise-k" if error.name == "k" else "--noise-iterations")) from None
    return law
