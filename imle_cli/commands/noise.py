"""``imle noise``: draws of a noise against its exact law."""

import math
import time
from typing import Annotated

import typer

from imle_cli.options import NoiseOptions, Picture, ReportOptions, check_at_least

Draws = Annotated[int, typer.Option(help="How many values to put into the histogram.")]
Bins = Annotated[int, typer.Option(help="Bars of the histogram.")]


def noise(law: NoiseOptions, report: ReportOptions, samples: Draws = 100_000, bins: Bins = 120, out: Picture = None) -> None:
    """Draw noise: its histogram over the exact law, its mean and variance, and a Kolmogorov-Smirnov statistic.

    For Sum-of-Gamma with a whole k these are sums of k draws, which tend to a Gumbel variable; else single draws.
    """
    from pathlib import Path

    from imle_cli import figures
    from imle_cli.console import Report, UsageError
    from imle_cli.outputs import Outputs
    from imle_cli.problem import draw_law

    began = time.perf_counter()
    check_at_least("--samples", samples, 1, "use 100000 for a smooth histogram")
    check_at_least("--bins", bins, 1, "use about 100")
    if law.noise == "none":
        raise UsageError("--noise: got none; there is nothing to draw; choose a law")
    outputs = Outputs(out or Path(f"noise-{law.noise}.png"), None, ())
    drawn = draw_law(law, samples, bins, report.seed, report.device)
    facts = [
        f"mean {drawn.mean:.5f} (exact {drawn.exact_mean:.5f})",
        f"variance {drawn.variance:.5f} (exact {drawn.exact_variance:.5f})",
        f"KS statistic {drawn.statistic:.5f} (95% of exact samples stay below {1.358 / math.sqrt(samples):.5f})",
    ]
    figure = figures.noise_figure(
        drawn.values, drawn.edges, drawn.density, title=drawn.title, curve=drawn.curve, facts=facts
    )
    outputs.write(figures.encode(figure, outputs.format), drawn.values)
    values = {
        "noise": law.noise,
        "k": drawn.k,
        "iterations": drawn.iterations,
        "fold": drawn.fold,
        "samples": samples,
        "seed": report.seed,
        "mean": drawn.mean,
        "exact_mean": drawn.exact_mean,
        "variance": drawn.variance,
        "exact_variance": drawn.exact_variance,
        "ks": drawn.statistic,
        "seconds": time.perf_counter() - began,
        "files": outputs.files,
    }
    lines = [("law", drawn.title), *[(" ".join(fact.split()[: 1 + fact.startswith("KS")]), fact) for fact in facts]]
    Report(as_json=report.json, quiet=report.quiet).result(values, [*lines, ("files", ", ".join(outputs.files))])
