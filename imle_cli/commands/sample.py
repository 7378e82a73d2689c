"""``imle sample``: perturb-and-MAP samples side by side, or whole solutions by how often they are sampled."""

from typing import TYPE_CHECKING, Annotated

import typer

from imle_cli.console import Report, Result, aligned, time_and_files
from imle_cli.options.checks import check_at_least
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, InputTemperature, NoiseOptions, SolverOptions
from imle_cli.options.panels import NOISE, OUTPUT
from imle_cli.options.report import Array, NoPicture, PictureOrPage, ReportOptions, picture_path
from imle_cli.problems.presence import check_present

if TYPE_CHECKING:
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.problem import Problem
    from imle_cli.problems.sampling import Sampling

EXAMPLES = ("imle sample map.png -n 9 --input-temp 2 -o samples.png", "imle sample map.png --distinct 12 -n 100000")

Samples = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--samples",
        min=1,
        rich_help_panel=NOISE,
        help="How many samples to draw; default: 16, or with --distinct 1000.",
    ),
]
Distinct = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        min=1,
        rich_help_panel=OUTPUT,
        help="Count whole solutions, and show so many of the most frequent with their shares.",
    ),
]


def sample(
    source: InputOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    input_temp: InputTemperature = 1.0,
    samples: Samples = None,
    distinct: Distinct = None,
    out: PictureOrPage = None,
    no_picture: NoPicture = False,
    save: Array = None,
) -> Result:
    """Draw perturb-and-MAP samples, as a sheet of small pictures.

    A sample is the best solution of the map, the graph or the table (the MAP state) after noise was added to its numbers.
    With ``--distinct 12``, the 12 solutions that are sampled most often, and their shares of the samples.
    """
    check_present(source.map)
    from imle_cli.figures.encoding import prepare
    from imle_cli.files.outputs import PICTURES_AND_PAGES, Outputs
    from imle_cli.problems.reading import read_problem
    from imle_cli.problems.sampling import read_sampling

    check_at_least("--distinct", 1 if distinct is None else distinct, 1, "use 12 for a first look")
    prepare(not no_picture)
    console.begin()
    problem = read_problem(source, choice, report.device, given.names)
    count = samples if samples is not None else 16 if distinct is None else 1000
    sampling = read_sampling(noise, problem.default_k, input_temp, count, report.seed)
    picture = picture_path(out, no_picture, problem.picture("sample" if distinct is None else "distinct"))
    outputs = Outputs(picture, save, problem.inputs, pictures=PICTURES_AND_PAGES)
    if distinct is None:
        return _samples(problem, sampling, outputs, console)
    return _whole_solutions(problem, sampling, distinct, outputs, console)


def _samples(problem: "Problem", sampling: "Sampling", outputs: "Outputs", console: Report) -> Result:
    """All samples, one by one."""
    from imle_cli.figures.encoding import encoder
    from imle_cli.pages.encoding import encoder_or_page
    from imle_cli.pages.samples import sampling_page
    from imle_cli.problems.sampling import facts_of_samples

    with console.progress("sampling", sampling.samples) as advance:
        masks = sampling.draw(problem, advance)
    picture = encoder_or_page(
        encoder(lambda: problem.draw_samples(masks, sampling.title_of(problem))),
        lambda still: sampling_page(problem, sampling, still, console.progress),
    )
    columns = {f"sample_{number}": mask for number, mask in enumerate(masks, 1)}
    outputs.write(picture, masks, lambda: problem.table(columns))
    facts, told = facts_of_samples(problem, masks)
    values = problem.values | sampling.values | facts | {"clamped_share": problem.clamped_share}
    lines = [*problem.lines, sampling.line, *told, *problem.clamped_lines]
    return Result(values, lambda ended: [*lines, *time_and_files(ended)], outputs.files)


def _whole_solutions(problem: "Problem", sampling: "Sampling", distinct: int, outputs: "Outputs", console: Report) -> Result:
    """The most frequent solutions with their shares."""
    from imle_cli.figures.encoding import encoder
    from imle_cli.pages.distinct import distinct_page
    from imle_cli.pages.encoding import encoder_or_page
    from imle_cli.problems.whole_solutions import draw_whole_solutions

    with console.progress("sampling", sampling.samples) as advance:
        solutions = draw_whole_solutions(problem, sampling, distinct, advance)
    heat = f", temperature {sampling.input_temp:g}" if sampling.law else ", no noise"
    title = f"{problem.title}: {solutions.title}{heat}"
    lines = [*problem.lines, sampling.line, *solutions.lines, *problem.clamped_lines]
    picture = encoder_or_page(
        encoder(lambda: problem.draw_distinct(solutions.record, title)),
        lambda still: distinct_page(solutions, title, lines, still),
    )
    columns = {f"solution_{number}": mask for number, mask in enumerate(solutions.masks, 1)}
    outputs.write(picture, solutions.masks, lambda: problem.table(columns))
    values = problem.values | sampling.values | solutions.values | {"clamped_share": problem.clamped_share}
    return Result(values, lambda ended: solutions.table(["", *aligned([*lines, *time_and_files(ended)])]), outputs.files)
