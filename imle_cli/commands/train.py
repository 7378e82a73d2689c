"""``imle train``: learn weights with which the solver finds the gold path."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Report, Result
from imle_cli.options.checks import check_agreement
from imle_cli.options.groups import Given
from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, RecordEvery, Resume
from imle_cli.options.panels import OUTPUT
from imle_cli.options.report import ReportOptions
from imle_cli.problems.presence import check_files, check_present
from imle_cli.runs.directories import check_run

EXAMPLES = ("imle train --input-temp 5 --target-temp 0 -o runs/first", "imle train --resume runs/first")

RunDirectory = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="RUN", rich_help_panel=OUTPUT, help="Run folder; default: runs/MAP-DATE-TIME."),
]


def train(
    source: MapOptions,
    choice: MapSolverOptions,
    noise: NoiseOptions,
    learning: LearningOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    out: RunDirectory = None,
    resume: Resume = None,
    record_every: RecordEvery = None,
) -> Result:
    """Learn weights with which the solver finds a gold path.

    The weights of the map's tiles start at random; the run is recorded in a folder, for imle animate.
    """
    check_run(resume, "--resume")
    if resume is None:  # which has its inputs in the run
        check_present(source.map)
        check_files(learning)
    from imle_cli.trainings.weights.experiment import TrainingExperiment
    from imle_cli.trainings.weights.recorder import TrainingRecorder

    console.begin()
    experiment = TrainingExperiment(source, choice, noise, learning, report.seed, report.device, record_every)
    with TrainingRecorder.start(experiment, out) if resume is None else TrainingRecorder.resume(resume) as recorder:
        if resume is not None:
            check_agreement(given.names, experiment.options | {"out": str(out)}, recorder.experiment.options)
        summary = recorder.complete(
            console, lambda record: (record.step, f"loss {record.loss:.2f}, path off by {record.distance} tiles")
        )
    return Result(summary, lambda ended: [("result", _told(ended))])


def _told(summary: dict[str, Any]) -> str:
    first, final = summary["first_gold_step"], summary["final_hamming"]
    gold = "the gold path was never found" if first is None else f"the gold path was first found at step {first}"
    ended = "the last path is the gold path" if final == 0 else f"the last path is off by {final} tiles"
    return f"{gold}; {ended}; {summary['seconds']:.2f} s; run in {summary['run']}"
