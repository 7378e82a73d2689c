"""``imle decide``: train a network that predicts costs from features, through the solver that decides by them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_agreement
from imle_cli.options.deciding import DecisionData, DecisionOptions, OwnProblemOptions
from imle_cli.options.groups import Given
from imle_cli.options.inputs import NoiseOptions
from imle_cli.options.learning import Resume
from imle_cli.options.panels import OUTPUT
from imle_cli.options.report import ReportOptions
from imle_cli.runs.directories import check_run

if TYPE_CHECKING:
    from imle_cli.trainings.decisions.recorder import DecisionRecorder
    from imle_core.training import NetworkStep

EXAMPLES = (
    "imle decide paths -o runs/decided",
    "imle decide paths --estimator imle --loss regret -n 10",
    "imle decide mine --solver mine.py:solve --sense min",
)

RunDirectory = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="RUN", rich_help_panel=OUTPUT, help="Run folder; default: runs/DIR-DATE-TIME."),
]


def decide(
    problem: OwnProblemOptions,
    learning: DecisionOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    data: DecisionData = None,
    out: RunDirectory = None,
    resume: Resume = None,
) -> Result:
    """Train a network that predicts costs, judged by its decisions.

    It learns through the solver that decides, or beside it; the run is recorded in a folder. Its regret stands beside that
    of two baselines: least squares, and mean costs.
    """
    check_run(resume, "--resume")
    from imle_cli.runs.process_group import joined
    from imle_cli.trainings.decisions.experiment import DecisionExperiment
    from imle_cli.trainings.decisions.recorder import DecisionRecorder

    console.begin()
    if data is None and resume is None:
        raise UsageError("DIR: missing; give the folder of a data set, which imle data knapsack makes, or --resume RUN")
    with joined(report.device) as reports:
        if not reports:
            console.as_json, console.quiet = False, True
        experiment = DecisionExperiment(data or Path(), problem, learning, noise, report.seed, report.device)
        start, resumed = DecisionRecorder.start, DecisionRecorder.resume
        with start(experiment, out) if resume is None else resumed(resume) as recorder:
            if resume is not None:
                check_agreement(given.names, experiment.options | {"out": str(out)}, recorder.experiment.options)
            summary = _trained(console, recorder)
    return Result(summary, lambda ended: _table(recorder, ended))


def _trained(console: Report, recorder: "DecisionRecorder") -> dict[str, Any]:
    from imle_cli.trainings.decisions.advice import advice

    judged = "epoch 1"

    def told(record: "NetworkStep") -> tuple[int, str]:
        nonlocal judged
        if record.ends_epoch:
            judged = f"epoch {record.epoch + 1}, regret {recorder.rows[-1][1]:.2%} on {recorder.inputs.split}_"
        return record.step, f"{judged}, loss {record.loss:.3g}"

    summary = recorder.complete(console, told)
    for line in advice(summary, recorder.experiment.learning, recorder.inputs.train) if recorder.run is not None else ():
        console.note(line)
    return summary


def _table(recorder: "DecisionRecorder", summary: dict[str, Any]) -> Table:
    from imle_cli.trainings.decisions.experiment import beside

    header = ["epoch", "regret", "optimal", "MSE", "loss", "zero gradients", "solves", "seconds"]
    header += ["network", "solver", "noise", "judging"]
    times = ("seconds", "network_seconds", "solver_seconds", "noise_seconds", "judging_seconds")
    rows = [
        [
            str(row["epoch"]),
            f"{row['regret']:.2%}",
            f"{row['optimal']:.1%}",
            f"{row['mse']:.3g}",
            f"{row['loss']:.3g}",
            f"{row['zero_gradients']:.1%}",
            f"{row['solves']:,}",
            *(f"{row[name]:.2f}" for name in times),
        ]
        for row in summary["epochs"]
    ]
    tested, worst = f"{len(recorder.inputs.tested):,} {summary['split']}_", summary["worst_regret"]
    ties = "" if worst is None else f", worst regret among ties {worst:.2%}"
    below = [
        "",
        f"judged     each epoch on {summary['judged']}_ ({len(recorder.inputs.judged):,} instances), without noise",
        f"learned    by {summary['estimator']} from {summary['supervision']}, {summary['training_seconds']:.1f} s; regret "
        f"{summary['regret']:.2%} on {tested} {beside(summary['baselines'])}",
        f"result     {summary['optimal']:.1%} of the decisions optimal{ties}; {summary['solves']:,} solves",
        f"run        {summary['run']}",
    ]
    return Table(header, rows, header, below)
