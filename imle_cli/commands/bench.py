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
from imle_cli.messages import UsageError
from imle_cli.options.panels import MEASUREMENT, OUTPUT
from imle_cli.options.report import NoPicture, ReportOptions, picture_path

if TYPE_CHECKING:
    from imle_cli.benchmarks.measurement import Row
    from imle_cli.figures.scaling_curve import ScalingCurve
    from imle_cli.files.outputs import Outputs

EXAMPLES = ("imle bench", "imle bench --full -o bench.png")

_Full = Annotated[
    bool,
    typer.Option(
        "--full",
        rich_help_panel=MEASUREMENT,
        help="Measure against other libraries, too, and draw how times grow; takes minutes.",
    ),
]
_Picture = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        rich_help_panel=OUTPUT,
        help="With --full: picture to write (.png, .pdf, .svg); default: bench.png here.",
    ),
]
_Tune = Annotated[
    bool,
    typer.Option(
        "--tune",
        rich_help_panel=MEASUREMENT,
        help="Measure where the ways of the grid engine take as long, beside the numbers in use.",
    ),
]
_HEADER = ["what", "with", "figure", "unit", "ratio", "95% interval"]
_LEGEND = "?  not settled: measured once, or until its time was up while the interval was still wide"


def bench(
    report: ReportOptions,
    console: Report,
    full: _Full = False,
    tune: _Tune = False,
    out: _Picture = None,
    no_picture: NoPicture = False,
) -> Result:
    """Measure solvers, noise and whole commands on this machine.

    Ways that are compared take turns, in rounds that end when the ratios are known well or their time is up. Figures and
    ratios are medians over rounds. The interval is that of the ratio, or of the figure where there is no ratio.
    """
    if tune and (full or out is not None):
        raise UsageError(f"--tune: got it beside {'--full' if full else '--out'}; it measures numbers alone; leave one out")
    if out is not None and not full:
        raise UsageError(f"--out: got {out}; only a full measurement draws a picture; add --full or leave it out")
    os.environ["IMLE_COMPILE"] = "first"  # kernels are to be measured, not what stands in for them
    picture = picture_path(out, no_picture, Path("bench.png"))
    return _tune(report, console) if tune else _measure(report, console, full, picture)


def _measure(report: ReportOptions, console: Report, full: bool, picture: Path | None) -> Result:
    """Speeds, as a table; in full also curves, as a picture."""
    from imle_cli.benchmarks import catalogue, load, machine, rivals
    from imle_cli.device import find_device
    from imle_cli.files.outputs import Outputs

    console.begin()
    outputs = Outputs(picture, None, ()) if full else None
    device, watch = find_device(report.device), load.LoadWatch()
    speeds = [partial(measure, device, report.seed) for measure in catalogue.MEASUREMENTS + (catalogue.MORE if full else ())]
    panels = [partial(panel, report.seed) for panel in (catalogue.CURVES if full else ())]
    measured = _all(console, [*speeds, *panels])
    rows, curves = list(chain(*measured[: len(speeds)])), list(chain(*measured[len(speeds) :]))
    described, busy = machine.describe(device), watch.record()
    values = _values(described, machine.versions(*rivals.OPTIONAL), busy, rows=[row.record for row in rows])
    below = [] if all(row.settled for row in rows) else ["", _LEGEND]
    below += ["", *_lines(machine=machine.in_words(described), load=load.in_words(busy))]
    if outputs is not None:
        missing = rivals.missing()
        _draw(outputs, curves, machine.in_words(described))
        values |= {"curves": [curve.record for curve in curves], "missing": missing}
        below += _lines(missing=f"{', '.join(missing)}; install them for their rows" if missing else "")
        below += _lines(files=", ".join(outputs.files))
    table = Table(_HEADER, [_cells(row) for row in rows], ["figure"], below)
    return Result(values, lambda _: table, None if outputs is None else outputs.files)


def _tune(report: ReportOptions, console: Report) -> Result:
    """Crossovers of this machine beside the numbers in use."""
    from imle_cli.benchmarks import crossovers, load, machine
    from imle_cli.device import find_device

    console.begin()
    watch = load.LoadWatch()
    measured = list(chain(*_all(console, [partial(measure, report.seed) for measure in crossovers.CROSSOVERS])))
    described, versions = machine.describe(find_device("cpu")), machine.versions()
    values = _values(described, versions, watch.record(), crossovers=[asdict(row) for row in measured])
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


def _values(
    machine: dict[str, Any], versions: dict[str, str], load: dict[str, Any], **tables: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"machine": machine, "python": versions["python"], "versions": versions, "load": load, **tables}


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cells(row: "Row") -> tuple[str, ...]:
    shown = row.ratio or row.figure
    ratio = f"{_number(row.ratio.value)} x {row.reference}" if row.ratio else ""
    ends = "" if shown.low is None else f"{_number(shown.low)} to {_number(shown.high)}"
    interval = ends if row.settled else f"{ends} ?".strip()
    return row.subject, row.means, _number(row.figure.value), row.unit, ratio, interval


def _draw(outputs: "Outputs", curves: Sequence["ScalingCurve"], machine: str) -> None:
    from imle_cli.figures.encoding import encoder
    from imle_cli.figures.scaling import scaling_figure

    outputs.write(encoder(lambda: scaling_figure(curves, title=f"Time of a cheapest path: {machine}")))


def _lines(**texts: str) -> list[str]:
    """Lines for the reader below the table, one for each text that there is."""
    return [f"{name:<7}  {text}" for name, text in texts.items() if text]
