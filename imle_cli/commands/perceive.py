"""``imle perceive``: train a network that sees images of maps and predicts costs, through the solver."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_agreement
from imle_cli.options.groups import Given
from imle_cli.options.inputs import NoiseOptions
from imle_cli.options.learning import PerceptionOptions, Resume
from imle_cli.options.panels import OUTPUT
from imle_cli.options.report import ReportOptions
from imle_cli.runs.directories import check_run

if TYPE_CHECKING:
    from imle_cli.trainings.perception.recorder import PerceptionRecorder
    from imle_core.perception import PerceptionStep

EXAMPLES = ("imle perceive maps --epochs 10 -o runs/seeing", "imle perceive maps --estimator regression")

Data = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="Data set, as imle data makes them: images, costs and gold paths."),
]
RunDirectory = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="RUN", rich_help_panel=OUTPUT, help="Run folder; default: runs/DIR-DATE-TIME."),
]


def perceive(
    learning: PerceptionOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    data: Data = None,
    out: RunDirectory = None,
    resume: Resume = None,
) -> Result:
    """Train a network that sees maps to predict costs, from paths.

    It learns through the solver; the run is recorded in a folder. Every epoch is judged without noise, on the validation
    maps of the data set, or on its test maps if it has none.
    """
    check_run(resume, "--resume")
    from imle_cli.runs.process_group import joined
    from imle_cli.trainings.perception.experiment import PerceptionExperiment
    from imle_cli.trainings.perception.recorder import PerceptionRecorder

    console.begin()
    if data is None and resume is None:
        raise UsageError("DIR: missing; give the folder of a data set, which imle data terrain makes, or --resume RUN")
    with joined(report.device) as reports:
        if not reports:
            console.as_json, console.quiet = False, True
        experiment = PerceptionExperiment(data or Path(), learning, noise, report.seed, report.device)
        start, resumed = PerceptionRecorder.start, PerceptionRecorder.resume
        with start(experiment, out) if resume is None else resumed(resume) as recorder:
            if resume is not None:
                check_agreement(given.names, experiment.options | {"out": str(out)}, recorder.experiment.options)
            summary = _trained(console, recorder)
    return Result(summary, lambda ended: _table(recorder, ended))


def _trained(console: Report, recorder: "PerceptionRecorder") -> dict[str, Any]:
    from imle_cli.trainings.perception.advice import advice

    judged = "epoch 1"

    def told(record: "PerceptionStep") -> tuple[int, str]:
        nonlocal judged
        if record.ends_epoch:
            judged = f"epoch {record.epoch + 1}, {recorder.rows[-1][1]:.1%} optimal on {recorder.inputs.split}_"
        return record.step, f"{judged}, loss {record.loss:.2f}"

    summary = recorder.complete(console, told)
    for line in advice(summary, recorder.experiment.learning, recorder.history) if recorder.run is not None else ():
        console.note(line)
    return summary


def _table(recorder: "PerceptionRecorder", summary: dict[str, Any]) -> Table:
    header = ["epoch", "optimal", "regret", "exact on unique", "loss", "zero gradients", "seconds"]
    header += ["network", "solver", "noise", "judging"]
    rows = [
        [
            str(row["epoch"]),
            f"{row['optimal']:.1%}",
            f"{row['regret']:.3%}",
            "–" if row["exact_on_unique"] is None else f"{row['exact_on_unique']:.1%}",
            f"{row['loss']:.3f}",
            f"{row['zero_gradients']:.1%}",
            *(f"{row[name]:.2f}" for name in ("seconds", "network_seconds", "solver_seconds", "noise_seconds")),
            f"{row['judging_seconds']:.2f}",
        ]
        for row in summary["epochs"]
    ]
    tested, exact = len(recorder.inputs.tested), summary["exact_on_unique"]
    alike = "no map has a single optimum"
    if exact is not None:
        alike = f"of the {summary['unique_share']:.1%} with a single optimum {exact:.1%} exact"
    below = [
        "",
        f"judged     each epoch on {summary['judged']}_ ({len(recorder.inputs.judged):,} maps), without noise",
        f"learned    by {summary['estimator']} from {summary['supervision']}, {summary['seconds']:.1f} s",
        f"result     {summary['optimal']:.1%} of {tested:,} {summary['split']}_ maps optimal, regret "
        f"{summary['regret']:.3%}; {alike}",
        f"run        {summary['run']}",
    ]
    return Table(header, rows, header, below)
