"""``imle bench``: what this machine does."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.errors import UsageError
from imle_cli.options.report import ReportOptions

if TYPE_CHECKING:
    from imle_cli.benchmarks.crossovers import Crossover
    from imle_cli.benchmarks.measurement import Row
    from imle_cli.figures.scaling_curve import ScalingCurve
    from imle_cli.files.outputs import Outputs

_Full = Annotated[
    bool, typer.Option("--full", help="Measure against other libraries, too, and draw how times grow; takes minutes.")
]
_Picture = Annotated[
    Path | None, typer.Option("--out", help="With --full: picture to write (.png, .pdf, .svg); by default bench.png here.")
]
_Tune = Annotated[
    bool, typer.Option("--tune", help="Measure where the ways of the grid engine take as long, beside the numbers in use.")
]
_HEADER = ["what", "with", "figure", "unit", "ratio"]


def bench(report: ReportOptions, console: Report, full: _Full = False, tune: _Tune = False, out: _Picture = None) -> Result:
    """Measure solvers, noise, an estimator step and whole commands on this machine, as a table.

    Ratios compare the best of runs by turns within this one measurement.
    """
    if tune:
        if full or out is not None:
            raise UsageError(
                f"--tune: got it beside {'--full' if full else '--out'}; it measures numbers alone; leave one out"
            )
        return _tune(report, console)
    from dataclasses import asdict

    from imle_cli.benchmarks import catalogue, machine, rivals
    from imle_cli.device import find_device
    from imle_cli.files.outputs import Outputs

    console.begin()
    if out is not None and not full:
        raise UsageError(f"--out: got {out}; only a full measurement draws a picture; add --full or leave it out")
    outputs = Outputs(out or Path("bench.png"), None, ()) if full else None
    device = find_device(report.device)
    rows: list[Row] = []
    curves: list[ScalingCurve] = []
    measurements = catalogue.MEASUREMENTS + (catalogue.MORE if full else ())
    panels = catalogue.CURVES if full else ()
    with console.progress("measuring", len(measurements) + len(panels)) as advance:
        for done, measurement in enumerate(measurements, 1):
            rows += measurement(device, report.seed)
            advance(done)
        for done, panel in enumerate(panels, len(measurements) + 1):
            curves += panel(report.seed)
            advance(done)
    found = machine.describe(device)
    versions = machine.versions(*rivals.OPTIONAL)
    values: dict[str, Any] = {"machine": found, "python": versions["python"], "versions": versions}
    values["rows"] = [asdict(row) for row in rows]
    below: list[str] = []
    if outputs is not None:
        missing = rivals.missing()
        _draw(outputs, curves, machine.in_words(found))
        values |= {"curves": [curve.record for curve in curves], "missing": missing}
        below = _below(machine.in_words(found), missing, outputs.files)
    table = Table(_HEADER, [_cells(row) for row in rows], ["figure"], below)
    return Result(values, lambda _: table, None if outputs is None else outputs.files)


def _tune(report: ReportOptions, console: Report) -> Result:
    """Crossovers of this machine beside the numbers in use."""
    from dataclasses import asdict

    from imle_cli.benchmarks import crossovers, machine
    from imle_cli.device import find_device

    console.begin()
    measured: list[Crossover] = []
    with console.progress("measuring", len(crossovers.CROSSOVERS)) as advance:
        for done, measurement in enumerate(crossovers.CROSSOVERS, 1):
            measured += measurement(report.seed)
            advance(done)
    versions = machine.versions()
    values: dict[str, Any] = {"machine": machine.describe(find_device("cpu")), "python": versions["python"]}
    values |= {"versions": versions, "crossovers": [asdict(crossover) for crossover in measured]}
    cells = [(row.number, row.subject, _number(row.measured), _number(row.in_use)) for row in measured]
    table = Table(["number", "of", "measured", "in use"], cells, ["measured", "in use"], [])
    return Result(values, lambda _: table)


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cells(row: "Row") -> tuple[str, ...]:
    figure = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}"
    return row.subject, row.means, figure, row.unit, f"{row.ratio:.1f} x {row.reference}" if row.ratio else ""


def _draw(outputs: "Outputs", curves: Sequence["ScalingCurve"], machine: str) -> None:
    from imle_cli.figures import canvas
    from imle_cli.figures.scaling import scaling_figure

    figure = scaling_figure(curves, title=f"Time of a cheapest path: {machine}")
    outputs.write(canvas.encode(figure, outputs.format))


def _below(machine: str, missing: Sequence[str], files: Sequence[str]) -> list[str]:
    """Lines for the reader below the table."""
    lines = ["", f"machine  {machine}", f"files    {', '.join(files)}"]
    if missing:
        lines.insert(2, f"missing  {', '.join(missing)}; install them for their rows")
    return lines
