"""``imle solve``: the best solution, without noise."""

import math

from imle_cli.console import Report, Result, time_and_files
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, SolverOptions
from imle_cli.options.report import Array, NoPicture, Picture, ReportOptions, picture_path
from imle_cli.problems.presence import check_present

EXAMPLES = ("imle solve map.png -o path.png", "imle solve city.graphml --start a1 --goal h7 --weight minutes")


def solve(
    source: InputOptions,
    choice: SolverOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    out: Picture = None,
    no_picture: NoPicture = False,
    save: Array = None,
) -> Result:
    """Find the cheapest path of a map, or the best edges, items or pairs."""
    check_present(source.map)
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.reading import read_problem

    prepare(not no_picture)
    console.begin()
    problem = read_problem(source, choice, report.device, given.names)
    outputs = Outputs(picture_path(out, no_picture, problem.picture("solve")), save, problem.inputs)
    words, mask = problem.words, problem.solve()
    size, total = int(mask.sum()), problem.total(mask)
    title = f"{problem.title}: {size} {words.things if size != 1 else words.things[:-1]}, {words.measure} {total:.6g}"
    outputs.write(encoder(lambda: problem.draw_solution(mask, title)), mask, lambda: problem.table({"chosen": mask}))
    values = problem.values | {
        words.measure: total if math.isfinite(total) else None,
        words.extent: size,
        words.chosen: problem.chosen(mask),
        "clamped_share": problem.clamped_share,
    }
    chosen = [(words.measure, f"{total:.6g}"), (words.things, f"{size}: {problem.chosen_text(mask)}")]
    return Result(values, lambda ended: [*problem.lines, *chosen, *time_and_files(ended)], outputs.files)
