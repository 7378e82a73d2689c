"""``imle solve``: the best solution, without noise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Report, Result, time_and_files
from imle_cli.files.stems import stems
from imle_cli.messages import Exit, Told, UsageError, reported_errors
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, SolverOptions
from imle_cli.options.report import Array, NoPicture, PictureOrPage, ReportOptions, picture_path
from imle_cli.problems.presence import check_present

EXAMPLES = ("imle solve map.png -o path.png", "imle solve city.graphml --start a1 --goal h7 --weight minutes")


_More = Annotated[list[Path] | None, typer.Argument(metavar="INPUT...", help="Further inputs, each solved by itself.")]


def solve(
    source: InputOptions,
    choice: SolverOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    more: _More = None,
    out: PictureOrPage = None,
    no_picture: NoPicture = False,
    save: Array = None,
) -> Result:
    """Find the cheapest path of a map, or the best edges, items or pairs."""
    solved = partial(_solved, choice, report, given, console, out, no_picture, save)
    if not more:
        return solved(source)
    for option, path in (("--out", out), ("--save", save)):
        if path is not None:
            got = f"{option}: got {path} beside {1 + len(more)} inputs"
            raise UsageError(f"{got}; each has files of its own: leave it out, or give one input")
    sources = [replace(source, map=path) for path in (source.map, *more)]
    return _one_by_one(sources, solved, report, console)


def _one_by_one(
    sources: Sequence[InputOptions],
    solved: Callable[[InputOptions, str | None], Result],
    report: ReportOptions,
    console: Report,
) -> Result:
    """Shows the result of each input, or what is wrong with it; the values of all of them."""
    values, failed, shown = list[dict[str, Any]](), list[str](), False
    for source, stem in zip(sources, stems([Path(source.name) for source in sources]), strict=True):
        try:
            with reported_errors(report.debug):
                result = solved(source, None if stem == Path(source.name).stem else stem)
        except Told as error:
            if error.exit_code == Exit.INTERRUPTED:
                raise
            failed.append(source.name)
            values.append({"input": source.name, "error": error.message.removeprefix("error: ")})
            continue
        if not report.json:
            console.result({}, [("", "")] * shown)  # between results
            console.show(result)
        shown = True
        values.append({"input": source.name, **console.completed(result)})
    failure = f"{len(failed)} of {len(sources)} inputs failed; the first is {failed[0]}" if failed else ""
    total = {"results": values, "failed": len(failed), "seconds": sum(record.get("seconds", 0.0) for record in values)}
    return Result(total, lambda _: [], failure=failure)


def _solved(
    choice: SolverOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    out: Path | None,
    no_picture: bool,
    save: Path | None,
    source: InputOptions,
    stem: str | None = None,
) -> Result:
    check_present(source.map)
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import PICTURES_AND_PAGES, Outputs
    from imle_cli.pages.encoding import encoder_or_page
    from imle_cli.pages.solution import solution_page
    from imle_cli.problems.reading import read_problem

    prepare(not no_picture)
    console.begin()
    problem = read_problem(source, choice, report.device, given.names)
    outputs = Outputs(
        picture_path(out, no_picture, problem.picture("solve", stem)), save, problem.inputs, pictures=PICTURES_AND_PAGES
    )
    words, mask = problem.words, problem.solve()
    size, total = int(mask.sum()), problem.total(mask)
    title = f"{problem.title}: {size} {words.things if size != 1 else words.things[:-1]}, {words.measure} {total:.6g}"
    chosen = [(words.measure, f"{total:.6g}"), (words.things, f"{size}: {problem.chosen_text(mask)}")]
    picture = encoder_or_page(
        encoder(lambda: problem.draw_solution(mask, title)),
        lambda still: solution_page(problem, mask, title, [*problem.lines, *chosen], still),
    )
    outputs.write(picture, mask, lambda: problem.table({"chosen": mask}))
    values = problem.values | {
        words.measure: total if math.isfinite(total) else None,
        words.extent: size,
        words.chosen: problem.chosen(mask),
        "clamped_share": problem.clamped_share,
    }
    return Result(values, lambda ended: [*problem.lines, *chosen, *time_and_files(ended)], outputs.files)
