"""Options of learning decisions from features."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least, check_range
from imle_cli.options.estimators import DECIDERS
from imle_cli.options.inputs import check_temperature
from imle_cli.options.learning import Alpha, Lambda, ReductionName, ScheduleName, TargetTemperature
from imle_cli.options.panels import LEARNING, NOISE, PROBLEM
from imle_cli.options.values import completer

DecisionNetworkName = Literal["linear", "mlp"]
DecisionLossName = Literal["hamming", "squared", "regret"]


@dataclass(frozen=True)
class OwnProblemOptions:
    """A solver for a data set without ``problem.json``."""

    panel: ClassVar[str] = PROBLEM

    solver: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:SOLVER",
            help="For a folder without problem.json: a function, object or class of a module or of a file (mine.py:solver).",
        ),
    ] = None
    sense: Annotated[
        Literal["max", "min"] | None,
        typer.Option(
            metavar="max|min",
            help="Beside --solver: whether costs are paid (min) or values gained (max).",
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.sense is not None and self.solver is None:
            raise UsageError(f"--sense: got {self.sense}; it belongs to --solver; problem.json has that of its solver")
        if self.solver is not None and self.sense is None:
            raise UsageError("--sense: missing; it must be min, where costs are paid, or max, beside --solver")


@dataclass(frozen=True)
class DecisionOptions:
    """Options of learning from features: network, estimator, steps."""

    panel: ClassVar[str] = LEARNING

    estimator: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completer(DECIDERS),
            help="Any estimator or loss of decisions, such as spo-plus, imle or fenchel-young; or a baseline: regression, "
            "least-squares, mean-costs.",
        ),
    ] = "spo-plus"
    network: Annotated[
        DecisionNetworkName, typer.Option(help="A linear network, or one with a hidden layer of 64 (mlp).")
    ] = "linear"
    epochs: Annotated[int, typer.Option(min=1, help="Number of times that each instance is seen.")] = 20
    batch: Annotated[int, typer.Option(metavar="INSTANCES", min=1, help="Instances of a step, in each process.")] = 32
    lr: Annotated[
        float, typer.Option(metavar="STEP", min=1e-12, max=1e3, help="Largest step size of Adam, in units of the costs.")
    ] = 0.01
    schedule: Annotated[
        ScheduleName, typer.Option(help="Let the step size warm up and decay (cosine), or not (constant).")
    ] = "cosine"
    samples: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--samples",
            min=1,
            rich_help_panel=NOISE,
            help="Sampled decisions of each instance; default: 3, and 10 for score functions and perturbed optimizers.",
        ),
    ] = None
    input_temp: Annotated[
        float | None,
        typer.Option(
            min=0,
            rich_help_panel=NOISE,
            help="Temperature of the noise, in units of the costs; default: 1, and 0 for identity and structured-svm.",
        ),
    ] = None
    target_temp: TargetTemperature = None
    alpha: Alpha = 1.0
    beta: Lambda = 1.0
    loss: Annotated[
        DecisionLossName | None,
        typer.Option(
            help="Loss of sampled decisions: hamming or squared distance to the best one, or regret; default: regret, and "
            "squared for identity, straight-through and frank-wolfe.",
        ),
    ] = None
    loss_reduction: Annotated[
        ReductionName,
        typer.Option(metavar="sum|mean", help="Sum over instances; their mean divides lambda by their number."),
    ] = "sum"
    pool: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Solve in this share of the calls, else take the best decision seen so far; default: solve always.",
        ),
    ] = None

    def __post_init__(self) -> None:
        check_at_least("--epochs", self.epochs, 1, "the usual number is 20")
        check_at_least("--batch", self.batch, 1, "the usual number is 32")
        check_at_least("--samples", 1 if self.samples is None else self.samples, 1, "the usual number is 3")
        check_temperature("--input-temp", self.input_temp or 0)
        check_temperature("--target-temp", self.target_temp or 0)
        check_at_least("--alpha", self.alpha, 0, "the usual value is 1")
        check_at_least("--beta", self.beta, 0, "the usual value is 1")
        check_range("--lr", self.lr, 1e-12, 1e3, "the usual value is 0.01")
        if self.pool is not None and not (math.isfinite(self.pool) and 0 < self.pool <= 1):
            rule = "it must be the share of calls that are solved, a number > 0 and at most 1"
            raise UsageError(f"--pool: got {self.pool:g}; {rule}; use 0.05 for instance, or leave it out to solve always")


DecisionData = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="Data set, as imle data makes them, or your own: features and costs."),
]
