"""``imle sweep``: a whole grid of trainings over temperatures, numbers of samples and seeds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import typer

from imle_cli.console import Report, Result
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least, option_of, read_numbers
from imle_cli.options.deciding import DecisionLossName, DecisionOptions, OwnProblemOptions
from imle_cli.options.estimators import DECIDERS, LEARNERS
from imle_cli.options.groups import Given, Without
from imle_cli.options.inputs import DeviceName, ExecutorName, MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions, RecordEvery
from imle_cli.options.panels import LEARNING, MEASUREMENT, OUTPUT
from imle_cli.options.report import FilmOptions, ReportOptions
from imle_cli.options.values import completer
from imle_cli.problems.presence import check_files, check_present

EXAMPLES = (
    "imle sweep --input-temps 0,5 --target-temps 0,5 -n 1,10 -o sweeps/first",
    "imle sweep paths --estimators spo-plus,imle --seeds 0,1,2 -o sweeps/paths",
)

_Estimators = Annotated[
    str,
    typer.Option(
        metavar="NAME,...",
        rich_help_panel=LEARNING,
        autocompletion=completer([*dict.fromkeys((*LEARNERS, *DECIDERS))]),
        show_default=False,
        help="Of images: estimators, and baselines as imle perceive has them; default: imle, blackbox, fenchel-young, "
        "regression, tiles, mean-colour. Of features: as imle decide has them; default: least-squares, spo-plus, imle, "
        "adaptive-imle, fenchel-young.",
    ),
]
_Network = Annotated[
    Literal["small", "resnet18", "linear", "mlp"] | None,
    typer.Option(
        rich_help_panel=LEARNING,
        help="Of images: small, the default, or resnet18; of features: linear, the default, or mlp.",
    ),
]
_Loss = Annotated[
    DecisionLossName | None,
    typer.Option(
        rich_help_panel=LEARNING,
        help="Loss of samples: hamming or squared distance to the best solution; or, of features, regret.",
    ),
]
_Pool = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        rich_help_panel=LEARNING,
        help="Of features: solve in this share of the calls, else take the best decision seen so far.",
    ),
]
_IMAGES = "imle,blackbox,fenchel-young,regression,tiles,mean-colour"
_FEATURES = "least-squares,spo-plus,imle,adaptive-imle,fenchel-young"
_NETWORKS_ONLY = {"estimators", "network", "epochs", "batch", "loss"}
_OF_IMAGES, _OF_FEATURES = {"augment"}, {"pool", "schedule"}
_SHARED = {"lr", "alpha", "beta", "loss_reduction"}  # by the name, with other defaults for networks
_ALLOWED = {"map", "seeds", "noise", "noise_k", "noise_iterations", "device", "out", "executor", "jobs", "json", "quiet"}
_ALLOWED |= _NETWORKS_ONLY | _SHARED | {"debug"}
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
        Without(
            *("estimator", "network", "samples", "input_temp", "target_temp"),
            *("lr", "alpha", "beta", "loss", "loss_reduction"),
        ),
    ],
    film: FilmOptions,
    report: Annotated[ReportOptions, Without("seed")],
    given: Given,
    console: Report,
    estimators: _Estimators = "",
    network: _Network = None,
    loss: _Loss = None,
    pool: _Pool = None,
    out: SweepFolder = None,
    record_every: RecordEvery = None,
    animate: _Animate = False,
    executor: Annotated[ExecutorName, typer.Option(help=_EXECUTOR)] = "joblib",
    jobs: _Jobs = None,
) -> Result:
    """Train over a grid of temperatures, numbers of samples and seeds.

    The results are a table, heat maps and, with --animate, films. If FILE is a folder of images, or of features and costs,
    as imle data makes them: for every estimator and seed, and a picture of accuracy, or of regret, against seconds.
    """
    check_present(source.map)
    data = source.map if source.map is not None and source.map.is_dir() else None
    _check_fitting(data, given, network, loss)
    if data is None:
        check_files(learning)
        from imle_cli.trainings.weights.experiment import TrainingExperiment
        from imle_cli.trainings.weights.sweep import Sweep

        console.begin()
        experiment = TrainingExperiment(source, choice, noise, learning, report.seed, report.device, record_every)
        check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to use every core")
        experiment.rehearse()
        with Sweep(out, experiment, axes.values, film if animate else None) as grid:
            return grid.work(console, executor, jobs)
    console.begin()
    check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to train one cell at a time")
    named = {"network": network, "loss": loss, "pool": pool}
    options = {name: value for name, value in (named | _shared(learning, images)).items() if name in given.names}
    make = _of_features if _has_features(data) else _of_images
    with make(data, options, estimators, noise, axes.values["seed"], report.device, out) as grid_of_networks:
        result: Result = grid_of_networks.work(console, executor, jobs or 1)  # one at a time: seconds can be compared
    return result


def _shared(learning: LearningOptions, images: PerceptionOptions) -> dict[str, Any]:
    """Options of both kinds of networks, by name."""
    of_learning = {name: getattr(learning, name) for name in (*_SHARED, "schedule")}
    return of_learning | {name: getattr(images, name) for name in ("epochs", "batch", "augment")}


def _of_images(
    data: Path,
    options: dict[str, Any],
    estimators: str,
    noise: NoiseOptions,
    seeds: list[int],
    device: DeviceName,
    out: Path | None,
) -> Any:
    """The sweep over a folder of images."""
    from imle_cli.trainings.perception.experiment import PerceptionExperiment
    from imle_cli.trainings.perception.sweep import PerceptionSweep

    experiment = PerceptionExperiment(data, PerceptionOptions(**options), noise, 0, device)
    return PerceptionSweep(out, experiment, _names(estimators or _IMAGES), seeds)


def _of_features(
    data: Path,
    options: dict[str, Any],
    estimators: str,
    noise: NoiseOptions,
    seeds: list[int],
    device: DeviceName,
    out: Path | None,
) -> Any:
    """The sweep over a folder of features and costs."""
    from imle_cli.trainings.decisions.experiment import DecisionExperiment
    from imle_cli.trainings.decisions.sweep import DecisionSweep

    names = _names(estimators or _FEATURES)
    learning = DecisionOptions(estimator=names[0], **options)
    experiment = DecisionExperiment(data, OwnProblemOptions(), learning, noise, 0, device)
    return DecisionSweep(out, experiment, names, seeds)


def _names(estimators: str) -> list[str]:
    """Names between commas, each once."""
    return list(dict.fromkeys(name.strip() for name in estimators.split(",")))


def _has_features(data: Path) -> bool:
    """True of a folder of decisions, false of one of images."""
    return (data / "problem.json").exists() or any(data.glob("*_features.npy"))


def _check_fitting(data: Path | None, given: Given, network: str | None, loss: str | None) -> None:
    """Refuses options of a sweep over networks in one over a map, and the other way round."""
    if data is None:
        for name in sorted(given.names & (_NETWORKS_ONLY | _OF_IMAGES | {"pool"})):
            what = {"augment": "images", "pool": "features"}.get(name, "images, or over features")
            raise UsageError(f"--{name}: it belongs to a sweep over {what}; give the folder of a data set, or leave it out")
        return
    features = _has_features(data)
    kind, own = ("features", _OF_FEATURES) if features else ("images", _OF_IMAGES)
    for name in sorted(given.names - _ALLOWED - own):
        other = "images" if name in _OF_IMAGES else "features" if name == "pool" else "a map"
        raise UsageError(
            f"{option_of(name)}: it belongs to a sweep over {other}, but {data} is a folder of {kind}; leave it out"
        )
    networks = ("linear", "mlp") if features else ("small", "resnet18")
    if network is not None and network not in networks:
        raise UsageError(f"--network: got {network!r}; it must be {networks[0]} or {networks[1]} for a folder of {kind}")
    if loss == "regret" and not features:
        raise UsageError("--loss: got 'regret'; it must be hamming or squared for a folder of images")
