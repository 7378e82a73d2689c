"""``imle marginals``: how often each tile, edge, item or pair is chosen under noise."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from imle_cli.console import Report, Result, time_and_files
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, InputTemperature, NoiseOptions, Samples, SolverOptions
from imle_cli.options.report import Array, NoPicture, PictureOrPage, ReportOptions, picture_path
from imle_cli.problems.presence import check_present

if TYPE_CHECKING:
    from imle_cli.problems.problem import Problem, Sampled
    from imle_cli.problems.sampling import Sampling

EXAMPLES = ("imle marginals map.png -n 1000 --input-temp 2 -o marginals.png",)


def marginals(
    source: InputOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 1000,
    out: PictureOrPage = None,
    no_picture: NoPicture = False,
    save: Array = None,
) -> Result:
    """Draw how often each tile, edge, item or pair is chosen under noise.

    These marginals are shares of perturb-and-MAP samples, one of which is drawn beside them.
    """
    check_present(source.map)
    from imle_cli.figures.encoding import prepare
    from imle_cli.figures.preview import Preview
    from imle_cli.files.outputs import PICTURES_AND_PAGES, Outputs
    from imle_cli.problems.reading import read_problem
    from imle_cli.problems.sampling import facts_of_marginals, read_sampling

    prepare(not no_picture)
    console.begin()
    problem = read_problem(source, choice, report.device, given.names)
    sampling = read_sampling(noise, problem.default_k, input_temp, samples, report.seed)
    outputs = Outputs(
        picture_path(out, no_picture, problem.picture("marginals")), save, problem.inputs, pictures=PICTURES_AND_PAGES
    )
    with console.progress("sampling", samples) as advance:
        sampled = sampling.measure(problem, advance)
    columns = {"marginal": sampled.probability, "standard_error": sampled.error}
    outputs.write(_encoder(problem, sampling, sampled, console), sampled.probability, lambda: problem.table(columns))
    facts, told = facts_of_marginals(problem, sampled)
    values = problem.values | sampling.values | facts | {"clamped_share": problem.clamped_share}
    lines = [*problem.lines, sampling.line, *told, *problem.clamped_lines]
    preview = Preview(sampled.probability, problem.marks) if sampled.probability.ndim == 2 else None
    return Result(values, lambda ended: [*lines, *time_and_files(ended)], outputs.files, preview)


def _encoder(problem: "Problem", sampling: "Sampling", sampled: "Sampled", console: Report) -> Callable[[str], bytes]:
    """A function that gives the picture, or the page around it, in a format."""
    from imle_cli.figures.encoding import encoder
    from imle_cli.pages.encoding import encoder_or_page
    from imle_cli.pages.samples import sampling_page

    return encoder_or_page(
        encoder(lambda: problem.draw_marginals(sampled, sampling.title_of(problem))),
        lambda still: sampling_page(problem, sampling, still, console.progress),
    )
