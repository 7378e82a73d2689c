"""Speeds of cheapest paths as people call them: in a script of their own, amid work of torch, and beside other processes.

All of it is measured in a process that imports the library and sets nothing, where torch's threads wait for work awake.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from time import perf_counter

import torch
from torch import Tensor

from imle_cli.benchmarks.measurement import Row, threads_in_words
from imle_cli.benchmarks.paths import Kind, every_rival, noisy_maps
from imle_cli.benchmarks.processes import run_script
from imle_cli.benchmarks.rivals import installed, one_by_one, prepare_sample
from imle_cli.benchmarks.rounds import After, Estimate, in_rounds
from imle_core.solvers import GridPath

_ALONE = "GridPath, call after call"
_WORK = 0.02  # seconds of other work
_SCRIPT = (
    "import sys; from imle_cli.benchmarks import situations;"
    "situations.print_rows(getattr(situations, sys.argv[1])(*map(int, sys.argv[2:])))"
)
_BUSY = (
    "import time; end = time.monotonic() + 60\nwhile time.monotonic() < end: pass"  # ends, whatever becomes of its parent
)


def calls_in_a_script(_: torch.device, seed: int, *, counts: Sequence[int] = (1600, 70)) -> Iterator[Row]:
    """Calls amid work and beside a process, of batches of so many maps."""
    return _in_a_script("calls", seed, *counts)


def sizes_in_a_script(_: torch.device, seed: int, *, count: int = 1600) -> Iterator[Row]:
    """Calls after calls, of maps of other sizes and kinds, against scipy."""
    return _in_a_script("sizes", seed, count)


def calls(seed: int, *counts: int) -> Iterator[Row]:
    """Rows of :func:`amid_work` and :func:`beside_a_process`, of batches of so many noisy maps of 16x16."""
    for count in counts:
        theta = noisy_maps(16, count, seed)
        yield from amid_work(theta)
        yield from beside_a_process(theta)


def sizes(seed: int, count: int) -> Iterator[Row]:
    """Rows against scipy, of batches of so many maps."""
    kinds: tuple[tuple[Kind, int], ...] = ("noisy built-in", 12), ("noisy built-in", 32), ("uniform random", 32)
    for kind, side in kinds:
        yield from every_rival(None, seed, kind=kind, side=side, dtype=torch.float32, count=count, names=("scipy",))


def print_rows(rows: Iterable[Row]) -> None:
    """Prints a line of JSON for each row."""
    for row in rows:
        print(json.dumps(asdict(row)))


def _in_a_script(function: str, *numbers: int) -> Iterator[Row]:
    """Rows of a function of this module, in a process of its own."""
    for line in run_script(_SCRIPT, function, *numbers).splitlines():
        values = json.loads(line)
        subject, ratio = f"{values['subject']}, in a script", values["ratio"] and Estimate(**values["ratio"])
        yield Row(**{**values, "subject": subject, "figure": Estimate(**values["figure"]), "ratio": ratio})


def amid_work(theta: Tensor) -> Iterator[Row]:
    """A call after a call, after work of torch and of the caller, and with one thread, by turns; after these, scipy."""
    call = partial(GridPath(), theta)
    images, filters = torch.zeros(16, 3, 96, 96), torch.zeros(16, 3, 5, 5)
    befores: dict[str, Callable[[], object]] = {
        "after an operation of torch": partial(torch.exp, torch.zeros(2**19)),
        "after a convolution": partial(torch.conv2d, images, filters),
        f"after {1000 * _WORK:.0f} ms of other work": _work,
    }
    solves = prepare_sample(installed()["scipy"], -theta.numpy())
    threads = torch.get_num_threads()
    again, alone = (After(partial(_set_threads, number), call) for number in (threads, 1))
    afters = [After(before, call) for before in befores.values()]
    rounds = in_rounds(again, *afters, alone, partial(one_by_one, solves), patience=1.5)
    torch.set_num_threads(threads)
    count, subject = len(theta), _subject(theta)
    ours, scipy = rounds.seconds(0).rate(count), len(afters) + 2
    yield Row(subject, "scipy", rounds.seconds(scipy).rate(len(solves)), "maps/s")
    yield Row(subject, _ALONE, ours, "maps/s", rounds.ratio(scipy, 0).times(count / len(solves)), "scipy")
    for number, name in enumerate([*befores, "one thread"], 1):
        figure = rounds.seconds(number).rate(count)
        yield Row(subject, f"GridPath, {name}", figure, "maps/s", rounds.ratio(0, number), _ALONE)


def beside_a_process(theta: Tensor) -> Iterator[Row]:
    """On all threads while another process keeps a processor busy, against one thread and scipy beside the same."""
    threads, call = torch.get_num_threads(), partial(GridPath(), theta)
    solves = prepare_sample(installed()["scipy"], -theta.numpy())
    with busy_process():
        rounds = in_rounds(
            *(After(partial(_set_threads, number), call) for number in (threads, 1)),
            partial(one_by_one, solves),
            patience=1.5,
        )
    torch.set_num_threads(threads)
    subject, count, means = f"{_subject(theta)}, beside a busy process", len(theta), f"GridPath, {threads_in_words(threads)}"
    ours = rounds.seconds(0).rate(count)
    yield Row(subject, "scipy", rounds.seconds(2).rate(len(solves)), "maps/s")
    yield Row(subject, means, ours, "maps/s", rounds.ratio(2, 0).times(count / len(solves)), "scipy")
    yield Row(subject, "GridPath, one thread alone", rounds.seconds(1).rate(count), "maps/s")
    yield Row(subject, means, ours, "maps/s", rounds.ratio(1, 0), "GridPath, one thread alone")


@contextmanager
def busy_process() -> Iterator[None]:
    """Another process that never waits."""
    process = subprocess.Popen([sys.executable, "-c", _BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _subject(theta: Tensor) -> str:
    return f"{len(theta):,} noisy built-in maps of 16x16"


def _set_threads(count: int) -> None:
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)


def _work() -> None:
    """Work of the caller that leaves torch alone."""
    end = perf_counter() + _WORK
    while perf_counter() < end:
        pass
