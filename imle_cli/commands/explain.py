"""``imle explain``: a page that explains the method itself, live, on a map."""

from pathlib import Path
from typing import Annotated

import typer

from imle_cli.console import Report, Result, time_and_files
from imle_cli.options.checks import check_at_least, check_range
from imle_cli.options.groups import Without
from imle_cli.options.inputs import (
    InputTemperature,
    MapOptions,
    MapSolverOptions,
    NoiseOptions,
    Samples,
    check_temperature,
)
from imle_cli.options.report import ReportOptions
from imle_cli.problems.presence import check_present

_MOST_TILES = 64  # of a side, so that a page keeps up with a hand on a slider
_MOST_SAMPLES = 100

Page = Annotated[Path | None, typer.Option("--out", help="Page to write (.html); by default <map>-explain.html here.")]
TargetTemperature = Annotated[float, typer.Option(help="Temperature of the noise in the backward pass.")]
Step = Annotated[float, typer.Option(help="Target: step size lambda.")]
Rate = Annotated[float, typer.Option(help="How far a step moves the learner's costs.")]


def explain(
    source: MapOptions,
    choice: Annotated[MapSolverOptions, Without("solver", "engine", "top_k")],
    noise: NoiseOptions,
    report: Annotated[ReportOptions, Without("device")],
    console: Report,
    input_temp: InputTemperature = 1.0,
    target_temp: TargetTemperature = 1.0,
    beta: Step = 0.5,
    samples: Samples = 10,
    lr: Rate = 0.1,
    out: Page = None,
) -> Result:
    """Explain the method on a page: draw on a map, move temperatures and lambda, see the gradient, and let it learn."""
    check_present(source.map)
    check_range("--samples", samples, 1, _MOST_SAMPLES, "10 are enough to see what happens")
    check_temperature("--input-temp", input_temp)
    check_temperature("--target-temp", target_temp)
    check_at_least("--beta", beta, 0, "0.5 moves some paths and not others")
    check_at_least("--lr", lr, 0, "the usual value is 0.1")
    check_range("--seed", report.seed, 0, 2**31 - 1, "the usual one is 0")
    from imle_cli.errors import UsageError
    from imle_cli.figures import canvas
    from imle_cli.files.outputs import check_output, replacing
    from imle_cli.pages.explain import Controls, explain_page
    from imle_cli.problems.map import read_map_problem
    from imle_cli.problems.noise import make_noise
    from imle_cli.problems.sampling import Sampling

    console.begin()
    problem = read_map_problem(source, choice, report.device)
    height, width = problem.costs.shape
    if max(height, width) > _MOST_TILES:
        raise UsageError(
            f"--grid: the map has {height} x {width} tiles; a page draws at most {_MOST_TILES} a side; "
            f"use --grid {_MOST_TILES // 2}x{_MOST_TILES // 2} for instance"
        )
    path = out or problem.picture("explain").with_suffix(".html")
    check_output("--out", path, [".html"], problem.inputs)
    law = make_noise(noise, problem.default_k)
    sampling = Sampling(law, noise.noise, input_temp, 100, report.seed)
    sampled = sampling.measure(problem, lambda _: None)
    still = canvas.encode(problem.draw_marginals(sampled, f"{problem.title}: {sampling.title}"), "png")
    controls = Controls(input_temp, target_temp, beta, samples, lr, report.seed)
    page = explain_page(f"I-MLE, live: {problem.title}", problem, law, controls, still=still)
    with replacing(path) as file:
        file.write(page.encode())
    values = {"map": problem.name, "shape": [height, width], "bytes": len(page.encode())}
    text = f"open {path} in a browser; it needs nothing else"
    return Result(values, lambda ended: [("page", text), *time_and_files(ended)], [str(path)])
