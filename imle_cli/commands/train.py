"""``imle train``: learn weights with which the solver finds the gold path."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.options.checks import check_agreement, check_at_least
from imle_cli.options.groups import Given
from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, RecordEvery
from imle_cli.options.report import ReportOptions

RunDirectory = Annotated[Path | None, typer.Option("--out", help="Run directory; by default runs/<map>-<date and time>.")]
Resume = Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with a run that was interrupted.")]


def train(
    place: MapOptions,
    choice: MapSolverOptions,
    noise: NoiseOptions,
    learning: LearningOptions,
    report: ReportOptions,
    given: Given,
    out: RunDirectory = None,
    resume: Resume = None,
    record_every: RecordEvery = 10,
) -> None:
    """Learn weights for MAP, from random ones, so that the solver finds the gold path; record the run."""
    from imle_cli.console import Report
    from imle_cli.learning.experiment import TrainingExperiment, TrainingRecorder
    from imle_cli.runs.interruption import deferred_interruption

    console = Report(as_json=report.json, quiet=report.quiet)
    check_at_least("--record-every", record_every, 1, "the usual value is 10")
    experiment = TrainingExperiment(place, choice, noise, learning, report.seed, report.device, record_every)
    with TrainingRecorder.start(experiment, out) if resume is None else TrainingRecorder.resume(resume) as recorder:
        if resume is not None:
            check_agreement(given.names, experiment.options | {"out": str(out)}, recorder.experiment.options)
        if recorder.fell_back:
            console.note(recorder.run.fallen_back(recorder.training.step))
        total = recorder.training.steps
        with deferred_interruption() as stop, console.progress("training", total) as advance:
            for record in recorder.steps(stop):
                advance(record.step, f"loss {record.loss:.2f}, path off by {record.distance} tiles")
        summary = recorder.summary
        if not recorder.done:
            console.note(f"stopped after {summary['steps_made']} steps; go on with: imle train --resume {recorder.run.path}")
            raise stop.end
        recorder.run.write_summary(summary)
        console.result(summary, [("result", _told(summary))])


def _told(summary: dict[str, Any]) -> str:
    first, final = summary["first_gold_step"], summary["final_hamming"]
    found = "the gold path was never found" if first is None else f"the gold path was first found at step {first}"
    ended = "the last path is the gold path" if final == 0 else f"the last path is off by {final} tiles"
    return f"{found}; {ended}; {summary['seconds']:.2f} s; run in {summary['run']}"
