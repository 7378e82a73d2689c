"""Figures of the guide that take minutes to measure: what commands printed, kept beside the pages.

Each file of :data:`FOLDER` has the measurements behind a table of the guide: commands, the day, the machine, and of what
they printed as JSON that which the table is made of. ``PYTHONPATH=tests/shared python -m measured NAME ...`` measures these
files anew in the current folder, and writes their tables into the pages.
"""

import datetime
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imle_cli.benchmarks import machine

FOLDER = Path(__file__).parents[2] / "imle_cli" / "guide" / "measured"
Values = dict[str, Any]


def parts(*names: str) -> Callable[[Values], Values]:
    """Makes a function that keeps these of the values of a command."""
    return lambda values: {name: values[name] for name in names}


def _best(values: Values) -> Values:
    """A comparison: each estimator at its best settings."""
    names = "estimator", "lambda", "temperature", "edge", "calls", *_ends("error")
    cells = [parts(*names)(cell) for cell in values["cells"] if cell["best"]]
    kept = parts("problem", "instances", "noise", "samples", "repetitions", "seed", *_ends("antithetic"), "recommendation")
    return {**kept(values), "cells": sorted(cells, key=lambda cell: values["best"].index(cell["estimator"]))}


def _every_lambda(values: Values) -> Values:
    """A comparison: I-MLE at every lambda and temperature."""
    names = "estimator", "lambda", "temperature", *_ends("error")
    cells = [parts(*names)(cell) for cell in values["cells"] if cell["estimator"] == "imle"]
    return {**parts("problem", "instances", "noise", "samples", "seed")(values), "cells": cells}


def _ends(name: str) -> list[str]:
    return [f"{name}{end}" for end in ("", "_standard_error", "_low", "_high")]


def _distances(values: Values) -> Values:
    """A calibration: the distance at temperature 1, and the least."""
    row = parts("temperature", "total_variation", "total_variation_standard_error")
    kept = parts("problem", "noise", "instances", "samples", "seed")(values)
    (usual,) = (entry for entry in values["rows"] if entry["temperature"] == 1)
    return {**kept, "usual": row(usual), "best": row(values["best"])}


_protocols = parts("protocols", "experiment", "schedule", "seeds", "seconds")


_SUBJECTS = re.compile(
    r"1,600 noisy built-in maps of \d+x\d+, float(32|64)|1,600 uniform random maps of \d+x\d+, float32"
    r"|1 map of 512x512, one core|100 noisy built-in maps of 16x16, (one thread|\d+ threads)|25,600 draws of noise"
    r"|forward and backward, 10+,?0+ samples|1,000 .*|64 .*, 200 nodes.*|step of 128 graphs.*|200 rows at lambda.*"
    r"|imle marginals, whole process|100 samples, both passes, first step in a script|1,100 steps of training.*"
)
# Those about paths on maps, which depend most on the vectors that a processor has.
_PATHS = re.compile(r"(1,600|70) (noisy built-in|uniform random|random) maps of .*")


def _speeds(subjects: re.Pattern[str]) -> Callable[[Values], Values]:
    """Makes a function that keeps of a benchmark the rows about these subjects."""
    row = parts("subject", "means", "value", "unit", "ratio", "ratio_low", "ratio_high", "reference", "settled")

    def kept(values: Values) -> Values:
        rows = [row(entry) for entry in values["rows"] if subjects.fullmatch(entry["subject"])]
        return {**parts("machine", "versions", "load")(values), "rows": rows}

    return kept


@dataclass(frozen=True)
class Measurement:
    """A command whose output is kept.

    Attributes:
        command: as a page shows it; ``--json`` and ``--quiet`` are added.
        kept: what is kept of the values that it prints.
        fresh: whether no compiled code is to be there.
    """

    command: str
    kept: Callable[[Values], Values]
    fresh: bool = False

    def record(self, values: Values, day: str) -> Values:
        """What a file has of it, measured on this machine on a day."""
        described = machine.describe(machine.torch.device("cpu"))
        facts = {
            "command": self.command,
            "date": day,
            "machine": machine.in_words(described),
            "versions": machine.versions(),
        }
        return {**facts, "result": self.kept(values)}

    def run(self) -> Values:
        """Runs the command, and gives the record."""
        call = [sys.executable, "-m", "imle_cli", *shlex.split(self.command)[1:], "--json", "--quiet"]
        with tempfile.TemporaryDirectory() as empty:
            environment = os.environ | ({"NUMBA_CACHE_DIR": empty} if self.fresh else {})
            done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        return self.record(json.loads(done.stdout), datetime.date.today().isoformat())


PROBLEMS = {"top-k": "top-5 of 10", "path": "8x8 paths", "spanning-tree": "trees of 6 nodes", "knapsack": "knapsack"}
NOISES = ("sum-of-gamma", "gumbel", "normal", "logistic")
_SEEING = "imle sweep runs/gallery/maps --augment --seeds 0,1,2 --estimators"

MEASUREMENTS = {
    "errors": [
        Measurement(
            f"imle compare --problem {name} --noise gumbel --antithetic --instances 5 --repetitions 1000 --no-picture", _best
        )
        for name in PROBLEMS
    ],
    "lambdas": [Measurement("imle compare --noise gumbel --antithetic --no-picture", _every_lambda)],
    "distances": [
        Measurement(f"imle calibrate --problem {name} --noise {noise} --instances 5 --no-picture", _distances)
        for noise in NOISES
        for name in ("top-k", "path")
    ],
    "decisions": [Measurement("imle reproduce decisions --no-picture", _protocols)],
    "schedules": [
        Measurement(
            "imle reproduce decisions --schedule constant --methods regression,spo-plus,imle,adaptive-imle,fenchel-young "
            "--no-picture",
            _protocols,
        )
    ],
    "experiment": [Measurement("imle reproduce top-k --no-picture", parts("experiment", "methods", "seed", "tuning_seed"))],
    "seeing": [
        Measurement(
            f"{_SEEING} imle,fenchel-young,identity,regression,tiles,mean-colour --out sweeps/seeing", parts("rows")
        ),
        *(
            Measurement(
                f"imle evaluate sweeps/seeing/imle-seed{seed} runs/gallery/maps24 --no-picture",
                parts("maps", "optimal", "regret"),
            )
            for seed in range(3)
        ),
    ],
    "speed": [
        Measurement("imle bench --full --no-picture", _speeds(_SUBJECTS)),
        Measurement("imle warm-up", parts("compiled", "compile_seconds"), fresh=True),
    ],
    "speed-avx2": [Measurement("imle bench --full --no-picture", _speeds(_PATHS))],
}
"""What each file has."""


def path(name: str) -> Path:
    """The file of this name."""
    return FOLDER / f"{name}.json"


def records(name: str) -> list[Values]:
    """The records in a file."""
    return json.loads(path(name).read_text(encoding="utf-8"))


def results(name: str) -> list[Values]:
    """What the commands of a file printed, as far as it is kept."""
    return [record["result"] for record in records(name)]


def write(name: str, made: list[Values]) -> None:
    """Writes a file, with a line for each entry of a list of objects."""
    path(name).write_text(_laid_out(made) + "\n", encoding="utf-8")


def _laid_out(value: Any, indent: str = "") -> str:
    """JSON in which what holds no list of objects is a line."""
    further = f"{indent}  "
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        lines = [further + _laid_out(entry, further) for entry in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    if isinstance(value, dict) and any(isinstance(entry, dict | list) for entry in value.values()):
        lines = [f"{further}{json.dumps(key)}: {_laid_out(entry, further)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value)


if __name__ == "__main__":
    from measured_tables import write_tables

    for chosen in sys.argv[1:]:
        write(chosen, [measurement.run() for measurement in MEASUREMENTS[chosen]])
        write_tables(chosen)
