"""The top-k experiment of the I-MLE paper, done again: outcomes, table, picture, numbers."""

from collections.abc import Sequence
from typing import Any

from imle_cli.console import Report, Result, Table, line_of_files
from imle_cli.files.outputs import Outputs
from imle_core.lab import EXPERIMENTS, TUNING_SEED

_HEADER = ["method", "settings", "gap at the end", "standard error", "runs"]
_HEADER += ["authors' code", "their runs", "difference"]
_LOW, _HIGH = 0.1, 0.9


def work(names: Sequence[str], repetitions: int, seed: int, outputs: Outputs, console: Report) -> Result:
    """Runs the methods, and writes the picture and the numbers."""
    from imle_cli.figures.encoding import encoder

    made = EXPERIMENTS["top-k"]()
    outcomes = _run(made, names, repetitions, seed, console)
    title = f"top-k of the I-MLE paper: {repetitions:,} runs of each method"
    outputs.write(encoder(lambda: _draw(outcomes, title)), table=lambda: _columns(outcomes))
    records = {outcome.method.name: _record(outcome) for outcome in outcomes}
    values = {"optimum": made.optimum, "start": made.start, "methods": records}
    values |= {"experiment": "top-k", "seed": seed, "tuning_seed": TUNING_SEED}
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
