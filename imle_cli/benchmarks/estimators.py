"""Speeds of noise, and of both passes of the estimator with their memory."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from imle_cli.benchmarks.measurement import Row, on_threads, threads_in_words
from imle_cli.benchmarks.processes import run_python
from imle_cli.benchmarks.rounds import Estimate, in_rounds
from imle_cli.files.maps.terrain import built_in_map
from imle_core import (
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.estimators import differentiable
from imle_core.solvers import GridEdgePath, GridPath

OTHER_LAWS = GumbelNoiseDistribution(), NormalNoiseDistribution(), LogisticNoiseDistribution()
_K, _TERMS = 20.8, 100


def noise(
    device: torch.device, seed: int, *, count: int, at_once: int, alternatives: Sequence[NoiseDistribution] = ()
) -> Iterator[Row]:
    """Draws on the device, Sum-of-Gamma against the loop over its series, which makes ``at_once`` of them, and others."""
    generator, law = torch.Generator(device).manual_seed(seed), SumOfGammaNoiseDistribution(_K, _TERMS)
    shape = torch.full((at_once,), 1 / _K, device=device)

    def loop() -> float:
        total = torch.zeros(at_once, device=device)
        for i in range(1, _TERMS + 1):
            total += torch._standard_gamma(shape, generator=generator) * (_K / i)
        return ((total - math.log(_TERMS)) / _K)[0].item()

    def drawn(law: NoiseDistribution) -> Callable[[], float]:
        return lambda: law.sample((count,), device=device, generator=generator)[0].item()

    rounds = in_rounds(loop, drawn(law))
    slow, fast = map(rounds.seconds, (0, 1))
    subject, label = f"{count:,} draws of noise", f"Sum-of-Gamma, k={_K:g}, s={_TERMS}"
    reference = "loop of gammas" if at_once == count else f"loop of gammas, {at_once:,} at a time"
    yield Row(subject, f"{label}, {reference}", slow.rate(at_once), "draws/s")
    yield Row(subject, label, fast.rate(count), "draws/s", rounds.ratio(0, 1).times(count / at_once), reference)
    for alternative in alternatives:
        name = type(alternative).__name__.removesuffix("NoiseDistribution")
        yield Row(subject, name, in_rounds(drawn(alternative)).seconds().rate(count), "draws/s")


def both_passes(samples: int, seed: int, solver: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    """A forward and a backward pass through the built-in map with so many samples, noise included."""
    generator = torch.Generator().manual_seed(seed)
    law = SumOfGammaNoiseDistribution(_K, _TERMS)
    layer = imle(solver, TargetDistribution(1.0, 10.0), law, samples, generator=generator)
    theta = torch.from_numpy(-built_in_map())[None].float().requires_grad_()
    weights = torch.rand(samples, 16, 16, generator=generator)
    return lambda: (layer(theta) * weights).sum().backward()


def step(_: torch.device, seed: int) -> Iterator[Row]:
    """Both passes with 100 samples on one core."""
    with on_threads(1):
        seconds = in_rounds(both_passes(100, seed, GridPath())).seconds()
    yield Row("forward and backward, 100 samples", "estimator, one core", seconds.times(1000), "ms")


def step_with_networkx(_: torch.device, seed: int, *, samples: int = 100) -> Iterator[Row]:
    """Both passes on all of torch's threads against the same with the reference engine."""
    solvers = GridPath(engine="networkx"), GridPath()
    rounds = in_rounds(*(both_passes(samples, seed, solver) for solver in solvers))
    slow, fast = (rounds.seconds(number).times(1000) for number in (0, 1))
    subject, threads = f"forward and backward, {samples:,} samples", threads_in_words(torch.get_num_threads())
    yield Row(subject, "estimator, networkx engine", slow, "ms")
    yield Row(subject, f"estimator, {threads}", fast, "ms", rounds.ratio(0, 1), "estimator, networkx engine")


def losses_of_gold(_: torch.device, seed: int) -> Iterator[Row]:
    """A batch of costs learned from gold solutions on one core: Fenchel-Young with noise, and by Frank-Wolfe without."""
    solver, generator = GridEdgePath((5, 5)), torch.Generator().manual_seed(seed)
    costs = (torch.rand(32, 40, generator=generator) + 0.5).requires_grad_()
    gold = solver(-costs.detach() - torch.rand(32, 40, generator=generator))
    law = SumOfGammaNoiseDistribution(8, _TERMS)
    names = "fenchel-young", "frank-wolfe-fenchel-young"
    layers = [differentiable(name, solver, None, law, 10, sense="min", generator=generator) for name in names]
    with on_threads(1):
        rounds = in_rounds(*(partial(_learned, layer, costs, gold) for layer in layers))
    subject, labels = "loss of gold solutions and its gradient, 32 paths on 5x5", ("fenchel-young, 10 samples", names[1])
    yield Row(subject, labels[0], rounds.seconds(0).times(1000), "ms")
    yield Row(subject, labels[1], rounds.seconds(1).times(1000), "ms", rounds.ratio(0, 1), labels[0])


def _learned(layer: Any, costs: Tensor, gold: Tensor) -> None:
    layer.loss(costs, gold=gold).sum().backward()


def many_samples(_: torch.device, seed: int, *, samples: int = 10_000) -> Iterator[Row]:
    """Both passes on all of torch's threads, and by how much they raise the peak of a process of their own."""
    subject, means = f"forward and backward, {samples:,} samples", f"estimator, {threads_in_words(torch.get_num_threads())}"
    seconds = in_rounds(both_passes(samples, seed, GridPath())).seconds()
    yield Row(subject, means, seconds.times(1e6 / samples), "us a sample")
    code = (
        "import sys; from imle_cli.benchmarks.estimators import both_passes; from imle_core.solvers import GridPath;"
        "from imle_cli.benchmarks.processes import peak_above_imports; samples, seed = map(int, sys.argv[1:]);"
        "both_passes(1, seed, GridPath())();"
        "print(peak_above_imports(lambda: both_passes(samples, seed, GridPath())()))"
    )
    printed = run_python("-c", code, str(samples), str(seed))
    yield Row(subject, "peak memory above imports", Estimate(float(printed) / 1e6), "MB")
