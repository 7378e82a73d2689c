"""Time of a map against its side, the number of maps in a call, and threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch

from imle_cli.benchmarks.measurement import on_threads, threads_in_words
from imle_cli.benchmarks.paths import random_maps
from imle_cli.benchmarks.rivals import installed, one_by_one, prepare_sample
from imle_cli.benchmarks.rounds import Estimate, in_rounds
from imle_cli.figures.scaling_curve import ScalingCurve
from imle_core.solvers import GridPath

_TILES = 2**16  # in a call, so that what a call costs itself is no part of the time of a small map


def by_side(
    seed: int, *, sides: Sequence[int] = (8, 16, 32, 64, 128, 256, 512), side_of_networkx: int = 128
) -> list[ScalingCurve]:
    """Time of a square map on one thread; networkx only up to a side that it can do in a second."""
    points: dict[str, list[tuple[int, Estimate]]] = {"GridPath": [], "scipy": [], "networkx": []}
    prepares = installed()
    for side in sides:
        theta = random_maps(side, max(1, _TILES // side**2), seed)
        rivals = ["scipy", "networkx"][: 2 if side <= side_of_networkx else 1]
        with on_threads(1):
            samples = [prepare_sample(prepares[name], -theta.numpy()) for name in rivals]
            seconds = _typical(partial(GridPath(), theta), *(partial(one_by_one, solves) for solves in samples))
        counts = [len(theta), *map(len, samples)]
        for name, taken, number in zip(["GridPath", *rivals], seconds, counts, strict=True):
            points[name].append((side, taken.times(1 / number)))
    subject, against = "square maps, one thread", "side of a map in tiles"
    return [_curve(subject, against, name, curve) for name, curve in points.items() if curve]


def by_batch(seed: int, *, batches: Sequence[int] = (1, 4, 16, 64, 256, 1024, 4096), side: int = 16) -> list[ScalingCurve]:
    """Time of a map among more and more in a call, on all of torch's threads; scipy takes them one by one, on one.

    Of scipy, as many maps as fit into a turn stand for all.
    """
    theta = random_maps(side, max(batches), seed)
    solves = prepare_sample(installed()["scipy"], -theta.numpy())
    ours, theirs = [], []
    for batch in batches:
        few = solves[:batch]
        fast, slow = _typical(partial(GridPath(), theta[:batch]), partial(one_by_one, few))
        ours.append((batch, fast.times(1 / batch)))
        theirs.append((batch, slow.times(1 / len(few))))
    subject = f"{side}x{side} tiles, GridPath on {threads_in_words(torch.get_num_threads())}"
    return [_curve(subject, "maps in a call", name, curve) for name, curve in (("GridPath", ours), ("scipy", theirs))]


def by_threads(seed: int, *, counts: Sequence[int] | None = None, maps: int = 1024, side: int = 32) -> list[ScalingCurve]:
    """Time of a map on 1, 2, 4, ... threads up to the number of processors; scipy is called from as many of Python's.

    Of scipy, as many maps as fit into a turn stand for all.
    """
    theta = random_maps(side, maps, seed)
    solves = prepare_sample(installed()["scipy"], -theta.numpy())
    ours, theirs = [], []
    for count in counts or _doubling(os.cpu_count() or 1):
        with on_threads(count), ThreadPoolExecutor(count) as pool:
            shares = [solves[thread::count] for thread in range(count)]
            fast, slow = _typical(partial(GridPath(), theta), lambda: [*pool.map(one_by_one, shares)])  # noqa: B023
        ours.append((count, fast.times(1 / maps)))
        theirs.append((count, slow.times(1 / len(solves))))
    subject = f"{maps:,} maps of {side}x{side} tiles"
    return [_curve(subject, "threads", name, curve) for name, curve in (("GridPath", ours), ("scipy", theirs))]


def _typical(*runs: Callable[[], object]) -> list[Estimate]:
    """Seconds of each, by turns; a point of a curve gets half of a figure's time."""
    rounds = in_rounds(*runs, patience=0.5)
    return [rounds.seconds(number) for number in range(len(runs))]


def _doubling(limit: int) -> list[int]:
    return [*(2**power for power in range(limit.bit_length()) if 2**power < limit), limit]


def _curve(subject: str, against: str, means: str, points: Sequence[tuple[int, Estimate]]) -> ScalingCurve:
    values, times = zip(*points, strict=True)
    intervals = tuple(None if time.low is None else (time.low, time.high) for time in times)
    return ScalingCurve(subject, against, means, values, tuple(time.value for time in times), intervals)
