"""Options of training, on maps and on images."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least, check_range
from imle_cli.options.estimators import LEARNERS
from imle_cli.options.inputs import DifferenceName, InputTemperature, Samples, check_temperature
from imle_cli.options.panels import INPUT, LEARNING, NOISE, OUTPUT
from imle_cli.options.values import completer

ScheduleName = Literal["cosine", "constant"]
ReductionName = Literal["sum", "mean"]
NetworkName = Literal["small", "resnet18"]
PathLossName = Literal["hamming", "squared"]
Resume = Annotated[
    Path | None, typer.Option(metavar="RUN", rich_help_panel=INPUT, help="Go on with a run that was interrupted.")
]
RecordEvery = Annotated[
    int | None,
    typer.Option(
        metavar="STEPS",
        min=1,
        rich_help_panel=OUTPUT,
        help="Keep weights and paths of every so many steps; default: of each at first, then of fewer and fewer.",
    ),
]
_TargetTemperature = Annotated[
    float, typer.Option(min=0, rich_help_panel=NOISE, help="Temperature of the noise in the backward pass.")
]
Lambda = Annotated[
    float,
    typer.Option("--lambda", "--beta", metavar="LAMBDA", min=0, help="Step size lambda of the target distribution."),
]
TargetTemperature = Annotated[
    float | None,
    typer.Option(
        min=0,
        rich_help_panel=NOISE,
        help="Temperature of the noise in the backward pass; default: that in the forward pass.",
    ),
]
Alpha = Annotated[
    float, typer.Option(metavar="WEIGHT", min=0, help="Weight of the present parameters in the target distribution.")
]


@dataclass(frozen=True)
class LearningOptions:
    """Options of learning."""

    panel: ClassVar[str] = LEARNING

    gold: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=INPUT,
            help="The answer to learn: a mask of a path (white or 1 on it); default: the cheapest path of the map.",
        ),
    ] = None
    init: Annotated[
        str,
        typer.Option(
            metavar="uniform|FILE", rich_help_panel=INPUT, help="First weights: U(-0.1, 0.1), or a .npy, .csv or .txt."
        ),
    ] = "uniform"
    input_temp: InputTemperature = 1.0
    target_temp: _TargetTemperature = 1.0
    samples: Samples = 10
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 1100
    lr: Annotated[float, typer.Option(metavar="STEP", help="Step size of Adam.")] = 0.005
    schedule: Annotated[
        ScheduleName, typer.Option(help="Let the step size decay, so that the end is quiet (cosine), or not (constant).")
    ] = "cosine"
    alpha: Alpha = 1.0
    beta: Lambda = 10.0
    difference: Annotated[
        DifferenceName, typer.Option(help="One solve in the backward pass (forward), or two (central).")
    ] = "forward"
    loss_reduction: Annotated[
        ReductionName,
        typer.Option(metavar="sum|mean", help="Sum over samples; their mean divides lambda by their number and may fail."),
    ] = "sum"

    @property
    def files(self) -> dict[str, Path]:
        """Files that the options name, by these."""
        files = {"--gold": self.gold, "--init": None if self.init == "uniform" else Path(self.init)}
        return {option: path for option, path in files.items() if path is not None}

    def __post_init__(self) -> None:
        check_at_least("--samples", self.samples, 1, "use 10 for a first look")
        check_temperature("--input-temp", self.input_temp)
        check_temperature("--target-temp", self.target_temp)
        check_at_least("--steps", self.steps, 1, "the usual number is 1100")
        check_at_least("--alpha", self.alpha, 0, "the usual value is 1")
        check_at_least("--beta", self.beta, 0, "the usual value is 10")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise UsageError(f"--lr: got {self.lr:g}; it must be a number > 0; the usual value is 0.005")


@dataclass(frozen=True)
class LiveOptions:
    """Options of learning on a page: where its controls stand at first."""

    panel: ClassVar[str] = LEARNING

    input_temp: InputTemperature = 1.0
    target_temp: _TargetTemperature = 1.0
    samples: Annotated[
        int,
        typer.Option("-n", "--samples", min=1, max=100, rich_help_panel=NOISE, help="How many samples to draw in a step."),
    ] = 10
    lr: Annotated[
        float, typer.Option(metavar="STEP", min=0, help="Step size of gradient descent on the costs of tiles.")
    ] = 0.1
    beta: Lambda = 0.7

    def __post_init__(self) -> None:
        check_range("--samples", self.samples, 1, 100, "10 are enough to see what happens")
        check_temperature("--input-temp", self.input_temp)
        check_temperature("--target-temp", self.target_temp)
        check_at_least("--lr", self.lr, 0, "the usual value is 0.1")
        check_at_least("--beta", self.beta, 0, "0.7 moves some paths and not others")


@dataclass(frozen=True)
class PerceptionOptions:
    """Options of learning from images: network, estimator, steps."""

    panel: ClassVar[str] = LEARNING

    estimator: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completer(LEARNERS),
            help="Any estimator of imle compare, or a baseline: regression (on the true costs), tiles (is a tile on the "
            "path, each by itself), mean-colour (a look-up).",
        ),
    ] = "imle"
    network: Annotated[NetworkName, typer.Option(help="A small network, or resnet18, its first layers.")] = "small"
    epochs: Annotated[int, typer.Option(min=1, help="Number of times that each map is seen.")] = 10
    batch: Annotated[int, typer.Option(metavar="MAPS", min=1, help="Maps of a step, in each process.")] = 16
    lr: Annotated[
        float,
        typer.Option(metavar="STEP", min=1e-12, max=1e3, help="Largest step size of Adam, which warms up, then falls to 0."),
    ] = 0.003
    augment: Annotated[
        bool, typer.Option("--augment", help="Flip maps along their diagonal and turn them by 180 degrees, at random.")
    ] = False
    samples: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--samples",
            min=1,
            rich_help_panel=NOISE,
            help="Sampled paths of each map; default: 1, and 10 for score functions and perturbed optimizers.",
        ),
    ] = None
    input_temp: Annotated[
        float | None,
        typer.Option(
            min=0, rich_help_panel=NOISE, help="Temperature of the noise; default: 1, and 0 for identity and structured-svm."
        ),
    ] = None
    target_temp: TargetTemperature = None
    alpha: Alpha = 1.0
    beta: Lambda = 1.0
    loss: Annotated[
        PathLossName | None,
        typer.Option(
            help="Distance to the gold path: hamming, linear; or squared, the default for identity and straight-through.",
        ),
    ] = None
    loss_reduction: Annotated[
        ReductionName,
        typer.Option(metavar="sum|mean", help="Sum over maps; their mean divides lambda by their number."),
    ] = "sum"

    def __post_init__(self) -> None:
        check_at_least("--epochs", self.epochs, 1, "the usual number is 10")
        check_at_least("--batch", self.batch, 1, "the usual number is 16")
        check_at_least("--samples", 1 if self.samples is None else self.samples, 1, "the usual number is 1")
        check_temperature("--input-temp", self.input_temp or 0)
        check_temperature("--target-temp", self.target_temp or 0)
        check_at_least("--alpha", self.alpha, 0, "the usual value is 1")
        check_at_least("--beta", self.beta, 0, "the usual value is 1")
        check_range("--lr", self.lr, 1e-12, 1e3, "the usual value is 0.003")

    @property
    def nb_samples(self) -> int:
        """Sampled paths of each map."""
        return self._usual[0] if self.samples is None else self.samples

    @property
    def temperatures(self) -> tuple[float, float]:
        """Temperatures of the noise, forward and backward."""
        forward = self._usual[1] if self.input_temp is None else self.input_temp
        return forward, forward if self.target_temp is None else self.target_temp

    @property
    def _usual(self) -> tuple[int, float]:
        """Samples and a temperature that suit the estimator; baselines have no use for them."""
        from imle_core.estimators import ESTIMATORS

        entry = ESTIMATORS.get(self.estimator)
        return (1, 1.0) if entry is None else (entry.usual_samples, entry.usual_temperature)
