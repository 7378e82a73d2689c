"""``imle marginals``: how often each tile, edge, item or pair is chosen, under noise."""

import math
from functools import partial
from typing import Any

from imle_cli.console import Report, Result, time_and_files
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, InputTemperature, NoiseOptions, Samples, SolverOptions
from imle_cli.options.report import Array, Picture, ReportOptions


def marginals(
    place: InputOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 1000,
    out: Picture = None,
    save: Array = None,
) -> Result:
    """Draw perturb-and-MAP samples: one of them, and the marginal probability of every tile, edge, item or pair."""
    from imle_cli.figures import canvas, preview
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.noise import read_sampling
    from imle_cli.problems.problem import Sampled
    from imle_cli.problems.reading import read_problem
    from imle_core import stream_marginals

    console.begin()
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
    words, shown = problem.words, problem.preview(probability)
    expected, cost = float(probability.sum()), problem.total(probability)
    values = problem.values | sampling.values
    values |= {
        "max_standard_error": None if samples == 1 else float(error.max()),
        f"expected_{words.extent}": expected,
        f"expected_{words.measure}": cost if math.isfinite(cost) else None,
        "clamped_share": problem.clamped_share,
    }
    lines = [
        *problem.lines,
        sampling.line,
        ("samples", f"{samples}, {_certainty(sampled, words.things)}"),
        (f"expected {words.extent}", f"{expected:.6g} {words.things}"),
        (f"expected {words.measure}", f"{cost:.6g} (under the unperturbed {words.numbers})"),
        *problem.clamped_lines,
    ]
    on_terminal = None if shown is None else partial(preview.colours, shown)
    return Result(values, lambda ended: [*lines, *time_and_files(ended)], outputs.files, on_terminal)


def _certainty(sampled: Any, things: str) -> str:
    """Certainty of the marginals, in words."""
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
