"""A layer of a black box on processes takes no more memory, threads or files, however many steps are made with it.

Run as a program, ``python test_growth.py STEPS``, this file prints as JSON what it has of each after a warm-up,
and after that many steps more.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
import torch

from imle_core import NormalNoiseDistribution, imle
from imle_core.solvers import BlackBox

WARM_UP, STEPS = 200, 1000
MEGABYTES = 4.0  # by which a process may grow: once a worker takes 2 more, and 4 kB a step would be a leak
SIZE = 20


@pytest.mark.process
@pytest.mark.slow
def test_nothing_grows():
    import warm  # here, since as a program this file does not find it

    done = warm.run(__file__, STEPS, seconds=200)
    assert (done.returncode, done.stderr) == (0, "")
    before, after = map(json.loads, done.stdout.splitlines())
    assert len(before["megabytes"]) >= 3  # those of the two workers too
    growth = [last - first for first, last in zip(before.pop("megabytes"), after.pop("megabytes"), strict=True)]
    assert max(growth) < MEGABYTES
    assert after == before


def heaviest_half(theta):
    return theta >= theta.median()


def steps():
    """Steps of a training, without end; the parameters, and so what is solved, are new in each."""
    generator = torch.Generator().manual_seed(0)
    theta = torch.nn.Parameter(torch.randn(4, SIZE, generator=generator))
    wanted = torch.rand(4, SIZE, generator=generator)
    optimizer = torch.optim.Adam([theta], lr=0.01)
    solver = BlackBox(heaviest_half, executor="processes", jobs=2, chunk=4, cache=50)
    layer = imle(solver, noise_distribution=NormalNoiseDistribution(), nb_samples=2, reduction="mean", generator=generator)
    while True:
        optimizer.zero_grad()
        ((layer(theta) - wanted) ** 2).sum().backward()
        optimizer.step()
        yield solver.solved


def taken():
    """Memory, threads and files of this process and its workers, and what lies in the folder of temporary files."""
    gc.collect()
    family = [psutil.Process(), *sorted(psutil.Process().children(recursive=True), key=lambda process: process.pid)]
    return {
        "megabytes": [round(process.memory_info().rss / 2**20, 2) for process in family],
        "threads": [process.num_threads() for process in family],
        "files": [len(process.open_files()) if psutil.WINDOWS else process.num_fds() for process in family],
        "temporary": len(list(Path(tempfile.gettempdir()).iterdir())),
    }


if __name__ == "__main__":
    memory = "/dev/shm"  # a folder for each call, as the solver makes one, takes a third of the time on a disk
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as tempfile.tempdir:
        training = steps()
        for count in (WARM_UP, int(sys.argv[1])):
            solved = [next(training) for _ in range(count)]
            assert solved[-1] > solved[0]
            print(json.dumps(taken()), flush=True)
