"""``imle reproduce``: an experiment of a paper, done again."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import UsageError
from imle_cli.option_groups import Without
from imle_cli.options import ReportOptions, check_at_least

_Experiment = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="top-k: the synthetic experiment of the I-MLE paper.")
]
_Methods = Annotated[str | None, typer.Option(metavar="NAME,...", help="Such as imle_gumbel,simple; by default all.")]
_Repetitions = Annotated[int, typer.Option(help="Independent runs of each method.")]
_Picture = Annotated[
    Path | None,
    typer.Option("--out", help="Picture to write (.png, .pdf, .svg); by default <experiment>-reproduce.png here."),
]
_Table = Annotated[Path | None, typer.Option("--save", help="Gaps at every step, as a table (.csv).")]

_HEADER = ["method", "gap at the end", "standard error", "authors' code", "difference"]
_LOW, _HIGH = 0.1, 0.9


def reproduce(
    experiment: _Experiment,
    report: Annotated[ReportOptions, Without("device")],
    methods: _Methods = None,
    repetitions: _Repetitions = 1000,
    out: _Picture = None,
    save: _Table = None,
) -> None:
    """Do the synthetic top-k experiment of the I-MLE paper again, beside what its authors' code gives.

    Numbers are gaps to the optimum after the last step, mean ± deviation over the runs; differences are in combined
    standard errors.
    """
    from imle_cli import canvas
    from imle_cli.console import Report
    from imle_cli.outputs import Outputs, check_output, write_table
    from imle_cli.reproduction_figures import reproduction_figure
    from imle_core.reproduction import EXPERIMENTS

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    check_at_least("--repetitions", repetitions, 2, "the usual number is 1000")
    _check_names("EXPERIMENT", [experiment], EXPERIMENTS)
    found = EXPERIMENTS[experiment]()
    names = list(found.methods if methods is None else dict.fromkeys(name.strip() for name in methods.split(",")))
    _check_names("--methods", names, found.methods)
    outputs = Outputs(out or Path(f"{experiment}-reproduce.png"), None, ())
    if save is not None:
        check_output("--save", save, (".csv",))
    outcomes = _run(found, names, repetitions, report.seed, console)
    title = f"{experiment} of the I-MLE paper: {repetitions:,} runs of each method"
    outputs.write(canvas.encode(reproduction_figure([_curve(one) for one in outcomes], title=title), outputs.format))
    if save is not None:
        write_table(save, _columns(outcomes))
    files = [*outputs.files, *([] if save is None else [str(save)])]
    values = {
        "optimum": found.optimum,
        "start": found.start,
        "methods": {outcome.method.name: _record(outcome) for outcome in outcomes},
        "experiment": experiment,
        "seed": report.seed,
        "seconds": time.perf_counter() - began,
        "files": files,
    }
    below = (
        f"optimum  {found.optimum:.4f}, gap at the start {found.start:.3f}; {repetitions} runs of each method\n"
        f"files    {', '.join(files)}"
    )
    console.table(values, _HEADER, [_row(one) for one in outcomes], figures=_HEADER[1:], below=f"\n{below}")


def _check_names(what: str, names: Sequence[str], known: Iterable[str]) -> None:
    from imle_core.contracts import check_name

    try:
        for name in names:
            check_name(what, name, known)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _run(experiment: Any, names: Sequence[str], repetitions: int, seed: int, console: Any) -> list[Any]:
    """Outcomes of the methods, with one bar for the steps of all."""
    from imle_core.reproduction import reproduce as run

    methods, outcomes, before = [experiment.methods[name] for name in names], [], 0
    with console.progress(names[0], sum(method.steps for method in methods)) as advance:
        for method in methods:

            def observe(done: int, name: str = method.name, before: int = before) -> None:
                advance(before + done, name)

            outcomes.append(run(experiment, method, repetitions, seed, observe))
            before += method.steps
    return outcomes


def _record(outcome: Any) -> dict[str, Any]:
    reference = outcome.method.reference
    return {
        "gap_mean": float(outcome.means[-1]),
        "gap_std": float(outcome.deviations[-1]),
        "repetitions": len(outcome.gaps),
        "reference_mean": None if reference is None else reference.mean,
        "reference_std": None if reference is None else reference.deviation,
        "difference": outcome.distance,
    }


def _row(outcome: Any) -> list[str]:
    reference = outcome.method.reference
    row = [outcome.method.name, _gap(outcome.means[-1], outcome.deviations[-1]), f"{outcome.standard_errors[-1]:.3f}"]
    return [
        *row,
        *(["", ""] if reference is None else [_gap(reference.mean, reference.deviation), f"{outcome.distance:+.1f}"]),
    ]


def _gap(mean: float, deviation: float) -> str:
    return f"{mean:.3f} ± {deviation:.3f}"


def _curve(outcome: Any) -> Any:
    from imle_cli.reproduction_figures import Curve

    reference, facts = outcome.method.reference, [f"here {outcome.means[-1]:.3f}, deviation {outcome.deviations[-1]:.3f}"]
    if reference is not None:
        facts.append(f"authors {reference.mean:.3f}, deviation {reference.deviation:.3f}")
    return Curve(
        outcome.method.name,
        outcome.means.numpy(),
        outcome.quantile(_LOW).numpy(),
        outcome.quantile(_HIGH).numpy(),
        facts,
        None if reference is None else (reference.mean, reference.standard_error),
    )


def _columns(outcomes: Sequence[Any]) -> dict[str, list[Any]]:
    """A row for each step of each method."""
    columns: dict[str, list[Any]] = {"method": [], "step": []}
    for outcome in outcomes:
        columns["method"] += [outcome.method.name] * outcome.method.steps
        columns["step"] += range(outcome.method.steps)
        for name, values in (
            ("gap_mean", outcome.means),
            ("gap_std", outcome.deviations),
            ("standard_error", outcome.standard_errors),
            ("quantile_10", outcome.quantile(_LOW)),
            ("quantile_90", outcome.quantile(_HIGH)),
        ):
            columns.setdefault(name, []).extend(values.tolist())
    return columns
