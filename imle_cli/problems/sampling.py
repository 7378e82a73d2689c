"""Samples of a problem under noise: how they are drawn, and what is told of them."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import NoiseName, NoiseOptions, check_temperature
from imle_cli.problems.noise import in_words, make_noise, noise_title
from imle_cli.problems.problem import Floats, Lines, Masks, Problem, Sampled
from imle_core import NoiseDistribution, stream_marginals, stream_samples

_LOOKED_AT = 100  # samples at most, of which a typical one is shown
_ENTRIES = 2**22  # of these samples, at most


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

    def title_of(self, problem: Problem) -> str:
        """Title of a picture of samples of the problem."""
        return f"{problem.title}: {self.samples:,} {problem.solutions} under {self.title}"

    @property
    def values(self) -> dict[str, Any]:
        """Values that identify it, for JSON."""
        return {"noise": self.noise, "input_temp": self.input_temp, "samples": self.samples, "seed": self.seed}

    @property
    def line(self) -> tuple[str, str]:
        """A line that identifies it, for a reader."""
        if self.law is None:
            return "noise", "none"
        return "noise", f"{in_words(self.law)}, temperature {self.input_temp:g}, seed {self.seed}"

    def stream(self, problem: Problem) -> Iterator[Masks]:
        """Samples ``(C, *event)``, chunk by chunk."""
        for states in stream_samples(problem.solver, problem.theta, self.law, **self.settings):
            yield states[0].cpu().numpy()

    def draw(self, problem: Problem, advance: Callable[[int], None]) -> Masks:
        """All samples ``(S, *event)``; ``advance`` is told how many are drawn."""
        masks, done = np.empty((self.samples, *problem.theta.shape[1:]), dtype=np.uint8), 0
        for states in self.stream(problem):
            masks[done : done + len(states)] = states
            done += len(states)
            advance(done)
        return masks

    def measure(self, problem: Problem, advance: Callable[[int], None]) -> Sampled:
        """Marginals, and of the first samples the typical one; ``advance`` is told of how many samples."""
        for record in stream_marginals(problem.solver, problem.theta, self.law, **self.settings):
            advance(record.nb_samples)
        probability, error = (row[0].cpu().numpy() for row in (record.mean, record.standard_error))
        return Sampled(self._typical(problem, probability), probability, error, self.samples)

    def _typical(self, problem: Problem, probability: Floats) -> Masks:
        """The sample that differs from the others in the fewest entries on average; the problem's own solver counts none."""
        few = replace(self, samples=max(1, min(self.samples, _LOOKED_AT, _ENTRIES // max(1, probability.size))))
        first = few.draw(replace(problem, solver=copy.copy(problem.solver)), lambda _: None)
        distances = np.array([np.abs(mask - probability).sum() for mask in first])
        typical: Masks = first[np.argmin(distances.round(9))]
        return typical


def read_sampling(options: NoiseOptions, default_k: float, input_temp: float, samples: int, seed: int) -> Sampling:
    """The sampling that is asked for, with ``default_k`` for the k of Sum-of-Gamma noise unless the options have one.

    Raises:
        UsageError: a number of samples, a temperature, or a parameter of the noise outside its range.
    """
    check_at_least("--samples", samples, 1, "use 1000 for a first look")
    check_temperature("--input-temp", input_temp)
    return Sampling(make_noise(options, default_k), options.noise, input_temp, samples, seed)


def facts_of_samples(problem: Problem, masks: Masks) -> tuple[dict[str, Any], Lines]:
    """Sizes, sums and number of different samples ``(S, *event)``, for JSON and for a reader."""
    words, distinct = problem.words, len({mask.tobytes() for mask in masks})
    sizes = masks.reshape(len(masks), -1).sum(axis=1, dtype=np.int64)
    totals = np.array([problem.total(mask) for mask in masks])
    values = {
        "distinct": distinct,
        f"{words.extent}s": sizes.tolist(),
        f"{words.measure}s": [total if math.isfinite(total) else None for total in totals.tolist()],
    }
    return values, [
        ("samples", f"{len(masks)}, {distinct} distinct"),
        (words.extent, _range(sizes, words.things)),
        (words.measure, f"{_range(totals)} (under the unperturbed {words.numbers})"),
    ]


def _range(values: NDArray[Any], things: str = "") -> str:
    """Smallest and largest of numbers, and their mean; or the one that all of them are."""
    low, high = (f"{value:.6g} {things}".strip() for value in (values.min(), values.max()))
    if low == high:
        return low
    return f"{values.min():.6g} to {high}, mean {values.mean():.6g}"


def facts_of_marginals(problem: Problem, sampled: Sampled) -> tuple[dict[str, Any], Lines]:
    """Certainty and expected sums of marginals, for JSON and for a reader."""
    words, expected, cost = problem.words, float(sampled.probability.sum()), problem.total(sampled.probability)
    values = {
        "max_standard_error": None if sampled.count == 1 else float(sampled.error.max()),
        f"expected_{words.extent}": expected,
        f"expected_{words.measure}": cost if math.isfinite(cost) else None,
    }
    return values, [
        ("samples", f"{sampled.count}, {_certainty(sampled, words.things)}"),
        (f"expected {words.extent}", f"{expected:.6g} {words.things}"),
        (f"expected {words.measure}", f"{cost:.6g} (under the unperturbed {words.numbers})"),
    ]


def _certainty(sampled: Sampled, things: str) -> str:
    """Certainty of the marginals, in words."""
    if sampled.count == 1:
        return "largest standard error unknown"
    largest = float(sampled.error.max())
    if largest == 0:
        return "all the same without noise"
    alike = ((sampled.probability == 0) | (sampled.probability == 1)) & (sampled.error > 0)
    if not alike.any():
        return f"largest standard error {largest:.2g}"
    where = f"the {alike.sum()} of {alike.size} {things} on which all samples agree"
    return f"largest standard error {largest:.2g}; {sampled.error[alike].max():.2g} on {where}"
