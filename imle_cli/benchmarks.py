"""What this machine does: speeds of solvers, noise and the estimator, as ratios inside one run, and memory."""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imle_cli import animation, black_box_benchmarks, frames, plain_solvers
from imle_cli.films import RunFilms, timed
from imle_cli.measurement import Row, fastest, one_thread
from imle_cli.runs import Run
from imle_cli.terrain import built_in_map
from imle_core import (
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NoiseDistribution,
    NormalNoiseDistribution,
    Solver,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    imle,
    perturb_and_map,
)
from imle_core.solvers import AcyclicGridPath, GridPath, Knapsack, ShortestPath, SpanningTree, TopK


def _perturbed(side: int, count: int, seed: int) -> Tensor:
    """Minus the costs of the built-in map, enlarged, with Gumbel noise: ``(count, side, side)``."""
    costs = torch.from_numpy(np.kron(built_in_map(), np.ones((side // 16, side // 16))))
    noise, generator = GumbelNoiseDistribution(), torch.Generator().manual_seed(seed)
    return perturb_and_map(lambda theta: theta, -costs[None], noise, nb_samples=count, generator=generator)[0].float()


def _engines(_: torch.device, seed: int, *, side: int, count: int) -> Iterator[Row]:
    maps, subject = _perturbed(side, count, seed), f"{count} map{'s' if count > 1 else ''} of {side}x{side}"
    reference, compiled = GridPath(engine="networkx"), GridPath()
    slow, fast = fastest(lambda: reference(maps), lambda: compiled(maps))
    yield Row(subject, "networkx engine", count / slow, "maps/s")
    yield Row(subject, "compiled engine", count / fast, "maps/s", slow / fast, "networkx engine")


def _large_map(_: torch.device, seed: int) -> Iterator[Row]:
    """Against scipy's Dijkstra on a graph that is built beforehand, both on one core."""
    maps, solver, subject = _perturbed(512, 1, seed), GridPath(), "1 map of 512x512, one core"
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    costs = np.pad((-maps[0]).clamp(min=solver.floor).double().numpy(), 1, constant_values=np.inf)
    number = np.pad(np.arange(512 * 512).reshape(512, 512), 1, constant_values=-1)
    sources, targets, weights = [], [], []
    for down, right in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        there = slice(1 + down, 513 + down), slice(1 + right, 513 + right)
        inside = number[there] >= 0
        sources.append(number[1:-1, 1:-1][inside])
        targets.append(number[there][inside])
        weights.append(costs[there][inside])
    pairs = np.concatenate(sources), np.concatenate(targets)
    graph = csr_array((np.concatenate(weights), pairs), shape=(512 * 512, 512 * 512))
    with one_thread():
        slow, fast = fastest(lambda: dijkstra(graph, indices=0), lambda: solver(maps))
    yield Row(subject, "scipy, graph prebuilt", 1 / slow, "maps/s")
    yield Row(subject, "compiled engine", 1 / fast, "maps/s", slow / fast, "scipy, graph prebuilt")


def _huge_map(_: torch.device, seed: int) -> Iterator[Row]:
    maps, solver = _perturbed(2048, 1, seed), GridPath()
    yield Row("1 map of 2048x2048", "compiled engine", 1 / fastest(lambda: solver(maps))[0], "maps/s")


def _samplers(device: torch.device, seed: int) -> Iterator[Row]:
    count, k, iterations = 25_600, 20.8, 100
    subject, generator = f"{count:,} draws of noise", torch.Generator(device).manual_seed(seed)
    law, shape = SumOfGammaNoiseDistribution(k, iterations), torch.full((count,), 1 / k, device=device)

    def loop() -> float:
        total = torch.zeros(count, device=device)
        for i in range(1, iterations + 1):
            total += torch._standard_gamma(shape, generator=generator) * (k / i)
        return ((total - math.log(iterations)) / k)[0].item()

    def drawn(noise: NoiseDistribution) -> Callable[[], float]:
        return lambda: noise.sample((count,), device=device, generator=generator)[0].item()

    slow, fast = fastest(loop, drawn(law))
    label = f"Sum-of-Gamma, k={k:g}, s={iterations}"
    yield Row(subject, f"{label}, loop of gammas", count / slow, "draws/s")
    yield Row(subject, label, count / fast, "draws/s", slow / fast, "loop of gammas")
    for noise in (GumbelNoiseDistribution(), NormalNoiseDistribution(), LogisticNoiseDistribution()):
        name = type(noise).__name__.removesuffix("NoiseDistribution")
        yield Row(subject, name, count / fastest(drawn(noise))[0], "draws/s")


def _top_k(device: torch.device, seed: int) -> Iterator[Row]:
    theta = torch.randn(100, 16, 16, generator=torch.Generator(device).manual_seed(seed), device=device)
    solver = TopK(16)
    seconds = fastest(lambda: solver(theta)[0, 0, 0].item())[0]
    yield Row("100 maps of 16x16", f"top-k on {device}", 100 / seconds, "maps/s")


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
        few = theta[: count // 20].tolist()

        def loop(plain: Callable[[Any], Any] = plain, few: list[Any] = few) -> None:
            for instance in few:
                plain(instance)

        slow, fast = fastest(loop, partial(solver, theta))
        slow *= count / len(few)
        yield Row(f"{count:,} {what}", "plain Python", count / slow, "solutions/s")
        yield Row(f"{count:,} {what}", "compiled", count / fast, "solutions/s", slow / fast, "plain Python")


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
        ("shortest paths", ShortestPath(graph, 0, goal), lambda one: networkx.dijkstra_path(one, 0, goal)),
        ("spanning trees", SpanningTree(graph, forest=True), networkx.minimum_spanning_tree),
    )
    for what, solver, reference in pairs:

        def loop(reference: Callable[[Any], object] = reference) -> None:
            for one in weighted:
                reference(one)

        slow, fast = fastest(loop, partial(solver, theta))
        slow *= len(theta) / len(weighted)
        subject = f"{len(theta)} {what}, 200 nodes, 1,000 edges"
        yield Row(subject, "networkx", len(theta) / slow, "solutions/s")
        yield Row(subject, "compiled", len(theta) / fast, "solutions/s", slow / fast, "networkx")


def _step(_: torch.device, seed: int) -> Iterator[Row]:
    """Forward and backward through the built-in map with 100 samples, noise included."""
    generator = torch.Generator().manual_seed(seed)
    layer = imle(GridPath(), TargetDistribution(1.0, 10.0), SumOfGammaNoiseDistribution(20.8, 100), 100, generator=generator)
    theta = torch.from_numpy(-built_in_map())[None].float().requires_grad_()
    weights = torch.rand(100, 16, 16, generator=generator)
    with one_thread():
        seconds = fastest(lambda: (layer(theta) * weights).sum().backward())[0]
    yield Row("forward and backward, 100 samples", "estimator, one core", 1000 * seconds, "ms")


def _commands(_: torch.device, seed: int) -> Iterator[Row]:
    """Whole commands in a process of their own, with compiled code in its cache."""
    with tempfile.TemporaryDirectory() as folder:
        marginals = ["marginals", "--samples", "10000", "--seed", str(seed), "--out", str(Path(folder) / "map.png")]
        slow, quick = fastest(lambda: _run("-m", "imle_cli", *marginals), lambda: _run("-m", "imle_cli", "--help"))
    yield Row("imle marginals --samples 10000", "whole process", slow, "s")
    yield Row("imle --help", "whole process", quick, "s")


def _training(_: torch.device, seed: int, *, steps: int, steps_on_large: int, turns: int) -> Iterator[Row]:
    """Recorded runs, without the imports of their processes, and animations of the first."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "map.npy"
        np.save(large, np.kron(built_in_map(), np.ones((16, 16))))

        def train(number: int, *options: str) -> float:
            place = ["--seed", str(seed), "--out", str(Path(folder) / f"run{number}"), "--json"]
            return float(json.loads(_run("-m", "imle_cli", "train", *options, *place))["seconds"])

        small = ["--input-temp", "5", "--target-temp", "0", "--samples", "100", "--steps", str(steps)]
        best = min(train(turn, *small) for turn in range(turns))
        yield Row(f"{steps:,} steps of training, 100 samples, 16x16", "imle train", best, "s")
        best = min(train(turns + turn, str(large), "--steps", str(steps_on_large)) for turn in range(turns))
        yield Row("training, 10 samples, 256x256", "imle train", (steps_on_large + 1) / best, "steps/s")
        run, file = Run.open(Path(folder) / "run0"), BytesIO()
        history, rows = run.history(), run.metrics()

        def animate() -> None:
            file.seek(0)
            film = RunFilms(history, rows, run.config["options"], 480, 100).films["learning_weights"]
            animation.write(file, "gif", timed(film(), 8), frames.PALETTE)

        count = len(RunFilms(history, rows, run.config["options"], 480, 100).places)
        yield Row(f"{count} frames of 16x16 weights, 480 pixels", "GIF, drawn and written", fastest(animate)[0], "s")
        yield Row(f"{count} frames of 16x16 weights, 480 pixels", "size of the GIF", file.tell() / 1000, "kB")


def _sweep(_: torch.device, seed: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _run("-m", "imle_cli", "sweep", "--animate", "--seeds", str(seed), "--out", str(Path(folder) / "sweep"))
        seconds = time.perf_counter() - began
    yield Row("imle sweep --animate: 48 runs, 96 GIFs", "whole process", seconds, "s")


def _memory(_: torch.device, seed: int) -> Iterator[Row]:
    code = (
        "import sys; from imle_cli.app import app; from imle_cli.benchmarks import peak_above_imports;"
        "print(peak_above_imports(lambda: app(sys.argv[1:], standalone_mode=False)))"
    )
    with tempfile.TemporaryDirectory() as folder:
        source, picture = Path(folder) / "map.npy", Path(folder) / "map.png"
        np.save(source, np.kron(built_in_map(), np.ones((64, 64))))
        command = ["marginals", str(source), "--samples", "100", "--seed", str(seed), "--quiet", "--out", str(picture)]
        printed = _run("-c", code, *command)
    yield Row("imle marginals --samples 100, 1024x1024", "peak memory above imports", float(printed) / 1e6, "MB")


def peak_above_imports(command: Callable[[], object]) -> int:
    """Bytes by which a command raises this process's peak above that of its imports, compiled code included."""
    from imle_cli import figures, inputs, preview  # noqa: F401

    GridPath()(torch.zeros(1, 2, 2, dtype=torch.float64))
    before = _peak()
    command()
    return _peak() - before


def _peak() -> int:
    """Largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # The rusage of a new process begins with the peak of the one that started it.
        return 1024 * int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, env=os.environ)
    return done.stdout


MEASUREMENTS: tuple[Callable[[torch.device, int], Iterator[Row]], ...] = (
    partial(_engines, side=16, count=100),
    partial(_engines, side=64, count=10),
    partial(_engines, side=256, count=1),
    _large_map,
    _huge_map,
    _samplers,
    _top_k,
    _families,
    _graphs,
    _step,
    black_box_benchmarks.overhead,
    black_box_benchmarks.repeats,
    partial(black_box_benchmarks.workers, seconds=0.02, count=40),
    _commands,
    partial(_training, steps=1100, steps_on_large=150, turns=2),
    _sweep,
    _memory,
)
"""Each takes a device and a seed and gives rows; one about solvers alone runs where they do."""
