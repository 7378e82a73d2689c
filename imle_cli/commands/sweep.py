"""``imle sweep``: a whole grid of trainings over temperatures, numbers of samples and seeds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from imle_cli.console import Report, Result
from imle_cli.errors import UsageError
from imle_cli.options.checks import check_at_least, option_of, read_numbers
from imle_cli.options.estimators import LEARNERS
from imle_cli.options.groups import Given, Without
from imle_cli.options.inputs import ExecutorName, MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions, RecordEvery
from imle_cli.options.panels import LEARNING, MEASUREMENT, OUTPUT
from imle_cli.options.report import FilmOptions, ReportOptions
from imle_cli.options.values import completer
from imle_cli.problems.presence import check_files, check_present

EXAMPLES = ("imle sweep --input-temps 0,5 --target-temps 0,5 -n 1,10 -o sweeps/first",)

_Estimators = Annotated[
    str,
    typer.Option(
        metavar="NAME,...",
        rich_help_panel=LEARNING,
        autocompletion=completer(LEARNERS),
        show_default=False,
        help="Of images: estimators, and baselines as imle perceive has them; default: imle, blackbox, fenchel-young, "
        "regression, tiles, mean-colour.",
    ),
]
_IMAGES_ONLY = {"estimators", "network", "epochs", "batch", "augment", "loss"}
_SHARED = {"lr", "alpha", "beta", "loss_reduction"}  # by the name, with other defaults for images
_ALLOWED = _IMAGES_ONLY | _SHARED | {"map", "seeds", "noise", "noise_k", "noise_iterations", "device", "out", "executor"}
_ALLOWED |= {"jobs", "json", "quiet", "debug"}
_EXECUTOR = (
    "Processes of this machine (joblib), or a cluster (dask, ray). One that ray starts here, or dask without the package "
    "cryptography, takes orders from every user of this machine: use it where you are alone."
)
SweepFolder = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        metavar="DIR",
        rich_help_panel=OUTPUT,
        help="Folder; default: sweeps/MAP-DATE-TIME. Cells that it has already are skipped.",
    ),
]


@dataclass(frozen=True)
class AxesOptions:
    """The grid; values are separated by commas."""

    panel: ClassVar[str] = MEASUREMENT

    input_temps: Annotated[str, typer.Option(metavar="T,...", help="Temperatures of the noise.")] = "0,1,2,5"
    target_temps: Annotated[str, typer.Option(metavar="T,...", help="Temperatures of the noise in the backward pass.")] = (
        "0,1,2,5"
    )
    samples: Annotated[str, typer.Option("-n", "--samples", metavar="N,...", help="Numbers of samples.")] = "1,10,100"
    seeds: Annotated[str, typer.Option(metavar="N,...", help="Seeds.")] = "0"

    @property
    def values(self) -> dict[str, list[Any]]:
        """Values by axis, in order, each once."""
        return {
            "input_temp": read_numbers("--input-temps", self.input_temps, float, 0, "0,1,2,5"),
            "target_temp": read_numbers("--target-temps", self.target_temps, float, 0, "0,1,2,5"),
            "samples": read_numbers("--samples", self.samples, int, 1, "1,10,100"),
            "seed": read_numbers("--seeds", self.seeds, int, 0, "0,1,2"),
        }


_Animate = Annotated[
    bool, typer.Option("--animate", rich_help_panel=OUTPUT, help="Animate the paths and the weights of every cell.")
]
_Jobs = Annotated[
    int | None, typer.Option(min=1, help="Cells at a time; default: one a core, and of images one, which has all cores.")
]


def sweep(
    source: MapOptions,
    choice: MapSolverOptions,
    noise: NoiseOptions,
    axes: AxesOptions,
    learning: Annotated[LearningOptions, Without("input_temp", "target_temp", "samples")],
    images: Annotated[
        PerceptionOptions,
        Without("estimator", "samples", "input_temp", "target_temp", "lr", "alpha", "beta", "loss_reduction"),
    ],
    film: FilmOptions,
    report: Annotated[ReportOptions, Without("seed")],
    given: Given,
    console: Report,
    estimators: _Estimators = "imle,blackbox,fenchel-young,regression,tiles,mean-colour",
    out: SweepFolder = None,
    record_every: RecordEvery = None,
    animate: _Animate = False,
    executor: Annotated[ExecutorName, typer.Option(help=_EXECUTOR)] = "joblib",
    jobs: _Jobs = None,
) -> Result:
    """Train over a grid of temperatures, numbers of samples and seeds.

    The results are a table, heat maps and, with --animate, films. If FILE is a folder of images, as imle data makes them:
    for every estimator and seed, and a picture of accuracy against seconds.
    """
    check_present(source.map)
    data = source.map if source.map is not None and source.map.is_dir() else None
    _check_fitting(data, given.names)
    if data is None:
        check_files(learning)
        from imle_cli.learning.experiment import TrainingExperiment
        from imle_cli.learning.sweep import Sweep

        console.begin()
        experiment = TrainingExperiment(source, choice, noise, learning, report.seed, report.device, record_every)
        check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to use every core")
        experiment.rehearse()
        with Sweep(out, experiment, axes.values, film if animate else None) as grid:
            return grid.work(console, executor, jobs)
    from imle_cli.perception.experiment import PerceptionExperiment
    from imle_cli.perception.sweep import PerceptionSweep

    console.begin()
    check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to train one cell at a time")
    options = replace(images, **{name: getattr(learning, name) for name in _SHARED & given.names})
    names = list(dict.fromkeys(name.strip() for name in estimators.split(",")))
    perceiving = PerceptionExperiment(data, options, noise, 0, report.device)
    with PerceptionSweep(out, perceiving, names, axes.values["seed"]) as images_grid:
        return images_grid.work(console, executor, jobs or 1)  # one at a time, so that their seconds can be compared


def _check_fitting(data: Path | None, given: frozenset[str]) -> None:
    """Refuses options of a sweep over images in one over a map, and the other way round."""
    for name in sorted(given & _IMAGES_ONLY if data is None else given - _ALLOWED):
        if data is None:
            raise UsageError(f"--{name}: it belongs to a sweep over images; give the folder of a data set, or leave it out")
        text = f"it belongs to a sweep over a map, but {data} is a folder of images; leave it out"
        raise UsageError(f"{option_of(name)}: {text}")
