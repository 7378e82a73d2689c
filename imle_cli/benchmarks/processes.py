"""Time and memory of whole commands in processes of their own, with and without compiled code in the cache."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from imle_cli.benchmarks.measurement import Row, fastest
from imle_cli.files.maps.terrain import built_in_map
from imle_cli.films import encoders, frames
from imle_cli.films.timing import timed
from imle_cli.films.training import RunFilms
from imle_cli.runs.training import Run
from imle_core.solvers import GridPath


def commands(_: torch.device, seed: int) -> Iterator[Row]:
    """Commands with compiled code in its cache."""
    with tempfile.TemporaryDirectory() as folder:
        marginals = ["marginals", "--samples", "10000", "--seed", str(seed), "--out", str(Path(folder) / "map.png")]
        slow, quick = fastest(
            lambda: run_python("-m", "imle_cli", *marginals), lambda: run_python("-m", "imle_cli", "--help")
        )
    yield Row("imle marginals --samples 10000", "whole process", slow, "s")
    yield Row("imle --help", "whole process", quick, "s")


def cold_start(_: torch.device, seed: int) -> Iterator[Row]:
    """A command that compiles everything it needs, once, and the same command with the cache that it left."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "imle_cli", "marginals", "--seed", str(seed), "--out", str(Path(folder) / "map.png")]
        cache = str(Path(folder) / "cache")
        began = time.perf_counter()
        run_python(*command, NUMBA_CACHE_DIR=cache)
        cold = time.perf_counter() - began
        warm = fastest(lambda: run_python(*command, NUMBA_CACHE_DIR=cache))[0]
    yield Row("imle marginals", "whole process, compiling", cold, "s")
    yield Row("imle marginals", "whole process, compiled before", warm, "s", cold / warm, "whole process, compiling")


def training(_: torch.device, seed: int, *, steps: int, steps_on_large: int, turns: int) -> Iterator[Row]:
    """Recorded runs, without the imports of their processes, and animations of the first."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "map.npy"
        np.save(large, np.kron(built_in_map(), np.ones((16, 16))))

        def train(number: int, *options: str) -> dict[str, float]:
            outputs = ["--seed", str(seed), "--out", str(Path(folder) / f"run{number}"), "--json"]
            values: dict[str, float] = json.loads(run_python("-m", "imle_cli", "train", *options, *outputs))
            return values

        small = ["--input-temp", "5", "--target-temp", "0", "--samples", "100", "--steps", str(steps)]
        runs = [train(turn, *small) for turn in range(turns)]
        subject = f"{steps:,} steps of training, 100 samples, 16x16"
        yield Row(subject, "imle train", min(run["seconds"] for run in runs), "s")
        yield Row(subject, "backward solutions kept from the forward pass", 100 * runs[0]["kept_share"], "%")
        long = ["--steps", str(steps_on_large)]
        best = min(train(turns + turn, str(large), *long)["seconds"] for turn in range(turns))
        yield Row("training, 10 samples, 256x256", "imle train", (steps_on_large + 1) / best, "steps/s")
        yield from _animation(Run.open(Path(folder) / "run0"))


def _animation(run: Run) -> Iterator[Row]:
    file, history, rows = BytesIO(), run.history(), run.metrics()

    def animate() -> None:
        file.seek(0)
        film = RunFilms(history, rows, run.config["options"], 480, 100).films["learning_weights"]
        encoders.write(file, "gif", timed(film(), 8), frames.PALETTE)

    count = len(RunFilms(history, rows, run.config["options"], 480, 100).shown)
    yield Row(f"{count} frames of 16x16 weights, 480 pixels", "GIF, drawn and written", fastest(animate)[0], "s")
    yield Row(f"{count} frames of 16x16 weights, 480 pixels", "size of the GIF", file.tell() / 1000, "kB")


def sweep(_: torch.device, seed: int) -> Iterator[Row]:
    """All temperatures and numbers of samples, with animations."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run_python("-m", "imle_cli", "sweep", "--animate", "--seeds", str(seed), "--out", str(Path(folder) / "sweep"))
        seconds = time.perf_counter() - began
    yield Row("imle sweep --animate: 48 runs, 96 GIFs", "whole process", seconds, "s")


def memory(_: torch.device, seed: int) -> Iterator[Row]:
    """By how much a command raises the peak of its process."""
    code = (
        "import sys; from imle_cli.app import app; from imle_cli.benchmarks.processes import peak_above_imports;"
        "print(peak_above_imports(lambda: app(sys.argv[1:], standalone_mode=False)))"
    )
    with tempfile.TemporaryDirectory() as folder:
        source, picture = Path(folder) / "map.npy", Path(folder) / "map.png"
        np.save(source, np.kron(built_in_map(), np.ones((64, 64))))
        command = ["marginals", str(source), "--samples", "100", "--seed", str(seed), "--quiet", "--out", str(picture)]
        printed = run_python("-c", code, *command)
    yield Row("imle marginals --samples 100, 1024x1024", "peak memory above imports", float(printed) / 1e6, "MB")


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


def run_python(*arguments: str, **environment: str) -> str:
    """Standard output of a new process of this Python, with these variables beside those of its environment."""
    done = subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, env=os.environ | environment
    )
    return done.stdout
