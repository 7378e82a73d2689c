"""Time and memory of whole commands in processes of their own, with and without compiled code in the cache."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from imle_cli.benchmarks.measurement import Row
from imle_cli.benchmarks.rounds import Estimate, SelfTimed, estimate, exactly, in_rounds
from imle_cli.files.maps.terrain import built_in_map
from imle_cli.films import encoders, frames
from imle_cli.films.timing import timed
from imle_cli.films.training import RunFilms
from imle_cli.runs.training import Run
from imle_core.solvers import GridPath

_TRAININGS = 7  # in a process, of which the first warms up
_REPEATED = (
    "import sys; from imle_cli.app import app;"
    "[app([*sys.argv[3:], '--out', sys.argv[1] + str(number)], standalone_mode=False) for number in range(int(sys.argv[2]))]"
)
_FIRST_CALL = """
import sys, time, torch
from imle_core.solvers import GridPath
theta = -0.1 - torch.rand(int(sys.argv[1]), 16, 16, generator=torch.Generator().manual_seed(int(sys.argv[2])))
began = time.perf_counter()
GridPath()(theta)
print(time.perf_counter() - began)
"""
_FIRST_STEP = """
import sys, time, torch
from imle_core import SumOfGammaNoiseDistribution, TargetDistribution, imle
from imle_core.solvers import GridPath
generator = torch.Generator().manual_seed(int(sys.argv[2]))
theta = (-0.1 - torch.rand(1, 16, 16, generator=generator)).requires_grad_()
samples = int(sys.argv[1])
weights = torch.rand(samples, 16, 16, generator=generator)
target, noise = TargetDistribution(beta=10.0), SumOfGammaNoiseDistribution(k=20.8)
layer = imle(GridPath(), target, noise, samples, generator=generator)
began = time.perf_counter()
(layer(theta) * weights).sum().backward()
print(time.perf_counter() - began)
"""


def commands(_: torch.device, seed: int) -> Iterator[Row]:
    """Commands with compiled code in its cache, against the import of torch alone."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = ["--seed", str(seed), "--out"]
        marginals = ["marginals", *outputs, str(Path(folder) / "map.png")]
        calls = {
            "imle --help": lambda: ["--help"],
            "imle marginals": lambda: marginals,
            "imle marginals --samples 10000": lambda: [*marginals, "--samples", "10000"],
            "imle train --steps 1": lambda: ["train", "--steps", "1", *outputs, tempfile.mkdtemp(dir=folder)],
        }
        runs = (lambda call=call: run_python("-m", "imle_cli", *call()) for call in calls.values())
        rounds = in_rounds(partial(run_python, "-c", "import torch"), *runs, patience=4.0)
    subject, reference = "whole process, compiled before", "import torch"
    yield Row(subject, reference, rounds.seconds(0), "s")
    for number, name in enumerate(calls, 1):
        yield Row(subject, name, rounds.seconds(number), "s", rounds.ratio(0, number), reference)


def first_calls(_: torch.device, seed: int, *, counts: Sequence[int] = (1600, 70)) -> Iterator[Row]:
    """The first call of a script after its imports, with compiled code in the cache."""
    rounds = in_rounds(*(_first(_FIRST_CALL, count, seed) for count in counts), patience=3.0)
    for number, count in enumerate(counts):
        subject = f"{count:,} random maps of 16x16, first call in a script"
        yield Row(subject, "GridPath, compiled before", rounds.seconds(number).times(1000), "ms")


def cold_start(_: torch.device, seed: int, *, samples: int = 100) -> Iterator[Row]:
    """A command, and a first step in a script: on a fresh machine, and with the cache that this left."""
    with tempfile.TemporaryDirectory() as folder:
        command = "-m", "imle_cli", "marginals", "--seed", str(seed), "--out", str(Path(folder) / "map.png")
        caches = [folder]

        def fresh() -> str:
            caches.append(tempfile.mkdtemp(dir=folder))
            return caches[-1]

        rounds = in_rounds(
            lambda: run_python(*command, NUMBA_CACHE_DIR=fresh()),
            lambda: run_python(*command, NUMBA_CACHE_DIR=caches[-1]),
            SelfTimed(lambda: _first(_FIRST_STEP, samples, seed, NUMBA_CACHE_DIR=fresh()).run()),
            SelfTimed(lambda: _first(_FIRST_STEP, samples, seed, NUMBA_CACHE_DIR=caches[-1]).run()),
            patience=8.0,
            warm_up=False,
        )
    subjects = "imle marginals, whole process", f"{samples} samples, both passes, first step in a script"
    for subject, cold, warm in zip(subjects, (0, 2), (1, 3), strict=True):
        yield Row(subject, "compiling", rounds.seconds(cold), "s")
        yield Row(subject, "compiled before", rounds.seconds(warm), "s", rounds.ratio(cold, warm), "compiling")


def training(_: torch.device, seed: int, *, steps: int, steps_on_large: int) -> Iterator[Row]:
    """Recorded runs, without the imports of their processes, and animations of the first."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "map.npy"
        np.save(large, np.kron(built_in_map(), np.ones((16, 16))))

        def train(name: str, *options: str) -> list[dict[str, float]]:
            outputs = str(Path(folder) / name), str(_TRAININGS)
            printed = run_python("-c", _REPEATED, *outputs, "train", *options, "--seed", str(seed), "--json")
            return [json.loads(line) for line in printed.splitlines()]

        first, *runs = train("small", "--input-temp=5", "--target-temp=0", "--samples=100", f"--steps={steps}")
        subject = f"{steps:,} steps of training, 100 samples, 16x16"
        yield Row(subject, "imle train", estimate([run["seconds"] for run in runs]), "s")
        yield Row(subject, "backward solutions kept from the forward pass", exactly(100 * first["kept_share"]), "%")
        runs = train("large", str(large), f"--steps={steps_on_large}")
        seconds = estimate([run["seconds"] for run in runs[1:]])
        yield Row("training, 10 samples, 256x256", "imle train", seconds.rate(steps_on_large + 1), "steps/s")
        yield from _animation(Run.open(Path(folder) / "small0"))


def _animation(run: Run) -> Iterator[Row]:
    file, history, rows = BytesIO(), run.history(), run.metrics()

    def animate() -> None:
        file.seek(0)
        film = RunFilms(history, rows, run.config["options"], 480, 100).films["learning_weights"]
        encoders.write(file, "gif", timed(film(), 8), frames.PALETTE)

    count = len(RunFilms(history, rows, run.config["options"], 480, 100).shown)
    subject = f"{count} frames of 16x16 weights, 480 pixels"
    yield Row(subject, "GIF, drawn and written", in_rounds(animate).seconds(), "s")
    yield Row(subject, "size of the GIF", exactly(file.tell() / 1000), "kB")


def sweep(_: torch.device, seed: int) -> Iterator[Row]:
    """All temperatures, with animations, once."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        options = "--samples", "10", "--animate", "--seeds", str(seed), "--out", str(Path(folder) / "sweep")
        run_python("-m", "imle_cli", "sweep", *options)
        seconds = time.perf_counter() - began
    yield Row("imle sweep --samples 10 --animate: 16 runs, 32 GIFs", "whole process", Estimate(seconds), "s")


def memory(_: torch.device, seed: int, *, samples: int = 100) -> Iterator[Row]:
    """By how much a command raises the peak of its process."""
    code = (
        "import sys; from imle_cli.app import app; from imle_cli.benchmarks.processes import peak_above_imports;"
        "print(peak_above_imports(lambda: app(sys.argv[1:], standalone_mode=False)))"
    )
    with tempfile.TemporaryDirectory() as folder:
        source, picture = Path(folder) / "map.npy", Path(folder) / "map.png"
        np.save(source, np.kron(built_in_map(), np.ones((64, 64))))
        command = [
            "marginals",
            str(source),
            "--samples",
            str(samples),
            "--seed",
            str(seed),
            "--quiet",
            "--out",
            str(picture),
        ]
        printed = run_python("-c", code, *command)
    subject = f"imle marginals --samples {samples}, 1024x1024"
    yield Row(subject, "peak memory above imports", Estimate(float(printed) / 1e6), "MB")


def peak_above_imports(command: Callable[[], object]) -> int:
    """Bytes by which a command raises this process's peak above that of its imports, compiled code included."""
    from imle_cli.figures import maps, preview  # noqa: F401
    from imle_cli.problems import reading  # noqa: F401

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


def run_python(*arguments: str, **environment: str | None) -> str:
    """Standard output of a new process of this Python, with these variables beside its environment; None is none."""
    variables = {name: value for name, value in (os.environ | environment).items() if value is not None}
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, env=variables)
    return done.stdout


def run_script(code: str, *arguments: object, **environment: str) -> str:
    """Standard output of a script such as people write: nothing tells torch's threads to sleep, as the command does."""
    return run_python("-c", code, *map(str, arguments), OMP_WAIT_POLICY=None, **environment)


def _first(code: str, count: int, seed: int, **environment: str) -> SelfTimed:
    """Seconds that a script prints."""
    return SelfTimed(lambda: float(run_script(code, count, seed, **environment)))
