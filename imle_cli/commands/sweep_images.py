"""``imle sweep`` of a data set of images: every estimator with every seed, accuracy against seconds."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from imle_cli.console import Report, Result
from imle_cli.errors import UsageError
from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.inputs import ExecutorName, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions
from imle_cli.options.report import ReportOptions

Estimators = Annotated[
    str,
    typer.Option(metavar="NAME,...", help="Of images: estimators, and baselines as imle perceive has them."),
]
IMAGES_ONLY = {"estimators", "network", "epochs", "batch", "augment", "loss"}
SHARED = {"lr", "alpha", "beta", "loss_reduction"}  # by the name, with other defaults for images
_ALLOWED = IMAGES_ONLY | SHARED | {"map", "seeds", "noise", "noise_k", "noise_iterations", "device", "out", "executor"}
_ALLOWED |= {"jobs", "json", "quiet", "debug"}


def sweep_images(
    data: Path,
    images: PerceptionOptions,
    learning: LearningOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    console: Report,
    given: frozenset[str],
    estimators: str,
    seeds: str,
    out: Path | None,
    executor: ExecutorName,
    jobs: int | None,
) -> Result:
    """Trains all cells, one at a time unless told otherwise, so that their seconds can be compared."""
    from imle_cli.perception.experiment import PerceptionExperiment
    from imle_cli.perception.sweep import PerceptionSweep

    console.begin()
    for name in sorted(given - _ALLOWED):
        raise UsageError(
            f"--{name.replace('_', '-')}: it belongs to a sweep over a map, but {data} is a folder of images; leave it out"
        )
    check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to train one cell at a time")
    options = replace(images, **{name: getattr(learning, name) for name in SHARED & given})
    names = list(dict.fromkeys(name.strip() for name in estimators.split(",")))
    numbers = read_numbers("--seeds", seeds, int, 0, "0,1,2")
    experiment = PerceptionExperiment(data, options, noise, 0, report.device)
    with PerceptionSweep(out, experiment, names, numbers) as grid:
        return grid.work(console, executor, jobs or 1)
