"""A graph as a problem: which edges are on the shortest path, in the spanning tree, the matching or the cut."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from imle_cli.files.graphs import reading
from imle_cli.files.graphs.content import listed, shown
from imle_cli.files.graphs.layout import layout
from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError, note, worded
from imle_cli.options.inputs import DeviceName, InputOptions, SenseName, SolverOptions
from imle_cli.problems.problem import Fact, Ground, Masks, Problem, Words, enumerated, theta_of
from imle_core.checks import ArgumentError
from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree

GraphSolver = ShortestPath | MinCut | SpanningTree | Matching


@dataclass(frozen=True)
class GraphProblem(Problem):
    """A graph and the solver that is asked about its edges; theta has their weights, ``(1, E)``, or minus these.

    Attributes:
        file: the graph.
        sense: whether the sum of the weights is to be small or large.
    """

    solver: GraphSolver
    file: reading.GraphFile
    sense: SenseName

    words = Words("graph", "edges", "size", "total", "weights")

    @property
    def _size(self) -> Fact:
        nodes, edges, directed = len(self.solver.nodes), len(self.solver.edges), self.solver.directed
        values = {"nodes": nodes, "edges": edges, "directed": directed}
        return values, f"{nodes} nodes, {edges} {'directed ' if directed else ''}edges"

    @property
    def _task(self) -> Fact:
        return {"sense": self.sense}, f"{self.sense} total weight"

    @property
    def labels(self) -> Mapping[str, Sequence[Any]]:
        """Columns that name every edge, and its weight."""
        sources, targets = zip(*self.solver.edges, strict=True)
        return {"source": sources, "target": targets, "weight": self.numbers.tolist()}

    @cached_property
    def ground(self) -> Ground:
        """The graph."""
        from imle_cli.figures.graphs import Drawing
        from imle_cli.figures.grounds import Network

        number = {node: index for index, node in enumerate(self.solver.nodes)}
        ends = np.array([(number[u], number[v]) for u, v in self.solver.edges])
        marked = [number[end] for end in _ends_of(self.solver)]
        names = list(map(str, self.solver.nodes))
        positions = layout(self.file.graph, self.file.positions)
        return Network(Drawing(names, positions, ends, self.numbers, self.solver.directed, marked))

    def chosen(self, mask: Masks) -> Any:
        """The two nodes of each edge; of a path in its order."""
        if isinstance(self.solver, ShortestPath):
            return [list(pair) for pair in pairwise(self.solver.path_nodes(mask))]
        return [list(self.solver.edges[number]) for number in np.flatnonzero(mask)]

    def chosen_text(self, mask: Masks) -> str:
        """The same for a reader; of a path its nodes."""
        if isinstance(self.solver, ShortestPath):
            return enumerated([*map(str, self.solver.path_nodes(mask))])
        return enumerated([f"{u}-{v}" for u, v in self.chosen(mask)])


def read_graph_problem(
    options: InputOptions, choice: SolverOptions, device: DeviceName, floor: float | None
) -> GraphProblem:
    """Reads the graph and makes the solver.

    Args:
        options: which graph, and how it is read.
        choice: which solver; dijkstra is a path.
        device: where theta is.
        floor: smallest cost of an edge, to which noise may lower it; if None, 0 where lower ones have no solution.

    Raises:
        UsageError: options that do not fit each other or the graph.
        SourceError: a graph that cannot be used.
    """
    name = "path" if choice.solver == "dijkstra" else choice.solver
    has_ends = name in ("path", "min-cut")
    sense: SenseName = options.sense or ("min" if has_ends else "max")
    if name == "min-cut" and sense == "max":
        raise UsageError("--sense: got max; min-cut has no largest cut that could be found; leave it out")
    path = options.map
    assert path is not None
    file = reading.read_graph(path, options.weight, options.directed)
    if has_ends:
        _check_ends(file, name, choice)
    if name == "path" and sense == "max" and not file.acyclic:
        raise UsageError("--sense: got max; a longest path needs a directed graph without cycles; leave it out")
    if floor is None and has_ends:
        floor = _floor(path, file, name)
    try:
        solver = _solver(name, file, choice, floor)
    except ArgumentError as error:
        raise SourceError(path, worded(error)) from error
    theta = theta_of(file.weights, sense, device)
    _tell_of_nothing(path, solver, theta, sense)
    return GraphProblem(options.name, theta, name, solver, (path,), file.weights, file, sense)


def _check_ends(file: reading.GraphFile, name: str, choice: SolverOptions) -> None:
    """Refuses a path or a cut without both of its ends, and names some that the graph has."""
    missing = [end for end in ("start", "goal") if getattr(choice, end) is None]
    if missing:
        nodes = [shlex.quote(str(node)) for node in file.graph]
        start, goal = choice.start or nodes[0], choice.goal or nodes[-1]
        instance = f"for instance --start {start} --goal {goal if goal != start else nodes[0]}"
        raise UsageError(f"--{missing[0]}: missing; --solver {name} needs --start and --goal, {instance}")


def _solver(name: str, file: reading.GraphFile, choice: SolverOptions, floor: float | None) -> GraphSolver:
    graph = file.graph
    if name in ("path", "min-cut"):
        start, goal = (_node(file, end, str(getattr(choice, end))) for end in ("start", "goal"))
        return ShortestPath(graph, start, goal, floor) if name == "path" else MinCut(graph, start, goal, floor)
    if name in ("spanning-tree", "spanning-forest"):
        return SpanningTree(graph, forest=name == "spanning-forest")
    return Matching(graph, perfect=name == "perfect-matching")


def _node(file: reading.GraphFile, end: str, text: str) -> str:
    node = file.node(text)
    if node not in file.graph:
        raise UsageError(f"--{end}: got {shown(text)}; it is no node of the graph; the nodes are {listed(list(file.graph))}")
    return node


def _tell_of_nothing(path: Path, solver: GraphSolver, theta: Tensor, sense: SenseName) -> None:
    """Notes that the best solution has no edges, and why."""
    if isinstance(solver, Matching) and not solver.perfect and theta.max() <= 0:
        signs = "below" if sense == "min" else "above"
        remedy = f"--solver perfect-matching joins all nodes, --sense {'max' if sense == 'min' else 'min'} chooses edges"
        note(f"{path}: no weight is {signs} 0, so that the matching of {sense} total weight is empty; {remedy}")
    if isinstance(solver, SpanningTree) and theta.isneginf().all():
        note(f"{path}: no edge has a finite weight, so that the forest is empty; --weight none counts each edge as 1")


def _ends_of(solver: GraphSolver) -> list[Any]:
    """The two nodes that are joined or parted."""
    if isinstance(solver, ShortestPath):
        return [solver.start, solver.goal]
    return [solver.s, solver.t] if isinstance(solver, MinCut) else []


def _floor(path: Path, file: reading.GraphFile, name: str) -> float | None:
    """The smallest cost that has solutions; None where every cost may have one."""
    negative = np.flatnonzero(file.weights < 0)
    if name == "path" and (file.acyclic or (len(negative) and file.graph.is_directed())):
        return None
    if len(negative):
        u, v = list(file.graph.edges())[negative[0]]
        first = f"first: {file.weights[negative[0]]:g} between {u!r} and {v!r}"
        rule = f"{name} needs weights >= 0; correct them, or raise them with --floor 0"
        count = f"{len(negative)} weight{' is' if len(negative) == 1 else 's are'}"
        raise SourceError(path, f"{count} below 0 ({first}); {rule}")
    return 0.0
