"""Noise from the options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from imle_cli.errors import UsageError, worded
from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import NoiseName, NoiseOptions, check_temperature
from imle_core import (
    ArgumentError,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)


@dataclass(frozen=True)
class Sampling:
    """The drawing of samples.

    Attributes:
        law: the noise; None for none.
        noise: its name.
        input_temp: its temperature.
        samples: number of samples.
        seed: seed of the noise.
    """

    law: NoiseDistribution | None
    noise: NoiseName
    input_temp: float
    samples: int
    seed: int

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of ``imle_core``'s streams after the noise."""
        return {"nb_samples": self.samples, "temperature": self.input_temp, "seed": self.seed}

    @property
    def title(self) -> str:
        """Its name in a picture."""
        return f"{noise_title(self.noise)} at temperature {self.input_temp:g}" if self.law else "no noise"

    @property
    def values(self) -> dict[str, Any]:
        """Values that identify it, for JSON."""
        return {"noise": self.noise, "input_temp": self.input_temp, "samples": self.samples, "seed": self.seed}

    @property
    def line(self) -> tuple[str, str]:
        """A line that identifies it, for a reader."""
        return "noise", f"{self.law} at temperature {self.input_temp:g}, seed {self.seed}" if self.law else "none"


def noise_title(name: NoiseName) -> str:
    """A law's name in a picture."""
    return "no noise" if name == "none" else {"sum-of-gamma": "Sum-of-Gamma", "gumbel": "Gumbel"}.get(name, name) + " noise"


def read_sampling(options: NoiseOptions, default_k: float, input_temp: float, samples: int, seed: int) -> Sampling:
    """How to sample, with ``default_k`` for the k of Sum-of-Gamma noise unless the options have one.

    Raises:
        UsageError: a number of samples, a temperature, or a parameter of the noise outside its range.
    """
    check_at_least("--samples", samples, 1, "use 1000 for a first look")
    check_temperature("--input-temp", input_temp)
    return Sampling(make_noise(options, default_k), options.noise, input_temp, samples, seed)


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
