"""``imle marginals``: how often each tile, edge, item or pair is chosen, under noise."""

import math
import time
from typing import Any

from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, InputTemperature, NoiseOptions, Samples, SolverOptions
from imle_cli.options.report import Array, Picture, ReportOptions


def marginals(
    place: InputOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 1000,
    out: Picture = None,
    save: Array = None,
) -> None:
    """Draw perturb-and-MAP samples: one of them, and the marginal probability of every tile, edge, item or pair."""
    from imle_cli.console import Report
    from imle_cli.figures import canvas, preview
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.noise import read_sampling
    from imle_cli.problems.problem import Sampled
    from imle_cli.problems.reading import read_problem
    from imle_core import stream_marginals

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    problem = read_problem(place, choice, report.device, given.names)
    sampling = read_sampling(noise, problem.default_k, input_temp, samples, report.seed)
    outputs = Outputs(problem.picture(out, "marginals"), save, problem.inputs)
    with console.progress("sampling", samples) as advance:
        for record in stream_marginals(problem.solver, problem.theta, sampling.law, **sampling.settings):
            advance(record.nb_samples)
    probability, error = record.mean[0].cpu().numpy(), record.standard_error[0].cpu().numpy()
    sampled = Sampled(record.first_state[0].cpu().numpy(), probability, error, samples)
    picture = canvas.encode(problem.draw_marginals(sampled, f"{problem.title}: {sampling.title}"), outputs.format)
    outputs.write(picture, probability, lambda: problem.table({"marginal": probability, "standard_error": error}))
    shown = problem.preview(probability)
    if shown is not None:
        console.preview(lambda rows, columns: preview.colours(shown, rows, columns))
    console.result(*_report(problem, sampling, sampled, time.perf_counter() - began, outputs.files))


def _report(problem: Any, sampling: Any, sampled: Any, seconds: float, files: list[str]) -> tuple[dict[str, Any], Any]:
    """What was found, for JSON and for a reader."""
    words, samples, expected = problem.words, sampled.count, float(sampled.probability.sum())
    cost = problem.total(sampled.probability)
    values = problem.values | sampling.values
    values |= {
        "max_standard_error": None if samples == 1 else float(sampled.error.max()),
        f"expected_{words.extent}": expected,
        f"expected_{words.measure}": cost if math.isfinite(cost) else None,
        "clamped_share": problem.clamped_share,
        "seconds": seconds,
        "files": files,
    }
    return values, [
        *problem.lines,
        sampling.line,
        ("samples", f"{samples}, {_certainty(sampled, words.things)}"),
        (f"expected {words.extent}", f"{expected:.6g} {words.things}"),
        (f"expected {words.measure}", f"{cost:.6g} (under the unperturbed {words.numbers})"),
        *([(f"clamped {words.numbers}", f"{problem.clamped_share:.3%}")] if problem.clamps else []),
        ("time", f"{seconds:.2f} s"),
        ("files", ", ".join(files)),
    ]


def _certainty(sampled: Any, things: str) -> str:
    """How sure the marginals are, in words."""
    if sampled.count == 1:
        return "largest standard error unknown"
    largest = float(sampled.error.max())
    if largest == 0:
        return "all the same without noise"
    alike = ((sampled.probability == 0) | (sampled.probability == 1)) & (sampled.error > 0)
    if not alike.any():
        return f"largest standard error {largest:.2g}"
    where = f"the {alike.sum()} of {alike.size} {things} on which all samples agree"
    return f"largest standard error {largest:.2g}; {sampled.error[alike].max():.2g} on {where}"
