"""``imle compare``: which estimator, lambda and temperature give the best gradients here?"""

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, NoiseOptions, SolverOptions
from imle_cli.options.measuring import LabOptions
from imle_cli.options.report import Picture, ReportOptions

_Names = Annotated[str | None, typer.Option(metavar="NAME,...", help="Estimators; all of them by default.")]
_Lambdas = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER,...", help="Steps of the target; by default 0.1,0.3,1,3,10, and more beyond where these end."
    ),
]
_Temperatures = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER,...",
        help="Temperatures of the noise, forward and backward; by default 0.5,1,2,4, and more likewise.",
    ),
]
_Samples = Annotated[int, typer.Option(help="Samples of one gradient.")]
_Repetitions = Annotated[
    int, typer.Option(help="Independent gradients of a kind on average; more where it decides something.")
]
_Instances = Annotated[int, typer.Option(help="How many random problems, of seeds --seed, --seed + 1, ...")]
_Antithetic = Annotated[bool, typer.Option("--antithetic", help="Measure what antithetic pairs do to the variance, too.")]
_Table = Annotated[Path | None, typer.Option("--save", help="Everything that was measured, as a table (.csv).")]


def compare(
    place: InputOptions,
    choice: SolverOptions,
    lab: LabOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    estimators: _Names = None,
    lambdas: _Lambdas = None,
    temps: _Temperatures = None,
    samples: _Samples = 10,
    repetitions: _Repetitions = 300,
    instances: _Instances = 1,
    antithetic: _Antithetic = False,
    out: Picture = None,
    save: _Table = None,
) -> None:
    """Measure the bias, variance, direction and cost of every estimator's gradient, and say which to take.

    Bias, variance and mse (mean squared error) are in units of the true gradient, that of the exact distribution where one
    is known. The error, which ranks estimators, is the mse after the scale that a step size would take care of.
    """
    from imle_cli.console import Report
    from imle_cli.figures import canvas
    from imle_cli.figures.comparison import comparison_figure
    from imle_cli.files.outputs import Outputs, check_output, write_table
    from imle_cli.problems.lab import read_estimators, read_lab_problems
    from imle_cli.problems.noise import make_noise, noise_title
    from imle_core.lab import EstimatorSettings

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    check_at_least("--samples", samples, 2 if antithetic else 1, "antithetic pairs need two" if antithetic else "use 10")
    check_at_least("--repetitions", repetitions, 2, "the usual number is 300")
    chosen = None if estimators is None else read_estimators(estimators)
    grid, widened = _grid(lambdas, temps)
    problems = read_lab_problems(place, choice, lab, report, given.names, instances)
    problem, stem, inputs = problems[0]
    law = make_noise(noise, problem.k)
    settings = EstimatorSettings(law, chosen, *grid, samples, repetitions, report.seed, widened)
    outputs = Outputs(out or Path(f"{stem}-compare.png"), None, inputs)
    if save is not None:
        check_output("--save", save, (".csv",), inputs)
    measured, found = _measured(console, [each for each, *_ in problems], settings, antithetic)
    title = _title(problem.name, instances, noise_title(noise.noise), settings.shown)
    figure = comparison_figure(found.curves, found.cosines, title=title, samples=samples)
    outputs.write(canvas.encode(figure, outputs.format))
    if save is not None:
        write_table(save, found.columns)
    files = [*outputs.files, *([] if save is None else [str(save)])]
    is_random = place.map is None and "solver" not in given.names
    more = {"noise": noise.noise, "seconds": began, "files": files, "random": is_random}
    _tell(console, measured, settings, found, more)


def _title(name: str, instances: int, noise: str, temperature: float) -> str:
    several = f", {instances} instances," if instances > 1 else ""
    return f"Gradients for {name}{several} under {noise} at temperature {temperature:g}"


def _grid(lambdas: str | None, temps: str | None) -> tuple[tuple[Any, Any], frozenset[str]]:
    """Lambdas and temperatures, and those of the two that the user left to the command, which may then widen them."""
    from imle_core.lab import LAMBDAS, TEMPERATURES

    grid = (
        LAMBDAS if lambdas is None else read_numbers("--lambdas", lambdas, float, 0, "0.1,1,10"),
        TEMPERATURES if temps is None else read_numbers("--temps", temps, float, 0, "0.5,1,2"),
    )
    return grid, frozenset(name for name, given in (("lambdas", lambdas), ("temperatures", temps)) if given is None)


def _measured(console: Any, problems: Any, settings: Any, antithetic: bool) -> tuple[Any, Any]:
    """Problems with their references, and what was found."""
    from imle_cli.errors import DataError
    from imle_cli.lab.comparison import make_comparison, steps
    from imle_core.lab import Instance, reference_gradient

    with console.progress("reference", steps(settings)) as advance, redirect_stdout(sys.stderr):  # what a solver prints
        try:
            measured = [
                Instance(problem, reference_gradient(problem, settings.noise, settings.seed + number))
                for number, problem in enumerate(problems)
            ]
            found = make_comparison(measured, settings, antithetic, advance)
        except TypeError as error:  # a solution that is no tensor
            raise DataError(str(error)) from error
    if not found.best:
        name, reason = next(iter(found.skipped.items()))
        raise DataError(f"no estimator applies; {name}: {reason}")
    return measured, found


def _tell(console: Any, measured: Any, settings: Any, found: Any, more: dict[str, Any]) -> None:
    """Prints what was found; ``more`` has the noise's name, when the work began, files, and whether problems are random."""
    from imle_cli.lab.advice import advice
    from imle_cli.lab.comparison import OPTIONS
    from imle_cli.lab.comparison_text import FIGURES, HEADER, lambda_table, legend, rows, scope
    from imle_cli.problems.lab import number_of_states

    text, instances = advice(found.best, found.alike, OPTIONS), len(measured)
    problem, reference = measured[0].problem, measured[0].reference
    relative = max(each.reference.error / each.reference.norm for each in measured)
    values = {
        "problem": problem.name,
        "instances": instances,
        **number_of_states(problem.family),
        "loss": problem.loss_name,
        "noise": more["noise"],
        "samples": settings.nb_samples,
        "repetitions": settings.repetitions,
        "seed": settings.seed,
        "reference": {"text": reference.text, "norm": reference.norm, "relative_error": relative},
        **found.values,
        "recommendation": text,
        "seconds": time.perf_counter() - more["seconds"],
        "files": more["files"],
    }
    several = f"{instances} instances, " if instances > 1 else ""
    counts = f"{several}{settings.nb_samples} samples, {settings.repetitions} repetitions, seed {settings.seed}"
    below = [
        "",
        *lambda_table(found),
        "",
        f"problem    {problem.name}, {problem.loss_name}, {settings.noise or 'no'} noise, {counts}",
        f"reference  {reference.text}{f', relative standard error {relative:.2g}' if relative else ''}",
        f"figures    {legend(instances)}",
        *scope(more["random"], instances),
        f"files      {', '.join(more['files'])}",
        "",
        text,
    ]
    console.table(values, HEADER, rows(found), figures=FIGURES, below=below)
