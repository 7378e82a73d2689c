"""Options of data sets of decisions, and which of them belong to which kind."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import typer

from imle_cli.options.checks import check_at_least, check_range, option_of
from imle_cli.options.panels import PROBLEM

DataKind = Literal["terrain", "shortest-path", "knapsack", "tour", "portfolio"]

_ALL = frozenset({"features", "degree", "split_seed"})
OF_KIND: dict[str, frozenset[str]] = {
    "terrain": frozenset({"size", "hard", "unique"}),
    "shortest-path": _ALL | {"size", "noise_width"},
    "knapsack": _ALL | {"items", "constraints", "capacity", "noise_width"},
    "tour": _ALL | {"nodes", "noise_width"},
    "portfolio": _ALL | {"assets", "noise_level", "risk"},
}
"""Options that kinds have of their own; all others they share."""


@dataclass(frozen=True)
class DecisionDataOptions:
    """Features, and the costs that depend on them; each kind of problem has options of its own."""

    panel: ClassVar[str] = PROBLEM

    features: Annotated[int, typer.Option(metavar="NUMBER", min=1, help="Decisions: features of an instance.")] = 5
    degree: Annotated[
        int,
        typer.Option(metavar="NUMBER", min=1, max=32, help="Decisions: degree of the costs as a polynomial of features."),
    ] = 4
    noise_width: Annotated[
        float,
        typer.Option(metavar="WIDTH", min=0, max=1e6, help="Decisions: costs are multiplied by 1 - WIDTH to 1 + WIDTH."),
    ] = 0.5
    items: Annotated[int, typer.Option(metavar="ITEMS", min=1, max=10_000, help="Knapsack: items to choose from.")] = 16
    constraints: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=100, help="Knapsack: weights of an item, each with a capacity.")
    ] = 2
    capacity: Annotated[
        float, typer.Option(metavar="WEIGHT", min=0, help="Knapsack: what chosen items may weigh; an item weighs 3 to 8.")
    ] = 20.0
    nodes: Annotated[int, typer.Option(metavar="NODES", min=3, max=100, help="Tour: nodes to visit.")] = 10
    assets: Annotated[int, typer.Option(metavar="ASSETS", min=1, max=1000, help="Portfolio: assets to buy.")] = 50
    noise_level: Annotated[
        float, typer.Option(metavar="LEVEL", min=0, max=1e6, help="Portfolio: scale of the returns' noise.")
    ] = 1.0
    risk: Annotated[
        float, typer.Option(metavar="TIMES", min=0, help="Portfolio: largest variance, in mean covariances.")
    ] = 2.25
    split_seed: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=0, max=2**32 - 1, help="Decisions: seed of the split; default: that of the data."
        ),
    ] = None


_RANGES: dict[str, tuple[float, float, str]] = {
    "features": (1, math.inf, "the usual number is 5"),
    "degree": (1, 32, "the usual degrees are 1 to 8"),
    "noise_width": (0, 1e6, "use 0 for none"),
    "items": (1, 10_000, "the usual number is 16"),
    "constraints": (1, 100, "the usual numbers are 1 to 3"),
    "capacity": (0, math.inf, "the usual one is 20"),
    "nodes": (3, 100, "a tour needs 3 nodes"),
    "assets": (1, 1000, "the usual number is 50"),
    "noise_level": (0, 1e6, "the usual level is 1"),
    "risk": (0, math.inf, "the usual one is 2.25"),
    "split_seed": (0, 2**32 - 1, "leave it out for that of the data"),
}


def check_ranges(options: DecisionDataOptions) -> None:
    """Refuses numbers outside their ranges.

    Raises:
        UsageError: it names the first option.
    """
    for name, (least, most, remedy) in _RANGES.items():
        value = getattr(options, name)
        if value is None:
            continue
        if most == math.inf:
            check_at_least(option_of(name), value, least, remedy)
        else:
            check_range(option_of(name), value, least, most, remedy)


def check_kind(kind: str, given: frozenset[str]) -> None:
    """Refuses options of another kind.

    Raises:
        UsageError: it names the first one.
    """
    from imle_cli.messages import UsageError

    for name in sorted(given & frozenset.union(*OF_KIND.values()) - OF_KIND[kind]):
        owners = [owner for owner, names in OF_KIND.items() if name in names]
        raise UsageError(f"{option_of(name)}: it belongs to {' and '.join(owners)}, not to {kind}; leave it out")
