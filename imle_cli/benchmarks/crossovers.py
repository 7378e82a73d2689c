"""Crossovers of the grid engine on this machine: how much work is solved as soon in one way as in the other.

Each is a number of ``imle_core.solvers.grid.tuning.Tuning``. Both ways are forced by tunings of their own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from imle_cli.benchmarks.measurement import on_threads
from imle_cli.benchmarks.paths import noisy_maps
from imle_cli.benchmarks.rounds import in_rounds
from imle_core.solvers import GridPath, Tuning

_NEVER = 2**62  # more maps, tiles or groups than there are
_USED = Tuning()
_ONE_BY_ONE = _USED._replace(small_tiles=0, medium_tiles=0)
_SIDE_BY_SIDE = _USED._replace(small_tiles=_NEVER, fewest_small=0)
_SCALED = _SIDE_BY_SIDE._replace(lanes=_USED.lanes._replace(near_tie_maps=0, probed_groups=_NEVER))


@dataclass(frozen=True)
class Crossover:
    """Work at which two ways take as long.

    Attributes:
        number: field of ``Tuning``, or what else decides.
        subject: what was measured.
        measured: the crossover, or None if the second way was never sooner.
        in_use: the number in use, or None if the second way is never taken.
    """

    number: str
    subject: str
    measured: float | None
    in_use: float | None


def fewest_side_by_side(seed: int, *, sides: Sequence[int] = (8, 16, 32, 64, 96, 128)) -> Iterator[Crossover]:
    """Maps one by one that take as long as a full vector of them side by side, by size, on one thread."""
    lanes = _lanes()
    for side in sides:
        maps = noisy_maps(side, lanes, seed)
        with on_threads(1):
            alone, together = _typical(_solve(_ONE_BY_ONE, maps), _solve(_SIDE_BY_SIDE, maps))
        number, in_use = "medium_tiles", None
        if side**2 <= _USED.small_tiles:
            number, in_use = "fewest_small", float(_USED.fewest_small)
        elif side**2 <= _USED.medium_tiles:
            number, in_use = "fewest_medium", float(_USED.fewest_medium)
        measured = lanes * together / alone
        yield Crossover(number, f"maps of {side}x{side}", measured if measured <= lanes else None, in_use)


def tiles_a_thread(
    seed: int,
    *,
    side: int = 16,
    counts: Sequence[int] = (64, 128, 256, 512, 1024, 2048),
    counts_one_by_one: Sequence[int] = (4, 8, 16, 32, 64, 128, 256),
) -> Iterator[Crossover]:
    """Tiles to a thread from which on two threads are sooner than one, side by side and one by one."""
    apart = _SIDE_BY_SIDE._replace(tiles_a_thread=_NEVER), _SIDE_BY_SIDE._replace(tiles_a_thread=1)
    measured = _sooner_shared(*apart, side, counts, seed)
    yield Crossover("tiles_a_thread", f"maps of {side}x{side} side by side", measured, float(_USED.tiles_a_thread))
    apart = (
        _ONE_BY_ONE._replace(tiles_a_thread_one_by_one=_NEVER),
        _ONE_BY_ONE._replace(tiles_a_thread_one_by_one=1),
    )
    measured, in_use = _sooner_shared(*apart, side, counts_one_by_one, seed), float(_USED.tiles_a_thread_one_by_one)
    yield Crossover("tiles_a_thread_one_by_one", f"maps of {side}x{side} one by one", measured, in_use)


def scaled_and_exact(seed: int, *, side: int = 16, groups: int = 8) -> Iterator[Crossover]:
    """Maps one by one that take as long as a vector by exact labels; share of maps that scaled labels may leave to these.

    Every map is a near tie, so that scaled labels leave it, on one thread. If they left a larger share than the second
    number, exact labels would have been sooner from the start; in use, most of the maps.
    """
    lanes = _lanes()
    maps = _near_ties(side, groups * lanes, seed)
    ways = _ONE_BY_ONE, _SCALED._replace(fewest_left=0), _SCALED._replace(fewest_left=_NEVER)
    with on_threads(1):
        alone, with_exact, without = _typical(*(_solve(way, maps, moves=4) for way in ways))
    scaled = max(0.0, without - alone)
    exact = max(0.0, with_exact - scaled)
    subject = f"near ties of {side}x{side}"
    yield Crossover("fewest_left", subject, lanes * exact / alone, float(_USED.fewest_left))
    yield Crossover("share left", subject, 1 - scaled / exact if scaled < exact else None, 0.5)


CROSSOVERS: tuple[Callable[[int], Iterator[Crossover]], ...] = (fewest_side_by_side, tiles_a_thread, scaled_and_exact)
"""Each takes a seed."""


def _sooner_shared(serial: Tuning, shared: Tuning, side: int, counts: Sequence[int], seed: int) -> float | None:
    """Tiles to each of two threads, the fewest of those tried from which on both together are sooner than one."""
    maps, fewest = noisy_maps(side, max(counts), seed), None
    for count in sorted(counts, reverse=True):
        with on_threads(2):
            slow, fast = _typical(_solve(serial, maps[:count]), _solve(shared, maps[:count]))
        if fast >= slow:
            break
        fewest = count * side**2 / 2
    return fewest


def _typical(*runs: Callable[[], Tensor]) -> list[float]:
    """Seconds of each way, by turns."""
    rounds = in_rounds(*runs)
    return [rounds.seconds(number).value for number in range(len(runs))]


def _solve(tuning: Tuning, maps: Tensor, moves: int = 8) -> Callable[[], Tensor]:
    return partial(GridPath(moves, tuning=tuning), maps)


def _lanes() -> int:
    """Maps in a vector."""
    from imle_core.kernels.vectors import LANES  # here, since numba takes half a second to import

    return LANES


def _near_ties(side: int, count: int, seed: int) -> Tensor:
    """Minus costs that differ by a few last places of float64, so that with 4 moves paths tie: ``(count, side, side)``."""
    steps = torch.randint(0, 4, (count, side, side), generator=torch.Generator().manual_seed(seed))
    return -(1.1 + steps.double() * 2.0**-51)
