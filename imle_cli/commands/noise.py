"""``imle noise``: draws of a noise against its exact law."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Report, Result, line_of_files
from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import NoiseOptions
from imle_cli.options.panels import NOISE, OUTPUT
from imle_cli.options.report import NoPicture, Picture, ReportOptions, picture_path

EXAMPLES = ("imle noise --noise-k 10 -o noise.png", "imle noise --noise gumbel -n 1000000")

Draws = Annotated[
    int, typer.Option("-n", "--samples", min=1, rich_help_panel=NOISE, help="Number of values in the histogram.")
]
Bins = Annotated[int, typer.Option(min=1, rich_help_panel=OUTPUT, help="Bars of the histogram.")]


def noise(
    law: NoiseOptions,
    report: ReportOptions,
    console: Report,
    samples: Draws = 100_000,
    bins: Bins = 120,
    out: Picture = None,
    no_picture: NoPicture = False,
) -> Result:
    """Draw noise beside its exact density, and test how well they agree.

    Besides a histogram there are the mean, the variance and the Kolmogorov-Smirnov statistic. For Sum-of-Gamma with a whole
    k these are sums of k draws, which tend to a Gumbel variable; else single draws.
    """
    from imle_cli.device import find_device
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.outputs import Outputs
    from imle_cli.lab.noise import draw_noise
    from imle_cli.problems.noise import law_values, make_law

    prepare(not no_picture)
    console.begin()
    check_at_least("--samples", samples, 1, "use 100000 for a smooth histogram")
    check_at_least("--bins", bins, 1, "use about 100")
    distribution = make_law(law, 20.0, "there is nothing to draw")
    outputs = Outputs(picture_path(out, no_picture, Path(f"noise-{law.noise}.png")), None, ())
    with console.progress("drawing", samples) as advance:
        drawn = draw_noise(distribution, samples, report.seed, find_device(report.device), advance)
    mean, variance = float(drawn.values.mean()), float(drawn.values.var())
    values = {"noise": law.noise, **law_values(distribution), "fold": drawn.fold, "samples": samples, "seed": report.seed}
    values |= {"mean": mean, "exact_mean": drawn.exact_mean, "variance": variance, "exact_variance": drawn.exact_variance}
    values["ks"] = drawn.statistic
    facts = _facts(values)
    outputs.write(encoder(lambda: _draw(drawn, bins, facts)))
    return Result(values, lambda ended: [("noise", drawn.title), *facts, *line_of_files(ended)], outputs.files)


def _draw(drawn: Any, bins: int, facts: Sequence[tuple[str, str]]) -> Any:
    from imle_cli.figures.noise import noise_figure

    edges, density = drawn.histogram(bins)
    texts = [f"{name} {fact}" for name, fact in facts]
    return noise_figure(drawn.values, edges, density, title=drawn.title, curve=drawn.curve, facts=texts)


def _facts(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Figures beside the exact ones."""
    distance = "unknown" if values["ks"] is None else f"{values['ks']:.5f}"
    return [
        ("mean", f"{values['mean']:.5f} (exact {values['exact_mean']:.5f})"),
        ("variance", f"{values['variance']:.5f} (exact {values['exact_variance']:.5f})"),
        ("KS statistic", f"{distance} (below {1.358 / math.sqrt(values['samples']):.5f} for 95% of exact draws)"),
    ]
