"""``imle compare``: which estimator, lambda and temperature give the best gradients here?"""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Report, Result, Table, line_of_files
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.estimators import ESTIMATORS
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, NoiseOptions, SolverOptions
from imle_cli.options.measuring import Instances, LabOptions
from imle_cli.options.panels import MEASUREMENT, OUTPUT
from imle_cli.options.report import NoPicture, Picture, ReportOptions, picture_path
from imle_cli.options.values import completer
from imle_cli.problems.presence import check_present

EXAMPLES = (
    "imle compare --problem top-k --size 10,5 --estimators imle,central-imle",
    "imle compare map.png --lambdas 1,10 --temps 1 -n 10",
)

_Names = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        rich_help_panel=MEASUREMENT,
        autocompletion=completer(ESTIMATORS),
        help="Estimators; default: all of them.",
    ),
]
_Lambdas = Annotated[
    str | None,
    typer.Option(
        metavar="LAMBDA,...",
        rich_help_panel=MEASUREMENT,
        help="Step sizes of the target; default: 0.1,0.3,1,3,10, and more beyond where these end.",
    ),
]
_Temperatures = Annotated[
    str | None,
    typer.Option(
        metavar="T,...",
        rich_help_panel=MEASUREMENT,
        help="Temperatures of the noise, forward and backward; default: 0.5,1,2,4, and more likewise.",
    ),
]
_Samples = Annotated[
    int, typer.Option("-n", "--samples", min=1, rich_help_panel=MEASUREMENT, help="Samples of one gradient.")
]
_Repetitions = Annotated[
    int,
    typer.Option(
        min=2,
        rich_help_panel=MEASUREMENT,
        help="Independent gradients of a kind on average; more where it decides something.",
    ),
]
_Antithetic = Annotated[
    bool,
    typer.Option("--antithetic", rich_help_panel=MEASUREMENT, help="Measure what antithetic pairs do to the variance, too."),
]
_Table = Annotated[
    Path | None,
    typer.Option("--save", rich_help_panel=OUTPUT, help="Everything that was measured, as a table (.csv)."),
]


def compare(
    source: InputOptions,
    choice: SolverOptions,
    lab: LabOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    estimators: _Names = None,
    lambdas: _Lambdas = None,
    temps: _Temperatures = None,
    samples: _Samples = 10,
    repetitions: _Repetitions = 300,
    instances: Instances = 1,
    antithetic: _Antithetic = False,
    out: Picture = None,
    no_picture: NoPicture = False,
    save: _Table = None,
) -> Result:
    """Measure bias, variance and cost of every estimator's gradient.

    The last lines say which to take. Bias, variance and mse (mean squared error) are in units of the true gradient, that of
    the exact distribution where one is known. The error, which ranks estimators, is the mse after the scale that a step size
    would take care of.
    """
    check_present(source.map)
    check_present(None if source.map is None else lab.gold, "--gold")
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.lab import problem_title, read_estimators, read_lab_problems
    from imle_cli.problems.noise import make_noise, noise_title
    from imle_core.lab import EstimatorSettings

    prepare(not no_picture)
    console.begin()
    _check_draws(samples, repetitions, antithetic, noise)
    chosen = None if estimators is None else read_estimators(estimators)
    grid, widened = _grid(lambdas, temps)
    problems = read_lab_problems(source, choice, lab, report, given.names, instances)
    problem, stem, inputs = problems[0]
    settings = EstimatorSettings(make_noise(noise, problem.k), chosen, *grid, samples, repetitions, report.seed, widened)
    outputs = Outputs(picture_path(out, no_picture, Path(f"{stem}-compare.png")), save, inputs, (".csv",))
    measured, comparison = _measured(console, [read.problem for read in problems], settings, antithetic)
    title = _title(problem_title(problem.name), instances, noise_title(noise.noise), settings.shown)
    outputs.write(encoder(lambda: _draw(comparison, title, samples)), table=lambda: comparison.columns)
    is_random = source.map is None and "solver" not in given.names
    values = _values(measured, settings, comparison, noise.noise)
    return Result(values, lambda ended: _table(ended, settings, comparison, is_random), outputs.files)


def _check_draws(samples: int, repetitions: int, antithetic: bool, noise: NoiseOptions) -> None:
    check_at_least("--samples", samples, 2 if antithetic else 1, "antithetic pairs need two" if antithetic else "use 10")
    check_at_least("--repetitions", repetitions, 2, "the usual number is 300")
    if antithetic and noise.noise in ("sum-of-gamma", "none"):  # which are neither symmetric nor drawn by quantiles
        rest = f"it does not go with --noise {noise.noise}; take --noise gumbel, normal or logistic"
        raise UsageError(f"--antithetic: {rest}")


def _draw(comparison: Any, title: str, samples: int) -> Any:
    from imle_cli.figures.comparison import comparison_figure

    return comparison_figure(
        comparison.curves, comparison.cosines, title=title, samples=samples, temperature=comparison.temperature
    )


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
    """Problems with their references, and the comparison."""
    from imle_cli.lab.comparison import make_comparison, steps
    from imle_cli.messages import DataError
    from imle_core.lab import Instance, reference_gradient

    with console.progress("reference", steps(settings)) as advance, redirect_stdout(sys.stderr):  # what a solver prints
        measured = [
            Instance(problem, reference_gradient(problem, settings.noise, settings.seed + number))
            for number, problem in enumerate(problems)
        ]
        comparison = make_comparison(measured, settings, antithetic, advance)
    if not comparison.best:
        name, reason = next(iter(comparison.skipped.items()))
        raise DataError(f"no estimator applies; {name}: {reason}")
    return measured, comparison


def _values(measured: Any, settings: Any, comparison: Any, noise: str) -> dict[str, Any]:
    from imle_cli.lab.advice import advice
    from imle_cli.lab.comparison import OPTIONS
    from imle_cli.problems.lab import number_of_states

    problem, reference = measured[0].problem, measured[0].reference
    relative = max(instance.reference.error / instance.reference.norm for instance in measured)
    return {
        "problem": problem.name,
        "instances": len(measured),
        **number_of_states(problem.family),
        "loss": problem.loss_name,
        "noise": noise,
        "samples": settings.nb_samples,
        "repetitions": settings.repetitions,
        "seed": settings.seed,
        "reference": {"text": reference.text, "norm": reference.norm, "relative_error": relative},
        **comparison.values,
        "recommendation": advice(comparison.best, comparison.alike, OPTIONS),
    }


def _table(values: dict[str, Any], settings: Any, comparison: Any, is_random: bool) -> Table:
    from imle_cli.lab.comparison_text import FIGURES, HEADER, lambda_table, legend, rows, scope
    from imle_cli.problems.noise import in_words

    instances, reference = values["instances"], values["reference"]
    several = f"{instances} instances, " if instances > 1 else ""
    counts = f"{several}{values['samples']} samples, {values['repetitions']} repetitions, seed {values['seed']}"
    relative, noise = reference["relative_error"], in_words(settings.noise) if settings.noise else "no noise"
    below = [
        "",
        *lambda_table(comparison),
        "",
        f"problem    {values['problem']}, {values['loss']}, {noise}, {counts}",
        f"reference  {reference['text']}{f', relative standard error {relative:.2g}' if relative else ''}",
        f"figures    {legend(instances)}",
        *scope(is_random, instances),
        *(f"{name}      {files}" for name, files in line_of_files(values)),
        "",
        values["recommendation"],
    ]
    return Table(HEADER, rows(comparison), FIGURES, below)
