"""``imle explain``: a page that explains the method itself, live, on a map."""

from pathlib import Path
from typing import Annotated

import typer

from imle_cli.console import Report, Result, time_and_files
from imle_cli.messages import UsageError
from imle_cli.options.groups import Without
from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LiveOptions
from imle_cli.options.panels import OUTPUT
from imle_cli.options.report import ReportOptions
from imle_cli.problems.presence import check_present

EXAMPLES = ("imle explain", "imle explain map.png --grid 16x16 -o lecture.html")
_MOST_TILES = 64  # of a side, so that a page keeps up with a hand on a slider
_SAMPLES = 100  # of the still picture

Page = Annotated[
    Path | None,
    typer.Option("-o", "--out", rich_help_panel=OUTPUT, help="Page to write (.html); default: FILE-explain.html here."),
]


def explain(
    source: MapOptions,
    choice: Annotated[MapSolverOptions, Without("solver", "engine", "top_k")],
    noise: NoiseOptions,
    live: LiveOptions,
    report: Annotated[ReportOptions, Without("device")],
    console: Report,
    out: Page = None,
) -> Result:
    """Explain the method on a page: draw a map, move lambda, see it learn.

    The page is one file that any browser opens, offline. It shows a step of I-MLE, picture by picture, solved in the page;
    walls and costs are drawn by hand, and sliders move temperatures and lambda.
    """
    check_present(source.map)
    _check_seed(report.seed)
    from imle_cli.figures import canvas
    from imle_cli.files.outputs import check_output, replacing
    from imle_cli.pages.explain import explain_page
    from imle_cli.problems.map import read_map_problem
    from imle_cli.problems.sampling import read_sampling

    console.begin()
    problem = read_map_problem(source, choice, report.device)
    _check_size(*problem.costs.shape)
    path = out or problem.picture("explain").with_suffix(".html")
    check_output("--out", path, [".html"], problem.inputs)
    sampling = read_sampling(noise, problem.default_k, live.input_temp, _SAMPLES, report.seed)
    sampled = sampling.measure(problem, lambda _: None)
    still = canvas.encode(problem.draw_marginals(sampled, f"{problem.title}: {sampling.title}"), "png")
    page = explain_page(f"I-MLE, live: {problem.title}", problem, sampling.law, live, report.seed, still=still).encode()
    with replacing(path) as file:
        file.write(page)
    values = {"map": problem.name, "shape": list(problem.costs.shape), "bytes": len(page)}
    lines = [("page", f"open {path} in a browser; it needs nothing else")]
    return Result(values, lambda ended: [*lines, *time_and_files(ended)], [str(path)])


def _check_seed(seed: int) -> None:
    """Refuses a seed that is too large for the generator of a page."""
    if seed >= 2**31:
        raise UsageError(f"--seed: got {seed}; on a page it must be below 2^31; the usual one is 0")


def _check_size(height: int, width: int) -> None:
    """Refuses a map on which a page could not keep up."""
    if max(height, width) > _MOST_TILES:
        raise UsageError(
            f"--grid: the map has {height} x {width} tiles; a page draws at most {_MOST_TILES} a side; "
            f"use --grid {_MOST_TILES // 2}x{_MOST_TILES // 2} for instance"
        )
