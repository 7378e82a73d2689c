"""Speeds of black boxes: what one costs itself, what workers and repeats save."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from imle_cli.benchmarks import plain_solvers
from imle_cli.benchmarks.measurement import Row, on_threads
from imle_cli.benchmarks.rounds import exactly, in_rounds
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
            rounds = in_rounds(lambda: [*map(function, rows)], partial(solver, theta))  # noqa: B023
        added = rounds.of(lambda alone, boxed: boxed - alone)
        yield Row("overhead an instance of 256 numbers", f"black box, {name}", added.times(1e6 / len(theta)), "us")


def workers(_: torch.device, seed: int, *, seconds: float, count: int) -> Iterator[Row]:
    """Processes, with work for the processor that takes so many seconds alone."""
    theta = torch.randn(count, len(WEIGHTS), generator=torch.Generator().manual_seed(seed))
    trial = BlackBox(partial(plain_solvers.knapsack, weights=WEIGHTS, capacity=1000), arrays=True)
    capacity = max(30, int(1000 * seconds / in_rounds(lambda: trial(theta[:1])).seconds().value))
    function = partial(plain_solvers.knapsack, weights=WEIGHTS, capacity=capacity)
    solvers = [BlackBox(function, arrays=True, executor="processes", jobs=jobs) for jobs in (1, 2)]
    rounds = in_rounds(*(partial(solver, theta) for solver in solvers), patience=3.0)
    subject, (alone, together) = f"{count} solves of {1000 * seconds:.0f} ms", map(rounds.seconds, (0, 1))
    yield Row(subject, "black box, one process", alone.rate(count), "solves/s")
    yield Row(subject, "black box, two processes", together.rate(count), "solves/s", rounds.ratio(0, 1), "one process")


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
        rounds = in_rounds(forward, lambda: held[0].backward(dy), turn=0.0)
    whole, rest = map(rounds.seconds, (0, 1))
    subject = f"{samples} rows at lambda = 1e{exponent}"
    yield Row(subject, "backward rows that repeat forward ones", exactly(100 * rate), "%")
    yield Row(subject, "black box, forward pass", whole.rate(samples), "rows/s")
    yield Row(subject, "black box, backward pass", rest.rate(samples), "rows/s", rounds.ratio(0, 1), "forward pass")
