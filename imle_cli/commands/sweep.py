"""``imle sweep``: a whole grid of trainings over temperatures, numbers of samples and seeds."""

import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.commands.sweep_images import IMAGES_ONLY, Estimators, sweep_images
from imle_cli.errors import DataError, UsageError
from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.groups import Given, Without
from imle_cli.options.inputs import ExecutorName, MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions, RecordEvery
from imle_cli.options.report import FilmOptions, ReportOptions

if TYPE_CHECKING:
    from imle_cli.console import Report
    from imle_cli.learning.sweep import Sweep

Row = dict[str, Any]
_EXECUTOR = (
    "Processes of this machine, or a cluster. One that ray starts here, or dask without the package cryptography, takes "
    "orders from every user of this machine: use it where you are alone."
)
SweepFolder = Annotated[
    Path | None,
    typer.Option("--out", help="Folder; by default sweeps/<map>-<date and time>. Cells that it has already are skipped."),
]


@dataclass(frozen=True)
class AxesOptions:
    """The grid; values are separated by commas."""

    input_temps: Annotated[str, typer.Option(metavar="T,...", help="Temperatures of the noise.")] = "0,1,2,5"
    target_temps: Annotated[str, typer.Option(metavar="T,...", help="Temperatures of the noise in the backward pass.")] = (
        "0,1,2,5"
    )
    samples: Annotated[str, typer.Option(metavar="N,...", help="Numbers of samples.")] = "1,10,100"
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


def sweep(
    place: MapOptions,
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
    estimators: Estimators = "imle,blackbox,fenchel-young,regression,tiles,mean-colour",
    out: SweepFolder = None,
    record_every: RecordEvery = 10,
    animate: Annotated[bool, typer.Option("--animate", help="Animate the paths and the weights of every cell.")] = False,
    executor: Annotated[ExecutorName, typer.Option(help=_EXECUTOR)] = "joblib",
    jobs: Annotated[
        int | None, typer.Option(help="Cells at a time; by default one a core, and of images one, which has all cores.")
    ] = None,
) -> None:
    """Train for every pair of temperatures, number of samples and seed: a table, heat maps, and perhaps animations.

    If MAP is a folder of images, as imle data makes them: for every estimator and seed, and a picture of accuracy against
    seconds.
    """
    if place.map is not None and place.map.is_dir():
        sweep_images(place.map, images, learning, noise, report, given.names, estimators, axes.seeds, out, executor, jobs)
        return
    for name in sorted(given.names & IMAGES_ONLY):
        raise UsageError(f"--{name}: it belongs to a sweep over images; give the folder of a data set, or leave it out")
    from imle_cli.console import Report
    from imle_cli.learning.experiment import TrainingExperiment
    from imle_cli.learning.sweep import Sweep, run_cell
    from imle_cli.runs.executors import outcomes

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    check_at_least("--record-every", record_every, 1, "the usual value is 10")
    check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to use every core")
    experiment = TrainingExperiment(place, choice, noise, learning, report.seed, report.device, record_every)
    with Sweep(out, experiment, axes.values, film if animate else None) as grid:
        before = len(grid.results)
        try:
            with (
                grid.at_work() as cells,
                closing(outcomes(run_cell, cells, executor, jobs)) as ended,
                console.live() as show,
            ):
                show(grid.progress, *_table(grid))
                for number, outcome in ended:
                    grid.keep(cells[number], outcome)
                    show(grid.progress, *_table(grid))
                grid.animate_the_rest()
        except (KeyboardInterrupt, SystemExit):
            stopped = f"stopped after {len(grid.results)} of {len(grid.cells)} cells"
            console.note(f"{stopped}; go on with the same and --out {grid.path}")
            raise
        finally:
            grid.write_table()
        _report(console, grid, before, time.perf_counter() - began)


def _report(console: "Report", grid: "Sweep", before: int, seconds: float) -> None:
    """Draws and tells what came out, of ``before`` cells in earlier calls; fails where a cell failed."""
    from imle_cli.runs.sweep import TABLE

    values, counts = grid.report(before, seconds, [grid.path / TABLE, *_draw(grid)])
    console.table(values, *_table(grid), [counts])
    if grid.failures:
        raise DataError(grid.failures)


def _table(grid: "Sweep") -> tuple[list[str], list[list[str]], list[str]]:
    """Header, rows, and numeric columns: when cells found the gold path, or how far they ended from it."""
    seeds = len(grid.axes["seed"])

    def entry(rows: list[Row]) -> str:
        if any(row["error"] for row in rows):
            return "failed"
        if len(rows) < seeds:
            return f"{len(rows)}/{seeds}" if rows else "…"
        distance = max(row["final_hamming"] for row in rows)
        return f"off by {distance}" if distance else f"step {sum(row['first_gold_step'] for row in rows) / seeds:.4g}"

    columns = [f"target temp {target:g}" for target in grid.axes["target_temp"]]
    rows = [
        [str(samples), f"{heat:g}", *entries]
        for samples in grid.axes["samples"]
        for heat, entries in zip(grid.axes["input_temp"], grid.grid(samples, entry), strict=True)
    ]
    return ["samples", "input temp", *columns], rows, ["samples", "input temp", *columns]


def _draw(grid: "Sweep") -> list[Path]:
    """Heat maps, means over seeds; a value is missing where a cell failed or, of the steps, never found the gold path."""
    from imle_cli.figures import canvas
    from imle_cli.figures.heat_maps import heat_maps
    from imle_cli.files.outputs import replacing
    from imle_cli.learning.sweep import LOSS, STEPS

    def mean(column: str) -> Callable[[list[Row]], float]:
        def of(rows: list[Row]) -> float:
            values = [math.nan if row[column] is None else row[column] for row in rows]
            return sum(values) / len(values) if values else math.nan

        return of

    place = grid.cells[0].experiment.place
    name = "built-in map" if place.map is None else place.map.name
    files = []
    for file, column, label in (
        (LOSS, "final_loss", "final loss"),
        (STEPS, "first_gold_step", "first step on the gold path"),
    ):
        grids = {samples: grid.grid(samples, mean(column)) for samples in grid.axes["samples"]}
        axes = grid.axes["input_temp"], grid.axes["target_temp"]
        figure = heat_maps(grids, *axes, title=f"{name}: {label}", label=label)
        files.append(grid.path / file)
        with replacing(files[-1]) as target:
            target.write(canvas.encode(figure, "png"))
    return files
