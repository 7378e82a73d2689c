"""A ladder of temperatures: samples at each of them under the same noise, so that nothing but the temperature differs."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imle_cli.problems.problem import Masks, Problem
from imle_cli.problems.sampling import Sampling

_FACTORS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
_FEWER, _FEWEST = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0), (0.0, 0.3, 1.0, 3.0)
_MANY, _TOO_MANY = 2**23, 2**26  # entries of all samples at a temperature
_KEPT, _KEPT_ENTRIES, _LEAST_KEPT = 100, 2**20, 16


@dataclass(frozen=True)
class Rung:
    """Samples at a temperature.

    Attributes:
        temperature: of the noise.
        counts: in how many samples each entry is chosen, ``(*event)``.
        kept: the first samples, ``(K, *event)``.
        distinct: number of different samples among all.
        clamped: share of the entries whose cost was clamped to the solver's domain.
    """

    temperature: float
    counts: NDArray[np.int64]
    kept: Masks
    distinct: int
    clamped: float


def ladder(sampling: Sampling, entries: int) -> list[float]:
    """Temperatures from low to high: that of the sampling, and as long as it is no work without end, others around it.

    Args:
        sampling: the sampling that was asked for; without noise its temperature is the only one.
        entries: entries of a sample.
    """
    asked = sampling.input_temp
    if sampling.law is None:
        return [asked]
    work = entries * sampling.samples
    factors = _FACTORS if work <= _MANY else _FEWER if work <= _TOO_MANY else _FEWEST
    around = (float(f"{factor * (asked or 1.0):.6g}") for factor in factors)  # 0.3, not 0.30000000000000004
    return sorted({asked, *(temperature for temperature in around if temperature <= max(1e9, asked))})


def climb(problem: Problem, sampling: Sampling, temperatures: list[float], advance: Callable[[int], None]) -> Iterator[Rung]:
    """Samples at each of the temperatures; ``advance`` is told how many are drawn, of all temperatures together."""
    entries = problem.numbers.size
    kept = min(sampling.samples, _KEPT, max(_LEAST_KEPT, _KEPT_ENTRIES // entries))
    for number, temperature in enumerate(temperatures):
        before = number * sampling.samples
        yield _rung(problem, replace(sampling, input_temp=temperature), kept, lambda done: advance(before + done))  # noqa: B023


def _rung(problem: Problem, sampling: Sampling, kept: int, advance: Callable[[int], None]) -> Rung:
    """Samples at the sampling's temperature; the problem's own solver counts none of them."""
    quiet = replace(problem, solver=copy.copy(problem.solver))
    counts, first, seen, done = np.zeros(problem.numbers.shape, dtype=np.int64), [], set[int](), 0
    for states in sampling.stream(quiet):
        chosen = states != 0
        counts += chosen.sum(axis=0)
        first.append(chosen[: max(0, kept - done)])
        seen.update(hash(np.packbits(mask).tobytes()) for mask in chosen)  # 64 bits: of any two, alike by chance never
        done += len(states)
        advance(done)
    return Rung(sampling.input_temp, counts, np.concatenate(first), len(seen), quiet.clamped_share)
