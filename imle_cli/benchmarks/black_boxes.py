"""Speeds of black boxes: what one costs itself, what workers and repeats save."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from imle_cli.benchmarks import plain_solvers
from imle_cli.benchmarks.measurement import Row, fastest, on_threads
from imle_core import GumbelNoiseDistribution, TargetDistribution, imle
from imle_core.estimators import steps_of_any_size
from imle_core.solvers import BlackBox

WEIGHTS = tuple(range(1, 31))


def overhead(_: torch.device, seed: int) -> Iterator[Row]:
    """Time that a serial black box adds to calls of the function itself, on rows that all differ."""
    theta = torch.randn(2000, 256, generator=torch.Generator().manual_seed(seed))
    for name, function, arrays, rows in (
        ("tensors", torch.sign, False, list(theta)),
        ("arrays", np.sign, True, list(theta.numpy())),
    ):
        solver = BlackBox(function, arrays=arrays)
        with on_threads(1):
            alone, boxed = fastest(lambda: [*map(function, rows)], partial(solver, theta))  # noqa: B023
        yield Row("overhead an instance of 256 numbers", f"black box, {name}", 1e6 * (boxed - alone) / len(theta), "us")


def workers(_: torch.device, seed: int, *, seconds: float, count: int) -> Iterator[Row]:
    """Processes, with work for the processor that takes so many seconds alone."""
    theta = torch.randn(count, len(WEIGHTS), generator=torch.Generator().manual_seed(seed))
    trial = BlackBox(partial(plain_solvers.knapsack, weights=WEIGHTS, capacity=1000), arrays=True)
    capacity = max(30, int(1000 * seconds / fastest(lambda: trial(theta[:1]))[0]))
    function = partial(plain_solvers.knapsack, weights=WEIGHTS, capacity=capacity)
    solvers = [BlackBox(function, arrays=True, executor="processes", jobs=jobs) for jobs in (1, 2)]
    alone, together = fastest(*(partial(solver, theta) for solver in solvers))
    subject = f"{count} solves of {1000 * seconds:.0f} ms"
    yield Row(subject, "black box, one process", count / alone, "solves/s")
    yield Row(subject, "black box, two processes", count / together, "solves/s", alone / together, "one process")


def repeats(_: torch.device, seed: int) -> Iterator[Row]:
    """Both passes at the largest power of ten for lambda at which 90% of the rows stay as they were."""
    generator, samples = torch.Generator().manual_seed(seed), 200
    theta = torch.randn(1, len(WEIGHTS), generator=generator, requires_grad=True)
    # The gradient of a loss that is saturated for most samples: their sizes spread over twenty decades.
    dy = torch.randn(samples, len(WEIGHTS), generator=generator) * 10 ** (-20 * torch.rand(samples, 1, generator=generator))
    solver = BlackBox(partial(plain_solvers.knapsack, weights=WEIGHTS, capacity=100), arrays=True)
    held, exponent, rate = [theta], 1, 0.0
    while rate < 0.9:
        exponent -= 1
        target = TargetDistribution(1.0, 10.0**exponent)
        layer = imle(solver, target, GumbelNoiseDistribution(), samples, generator=generator)
        held[0] = layer(theta)
        before = solver.solved
        with steps_of_any_size():
            held[0].backward(dy)
        rate = 1 - (solver.solved - before) / samples

    def forward() -> None:
        held[0] = layer(theta)

    with steps_of_any_size():
        whole, rest = fastest(forward, lambda: held[0].backward(dy), turn=0.0)
    subject = f"{samples} rows at lambda = 1e{exponent}"
    yield Row(subject, "backward rows that repeat forward ones", 100 * rate, "%")
    yield Row(subject, "black box, forward pass", samples / whole, "rows/s")
    yield Row(subject, "black box, backward pass", samples / rest, "rows/s", whole / rest, "forward pass")
