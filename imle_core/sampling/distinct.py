"""Whole solutions by how often they are sampled, streamed."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core import checks
from imle_core.checks import Record
from imle_core.contracts import Noise
from imle_core.sampling.averages import block_size, dependent_samples, stream_samples
from imle_core.sampling.grouped_samples import bound_of_agreement
from imle_core.sampling.sketch import Sketch

_CAPACITY = 2**16
_Encoded: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]


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
        nb_distinct: number of different solutions among the samples; None where there were too many to be kept.
        left_out: share that no solution which is not in the record exceeds: 0 if it has all of them. So the solutions whose
            share is larger are surely the most frequent ones.
    """

    solutions: Tensor
    shares: Tensor
    standard_errors: Tensor
    nb_samples: int
    nb_distinct: int | None
    left_out: float


def distinct_solutions(
    solver: Callable[[Tensor], Any],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1000,
    temperature: float = 1.0,
    seed: int = 0,
    chunk_size: int | None = None,
    most: int | None = None,
    capacity: int = _CAPACITY,
    observe: Callable[[int], None] | None = None,
) -> list[DistinctSolutions]:
    """Different solutions among S samples ``z_s = MAP(theta + tau * eps_s)`` with their shares, a record an instance.

    The samples are those of :func:`~imle_core.stream_samples`, whose arguments and errors these are. Memory does not grow
    with their number: twice ``capacity`` solutions of an instance are kept at most. If there are more, a first pass
    bounds how often each occurs, by counters of which some solutions share one, and a second pass over the samples, which
    are drawn again, counts those of the highest bounds. Shares and standard errors are exact either way, and ``left_out``
    says how frequent the others are at most.

    Args:
        solver: ``(N, *event) -> (N, *event)``, maximises.
        theta: parameters, ``(B, *event)``.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S >= 1, for each of the B instances.
        temperature: tau >= 0.
        seed: whole number >= 0.
        chunk_size: samples of each instance in one call of the solver; by memory if None.
        most: number of solutions of each instance in the result, >= 1; all that were kept if None.
        capacity: number of solutions of an instance that are kept in the end, >= 1.
        observe: is called with the number of samples drawn; a second pass begins anew.

    Raises:
        ArgumentError: an argument outside its range, or a wrong shape of noise or solution.

    >>> from imle_core.solvers import TopK
    >>> record, = distinct_solutions(TopK(1), torch.tensor([[0.0, 2.0]]), nb_samples=3)
    >>> record.solutions.tolist(), record.shares.tolist()
    ([[0.0, 1.0]], [1.0])
    """
    checks.check_theta(theta)
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
    tallies = [_Tally(capacity) for _ in theta]
    _count(chunks(), theta, group, dict(enumerate(tallies)), observe)
    again = {number: tally for number, tally in enumerate(tallies) if tally.sketch is not None}
    if again:
        for tally in again.values():
            tally.begin_again()
        _count(chunks(), theta, group, again, observe)
        for tally in again.values():
            tally.leave_out()
    is_random = noise_distribution is not None and temperature > 0
    return [tally.record(theta[0], nb_samples, most, is_random) for tally in tallies]


def _count(
    chunks: Iterator[Tensor],
    theta: Tensor,
    group: float,
    tallies: dict[int, "_Tally"],
    observe: Callable[[int], None] | None,
) -> None:
    """Takes the samples of some instances, by their numbers, into their tallies."""
    size, done = block_size(theta), 0
    for states in chunks:
        groups = _groups(states.shape[1], size, group)
        for number, tally in tallies.items():
            tally.add(states[number].flatten(1).double().numpy(force=True), groups)
        done += states.shape[1]
        if observe is not None:
            observe(done)


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
        sketch: bounds of all counts, from when there were more solutions than could be kept; None before.
        bounding: whether samples go into the sketch, not into the counts.
        numbers: position of each solution in the arrays, by its key, in the order of appearance.
        sums: over groups, of ``t_g`` (how often it is among the group's samples), ``t_g^2`` and ``n_g t_g``, ``(K, 3)``.
        sizes: over groups, of 1 and ``n_g^2``.
        excluded: bound of a solution up to which no further one is kept, -1 while there is room for any.
    """

    capacity: int
    sketch: Sketch | None = None
    bounding: bool = False
    numbers: dict[bytes, int] = field(default_factory=dict)
    sums: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    excluded: int = -1

    def begin_again(self) -> None:
        """Gets ready to count the same samples a second time, those of the highest bounds."""
        self.bounding, self.sizes = False, np.zeros(2, np.int64)

    def add(self, samples: NDArray[np.float64], groups: NDArray[np.int64]) -> None:
        """Takes in samples ``(n, entries)``, each of the group of such a number."""
        sizes = np.bincount(groups)
        self.sizes += np.array([len(sizes), np.square(sizes).sum()])
        encoded = list(_encoded(samples))
        if self.sketch is None:
            self._add_sums(encoded, groups, sizes)
            if len(self.numbers) > self.capacity:
                self._begin_bounds()
        elif self.bounding:
            for rows, _ in encoded:
                self.sketch.add(rows)
        else:
            are_high = [self.sketch.bounds(rows) >= self.excluded for rows, _ in encoded]
            high = [(rows[chosen], which[chosen]) for (rows, which), chosen in zip(encoded, are_high, strict=True)]
            self._add_sums(high, groups, sizes)
            if len(self.numbers) > 2 * self.capacity:  # not each time, since it takes a while
                self.leave_out()

    def _add_sums(self, encoded: list[_Encoded], groups: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
        """Adds what groups of such sizes have of solutions to the sums of these."""
        keys, which, samples = _keys(encoded)
        pairs, times = np.unique(which * len(sizes) + groups[samples], return_counts=True)
        key, group = np.divmod(pairs, len(sizes))
        sums = np.zeros((len(keys), 3), np.int64)
        np.add.at(sums, key, np.stack([times, times**2, sizes[group] * times], axis=1))
        if self.excluded >= 0:
            bounds = self._bounds_of(keys)
            taken = [n for n, name in enumerate(keys) if bounds[n] > self.excluded or name in self.numbers]
            keys, sums = [keys[n] for n in taken], sums[taken]
        positions = np.array([self.numbers.setdefault(name, len(self.numbers)) for name in keys], np.int64)
        self.sums = np.concatenate([self.sums, np.zeros((len(self.numbers) - len(self.sums), 3), np.int64)])
        self.sums[positions] += sums

    def _begin_bounds(self) -> None:
        """Makes bounds of the counts, and goes on with bounds alone."""
        self.sketch, self.bounding = Sketch(self.capacity), True
        for rows, which in _rows(self.numbers):
            self.sketch.add(rows, self.sums[which, 0])
        self.numbers, self.sums = {}, np.zeros((0, 3), np.int64)

    def leave_out(self) -> None:
        """Keeps no more solutions than it may: those of the highest bounds, of equal ones those that appeared first."""
        if len(self.numbers) <= self.capacity:
            return
        names = list(self.numbers)
        bounds = self._bounds_of(names)
        kept = np.sort(np.argsort(-bounds, kind="stable")[: self.capacity])
        self.excluded = int(bounds[kept].min())
        self.numbers = {names[old]: new for new, old in enumerate(kept.tolist())}
        self.sums = self.sums[kept]

    def _bounds_of(self, names: Sequence[bytes]) -> NDArray[np.int64]:
        assert self.sketch is not None
        bounds = np.zeros(len(names), np.int64)
        for rows, which in _rows(names):
            bounds[which] = self.sketch.bounds(rows)
        return bounds

    def record(self, like: Tensor, nb_samples: int, most: int | None, is_random: bool) -> DistinctSolutions:
        """Solutions in the type and shape of a tensor, and their shares of so many samples."""
        counts = self.sums[:, 0]
        ranking = np.argsort(-counts, kind="stable")
        order, further = ranking[:most], counts[ranking[most:]] if most is not None else counts[:0]
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
        different = len(counts) if self.sketch is None else None
        left_out = max(int(further.max(initial=0)), self.excluded, 0) / nb_samples
        return DistinctSolutions(
            solutions, torch.from_numpy(shares), torch.from_numpy(errors), nb_samples, different, left_out
        )


def _encoded(samples: NDArray[np.float64]) -> Iterator[_Encoded]:
    """Samples as rows of bytes and their numbers: first those of zeros and ones, eight entries a byte, then any other.

    These take the bytes of their numbers, which are more.
    """
    is_set = ((samples == 0) | (samples == 1)).all(axis=1)
    yield np.packbits(samples[is_set] != 0, axis=1), np.flatnonzero(is_set)
    if not is_set.all():
        yield (samples[~is_set] + 0.0).view(np.uint8), np.flatnonzero(~is_set)


def _rows(names: Iterable[bytes]) -> Iterator[_Encoded]:
    """Names of each length as rows of bytes, and their numbers."""
    numbers = dict[int, list[int]]()
    listed = list(names)
    for number, name in enumerate(listed):
        numbers.setdefault(len(name), []).append(number)
    for length, which in numbers.items():
        content = b"".join(listed[number] for number in which)
        yield np.frombuffer(content, np.uint8).reshape(len(which), length), np.array(which)


def _keys(encoded: list[_Encoded]) -> tuple[list[bytes], NDArray[np.int64], NDArray[np.int64]]:
    """Different rows as bytes, in the order of appearance; and of all rows, which of these each is, and its number."""
    names, firsts, which, samples = list[bytes](), list[int](), list[NDArray[np.int64]](), list[NDArray[np.int64]]()
    for rows, numbers in encoded:
        if len(numbers):
            different, first, inverse = _different(rows)
            which.append(len(names) + inverse)
            samples.append(numbers)
            names += different
            firsts += numbers[first].tolist()
    if not names:
        return [], np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(firsts)
    return [names[number] for number in order.tolist()], np.argsort(order)[np.concatenate(which)], np.concatenate(samples)


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
