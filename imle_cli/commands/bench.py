"""``imle bench``: what this machine does."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.errors import UsageError
from imle_cli.options.report import ReportOptions

if TYPE_CHECKING:
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
    if tune and (full or out is not None):
        raise UsageError(f"--tune: got it beside {'--full' if full else '--out'}; it measures numbers alone; leave one out")
    if out is not None and not full:
        raise UsageError(f"--out: got {out}; only a full measurement draws a picture; add --full or leave it out")
    os.environ["IMLE_COMPILE"] = "first"  # kernels are to be measured, not what stands in for them
    return _tune(report, console) if tune else _measure(report, console, full, out or Path("bench.png"))


def _measure(report: ReportOptions, console: Report, full: bool, picture: Path) -> Result:
    """Speeds, as a table; in full also curves, as a picture."""
    from imle_cli.benchmarks import catalogue, machine, rivals
    from imle_cli.device import find_device
    from imle_cli.files.outputs import Outputs

    console.begin()
    outputs = Outputs(picture, None, ()) if full else None
    device = find_device(report.device)
    speeds = [partial(measure, device, report.seed) for measure in catalogue.MEASUREMENTS + (catalogue.MORE if full else ())]
    panels = [partial(panel, report.seed) for panel in (catalogue.CURVES if full else ())]
    measured = _all(console, [*speeds, *panels])
    rows, curves = list(chain(*measured[: len(speeds)])), list(chain(*measured[len(speeds) :]))
    values = _values(machine.describe(device), machine.versions(*rivals.OPTIONAL), rows=rows)
    below: list[str] = []
    if outputs is not None:
        words, missing = machine.in_words(values["machine"]), rivals.missing()
        _draw(outputs, curves, words)
        values |= {"curves": [curve.record for curve in curves], "missing": missing}
        below = _below(words, missing, outputs.files)
    table = Table(_HEADER, [_cells(row) for row in rows], ["figure"], below)
    return Result(values, lambda _: table, None if outputs is None else outputs.files)


def _tune(report: ReportOptions, console: Report) -> Result:
    """Crossovers of this machine beside the numbers in use."""
    from imle_cli.benchmarks import crossovers, machine
    from imle_cli.device import find_device

    console.begin()
    measured = list(chain(*_all(console, [partial(measure, report.seed) for measure in crossovers.CROSSOVERS])))
    values = _values(machine.describe(find_device("cpu")), machine.versions(), crossovers=measured)
    cells = [(row.number, row.subject, _number(row.measured), _number(row.in_use)) for row in measured]
    table = Table(["number", "of", "measured", "in use"], cells, ["measured", "in use"])
    return Result(values, lambda _: table)


def _all(console: Report, measurements: Sequence[Callable[[], Iterable[Any]]]) -> list[list[Any]]:
    """Rows of each measurement."""
    rows = []
    with console.progress("measuring", len(measurements)) as advance:
        for done, measure in enumerate(measurements, 1):
            rows.append(list(measure()))
            advance(done)
    return rows


def _values(machine: dict[str, Any], versions: dict[str, str], **rows: list[Any]) -> dict[str, Any]:
    tables = {name: [asdict(row) for row in table] for name, table in rows.items()}
    return {"machine": machine, "python": versions["python"], "versions": versions, **tables}


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cells(row: "Row") -> tuple[str, ...]:
    return row.subject, row.means, _number(row.value), row.unit, f"{row.ratio:.1f} x {row.reference}" if row.ratio else ""


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
