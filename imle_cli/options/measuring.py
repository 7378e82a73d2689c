"""Options of measurements of estimators."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from imle_cli.options.panels import INPUT, MEASUREMENT, PROBLEM
from imle_cli.options.values import completer

PROBLEMS = ("top-k", "path", "spanning-tree", "knapsack")  # those of imle_core.lab, which imports torch

Instances = Annotated[
    int,
    typer.Option(
        min=1,
        max=1000,
        rich_help_panel=MEASUREMENT,
        help="Number of random problems, of seeds --seed, --seed + 1, and so on.",
    ),
]


@dataclass(frozen=True)
class LabOptions:
    """Problem on which estimators are measured."""

    panel: ClassVar[str] = PROBLEM

    problem: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completer(PROBLEMS),
            help="Without INPUT, a random one: top-k (the default), path, spanning-tree or knapsack.",
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Size of the random problem: 10,5 (n,k); 8x8 tiles; 6 nodes; 12 items."),
    ] = None
    function: Annotated[
        str | None, typer.Option(metavar="MODULE:SOLVER", help="A solver of your own, of batches, that maximises.")
    ] = None
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:LOSS",
            help="A loss of your own, from states (N, ...) to N numbers; default: the squared distance to random "
            "numbers, or with INPUT the Hamming distance to the noise-free solution.",
        ),
    ] = None
    gold: Annotated[
        Path | None,
        typer.Option(rich_help_panel=INPUT, help="With a map: mask of the path whose Hamming distance is the loss."),
    ] = None
