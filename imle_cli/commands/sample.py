"""``imle sample``: perturb-and-MAP samples, side by side."""

from imle_cli.console import Report, Result, time_and_files
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, InputTemperature, NoiseOptions, Samples, SolverOptions
from imle_cli.options.report import Array, NoPicture, PictureOrPage, ReportOptions, picture_path
from imle_cli.problems.presence import check_present

EXAMPLES = ("imle sample map.png -n 9 --input-temp 2 -o samples.png",)


def sample(
    source: InputOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 16,
    out: PictureOrPage = None,
    no_picture: NoPicture = False,
    save: Array = None,
) -> Result:
    """Draw perturb-and-MAP samples, as a sheet of small pictures.

    A sample is the best solution of the map, the graph or the table (the MAP state) after noise was added to its numbers.
    """
    check_present(source.map)
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import PICTURES_AND_PAGES, Outputs
    from imle_cli.pages.encoding import encoder_or_page
    from imle_cli.pages.samples import sampling_page
    from imle_cli.problems.reading import read_problem
    from imle_cli.problems.sampling import facts_of_samples, read_sampling

    prepare(not no_picture)
    console.begin()
    problem = read_problem(source, choice, report.device, given.names)
    sampling = read_sampling(noise, problem.default_k, input_temp, samples, report.seed)
    outputs = Outputs(
        picture_path(out, no_picture, problem.picture("sample")), save, problem.inputs, pictures=PICTURES_AND_PAGES
    )
    with console.progress("sampling", samples) as advance:
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
