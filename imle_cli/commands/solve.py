"""``imle solve``: the best solution, without noise."""

import math
import time

from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, SolverOptions
from imle_cli.options.report import Array, Picture, ReportOptions


def solve(
    place: InputOptions,
    choice: SolverOptions,
    report: ReportOptions,
    given: Given,
    out: Picture = None,
    save: Array = None,
) -> None:
    """Find the cheapest path of a map, or the best edges of a graph, or the best items or pairs of a table."""
    from imle_cli.console import Report
    from imle_cli.figures import canvas
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.reading import read_problem

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    problem = read_problem(place, choice, report.device, given.names)
    outputs = Outputs(problem.picture(out, "solve"), save, problem.inputs)
    words, mask = problem.words, problem.solve()
    size, total = int(mask.sum()), problem.total(mask)
    title = f"{problem.title}: {size} {words.things if size != 1 else words.things[:-1]}, {words.measure} {total:.6g}"
    picture = canvas.encode(problem.draw_solution(mask, title), outputs.format)
    outputs.write(picture, mask, lambda: problem.table({"chosen": mask}))
    values = problem.values | {
        words.measure: total if math.isfinite(total) else None,
        words.extent: size,
        words.chosen: problem.chosen(mask),
        "clamped_share": problem.clamped_share,
        "seconds": time.perf_counter() - began,
        "files": outputs.files,
    }
    lines = [
        *problem.lines,
        (words.measure, f"{total:.6g}"),
        (words.things, f"{size}: {problem.chosen_text(mask)}"),
        ("time", f"{values['seconds']:.2f} s"),
        ("files", ", ".join(outputs.files)),
    ]
    console.result(values, lines)
