"""Options of inputs: maps and tables, solvers, noise."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from imle_cli.messages import UsageError
from imle_cli.options.checks import _pair, _whole, check_at_least
from imle_cli.options.panels import INPUT, NOISE, PROBLEM
from imle_cli.options.standard_streams import read_from

_HOTTEST = 1e30  # the highest temperature that imle_core takes

MapSolverName = Literal["dijkstra", "top-k"]
SolverName = Literal[
    MapSolverName,
    "path",
    "min-cut",
    "spanning-tree",
    "spanning-forest",
    "matching",
    "perfect-matching",
    "assignment",
    "partial-assignment",
    "knapsack",
]
SenseName = Literal["min", "max"]
EngineName = Literal["compiled", "torch", "networkx"]
NoiseName = Literal["sum-of-gamma", "gumbel", "normal", "logistic", "none"]
DeviceName = Literal["auto", "cpu", "cuda"]
DifferenceName = Literal["forward", "central"]
ExecutorName = Literal["joblib", "dask", "ray"]

InputTemperature = Annotated[
    float, typer.Option(min=0, rich_help_panel=NOISE, help="Temperature of the noise: how much of it; 0 for none.")
]
Samples = Annotated[int, typer.Option("-n", "--samples", min=1, rich_help_panel=NOISE, help="How many samples to draw.")]


@dataclass(frozen=True)
class MapOptions:
    """Options of a map, and of how its picture becomes costs."""

    panel: ClassVar[str] = INPUT

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Map: an image (white is cheap, black is expensive, transparent pixels are walls) or costs (.npy, .npz, "
            ".csv, .txt, .asc, .map); - reads standard input; default: the built-in 16x16 map.",
        ),
    ] = None
    grid: Annotated[
        str | None, typer.Option(metavar="HxW", help="Average the map down to this many tiles, such as 16x16.")
    ] = None
    min_cost: Annotated[float, typer.Option(metavar="COST", help="Cost of white.")] = 1.0
    max_cost: Annotated[float, typer.Option(metavar="COST", help="Cost of black.")] = 100.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "map", read_from(self.map))

    @property
    def grid_shape(self) -> tuple[int, int] | None:
        """Rows and columns of ``--grid``."""
        return None if self.grid is None else _pair("--grid", self.grid, "x", "HxW such as 16x16")

    @property
    def name(self) -> str:
        """The map's name."""
        return "built-in" if self.map is None else str(self.map)


@dataclass(frozen=True)
class InputOptions(MapOptions):
    """Options of a map, graph or table of scores, and of how it is read."""

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT",
            help="Map: an image (white is cheap, black is expensive, transparent pixels are walls) or costs (.npy, .npz, "
            ".asc, .map, a table); default: the built-in 16x16 map. Graph: .graphml, .gml, .gexf, .json, .net, .mtx, .gr, "
            "or a table of edges. Scores: a table of items or of pairs. Tables: .csv, .tsv, .txt. Any file may end in .gz; "
            "- reads standard input.",
        ),
    ] = None
    weight: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Graph: attribute of the edges, or none for 1 each. Knapsack: column of the weights."
        ),
    ] = "weight"
    score: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Items: column of the scores; default: score, value, or the only one."),
    ] = None
    directed: Annotated[
        bool | None,
        typer.Option(
            "--directed/--undirected",
            help="Graph: edges of a table lead from their first node to the second; or no edge has a direction.",
        ),
    ] = None
    sense: Annotated[
        SenseName | None,
        typer.Option(
            metavar="min|max",
            rich_help_panel=PROBLEM,
            help="Smallest or largest sum; default: min for maps, path and min-cut, max for the others.",
        ),
    ] = None
    capacity: Annotated[
        int | None,
        typer.Option(metavar="WEIGHT", min=0, rich_help_panel=PROBLEM, help="Knapsack: what the chosen items may weigh."),
    ] = None


@dataclass(frozen=True)
class SolverOptions:
    """Options of the solver of a map, a graph or a table."""

    panel: ClassVar[str] = PROBLEM

    solver: Annotated[
        SolverName,
        typer.Option(
            metavar="NAME",
            help="Map: dijkstra, top-k. Graph: path, min-cut, spanning-tree, spanning-forest, matching, perfect-matching. "
            "Items: top-k, knapsack. Pairs: assignment, partial-assignment.",
        ),
    ] = "dijkstra"
    top_k: Annotated[int | None, typer.Option(metavar="K", min=1, help="Top-k: how many tiles or items.")] = None
    start: Annotated[
        str | None, typer.Option(metavar="ROW,COL|NODE", help="First tile, default: the top left one; or first node.")
    ] = None
    goal: Annotated[
        str | None, typer.Option(metavar="ROW,COL|NODE", help="Last tile, default: the bottom right one; or last node.")
    ] = None
    moves: Annotated[int, typer.Option(metavar="8|4", help="Neighbours of a tile: 8 with diagonal ones, or 4.")] = 8
    floor: Annotated[
        float,
        typer.Option(metavar="COST", help="Smallest cost, to which noise may lower one; of graphs it is 0 unless given."),
    ] = 1e-4
    engine: Annotated[
        EngineName, typer.Option(help="Engine of dijkstra: compiled, torch or networkx; all give the same tiles.")
    ] = "compiled"

    def tile(self, name: Literal["start", "goal"]) -> tuple[int, int] | None:
        """Row and column of ``--start`` or ``--goal``."""
        text = getattr(self, name)
        return None if text is None else _pair(f"--{name}", text, ",", "ROW,COL such as 0,15")


@dataclass(frozen=True)
class MapSolverOptions(SolverOptions):
    """Options of the solver of a map."""

    solver: Annotated[MapSolverName, typer.Option(help="Cheapest path: dijkstra; or the cheapest tiles: top-k.")] = (
        "dijkstra"
    )
    start: Annotated[str | None, typer.Option(metavar="ROW,COL", help="First tile; default: the top left one.")] = None
    goal: Annotated[str | None, typer.Option(metavar="ROW,COL", help="Last tile; default: the bottom right one.")] = None


@dataclass(frozen=True)
class NoiseOptions:
    """Options of noise."""

    panel: ClassVar[str] = NOISE

    noise: Annotated[
        NoiseName, typer.Option(help="Distribution of the noise: sum-of-gamma, gumbel, normal, logistic or none.")
    ] = "sum-of-gamma"
    noise_k: Annotated[
        float | None,
        typer.Option(
            metavar="K",
            help="Sum-of-Gamma: about how many ones a solution has; default: 1.3 x map height, or the size of the "
            "noise-free solution.",
        ),
    ] = None
    noise_iterations: Annotated[
        str, typer.Option(metavar="TERMS", help="Sum-of-Gamma: terms of its series, or inf for all.")
    ] = "100"

    @property
    def iterations(self) -> float:
        """Truncation of the series, a whole number or infinity."""
        if self.noise_iterations.strip().lower() == "inf":
            return math.inf
        return _whole("--noise-iterations", self.noise_iterations, "a whole number >= 1, or inf")


def check_temperature(option: str, value: float) -> None:
    """A temperature must be finite, at least 0, and not so high that float32 cannot hold the noise."""
    check_at_least(option, value, 0, "use 0 for no noise")
    if value > _HOTTEST:
        raise UsageError(f"{option}: got {value:g}; it must be at most {_HOTTEST:g}; beside such noise no weight matters")
