"""``imle calibrate``: at which temperature does noise make perturb-and-MAP sample from the exact distribution?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.groups import Given, Without
from imle_cli.options.inputs import InputOptions, NoiseOptions, SolverOptions
from imle_cli.options.measuring import Instances, LabOptions
from imle_cli.options.panels import MEASUREMENT
from imle_cli.options.report import NoPicture, Picture, ReportOptions, picture_path
from imle_cli.problems.presence import check_present

if TYPE_CHECKING:
    from imle_cli.lab.calibration import CalibrationTable

EXAMPLES = ("imle calibrate --problem top-k --size 10,5 --noise gumbel", "imle calibrate map.png --solver top-k --top-k 9")

Temperatures = Annotated[
    str,
    typer.Option(
        metavar="T,...",
        rich_help_panel=MEASUREMENT,
        help="Temperatures to try; more are tried between the best ones of them.",
    ),
]
Draws = Annotated[
    int,
    typer.Option(
        "-n", "--samples", min=2, rich_help_panel=MEASUREMENT, help="Samples of each instance at each temperature."
    ),
]


@dataclass(frozen=True)
class CalibratedInput(InputOptions):
    """The user's own input, where there is one."""

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT",
            help="A map, a graph or a table of scores, whose --solver has an exact distribution: top-k, knapsack, "
            "spanning-tree. Without it, or a --solver, a random --problem.",
        ),
    ] = None


def calibrate(
    source: CalibratedInput,
    choice: SolverOptions,
    lab: Annotated[LabOptions, Without("function", "loss", "gold")],
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    instances: Instances = 1,
    temps: Temperatures = "0.5,1,1.5,2,3,4,6",
    samples: Draws = 100_000,
    out: Picture = None,
    no_picture: NoPicture = False,
) -> Result:
    """Find the temperature at which samples are closest to exact ones.

    The exact distribution is p(z) ~ exp(<z, theta>). Distances are the total variation, where the solutions can be
    enumerated, and the largest error of a marginal.
    """
    check_present(source.map)
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import Outputs
    from imle_cli.lab.calibration import CalibrationTable, draws, make_calibration
    from imle_cli.problems.lab import known_family, number_of_states, problem_title, read_lab_problems
    from imle_cli.problems.noise import in_words, law_values, make_law

    prepare(not no_picture)
    console.begin()
    temperatures = read_numbers("--temps", temps, float, 0, "0.5,1,2,4")
    check_at_least("--samples", samples, 2, "the usual number is 100000")
    problems = read_lab_problems(source, choice, lab, report, given.names, instances)
    problem, stem, inputs = problems[0]
    family, law = known_family(problem, choice.solver), make_law(noise, problem.k, "its temperature would change nothing")
    outputs = Outputs(picture_path(out, no_picture, Path(f"{stem}-calibrate.png")), None, inputs)
    subject = [read.problem for read in problems], family, law, temperatures
    with console.progress("sampling", draws(samples, temperatures)) as advance:
        records = make_calibration(*subject, nb_samples=samples, seed=report.seed, observe=advance)
    several = f", {instances} instances" if instances > 1 else ""
    table = CalibrationTable(f"{problem_title(problem.name)}{several}: {in_words(law)}", family, temperatures, records)
    outputs.write(encoder(lambda: table.figure))
    values = {"problem": problem.name, "instances": instances, **number_of_states(family)}
    values |= {"noise": noise.noise, **law_values(law, noise.noise_iterations)}
    values |= {"samples": samples, "seed": report.seed, **table.values}
    return Result(values, lambda ended: _told(ended, table), outputs.files)


def _told(values: dict[str, Any], table: "CalibrationTable") -> Table:
    ended = ", ".join([f"{values['seconds']:.1f} s", *values["files"]])
    counts = f"{values['samples']:,} samples, seed {values['seed']}, {ended}"
    header, below = table.header, [table.title, counts, *table.warnings, table.verdict]
    return Table(header, table.rows, header[:-1], below)
