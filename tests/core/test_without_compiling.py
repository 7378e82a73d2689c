"""NUMBA_DISABLE_JIT, as debuggers and coverage set it: every solver and every noise gives what it gives when compiled."""

import json
import os
import subprocess
import sys

import pytest
import torch

import imle_core

pytestmark = pytest.mark.process

SCRIPT = """
import sys
import networkx
import torch
from imle_core import *
from imle_core.kernels.compiled import is_compiling
from imle_core.solvers import *

generator = torch.Generator().manual_seed(0)
graph = networkx.gnp_random_graph(9, 0.6, seed=0)
even = networkx.complete_bipartite_graph(3, 3)
noises = {
    "gumbel": GumbelNoiseDistribution(0.5, 2.0),
    "logistic": LogisticNoiseDistribution(),
    "normal": NormalNoiseDistribution(),
    "sum-of-gamma": SumOfGammaNoiseDistribution(20.8, 100),
    "sum-of-gamma of small shape": SumOfGammaNoiseDistribution(0.5, 10),
    "antithetic gumbel": AntitheticNoiseDistribution(GumbelNoiseDistribution()),
    "antithetic normal": AntitheticNoiseDistribution(NormalNoiseDistribution()),
}
solvers = {
    "acyclic-path": (AcyclicGridPath(), (6, 7)),
    "argmax": (ArgMax(), (9,)),
    "assignment": (Assignment(), (5, 5)),
    "dijkstra": (GridPath(), (6, 7)),
    "dijkstra of 4 moves": (GridPath(4, start=(1, 1), goal=(4, 0)), (6, 7)),
    "grid-edge-path": (GridEdgePath((4, 5)), (31,)),
    "integer-program": (IntegerProgram(A=[[3, 4, 2, 5]], b=[8]), (4,)),
    "knapsack": (Knapsack([3, 1, 4, 1, 5, 9], 10), (6,)),
    "knapsack of two constraints": (Knapsack([[3, 1, 4, 1, 5, 9], [2, 7, 1.5, 8, 2, 8]], [10, 12.5]), (6,)),
    "matching": (Matching(graph), (graph.number_of_edges(),)),
    "matching, perfect": (Matching(even, perfect=True), (9,)),
    "min-cut": (MinCut(graph, 0, 8, floor=0.0), (graph.number_of_edges(),)),
    "path": (ShortestPath(graph, 0, 8, floor=0.0), (graph.number_of_edges(),)),
    "top-k of a pool": (SolutionPool(TopK(2), torch.eye(6), share=1e-9, generator=torch.Generator().manual_seed(0)), (6,)),
    "ranking": (Ranking(), (8,)),
    "spanning-tree": (SpanningTree(networkx.complete_graph(7)), (21,)),
    "top-k": (TopK(4), (300,)),
    "tour": (Tour(6), (15,)),
}
drawn = {}
for name, noise in noises.items():
    for dtype in (torch.float32, torch.float64):
        drawn[name, dtype] = noise.sample((2, 2, 2500), dtype=dtype, generator=generator)
for name, (solver, event) in solvers.items():
    for dtype in (torch.float32, torch.float64):
        theta = -(0.1 + torch.rand((6, *event), generator=generator, dtype=dtype))
        theta[:3] = (8 * theta[:3]).round() / 8 - 0.125  # ties
        theta = theta if name in ("dijkstra", "dijkstra of 4 moves", "acyclic-path", "min-cut", "path") else theta + 0.6
        drawn[name, dtype] = solver(theta)
        parameters = theta.clone().requires_grad_()
        layer = imle(solver, TargetDistribution(1.0, 2.0), noises["gumbel"], 3, generator=generator)
        (layer(parameters) * torch.randn((18, *event), generator=generator, dtype=dtype)).sum().backward()
        drawn[name, dtype, "gradient"] = parameters.grad
drawn["compiled"] = is_compiling()
drawn["noises"] = {type(noise) for noise in noises.values()}
named = {name.partition(" of")[0].partition(",")[0] for name in solvers}
drawn["solvers"] = named == {*SOLVERS} - {"portfolio"}  # which another library solves
"""


COMMANDS = [["solve"], ["marginals", "--samples", "3"], ["train", "--steps", "1", "--samples", "2"]]
TELL = """
from typer.testing import CliRunner
from imle_cli.app import app

told = []
for arguments in commands:
    ending = "" if arguments[0] == "train" else ".png"
    done = CliRunner().invoke(app, [*arguments, "--json", "--quiet", "--out", f"{folder}/{arguments[0]}{ending}"])
    told.append(done.stdout or done.stderr)
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What the scripts make here, and in a process that does not compile."""
    here, there = ({"commands": COMMANDS, "folder": str(tmp_path_factory.mktemp(name))} for name in ("here", "there"))
    results = f"{there['folder']}/results.pt"
    given = "".join(f"{name} = {value!r}\n" for name, value in there.items())
    script = f"{given}{SCRIPT}{TELL}\ntorch.save((drawn, told), {results!r})\n"
    command = [sys.executable, "-W", "error", "-c", script]
    subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=True)
    exec(SCRIPT + TELL, here)
    return (here["drawn"], here["told"]), torch.load(results, weights_only=False)


@pytest.fixture
def drawn(both):
    return [drawn for drawn, _ in both]


@pytest.mark.slow
def test_every_solver_and_every_noise_gives_the_same(drawn):
    compiled, interpreted = drawn
    assert (compiled["compiled"], interpreted["compiled"]) == (True, False)
    assert list(compiled) == list(interpreted)
    tensors = {name: made for name, made in compiled.items() if isinstance(made, torch.Tensor)}
    assert [name for name, made in tensors.items() if not torch.equal(made, interpreted[name])] == []
    assert len(tensors) == 14 + 18 * 4


def test_no_solver_and_no_noise_is_left_out(drawn):
    public = {getattr(imle_core, name) for name in imle_core.__all__ if name.endswith("NoiseDistribution")}
    assert drawn[0]["noises"] == public - {imle_core.NoiseDistribution}
    assert drawn[0]["solvers"]


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=[command[0] for command in COMMANDS])
def test_commands(both, number):
    compiled, interpreted = (
        {key: value for key, value in json.loads(told[number]).items() if key not in ("run", "seconds", "files")}
        for _, told in both
    )
    assert len(compiled) > 5
    assert interpreted == compiled
