"""The page of ``imle sample`` and ``imle marginals``: samples one by one, and marginals, at whatever temperature."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np

from imle_cli.pages.facts import fact_list
from imle_cli.pages.grounds import described
from imle_cli.pages.ladder import Rung, climb, ladder
from imle_cli.pages.page import page
from imle_cli.problems.noise import in_words
from imle_cli.problems.problem import Problem
from imle_cli.problems.sampling import Sampling

Progress: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[..., None]]]

_BODY = """\
<p>Noise is added to the {numbers}, then the best solution is sought: that is a sample. The share of the samples that
choose a certain {thing} is its marginal probability. The temperature is the strength of the noise; all temperatures share
the same noise.</p>
<div class="cards beside">
<section class="card" id="sample"></section>
<section class="card" id="marginals"></section>
<div class="stack">
<section class="card" id="controls"></section>
<section class="card"><h2>Numbers</h2>{facts}</section>
</div>
</div>
"""
_LIVE = [
    ("samples", "distinct"),
    ("standard error, at most", "error"),
    ("expected {extent}", "extent"),
    ("expected {measure}", "measure"),
    ("this sample", "this"),
]


def sampling_page(problem: Problem, sampling: Sampling, still: bytes, progress: Progress) -> bytes:
    """The page as a file; its numbers at the sampling's temperature are those that the command prints.

    Args:
        problem: the problem.
        sampling: the sampling that was asked for.
        still: a PNG of the samples, for browsers without scripts.
        progress: makes a bar with a text, of so many samples at all temperatures.
    """
    words, law = problem.words, "none"
    if sampling.law is not None:
        law = f"{in_words(sampling.law)}, seed {sampling.seed}"
    names = {"extent": words.extent, "measure": words.measure}
    live = [(name.format(**names), label) for name, label in _LIVE]
    if problem.clamps:
        live.append((f"clamped {words.numbers}", "clamped"))
    facts = fact_list([*problem.lines, ("noise", law)], live)
    body = _BODY.format(numbers=words.numbers, thing=words.things[:-1], facts=facts)
    temperatures = ladder(sampling, problem.numbers.size)
    with progress("temperatures", len(temperatures) * sampling.samples) as advance:
        rungs = list(climb(problem, sampling, temperatures, advance))
    data = described(problem) | _sampled(problem, sampling, rungs)
    text = sampling.title_of(problem)
    title, styles = f"{problem.title}: {problem.solutions} under noise", ("reports.css",)
    return page(title, body, data, "samples.js", still=still, still_text=text, styles=styles).encode()


def _sampled(problem: Problem, sampling: Sampling, rungs: list[Rung]) -> dict[str, Any]:
    """Samples at all temperatures, and what makes standard errors of them."""
    counts = np.array([rung.counts for rung in rungs]).astype(np.min_scalar_type(sampling.samples))
    return {
        "temperatures": [rung.temperature for rung in rungs],
        "asked": sampling.input_temp,
        "noisy": sampling.law is not None,
        "count": sampling.samples,
        "counts": counts,
        "kept": np.array([rung.kept for rung in rungs]),
        "distinct": [rung.distinct for rung in rungs],
        "clamped": [rung.clamped for rung in rungs],
        "never": (problem.theta[0] == -math.inf).cpu().numpy(),
    }
