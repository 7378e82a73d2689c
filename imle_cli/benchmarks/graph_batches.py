"""Speed of a step on a batch of graphs of different sizes, against loops over networkx."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

import torch
from torch import Tensor

from imle_cli.benchmarks.measurement import Row
from imle_cli.benchmarks.rounds import in_rounds
from imle_core import GumbelNoiseDistribution, Solver, TargetDistribution, imle
from imle_core.solvers import SpanningTree, TopK

Graph: TypeAlias = Any
_SIZES, _EDGES_A_NODE, _SAMPLES, _CHOICES = (20, 60), 3, 10, 10
_FEW = 4  # graphs that the loop is given, since it takes most of a second for all


def trees_and_choices(_: torch.device, seed: int, *, count: int = 128) -> Iterator[Row]:
    """Both passes with 10 samples a graph, noise included, of spanning trees and of the 10 best edges."""
    graphs = _graphs(count, seed)
    rows = _parameters(graphs, seed)
    pairs: tuple[tuple[str, Solver, Callable[[Graph], list[tuple[Any, ...]]]], ...] = (
        ("spanning trees", SpanningTree(graphs), _tree),
        (f"choices of {_CHOICES} edges", TopK(_CHOICES), _choice),
    )
    for what, solver, solve in pairs:
        few = min(_FEW, count)
        loop = both_passes(_loop(graphs[:few], solve), rows[:few], seed)
        rounds = in_rounds(loop, both_passes(solver, rows, seed))
        subject = f"step of {count} graphs, {_SAMPLES} {what} each"
        slow, fast = rounds.seconds(0).times(1000 * count / few), rounds.seconds(1).times(1000)
        yield Row(subject, "networkx", slow, "ms")
        yield Row(subject, "compiled", fast, "ms", rounds.ratio(0, 1).times(count / few), "networkx")


def both_passes(solver: Solver, rows: Sequence[Tensor], seed: int) -> Callable[[], None]:
    """A forward and a backward pass with noise through parameters of graphs, as many as each has edges."""
    generator = torch.Generator().manual_seed(seed)
    layer = imle(solver, TargetDistribution(1.0, 10.0), GumbelNoiseDistribution(), _SAMPLES, generator=generator)
    values, offsets = torch.cat([*rows]).requires_grad_(), [0, *accumulate(map(len, rows))]
    weights = torch.randn(_SAMPLES, len(values), generator=generator)
    return lambda: (layer.ragged(values, offsets) * weights).sum().backward()


def _graphs(count: int, seed: int) -> list[Graph]:
    """Connected graphs of 20 to 60 nodes, and 3 edges a node."""
    import networkx

    sizes = torch.randint(_SIZES[0], _SIZES[1] + 1, (count,), generator=torch.Generator().manual_seed(seed)).tolist()
    graphs = []
    for number, size in enumerate(sizes):
        graph = networkx.gnm_random_graph(size, (_EDGES_A_NODE - 1) * size, seed=seed + number)
        graph.add_edges_from(networkx.cycle_graph(size).edges())
        graphs.append(graph)
    return graphs


def _parameters(graphs: Sequence[Graph], seed: int) -> list[Tensor]:
    """Random parameters of their edges."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(graph.number_of_edges(), generator=generator) for graph in graphs]


def _loop(graphs: Sequence[Graph], solve: Callable[[Graph], list[tuple[Any, ...]]]) -> Solver:
    """A solver that goes through graphs and samples one by one; ``solve`` gives the edges of a graph with weights."""
    numbers = [{edge: number for number, edge in enumerate(graph.edges())} for graph in graphs]

    def solver(theta: Tensor) -> Tensor:
        z, samples = torch.zeros_like(theta), len(theta) // len(graphs)
        for row, gains in enumerate(theta.tolist()):
            graph, number = graphs[row // samples], numbers[row // samples]
            for (u, v), gain in zip(number, gains, strict=False):
                graph[u][v]["weight"] = gain
            z[row, [number[edge[:2]] for edge in solve(graph)]] = 1
        return z

    return solver


def _tree(graph: Graph) -> list[tuple[Any, ...]]:
    import networkx

    return list(networkx.maximum_spanning_tree(graph).edges())


def _choice(graph: Graph) -> list[tuple[Any, ...]]:
    return sorted(graph.edges(data="weight"), key=lambda edge: edge[2], reverse=True)[:_CHOICES]
