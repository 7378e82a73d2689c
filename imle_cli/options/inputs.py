"""Options that commands share, each defined once, in groups."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from imle_cli.errors import UsageError

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
ScheduleName = Literal["cosine", "constant"]
TargetName = Literal["fixed"]
DifferenceName = Literal["forward", "central"]
ReductionName = Literal["sum", "mean"]
ExecutorName = Literal["joblib", "dask", "ray"]
NetworkName = Literal["small", "resnet18"]
PathLossName = Literal["hamming", "squared"]

InputTemperature = Annotated[float, typer.Option(help="Temperature of the noise; 0 for none.")]
Samples = Annotated[int, typer.Option(help="How many samples to draw.")]
Picture = Annotated[
    Path | None, typer.Option("--out", help="Picture to write (.png, .pdf, .svg); by default <map>-<command>.png here.")
]
RecordEvery = Annotated[int, typer.Option(help="Keep weights and paths of every so many steps.")]
Array = Annotated[Path | None, typer.Option("--save", help="Numbers to write (.npy, or .csv with their names).")]


@dataclass(frozen=True)
class MapOptions:
    """Which map, and how its picture becomes costs."""

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="MAP",
            help="Image (white cheap, black expensive) or costs (.npy, .npz, table, .asc, .map); else built in.",
        ),
    ] = None
    grid: Annotated[str | None, typer.Option(metavar="HxW", help="Average the map down to this many tiles.")] = None
    min_cost: Annotated[float, typer.Option(help="Cost of white.")] = 1.0
    max_cost: Annotated[float, typer.Option(help="Cost of black.")] = 100.0

    @property
    def grid_shape(self) -> tuple[int, int] | None:
        """Rows and columns of ``--grid``."""
        return None if self.grid is None else _pair("--grid", self.grid, "x", "HxW such as 16x16")

    @property
    def name(self) -> str:
        """What to call the map."""
        return "built-in" if self.map is None else str(self.map)


@dataclass(frozen=True)
class InputOptions(MapOptions):
    """Which map, graph or table of scores, and how it is read."""

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT",
            help="Map: an image (white cheap, black expensive) or costs (.npy, .npz, table, .asc, .map); else built in. "
            "Graph: .graphml, .gml, .gexf, .json, .net, .mtx, .gr, or a table of edges. Scores: a table of items or of "
            "pairs. Tables: .csv, .tsv, .txt; any file may end in .gz.",
        ),
    ] = None
    weight: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Graph: attribute of the edges, or none for 1 each; knapsack: column of the weights."
        ),
    ] = "weight"
    score: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Items: column of the scores; by default score, value, or the only one."),
    ] = None
    directed: Annotated[
        bool | None,
        typer.Option(
            "--directed/--undirected",
            help="Edges of a table lead from their first node to the second; or no edge of a graph has a direction.",
        ),
    ] = None
    sense: Annotated[
        SenseName | None,
        typer.Option(help="Smallest or largest sum; by default min for maps, path and min-cut, max for the others."),
    ] = None
    capacity: Annotated[int | None, typer.Option(help="With knapsack: what the chosen items may weigh.")] = None


@dataclass(frozen=True)
class SolverOptions:
    """Which solver of a map, a graph or a table."""

    solver: Annotated[
        SolverName,
        typer.Option(
            metavar="NAME",
            help="Map: dijkstra, top-k. Graph: path, min-cut, spanning-tree, spanning-forest, matching, perfect-matching. "
            "Items: top-k, knapsack. Pairs: assignment, partial-assignment.",
        ),
    ] = "dijkstra"
    engine: Annotated[EngineName, typer.Option(help="Engine of dijkstra; all give the same tiles.")] = "compiled"
    top_k: Annotated[int | None, typer.Option(help="With top-k: how many tiles or items.")] = None
    moves: Annotated[int, typer.Option(help="Neighbours of a tile: 8 or 4.")] = 8
    start: Annotated[
        str | None, typer.Option(metavar="ROW,COL|NODE", help="First tile, by default the top left one; or first node.")
    ] = None
    goal: Annotated[
        str | None, typer.Option(metavar="ROW,COL|NODE", help="Last tile, by default the bottom right one; or last node.")
    ] = None
    floor: Annotated[
        float, typer.Option(help="Smallest cost; perturbed costs below it are clamped. Of graphs it is 0 unless given.")
    ] = 1e-4

    def tile(self, name: Literal["start", "goal"]) -> tuple[int, int] | None:
        """Row and column of ``--start`` or ``--goal``."""
        text = getattr(self, name)
        return None if text is None else _pair(f"--{name}", text, ",", "ROW,COL such as 0,15")


@dataclass(frozen=True)
class MapSolverOptions(SolverOptions):
    """Which solver of a map."""

    solver: Annotated[MapSolverName, typer.Option(help="Cheapest path, or the N cheapest tiles.")] = "dijkstra"
    start: Annotated[str | None, typer.Option(metavar="ROW,COL", help="First tile; by default the top left one.")] = None
    goal: Annotated[str | None, typer.Option(metavar="ROW,COL", help="Last tile; by default the bottom right one.")] = None


@dataclass(frozen=True)
class NoiseOptions:
    """Which noise."""

    noise: Annotated[NoiseName, typer.Option(help="Distribution of the noise.")] = "sum-of-gamma"
    noise_k: Annotated[
        float | None, typer.Option(help="Sum-of-Gamma: number of draws that sum to a Gumbel; by default 1.3 x map height.")
    ] = None
    noise_iterations: Annotated[str, typer.Option(help="Sum-of-Gamma: truncation of its series, or inf.")] = "100"

    @property
    def iterations(self) -> float:
        """Truncation of the series, a whole number or infinity."""
        if self.noise_iterations.strip().lower() == "inf":
            return math.inf
        return _whole("--noise-iterations", self.noise_iterations, "a whole number >= 1, or inf")


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


@dataclass(frozen=True)
class LearningOptions:
    """What is learned, and how."""

    gold: Annotated[
        Path | None,
        typer.Option(help="Mask of the gold path (white or 1 on the path); by default the cheapest path of MAP."),
    ] = None
    init: Annotated[
        str, typer.Option(metavar="uniform|FILE", help="First weights: U(-0.1, 0.1), or a .npy, .csv or .txt.")
    ] = "uniform"
    input_temp: InputTemperature = 1.0
    target_temp: Annotated[float, typer.Option(help="Temperature of the noise in the backward pass.")] = 1.0
    samples: Samples = 10
    steps: Annotated[int, typer.Option(help="Steps of the optimiser.")] = 1100
    lr: Annotated[float, typer.Option(help="Step of Adam.")] = 0.005
    schedule: Annotated[ScheduleName, typer.Option(help="Let the step decay, so that the end is quiet, or not.")] = "cosine"
    alpha: Annotated[float, typer.Option(help="Target: weight of the present parameters.")] = 1.0
    beta: Annotated[float, typer.Option(help="Target: step size lambda.")] = 10.0
    target: Annotated[TargetName, typer.Option(help="Target distribution.")] = "fixed"
    difference: Annotated[DifferenceName, typer.Option(help="One solve in the backward pass, or two.")] = "forward"
    loss_reduction: Annotated[
        ReductionName, typer.Option(help="Sum over samples; their mean divides lambda by their number and may fail.")
    ] = "sum"

    def __post_init__(self) -> None:
        check_at_least("--samples", self.samples, 1, "use 10 for a first look")
        check_temperature("--input-temp", self.input_temp)
        check_temperature("--target-temp", self.target_temp)
        check_at_least("--steps", self.steps, 1, "the usual number is 1100")
        check_at_least("--alpha", self.alpha, 0, "the usual value is 1")
        check_at_least("--beta", self.beta, 0, "the usual value is 10")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise UsageError(f"--lr: got {self.lr:g}; it must be finite and > 0; the usual value is 0.005")


@dataclass(frozen=True)
class PerceptionOptions:
    """Which network learns from images, by which estimator, and how."""

    estimator: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Any estimator of imle compare, or a baseline: regression on the true costs, tiles (is a tile on the path, "
            "each by itself), mean-colour (a look-up).",
        ),
    ] = "imle"
    network: Annotated[NetworkName, typer.Option(help="Small, or the first layers of ResNet18.")] = "small"
    epochs: Annotated[int, typer.Option(help="How often each map is seen.")] = 10
    batch: Annotated[int, typer.Option(help="Maps of a step, in each process.")] = 16
    lr: Annotated[float, typer.Option(help="Largest step of Adam, after a warm-up; then it falls to 0.")] = 0.003
    augment: Annotated[
        bool, typer.Option("--augment", help="Flip maps along their diagonal and turn them by 180 degrees, at random.")
    ] = False
    samples: Annotated[
        int | None,
        typer.Option(help="Sampled paths of each map; by default 1, and 10 for score functions and perturbed optimizers."),
    ] = None
    input_temp: Annotated[
        float | None, typer.Option(help="Temperature of the noise; by default 1, and 0 for identity.", show_default=False)
    ] = None
    target_temp: Annotated[
        float | None,
        typer.Option(
            help="Temperature of the noise in the backward pass; by default that of the noise.", show_default=False
        ),
    ] = None
    alpha: Annotated[float, typer.Option(help="Target: weight of the present parameters.")] = 1.0
    beta: Annotated[float, typer.Option(help="Target: step size lambda.")] = 1.0
    loss: Annotated[
        PathLossName | None,
        typer.Option(
            help="Hamming distance to the gold path, linear; or its squared form, by default for identity and "
            "straight-through.",
            show_default=False,
        ),
    ] = None
    loss_reduction: Annotated[
        ReductionName, typer.Option(help="Sum over maps; their mean divides lambda by their number.")
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
        usual = 10 if self.estimator.startswith(("score-function", "perturbed")) else 1
        return usual if self.samples is None else self.samples

    @property
    def temperatures(self) -> tuple[float, float]:
        """Temperatures of the noise, forward and backward."""
        usual = 0.0 if self.estimator == "identity" else 1.0  # identity makes costs of norm 1, which such noise drowns
        forward = usual if self.input_temp is None else self.input_temp
        return forward, forward if self.target_temp is None else self.target_temp


@dataclass(frozen=True)
class FilmOptions:
    """How long, how fast, how large."""

    fps: Annotated[float, typer.Option(help="Frames a second.")] = 8.0
    frames: Annotated[int, typer.Option(help="How many frames at most.")] = 100
    size: Annotated[int, typer.Option(help="About the pixels of a frame's longer side.")] = 480

    def __post_init__(self) -> None:
        check_range("--fps", self.fps, 0.1, 50, "the usual value is 8")
        check_at_least("--frames", self.frames, 1, "the usual number is 100")
        check_range("--size", self.size, 64, 4096, "the usual value is 480")


@dataclass(frozen=True)
class ReportOptions:
    """Seed, device, and how to report."""

    seed: Annotated[int, typer.Option(help="Seed of every random number.")] = 0
    device: Annotated[DeviceName, typer.Option(help="Where to compute.")] = "auto"
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors (and JSON).")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed: got {self.seed}; it must be a whole number from 0 to 2^63 - 1; the usual one is 0")


def check_agreement(given: frozenset[str], options: dict[str, object], made: dict[str, object]) -> None:
    """A resumed run keeps its options: what is given must be what it was made with."""
    for name in sorted(given - {"resume", "json", "quiet", "debug"}):
        option = {"map": "MAP", "data": "DIR"}.get(name, "--" + name.replace("_", "-"))
        if name == "out":
            raise UsageError("--out: a resumed run stays in its directory; leave it out")
        if options[name] != made[name]:
            raise UsageError(
                f"{option}: got {options[name]}, but the run was made with {made[name]}; a resumed run keeps its options, "
                "leave it out"
            )


def check_at_least(option: str, value: float, least: float, remedy: str) -> None:
    """An option's value must be finite and at least ``least``."""
    if not (math.isfinite(value) and value >= least):
        raise UsageError(f"{option}: got {value:g}; it must be {'finite and ' if least == 0 else ''}>= {least:g}; {remedy}")


def check_temperature(option: str, value: float) -> None:
    """A temperature must be finite, at least 0, and not so high that float32 cannot hold the noise."""
    check_at_least(option, value, 0, "use 0 for no noise")
    if value > _HOTTEST:
        raise UsageError(f"{option}: got {value:g}; it must be at most {_HOTTEST:g}; beside such noise no weight matters")


def check_range(option: str, value: float, least: float, most: float, remedy: str) -> None:
    """An option's value must be from ``least`` to ``most``."""
    if not least <= value <= most:
        raise UsageError(f"{option}: got {value:g}; it must be from {least:g} to {most:g}; {remedy}")


def read_numbers(option: str, text: str, kind: Callable[[str], Any], least: int, example: str) -> list[Any]:
    """Numbers between commas, in order, each once.

    Args:
        option: the option's name, for the message.
        text: what was given.
        kind: ``int`` or ``float``.
        least: the smallest number allowed.
        example: for the message.

    Raises:
        UsageError: something else, or a number out of range.
    """
    try:
        numbers = sorted({kind(part) or kind("0") for part in text.split(",")})  # -0 becomes 0
    except ValueError:
        numbers = [math.nan]
    if not all(math.isfinite(number) and number >= least for number in numbers) or max(numbers) >= 2**63:
        whole = "whole numbers" if kind is int else "finite numbers"
        raise UsageError(f"{option}: got {text!r}; it must be {whole} >= {least} between commas, such as {example}")
    return numbers


def _pair(option: str, text: str, separator: str, form: str) -> tuple[int, int]:
    match = re.fullmatch(rf"\s*(\d+)\s*{separator}\s*(\d+)\s*", text, flags=re.IGNORECASE)
    if match is None:
        raise UsageError(f"{option}: got {text!r}; it must be {form}")
    return int(match[1]), int(match[2])


def _whole(option: str, text: str, form: str) -> int:
    if not re.fullmatch(r"\s*0*[1-9]\d{0,17}\s*", text):
        raise UsageError(f"{option}: got {text!r}; it must be {form}")
    return int(text)
