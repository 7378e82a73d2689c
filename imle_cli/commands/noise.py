"""``imle noise``: draws of a noise against its exact law."""

import math
from pathlib import Path
from typing import Annotated

import typer

from imle_cli.console import Report, Result
from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import NoiseOptions
from imle_cli.options.report import Picture, ReportOptions

Draws = Annotated[int, typer.Option(help="How many values to put into the histogram.")]
Bins = Annotated[int, typer.Option(help="Bars of the histogram.")]


def noise(
    law: NoiseOptions,
    report: ReportOptions,
    console: Report,
    samples: Draws = 100_000,
    bins: Bins = 120,
    out: Picture = None,
) -> Result:
    """Draw noise: its histogram over the exact density, its mean and variance, and a Kolmogorov-Smirnov statistic.

    For Sum-of-Gamma with a whole k these are sums of k draws, which tend to a Gumbel variable; else single draws.
    """
    from imle_cli.device import find_device
    from imle_cli.errors import UsageError
    from imle_cli.figures import canvas
    from imle_cli.figures.noise import noise_figure
    from imle_cli.files.outputs import Outputs
    from imle_cli.lab.noise import draw_noise
    from imle_cli.problems.noise import make_noise
    from imle_core import SumOfGammaNoiseDistribution

    console.begin()
    check_at_least("--samples", samples, 1, "use 100000 for a smooth histogram")
    check_at_least("--bins", bins, 1, "use about 100")
    distribution = make_noise(law, default_k=20.0)
    if distribution is None:
        raise UsageError("--noise: got none; there is nothing to draw; choose a law")
    series = distribution if isinstance(distribution, SumOfGammaNoiseDistribution) else None
    outputs = Outputs(out or Path(f"noise-{law.noise}.png"), None, ())
    with console.progress("drawing", samples) as advance:
        drawn = draw_noise(distribution, samples, report.seed, find_device(report.device), advance)
    mean, variance, statistic = float(drawn.values.mean()), float(drawn.values.var()), drawn.statistic
    distance = "unknown" if statistic is None else f"{statistic:.5f}"
    facts = {
        "mean": f"{mean:.5f} (exact {drawn.exact_mean:.5f})",
        "variance": f"{variance:.5f} (exact {drawn.exact_variance:.5f})",
        "KS statistic": f"{distance} (below {1.358 / math.sqrt(samples):.5f} for 95% of exact draws)",
    }
    edges, density = drawn.histogram(bins)
    texts = [f"{name} {fact}" for name, fact in facts.items()]
    figure = noise_figure(drawn.values, edges, density, title=drawn.title, curve=drawn.curve, facts=texts)
    outputs.write(canvas.encode(figure, outputs.format), drawn.values)
    values = {
        "noise": law.noise,
        "k": None if series is None else series.k,
        "iterations": None if series is None else _json_number(series.nb_iterations),
        "fold": drawn.fold,
        "samples": samples,
        "seed": report.seed,
        "mean": mean,
        "exact_mean": drawn.exact_mean,
        "variance": variance,
        "exact_variance": drawn.exact_variance,
        "ks": statistic,
    }
    lines = [("law", drawn.title), *facts.items(), ("files", ", ".join(outputs.files))]
    return Result(values, lambda _: lines, outputs.files)


def _json_number(value: float) -> float | str:
    """JSON has no infinity."""
    return "inf" if value == math.inf else value
