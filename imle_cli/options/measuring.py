"""Options of measurements of estimators."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Instances = Annotated[int, typer.Option(help="How many random problems, of seeds --seed, --seed + 1, ...")]


@dataclass(frozen=True)
class LabOptions:
    """On which problem estimators are measured."""

    problem: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Without INPUT, a random one: top-k (the default), path, spanning-tree, knapsack."
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Of the random problem: 10,5 (n,k); 8x8 tiles; 6 nodes; 12 items."),
    ] = None
    function: Annotated[
        str | None, typer.Option(metavar="MODULE:SOLVER", help="A solver of your own, of batches, that maximises.")
    ] = None
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:LOSS",
            help="A loss of your own, from states (N, ...) to N numbers; by default the "
            "squared distance to random numbers, or with INPUT the Hamming distance to the noise-free solution.",
        ),
    ] = None
    gold: Annotated[Path | None, typer.Option(help="With a map: mask of the path whose Hamming distance is the loss.")] = (
        None
    )
