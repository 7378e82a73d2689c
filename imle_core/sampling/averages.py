"""Perturb-and-MAP marginals: how often each entry is chosen, streamed, with standard errors."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.checks import Record
from imle_core.contracts import Noise
from imle_core.sampling.grouped_samples import GroupedSamples
from imle_core.sampling.samples import check_sampling

_BLOCK_ENTRIES = 2**15
_CHUNK_ENTRIES = 2**21


@dataclass(frozen=True, repr=False)
class Marginals(Record):
    """Sample means and their standard errors after ``nb_samples`` samples.

    Attributes:
        mean: ``mean_s z_s``, ``(B, *event)``, float64.
        standard_error: of the mean, ``(B, *event)``, float64: ``sqrt(sum_s (z_s - mean)^2 / (S (S-1)))``; where samples
            depend on one another in groups, the same over the means of groups. Where all samples agree, Wilson's
            ``1.96 / (S + 1.96^2)``, about 2/S, in place of 0; see :class:`.GroupedSamples`.
            NaN for a single sample; 0 for several without noise, which are known to be the same, and where theta is -inf,
            which is never chosen.
        nb_samples: S.
        first_state: the first sample, ``(B, *event)``, in theta's type.
    """

    mean: Tensor
    standard_error: Tensor
    nb_samples: int
    first_state: Tensor


def marginals(
    solver: Callable[[Tensor], Any],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1000,
    temperature: float = 1.0,
    seed: int = 0,
    chunk_size: int | None = None,
) -> Marginals:
    """Marginals ``E[MAP(theta + tau * eps)]`` by the mean of S samples; see :func:`stream_marginals`.

    >>> from imle_core import GumbelNoiseDistribution
    >>> from imle_core.solvers import TopK
    >>> marginals(TopK(1), torch.zeros(1, 2), GumbelNoiseDistribution(), nb_samples=4).mean.sum().item()
    1.0
    """
    records = stream_marginals(
        solver,
        theta,
        noise_distribution,
        nb_samples=nb_samples,
        temperature=temperature,
        seed=seed,
        chunk_size=chunk_size,
    )
    return deque(records, maxlen=1).pop()


def stream_marginals(
    solver: Callable[[Tensor], Any],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1000,
    temperature: float = 1.0,
    seed: int = 0,
    chunk_size: int | None = None,
) -> Iterator[Marginals]:
    """Running marginals: one record after each call of the solver, over all samples so far.

    Arguments and errors are those of :func:`stream_samples`.

    Memory does not grow with the number of samples. A noise whose samples of one draw ``(B, S, *event)`` depend on one
    another says so by an attribute ``dependent_samples``: the size of the groups along S within which they do, 2 for pairs,
    ``math.inf`` for the whole draw. Without it they are taken to be independent.
    """
    checks.check_theta(theta)
    is_random = noise_distribution is not None and temperature > 0
    group = dependent_samples(noise_distribution)
    spread = GroupedSamples(theta, group)
    total, count, first_state = theta.new_zeros(theta.shape, dtype=torch.float64), 0, theta
    chunks = stream_samples(
        solver,
        theta,
        noise_distribution,
        nb_samples=nb_samples,
        temperature=temperature,
        seed=seed,
        chunk_size=chunk_size,
    )
    for states in chunks:
        if count == 0:
            first_state = states[:, 0].clone()
        for block in states.split(block_size(theta), dim=1):
            for half in _halves(block, group):
                total += half.sum(dim=1, dtype=torch.float64)
                spread.add(half)
        count += states.shape[1]
        mean = total / count
        error = spread.standard_error(mean, count)
        if count > 1:
            is_known = (theta == -math.inf) & (mean == 0) if is_random else torch.ones_like(mean, dtype=torch.bool)
            error.masked_fill_(is_known, 0.0)
        yield Marginals(mean, error, count, first_state)


def stream_samples(
    solver: Callable[[Tensor], Any],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1000,
    temperature: float = 1.0,
    seed: int = 0,
    chunk_size: int | None = None,
) -> Iterator[Tensor]:
    """Samples ``z_s = MAP(theta + tau * eps_s)`` in chunks ``(B, n, *event)``, each of one call of the solver.

    Noise is drawn in blocks of a size that depends on theta's shape alone, each from its own generator, seeded by (seed,
    number of the block). So the samples depend neither on ``chunk_size`` nor on threads, and the first samples of a longer
    run are the samples of a shorter one.

    Args:
        solver: ``(N, *event) -> (N, *event)``, maximises; further outputs are left aside.
        theta: parameters, ``(B, *event)``.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S >= 1, for each of the B instances.
        temperature: tau >= 0.
        seed: whole number >= 0.
        chunk_size: samples of each instance in one call of the solver, rounded up to whole blocks; by memory if None.

    Raises:
        ArgumentError: an argument outside its range, or a wrong shape of noise or solution.
        ArgumentTypeError: parameters or solutions of a wrong type.
    """
    check_sampling(solver, theta, nb_samples, temperature)
    checks.check_seed("seed", seed)
    checks.check_samples("chunk_size", 1 if chunk_size is None else chunk_size)
    theta, block, noise = theta.detach(), block_size(theta), noise_distribution if temperature > 0 else None
    chunk = -(-(chunk_size or max(1, _CHUNK_ENTRIES // max(1, theta.numel()))) // block) * block
    parameters = theta.unsqueeze(1).repeat(1, min(chunk, -(-nb_samples // block) * block), *[1] * (theta.dim() - 1))
    for start in range(0, nb_samples, chunk):
        stop = min(start + chunk, nb_samples)
        if noise is not None:
            for offset in range(0, stop - start, block):
                generator = _block_generator(seed, (start + offset) // block, theta.device)
                eps = contracts.draw_noise(noise, theta, block, generator, solver)
                noisy = parameters[:, offset : offset + block]
                for added, out in zip(_halves(eps), _halves(noisy), strict=True):
                    torch.add(theta.unsqueeze(1), added.mul_(temperature), out=out)
        rows = parameters[:, : stop - start]
        contracts.check_noise_fits(rows, theta.unsqueeze(1))
        yield contracts.map_states(solver, rows, fresh=noise is not None)  # each chunk writes noisy rows anew


def dependent_samples(noise: Noise | None) -> float:
    """Number of samples of a noise that depend on one another: 1 for none, 2 for pairs, infinite for a whole draw.

    Raises:
        ArgumentError: an attribute of the noise that says something else.
    """
    count: float = getattr(noise, "dependent_samples", 1)
    remedy, verb = "use 1 for independent samples, 2 for pairs", f"{type(noise).__name__}.dependent_samples is"
    checks.check_whole_or_infinite("noise_distribution", count, remedy, verb)
    return count


def block_size(theta: Tensor) -> int:
    """Number of samples of an instance whose noise is drawn at once."""
    return max(1, _BLOCK_ENTRIES // max(1, theta.numel()))


def _halves(block: Tensor, group: float = 1) -> tuple[Tensor, ...]:
    """A block of samples ``(B, n, *event)`` in two parts of whole groups, if it has several groups.

    Torch works with its threads from 2^15 entries on, as many as a block has. Where other processes have the cores, to wait
    for these threads takes several times as long as the work.
    """
    count = block.shape[1]
    if count <= group:
        return (block,)
    half = math.ceil(count / 2 / group) * int(group)
    return block.split([half, count - half], dim=1) if half < count else (block,)


def _block_generator(seed: int, block: int, device: torch.device) -> torch.Generator:
    word = np.random.SeedSequence([seed, block]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(word))
