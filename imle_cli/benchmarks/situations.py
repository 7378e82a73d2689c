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
    """Calls against scipy; then a call after a call against one after work of torch and of the caller, and on one thread.

    A turn of these situations is a single call. In longer turns, those with more work between calls would have fewer calls,
    which interruptions would spare more often.
    """
    call, threads, images = partial(GridPath(), theta), torch.get_num_threads(), torch.zeros(16, 3, 96, 96)
    subject, count = f"{len(theta):,} noisy built-in maps of 16x16", len(theta)
    solves = prepare_sample(installed()["scipy"], -theta.numpy())
    rounds = in_rounds(call, partial(one_by_one, solves))
    yield Row(subject, "scipy", rounds.seconds(1).rate(len(solves)), "maps/s")
    ours, ratio = rounds.seconds(0).rate(count), rounds.ratio(1, 0).times(count / len(solves))
    yield Row(subject, f"GridPath, {threads_in_words(threads)}", ours, "maps/s", ratio, "scipy")
    befores: dict[str, Callable[[], object]] = {
        _ALONE: partial(_on_threads, threads, call),
        "GridPath, after an operation of torch": partial(torch.exp, torch.zeros(2**19)),
        "GridPath, after a convolution": partial(torch.conv2d, images, torch.zeros(16, 3, 5, 5)),
        f"GridPath, after {1000 * _WORK:.0f} ms of other work": _work,
        "GridPath, one thread": partial(_on_threads, 1, call),
    }
    rounds = in_rounds(*(After(before, call) for before in befores.values()), patience=2.0, turn=0.0)
    torch.set_num_threads(threads)
    yield Row(subject, _ALONE, rounds.seconds(0).rate(count), "maps/s")
    for number, name in list(enumerate(befores))[1:]:
        yield Row(subject, name, rounds.seconds(number).rate(count), "maps/s", rounds.ratio(0, number), _ALONE)


def beside_a_process(theta: Tensor) -> Iterator[Row]:
    """On all threads while another process keeps a processor busy, against one thread and scipy beside the same."""
    call, threads = partial(GridPath(), theta), torch.get_num_threads()
    solves = prepare_sample(installed()["scipy"], -theta.numpy())
    with busy_process():
        ways = (After(partial(_on_threads, number), call) for number in (threads, 1))
        rounds = in_rounds(*ways, partial(one_by_one, solves), patience=1.5)
    torch.set_num_threads(threads)
    subject, count = f"{len(theta):,} noisy built-in maps of 16x16, beside a busy process", len(theta)
    ours, means = rounds.seconds(0).rate(count), f"GridPath, {threads_in_words(threads)}"
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


def _on_threads(count: int, call: Callable[[], object] | None = None) -> None:
    """Has torch use so many threads from now on, and makes a call on them."""
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)
    if call is not None:
        call()


def _work() -> None:
    """Work of the caller that leaves torch alone."""
    end = perf_counter() + _WORK
    while perf_counter() < end:
        pass
