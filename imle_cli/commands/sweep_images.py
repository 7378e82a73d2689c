"""``imle sweep`` of a data set of images: every estimator with every seed, accuracy against seconds."""

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.errors import DataError, UsageError
from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.inputs import ExecutorName, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions
from imle_cli.options.report import ReportOptions

if TYPE_CHECKING:
    from imle_cli.console import Report
    from imle_cli.perception.sweep import PerceptionSweep

Estimators = Annotated[
    str,
    typer.Option(metavar="NAME,...", help="Of images: estimators, and baselines as imle perceive has them."),
]
IMAGES_ONLY = {"estimators", "network", "epochs", "batch", "augment", "loss"}
SHARED = {"lr", "alpha", "beta", "loss_reduction"}  # by the name, with other defaults for images
_ALLOWED = IMAGES_ONLY | SHARED | {"map", "seeds", "noise", "noise_k", "noise_iterations", "device", "out", "executor"}
_ALLOWED |= {"jobs", "json", "quiet", "debug"}
_HEADER = ["estimator", "supervision", "optimal", "regret", "exact on unique", "zero gradients", "seconds"]


def sweep_images(
    data: Path,
    images: PerceptionOptions,
    learning: LearningOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: frozenset[str],
    estimators: str,
    seeds: str,
    out: Path | None,
    executor: ExecutorName,
    jobs: int | None,
) -> None:
    """Trains all cells, one at a time unless told otherwise, so that their seconds can be compared."""
    from imle_cli.console import Report
    from imle_cli.perception.experiment import PerceptionExperiment
    from imle_cli.perception.sweep import PerceptionSweep, run_cell
    from imle_cli.runs.executors import outcomes

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    for name in sorted(given - _ALLOWED):
        raise UsageError(
            f"--{name.replace('_', '-')}: it belongs to a sweep over a map, but {data} is a folder of images; leave it out"
        )
    check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to train one cell at a time")
    options = replace(images, **{name: getattr(learning, name) for name in SHARED & given})
    names = list(dict.fromkeys(name.strip() for name in estimators.split(",")))
    numbers = read_numbers("--seeds", seeds, int, 0, "0,1,2")
    experiment = PerceptionExperiment(data, options, noise, 0, report.device)
    with PerceptionSweep(out, experiment, names, numbers) as grid:
        before = len(grid.results)
        try:
            with (
                grid.at_work() as cells,
                closing(outcomes(run_cell, cells, executor, jobs or 1)) as ended,
                console.live() as show,
            ):
                show(grid.progress, *_table(grid))
                for number, outcome in ended:
                    grid.keep(cells[number], outcome)
                    show(grid.progress, *_table(grid))
        except (KeyboardInterrupt, SystemExit):
            console.note(f"stopped: {grid.progress}; go on with the same and --out {grid.path}")
            raise
        finally:
            grid.write_table()
        _report(console, grid, before, time.perf_counter() - began)


def _report(console: "Report", grid: "PerceptionSweep", before: int, seconds: float) -> None:
    from imle_cli.figures import canvas
    from imle_cli.figures.evaluation import accuracy_curves
    from imle_cli.files.outputs import replacing
    from imle_cli.perception.sweep import CURVES
    from imle_cli.runs.sweep import TABLE

    files = [grid.path / TABLE]
    split = next((row["split"] for row in grid.rows if not row["error"]), "test")
    if curves := grid.curves:
        count = len(grid.seeds)
        title = f"Accuracy against seconds, {grid.cells[0].experiment.data.resolve().name}, {count} seed{'s' * (count > 1)}"
        files.append(grid.path / CURVES)
        with replacing(files[-1]) as file:
            file.write(canvas.encode(accuracy_curves(curves, title=title, split=split), "png"))
    values, counts = grid.report(before, seconds, files)
    console.table(values, *_table(grid), [f"judged on {split}_, means over seeds; {counts}"])
    if grid.failures:
        raise DataError(grid.failures)


def _table(grid: "PerceptionSweep") -> tuple[list[str], list[list[str]], list[str]]:
    """Header, rows, and numeric columns: means over the seeds that have ended, and deviations of the share."""
    rows = []
    for name in grid.estimators:
        found = grid.of(name)

        def mean(column: str, form: str, found: list[dict[str, Any]] = found) -> str:
            values = [row[column] for row in found if row[column] is not None]
            return format(fmean(values), form) if values else "–"

        shares = [row["optimal"] for row in found]
        spread = f" ± {stdev(shares):.1%}" if len(shares) > 1 else ""
        ended = f"{len(found)}/{len(grid.seeds)}" if len(found) < len(grid.seeds) else ""
        rows.append(
            [
                f"{name} {ended}".rstrip(),
                found[0]["supervision"] if found else "",
                mean("optimal", ".1%") + spread,
                mean("regret", ".3%"),
                mean("exact_on_unique", ".1%"),
                mean("zero_gradients", ".1%"),
                mean("seconds", ".1f"),
            ]
        )
    return _HEADER, rows, _HEADER[2:]
