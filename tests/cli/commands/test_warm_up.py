"""``imle warm-up``: everything that is compiled, once."""

import json
from pathlib import Path

import pytest

import warm
from command_line import Command
from imle_core.kernels import compiled

warm_up = Command("warm-up")
NOTE = "compiling what is not there yet; all of it takes a core about a minute\n"


@pytest.mark.slow
class TestCommand:
    def test_a_second_call_has_nothing_to_do(self):
        first = json.loads(warm_up("--json", note=NOTE))
        assert list(first) == ["compiled", "compile_seconds", "cache", "bytes", "seconds"]
        assert (first["compiled"] > 0) == (first["compile_seconds"] > 0)
        second = json.loads(warm_up("--json", "--quiet"))
        assert (second["compiled"], second["compile_seconds"], second["cache"]) == (0, 0.0, first["cache"])
        assert Path(second["cache"]).is_dir()
        assert second["bytes"] >= first["bytes"] > 1e6

    def test_text(self):
        warm_up("--quiet")
        lines = dict(line.split(maxsplit=1) for line in warm_up(note=NOTE).splitlines())
        assert lines["compiled"] == "nothing; all was there"
        assert lines["cache"].endswith(" MB")

    def test_without_a_folder_that_can_be_written_to(self, monkeypatch):
        monkeypatch.setattr(compiled, "cache_folders", list)
        text = "error: no folder can be written to in which the code would stay; let NUMBA_CACHE_DIR name one"
        assert warm_up.refusal("--quiet") == (1, text)


def test_where_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr(compiled, "is_compiling", lambda: False)
    warm_up.expect_refusal([], 1, "NUMBA_DISABLE_JIT is set, so that nothing is compiled; unset it")


EVERYTHING = f"""
import os, sys
sys.path.insert(0, {str(Path(warm.__file__).parent)!r})
os.environ["IMLE_COMPILE"] = "first"
import torch
from all_solvers import BATCHES
from imle_cli.commands.warm_up import _steps
from imle_core import *
from imle_core.estimators import differentiable
from imle_core.kernels.compiled import _kernels
from imle_core.solvers import Matching, MinCut, ShortestPath, SolutionPool, SpanningTree, TopK

def ready():
    names = ((kernel, kernel.py_func.__module__, kernel.py_func.__name__) for kernel in _kernels)
    return set((*name, types) for kernel, *name in names for types in kernel.overloads)

for _, step in _steps():
    step()
before = ready()
assert len(before) > 20
noises = [SumOfGammaNoiseDistribution(20.8, 100), SumOfGammaNoiseDistribution(0.5, 10), GumbelNoiseDistribution(1, 2)]
noises += [NormalNoiseDistribution(), LogisticNoiseDistribution(), AntitheticNoiseDistribution(GumbelNoiseDistribution())]
for dtype in (torch.float32, torch.float64, torch.float16):
    for noise in noises:
        noise.sample((2, 2, 5000), dtype=dtype)
    for name in BATCHES:
        solver, shape = BATCHES[name]
        solver(-(1 + torch.rand(shape)).to(dtype))
        layer = imle(solver, nb_samples=2, noise_distribution=noises[2])
        theta = (-2 - torch.rand(shape)).to(dtype).requires_grad_()
        try:
            layer(theta).sum().backward()
        except ArgumentError as error:
            assert "floor" in str(error)
graphs = [(torch.tensor([[0, 1, 0], [1, 2, 2]]), 3), (torch.tensor([[0, 1], [1, 2]]), 3)]
several = [SpanningTree(graphs), Matching(graphs), ShortestPath(graphs, [0, 0], [2, 2]), MinCut(graphs, [0, 0], [2, 2])]
for dtype in (torch.float32, torch.float64, torch.float16):
    theta = (-1 - torch.rand(5)).to(dtype).requires_grad_()
    for noise in noises:
        imle(TopK(1), noise_distribution=noise, nb_samples=2).ragged(theta, [0, 3, 5]).sum().backward()
    for solver in several:
        imle(solver, nb_samples=2).ragged(theta, solver.offsets).sum().backward()
    gold = TopK(2)(theta.detach()[None])
    differentiable("frank-wolfe", TopK(2))(theta[None]).sum().backward()
    differentiable("cone", TopK(2), normals=lambda gold: gold[:, None]).loss(theta[None], gold=gold).sum().backward()
    differentiable("cone-margin", TopK(2)).loss(theta[None], gold=gold).sum().backward()
    SolutionPool(TopK(2), gold, share=1e-9, generator=torch.Generator().manual_seed(0))(theta[None])
print(sorted(ready() - before))
"""


@pytest.mark.process
@pytest.mark.slow
def test_nothing_is_left_to_compile():
    done = warm.run("-c", EVERYTHING)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
