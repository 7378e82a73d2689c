"""Measurements of this machine: speeds of solvers, noise and the estimator, as ratios inside one run, and memory."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from imle_cli.benchmarks import black_boxes, estimators, graph_batches, paths, plain_solvers, processes, scaling, situations
from imle_cli.benchmarks.measurement import Row
from imle_cli.benchmarks.rounds import in_rounds
from imle_cli.figures.scaling_curve import ScalingCurve
from imle_core import Solver
from imle_core.solvers import AcyclicGridPath, Knapsack, ShortestPath, SpanningTree, TopK


def _top_k(device: torch.device, seed: int) -> Iterator[Row]:
    """The best entries of a batch, on the device where torch computes."""
    theta = torch.randn(100, 16, 16, generator=torch.Generator(device).manual_seed(seed), device=device)
    solver = TopK(16)
    seconds = in_rounds(lambda: solver(theta)[0, 0, 0].item()).seconds()
    yield Row("100 maps of 16x16", f"top-k on {device}", seconds.rate(100), "maps/s")


def _families(_: torch.device, seed: int) -> Iterator[Row]:
    """A thousand instances against the same algorithms in plain Python, instance by instance."""
    generator, count = torch.Generator().manual_seed(seed), 1000
    weights, capacity = torch.randint(1, 20, (30,), generator=generator).tolist(), 100
    pairs: tuple[tuple[str, Solver, Callable[[Any], Any], Tensor], ...] = (
        (
            "knapsacks of 30 items, room 100",
            Knapsack(weights, capacity),
            lambda values: plain_solvers.knapsack(values, weights, capacity),
            torch.randn(count, 30, generator=generator),
        ),
        (
            "acyclic paths of 16x16",
            AcyclicGridPath(),
            plain_solvers.acyclic_path,
            torch.randn(count, 16, 16, generator=generator),
        ),
        (
            "choices of 10 in 1,024",
            TopK(10),
            lambda values: plain_solvers.top_k(values, 10),
            torch.randn(count, 1024, generator=generator),
        ),
    )
    for what, solver, plain, theta in pairs:
        yield from _against_loop(f"{count:,} {what}", solver, theta, "plain Python", plain, theta[: count // 20].tolist())


def _graphs(_: torch.device, seed: int) -> Iterator[Row]:
    """Against networkx on graphs whose weights are set beforehand."""
    import networkx

    graph, generator = networkx.gnm_random_graph(200, 1000, seed=seed), torch.Generator().manual_seed(seed)
    theta = -torch.rand(64, 1000, generator=generator)
    weighted = []
    for gains in theta[:4].tolist():
        weighted.append(networkx.Graph())
        weighted[-1].add_weighted_edges_from((*edge, -gain) for edge, gain in zip(graph.edges(), gains, strict=True))
    goal = max(networkx.node_connected_component(graph, 0))
    pairs: tuple[tuple[str, Solver, Callable[[Any], object]], ...] = (
        ("shortest paths", ShortestPath(graph, 0, goal), lambda weights: networkx.dijkstra_path(weights, 0, goal)),
        ("spanning trees", SpanningTree(graph, forest=True), networkx.minimum_spanning_tree),
    )
    for what, solver, solve in pairs:
        subject = f"{len(theta)} {what}, 200 nodes, 1,000 edges"
        yield from _against_loop(subject, solver, theta, "networkx", solve, weighted)


def _against_loop(
    subject: str, solver: Solver, theta: Tensor, rival: str, solve: Callable[[Any], object], instances: Sequence[Any]
) -> Iterator[Row]:
    """A batch against calls of ``solve`` for a few of its instances."""

    def loop() -> None:
        for instance in instances:
            solve(instance)

    count, few = len(theta), len(instances)
    rounds = in_rounds(loop, partial(solver, theta))
    yield Row(subject, rival, rounds.seconds(0).rate(few), "solutions/s")
    yield Row(
        subject, "compiled", rounds.seconds(1).rate(count), "solutions/s", rounds.ratio(0, 1).times(count / few), rival
    )


_KINDS: tuple[tuple[paths.Kind, torch.dtype], ...] = (
    ("noisy built-in", torch.float32),
    ("noisy built-in", torch.float64),
    ("uniform random", torch.float32),
)

MEASUREMENTS: tuple[Callable[[torch.device, int], Iterator[Row]], ...] = (
    partial(paths.engines, side=16, count=100),
    partial(paths.engines, side=64, count=10),
    partial(paths.engines, side=256, count=1),
    partial(paths.large_map, names=("scipy",)),
    paths.huge_map,
    partial(estimators.noise, count=25_600, at_once=25_600, alternatives=estimators.OTHER_LAWS),
    _top_k,
    _families,
    _graphs,
    graph_batches.trees_and_choices,
    estimators.step,
    black_boxes.overhead,
    black_boxes.repeats,
    partial(black_boxes.workers, seconds=0.02, count=20),
    situations.calls_in_a_script,
    processes.first_calls,
    processes.commands,
    partial(processes.training, steps=1100, steps_on_large=30),
    processes.sweep,
    processes.memory,
)
"""Each takes a device and a seed and gives rows; one about solvers alone runs where they do."""

MORE: tuple[Callable[[torch.device, int], Iterator[Row]], ...] = (
    *(partial(paths.every_rival, kind=kind, side=side, dtype=dtype) for kind, dtype in _KINDS for side in (12, 16, 32)),
    situations.sizes_in_a_script,
    paths.plain_kernel,
    partial(paths.large_map, names=("dijkstra3d", "scikit-image")),
    partial(paths.from_device, count=1600),
    partial(paths.from_device, count=100_000),
    partial(estimators.noise, count=10_000_000, at_once=100_000),
    estimators.step_with_networkx,
    estimators.many_samples,
    estimators.losses_of_gold,
    processes.cold_start,
)
"""Those that only ``imle bench --full`` makes beside the others, likewise."""

CURVES: tuple[Callable[[int], list[ScalingCurve]], ...] = (
    scaling.by_side,
    scaling.by_batch,
    scaling.by_threads,
)
"""Each takes a seed and gives the curves of one panel."""
