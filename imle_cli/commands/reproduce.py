"""``imle reproduce``: an experiment of a paper, done again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Report, Result, Table, line_of_files
from imle_cli.options.checks import check_at_least, check_names
from imle_cli.options.groups import Without
from imle_cli.options.panels import MEASUREMENT, OUTPUT
from imle_cli.options.report import NoPicture, ReportOptions, picture_path
from imle_cli.options.values import completer

EXAMPLES = ("imle reproduce top-k -n 100 --methods imle-gumbel,simple",)
_EXPERIMENTS = ("top-k",)
_METHODS = (
    "imle-sum-of-gamma",
    "imle-sum-of-gamma-tuned",
    "imle-gumbel",
    "imle-gumbel-tuned",
    "straight-through",
    "score-function",
    "adaptive-imle",
    "central-imle",
    "simple",
)

_Experiment = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        autocompletion=completer(_EXPERIMENTS),
        help="The experiment: top-k, the synthetic one of the I-MLE paper.",
    ),
]
_Methods = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        rich_help_panel=MEASUREMENT,
        autocompletion=completer(_METHODS),
        help="Methods, such as imle-gumbel,simple; default: all.",
    ),
]
_Repetitions = Annotated[
    int, typer.Option("-n", "--repetitions", min=2, rich_help_panel=MEASUREMENT, help="Independent runs of each method.")
]
_Picture = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        rich_help_panel=OUTPUT,
        help="Picture to write (.png, .pdf, .svg); default: EXPERIMENT-reproduce.png here.",
    ),
]
_Table = Annotated[
    Path | None, typer.Option("--save", rich_help_panel=OUTPUT, help="Gaps at every step, as a table (.csv).")
]

_HEADER = ["method", "settings", "gap at the end", "standard error", "runs"]
_HEADER += ["authors' code", "their runs", "difference"]
_LOW, _HIGH = 0.1, 0.9


def reproduce(
    experiment: _Experiment,
    report: Annotated[ReportOptions, Without("device")],
    console: Report,
    methods: _Methods = None,
    repetitions: _Repetitions = 1000,
    out: _Picture = None,
    no_picture: NoPicture = False,
    save: _Table = None,
) -> Result:
    """Do the top-k experiment of the I-MLE paper again, beside theirs.

    Beside its numbers stand those that the authors' code gives. Numbers are gaps to the optimum after the last step, mean ±
    standard deviation of single runs, and the standard error of the mean; differences are in combined standard errors.
    Settings are the authors', or were tuned here.
    """
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import Outputs
    from imle_core.lab import EXPERIMENTS, TUNING_SEED

    prepare(not no_picture)
    console.begin()
    check_at_least("--repetitions", repetitions, 2, "the usual number is 1000")
    check_names("EXPERIMENT", [experiment], EXPERIMENTS)
    made = EXPERIMENTS[experiment]()
    names = list(
        made.methods if methods is None else dict.fromkeys(name.strip().replace("_", "-") for name in methods.split(","))
    )
    check_names("--methods", names, made.methods)
    outputs = Outputs(picture_path(out, no_picture, Path(f"{experiment}-reproduce.png")), save, (), (".csv",))
    outcomes = _run(made, names, repetitions, report.seed, console)
    title = f"{experiment} of the I-MLE paper: {repetitions:,} runs of each method"
    outputs.write(encoder(lambda: _draw(outcomes, title)), table=lambda: _columns(outcomes))
    records = {outcome.method.name: _record(outcome) for outcome in outcomes}
    values = {"optimum": made.optimum, "start": made.start, "methods": records}
    values |= {"experiment": experiment, "seed": report.seed, "tuning_seed": TUNING_SEED}
    rows = [_row(outcome) for outcome in outcomes]
    return Result(values, lambda ended: Table(_HEADER, rows, _HEADER[2:], _below(ended)), outputs.files)


def _draw(outcomes: Sequence[Any], title: str) -> Any:
    from imle_cli.figures.reproduction import reproduction_figure

    return reproduction_figure([_curve(outcome) for outcome in outcomes], title=title)


def _below(values: dict[str, Any]) -> list[str]:
    """Lines below the table."""
    seed = values["tuning_seed"]
    chosen = "; with this run's seed their gaps are too small" if values["seed"] == seed else ""
    return [
        "",
        f"optimum   {values['optimum']:.4f}, gap at the start {values['start']:.3f}",
        "±         standard deviation of single runs; the standard error is that of their mean",
        f"tuned     here, on this experiment with seed {seed}, by the least mean gap at the end{chosen}",
        *(f"{name}     {files}" for name, files in line_of_files(values)),
    ]


def _run(experiment: Any, names: Sequence[str], repetitions: int, seed: int, console: Any) -> list[Any]:
    """Outcomes of the methods, with one bar for the steps of all."""
    from imle_core.lab import reproduce as run

    methods, outcomes, before = [experiment.methods[name] for name in names], [], 0
    with console.progress(names[0], sum(method.steps for method in methods)) as advance:
        for method in methods:

            def observe(done: int, name: str = method.name, before: int = before) -> None:
                advance(before + done, name)

            outcomes.append(run(experiment, method, repetitions, seed, observe))
            before += method.steps
    return outcomes


def _record(outcome: Any) -> dict[str, Any]:
    method, reference = outcome.method, outcome.method.reference
    return {
        "gap_mean": float(outcome.means[-1]),
        "gap_std": float(outcome.deviations[-1]),
        "gap_standard_error": float(outcome.standard_errors[-1]),
        "repetitions": len(outcome.gaps),
        "reference_mean": None if reference is None else reference.mean,
        "reference_std": None if reference is None else reference.deviation,
        "reference_standard_error": None if reference is None else reference.standard_error,
        "reference_repetitions": None if reference is None else reference.repetitions,
        "difference": outcome.distance,
        "tuned": method.tuned_over is not None,
        "tuned_over": method.tuned_over,
        "settings": method.settings,
    }


def _row(outcome: Any) -> list[str]:
    method, reference, repetitions = outcome.method, outcome.method.reference, len(outcome.gaps)
    numbers = [
        f"{name.replace('_', ' ')} {value:g}" for name, value in method.settings.items() if name not in ("noise", "steps")
    ]
    settings = f"{_origin(method)}: {', '.join(numbers)}; {method.steps} steps"
    gap = _gap(outcome.means[-1], outcome.deviations[-1])
    row = [method.name, settings, gap, f"{outcome.standard_errors[-1]:.3f}", f"{repetitions}"]
    if reference is None:
        return [*row, "", "", ""]
    theirs = _gap(reference.mean, reference.deviation)
    return [*row, theirs, f"{reference.repetitions}", f"{outcome.distance:+.1f}"]


def _gap(mean: float, deviation: float) -> str:
    return f"{mean:.3f} ± {deviation:.3f}"


def _curve(outcome: Any) -> Any:
    from imle_cli.figures.reproduction import ReproductionCurve

    method, reference = outcome.method, outcome.method.reference
    facts = [f"here {outcome.means[-1]:.3f}, {len(outcome.gaps):,} runs"]
    if reference is not None:
        facts.append(f"authors {reference.mean:.3f}, {reference.repetitions:,} runs")
    return ReproductionCurve(
        f"{method.name}, {_origin(method)}",
        outcome.means.numpy(),
        outcome.quantile(_LOW).numpy(),
        outcome.quantile(_HIGH).numpy(),
        facts,
        None if reference is None else (reference.mean, reference.standard_error),
    )


def _origin(method: Any) -> str:
    """Origin of its settings."""
    return "authors' settings" if method.tuned_over is None else "tuned here"


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
