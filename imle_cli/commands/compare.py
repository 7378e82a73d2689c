"""``imle compare``: which estimator, lambda and temperature give the best gradients here?"""

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.option_groups import Given
from imle_cli.options import (
    InputOptions,
    LabOptions,
    NoiseOptions,
    Picture,
    ReportOptions,
    SolverOptions,
    check_at_least,
    read_numbers,
)

_Names = Annotated[str | None, typer.Option(metavar="NAME,...", help="Estimators; all of them by default.")]
_Lambdas = Annotated[str, typer.Option(metavar="NUMBER,...", help="Steps of the target.")]
_Temperatures = Annotated[str, typer.Option(metavar="NUMBER,...", help="Temperatures of the noise, forward and backward.")]
_Samples = Annotated[int, typer.Option(help="Samples of one gradient.")]
_Repetitions = Annotated[int, typer.Option(help="Independent gradients of each kind.")]
_Antithetic = Annotated[bool, typer.Option("--antithetic", help="Measure what antithetic pairs do to the variance, too.")]
_Table = Annotated[Path | None, typer.Option("--save", help="Everything that was measured, as a table (.csv).")]

_FIGURES = ["lambda", "temperature", "bias", "variance", "mse", "error", "cosine", "zero", "signs", "calls", "ms"]
_HEADER = ["estimator", *_FIGURES, "note"]


def compare(
    place: InputOptions,
    choice: SolverOptions,
    lab: LabOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    estimators: _Names = None,
    lambdas: _Lambdas = "0.1,0.3,1,3,10",
    temps: _Temperatures = "0.5,1,2,4",
    samples: _Samples = 10,
    repetitions: _Repetitions = 300,
    antithetic: _Antithetic = False,
    out: Picture = None,
    save: _Table = None,
) -> None:
    """Measure the bias, variance, direction and cost of every estimator's gradient, and say which to take.

    Bias, variance and mse (mean squared error) are in units of the true gradient, that of the exact distribution where one
    is known. The error, which ranks estimators, is the mse after the scale that a step size would take care of.
    """
    from imle_cli import canvas
    from imle_cli.comparison import make_comparison, steps
    from imle_cli.comparison_figures import comparison_figure
    from imle_cli.console import DataError, Report
    from imle_cli.lab_inputs import read_estimators, read_lab_problem
    from imle_cli.outputs import Outputs, check_output, write_table
    from imle_cli.sampling import make_noise, noise_title
    from imle_core.lab import Settings
    from imle_core.lab_reference import reference_gradient

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    check_at_least("--samples", samples, 2 if antithetic else 1, "antithetic pairs need two" if antithetic else "use 10")
    check_at_least("--repetitions", repetitions, 2, "the usual number is 300")
    chosen = None if estimators is None else read_estimators(estimators)
    grid = read_numbers("--lambdas", lambdas, float, 0, "0.1,1,10"), read_numbers("--temps", temps, float, 0, "0.5,1,2")
    problem, stem, inputs = read_lab_problem(place, choice, lab, report.device, report.seed, given.names)
    law = make_noise(noise, problem.k)
    settings = Settings(law, chosen, *grid, samples, repetitions, report.seed)
    outputs = Outputs(out or Path(f"{stem}-compare.png"), None, inputs)
    if save is not None:
        check_output("--save", save, (".csv",), inputs)
    with console.progress("reference", steps(settings)) as advance, redirect_stdout(sys.stderr):  # what a solver prints
        try:
            reference = reference_gradient(problem, law, report.seed)
            found = make_comparison(problem, settings, reference, antithetic, advance)
        except TypeError as error:  # a solution that is no tensor
            raise DataError(str(error)) from error
    if not found.best:
        name, reason = next(iter(found.skipped.items()))
        raise DataError(f"no estimator applies; {name}: {reason}")
    title = f"Gradients for {problem.name} under {noise_title(noise.noise)}"
    figure = comparison_figure(found.curves, found.cosines, title=title, samples=samples)
    outputs.write(canvas.encode(figure, outputs.format))
    if save is not None:
        write_table(save, found.columns)
    files = [*outputs.files, *([] if save is None else [str(save)])]
    _tell(console, problem, settings, reference, found, {"noise": noise.noise, "seconds": began, "files": files})


def _tell(console: Any, problem: Any, settings: Any, reference: Any, found: Any, more: dict[str, Any]) -> None:
    """Prints what was found; ``more`` has the name of the noise, when the work began, and files."""
    from imle_cli.advice import advice
    from imle_cli.lab_inputs import number_of_states

    text, relative = advice(found.best, settings.lambdas, settings.temperatures), reference.error / reference.norm
    values = {
        "problem": problem.name,
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
    counts = f"{settings.nb_samples} samples, {settings.repetitions} repetitions"
    below = [
        f"problem    {problem.name}, {problem.loss_name}, {settings.noise or 'no'} noise, {counts}",
        f"reference  {reference.text}{f', relative standard error {relative:.2g}' if reference.error else ''}",
        f"files      {', '.join(more['files'])}",
    ]
    console.table(values, _HEADER, found.rows, figures=_FIGURES, below="\n".join(["", *below, "", text]))
