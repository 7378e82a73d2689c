"""Whole solutions by how often they are sampled, streamed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core import checks
from imle_core.contracts import Noise
from imle_core.records import Record
from imle_core.sampling.averages import block_size, dependent_samples, stream_samples
from imle_core.sampling.grouped_samples import bound_of_agreement

_CAPACITY = 2**16


@dataclass(frozen=True, repr=False)
class DistinctSolutions(Record):
    """Solutions of one instance, each once, the most frequent first; equally frequent ones as they first appeared.

    Attributes:
        solutions: ``(K, *event)``, in theta's type.
        shares: of the samples that each is, ``(K,)``, float64.
        standard_errors: of the shares, ``(K,)``, float64: for independent samples ``sqrt(p (1-p) / (S-1))``; where samples
            depend on one another in groups, of groups, as those of :class:`.Marginals`. Where all samples agree, Wilson's
            bound in place of 0; NaN for a single sample; 0 for several without noise.
        nb_samples: S.
    """

    solutions: Tensor
    shares: Tensor
    standard_errors: Tensor
    nb_samples: int


def distinct_solutions(
    solver: Callable[[Tensor], Tensor],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1000,
    temperature: float = 1.0,
    seed: int = 0,
    chunk_size: int | None = None,
    most: int | None = None,
    capacity: int = _CAPACITY,
) -> list[DistinctSolutions]:
    """Different solutions among S samples ``z_s = MAP(theta + tau * eps_s)`` with their shares, a record an instance.

    The samples are those of :func:`~imle_core.stream_samples`, whose arguments and errors these are. Memory does not grow
    with their number: at most ``capacity`` solutions of an instance are kept at a time. If there are more, every solution
    with a share above ``1 / capacity`` is among those kept, and a second pass over the samples, which are drawn again,
    counts them. Shares and standard errors are exact either way.

    Args:
        solver: ``(N, *event) -> (N, *event)``, maximises.
        theta: parameters, ``(B, *event)``.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S >= 1, for each of the B instances.
        temperature: tau >= 0.
        seed: whole number >= 0.
        chunk_size: samples of each instance in one call of the solver; by memory if None.
        most: number of solutions of each instance in the result, >= 1; all that were kept if None.
        capacity: number of solutions of an instance that are kept, >= 1.

    Raises:
        ArgumentError: an argument outside its range, or a wrong shape of noise or solution.

    Sources: Misra, Gries 1982, "Finding repeated elements", for the bound; Agarwal et al. 2012, "Mergeable summaries", for
    counting chunk by chunk.

    >>> from imle_core.solvers import TopK
    >>> record, = distinct_solutions(TopK(1), torch.tensor([[0.0, 2.0]]), nb_samples=3)
    >>> record.solutions.tolist(), record.shares.tolist()
    ([[0.0, 1.0]], [1.0])
    """
    checks.check_whole("capacity", capacity, 1, "a solution is what is counted")
    checks.check_whole("most", 1 if most is None else most, 1, "leave it out for all")

    def chunks() -> Iterator[Tensor]:
        return stream_samples(
            solver,
            theta,
            noise_distribution,
            nb_samples=nb_samples,
            temperature=temperature,
            seed=seed,
            chunk_size=chunk_size,
        )

    group = dependent_samples(noise_distribution)
    tallies = _counted(chunks(), theta, group, [_Tally(capacity) for _ in theta])
    if any(tally.overran for tally in tallies):
        tallies = _counted(chunks(), theta, group, [_Tally(capacity, tally.numbers) for tally in tallies])
    is_random = noise_distribution is not None and temperature > 0
    return [tally.record(theta[0], nb_samples, most, is_random) for tally in tallies]


def _counted(chunks: Iterator[Tensor], theta: Tensor, group: float, tallies: list["_Tally"]) -> list["_Tally"]:
    size = block_size(theta)
    for states in chunks:
        groups = _groups(states.shape[1], size, group)
        for tally, samples in zip(tallies, states, strict=True):
            tally.add(samples.flatten(1).double().numpy(force=True), groups)
    return tallies


def _groups(count: int, block: int, group: float) -> NDArray[np.int64]:
    """Numbers, from 0, of the groups of dependent samples that a chunk of whole blocks consists of, ``(count,)``."""
    size = int(min(group, block))
    block_number, offset = np.divmod(np.arange(count), block)
    return np.asarray(block_number * -(-block // size) + offset // size)


@dataclass
class _Tally:
    """Counts of an instance's solutions.

    Attributes:
        capacity: number of solutions to keep.
        only: the solutions to count, if not all.
        overran: whether there were more than could be kept, so that counts are too small.
        numbers: position of each solution in the arrays, by its key, in the order of appearance.
        sums: over groups, of ``t_g`` (how often it is among the group's samples), ``t_g^2`` and ``n_g t_g``, ``(K, 3)``.
        sizes: over groups, of 1 and ``n_g^2``.
    """

    capacity: int
    only: dict[bytes, int] | None = None
    overran: bool = False
    numbers: dict[bytes, int] = field(default_factory=dict)
    sums: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))

    def add(self, samples: NDArray[np.float64], groups: NDArray[np.int64]) -> None:
        """Takes in samples ``(n, entries)``, each of the group of such a number."""
        sizes = np.bincount(groups)
        self.sizes += np.array([len(sizes), np.square(sizes).sum()])
        keys, which = _keys(samples)
        pairs, times = np.unique(which * len(sizes) + groups, return_counts=True)
        key, group = np.divmod(pairs, len(sizes))
        sums = np.zeros((len(keys), 3), np.int64)
        np.add.at(sums, key, np.stack([times, times**2, sizes[group] * times], axis=1))
        if self.only is not None:
            known = [number for number, name in enumerate(keys) if name in self.only]
            keys, sums = [keys[number] for number in known], sums[known]
        positions = np.array([self.numbers.setdefault(name, len(self.numbers)) for name in keys], np.int64)
        self.sums = np.concatenate([self.sums, np.zeros((len(self.numbers) - len(self.sums), 3), np.int64)])
        self.sums[positions] += sums
        if len(self.numbers) > self.capacity:
            self._forget()

    def _forget(self) -> None:
        """Lowers all counts by the largest that is one too many, and leaves out those that are then 0."""
        self.overran = True
        counts = self.sums[:, 0]
        counts -= np.partition(counts, -self.capacity - 1)[-self.capacity - 1]
        kept = np.flatnonzero(counts > 0)
        names = list(self.numbers)
        self.numbers = {names[old]: new for new, old in enumerate(kept.tolist())}
        self.sums = self.sums[kept]

    def record(self, like: Tensor, nb_samples: int, most: int | None, is_random: bool) -> DistinctSolutions:
        """Solutions in the type and shape of a tensor, and their shares of so many samples."""
        counts = self.sums[:, 0]
        order = np.argsort(-counts, kind="stable")[:most]
        count, squares, products = self.sums[order].astype(np.float64).T
        shares = count / nb_samples
        groups, squared_sizes = self.sizes.tolist()
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = squares - 2 * shares * products + shares**2 * squared_sizes
            errors = np.sqrt(np.maximum(spread, 0) * groups / (groups - 1)) / nb_samples
        errors[count == nb_samples] = bound_of_agreement(groups)
        if groups == 1:
            errors[:] = math.nan
        if nb_samples > 1 and not is_random:
            errors[:] = 0.0
        names = list(self.numbers)
        entries = [_solution(names[number], like.numel()) for number in order.tolist()]
        solutions = torch.from_numpy(np.array(entries, np.float64).reshape(len(entries), *like.shape)).to(like)
        return DistinctSolutions(solutions, torch.from_numpy(shares), torch.from_numpy(errors), nb_samples)


def _keys(samples: NDArray[np.float64]) -> tuple[list[bytes], NDArray[np.int64]]:
    """Different rows as bytes, in the order of appearance, and which of them each row is.

    A row of zeros and ones is eight entries a byte, any other the bytes of its numbers, which are more.
    """
    is_set = ((samples == 0) | (samples == 1)).all(axis=1)
    names, which, firsts = list[bytes](), np.zeros(len(samples), np.int64), list[int]()
    for rows, kind in ((np.packbits(samples != 0, axis=1), is_set), ((samples + 0.0).view(np.uint8), ~is_set)):
        numbers = np.flatnonzero(kind)
        if len(numbers):
            different, first, inverse = _different(rows[numbers])
            which[numbers] = len(names) + inverse
            names += different
            firsts += numbers[first].tolist()
    order = np.argsort(firsts)
    return [names[number] for number in order.tolist()], np.argsort(order)[which]


def _different(rows: NDArray[np.uint8]) -> tuple[list[bytes], NDArray[np.int64], NDArray[np.int64]]:
    """Rows without repetition, where each first appears, and which of them each row is."""
    if rows.shape[1] == 0:
        return [b""], np.zeros(1, np.int64), np.zeros(len(rows), np.int64)
    whole = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}")[:, 0]
    different, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return [name.tobytes() for name in different], first, inverse


def _solution(name: bytes, entries: int) -> NDArray[Any]:
    """A row of so many entries for its bytes."""
    if len(name) == -(-entries // 8):
        return np.unpackbits(np.frombuffer(name, np.uint8), count=entries)
    return np.frombuffer(name, np.float64)
