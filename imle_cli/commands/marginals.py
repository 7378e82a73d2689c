"""``imle marginals``: how often each tile is on the path, under noise."""

import math
import time

from imle_cli.options import (
    Array,
    InputTemperature,
    MapOptions,
    NoiseOptions,
    Picture,
    ReportOptions,
    Samples,
    SolverOptions,
)


def marginals(
    place: MapOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 1000,
    out: Picture = None,
    save: Array = None,
) -> None:
    """Draw perturb-and-MAP samples of MAP: the map, one sample, and the marginal probability of every tile."""
    from imle_cli import figures, preview
    from imle_cli.console import Report
    from imle_cli.outputs import Outputs
    from imle_cli.problem import read_problem, read_sampling
    from imle_core import stream_marginals

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    problem = read_problem(place, choice, report.device)
    sampling = read_sampling(noise, problem, input_temp, samples, report.seed)
    outputs = Outputs(problem.picture(out, "marginals"), save, problem.inputs)
    with console.progress("sampling", samples) as advance:
        for record in stream_marginals(problem.solver, problem.theta, sampling.law, **sampling.settings):
            advance(record.nb_samples)
    probability, error = record.mean[0].cpu().numpy(), float(record.standard_error.max())
    sample = record.first_state[0].cpu().numpy()
    title = f"{problem.title}: {sampling.title}"
    figure = figures.marginals_figure(
        problem.costs, sample, probability, problem.tiles(sample), title=title, samples=samples
    )
    outputs.write(figures.encode(figure, outputs.format), probability)
    values = problem.values | sampling.values
    values |= {
        "max_standard_error": None if math.isnan(error) else error,
        "expected_length": float(probability.sum()),
        "expected_cost": problem.cost(probability),
        "clamped_share": problem.clamped_share,
        "seconds": time.perf_counter() - began,
        "files": outputs.files,
    }
    lines = [
        *problem.lines,
        sampling.line,
        ("samples", f"{samples}, largest standard error {'unknown' if math.isnan(error) else f'{error:.2g}'}"),
        ("expected length", f"{values['expected_length']:.6g} tiles"),
        ("expected cost", f"{values['expected_cost']:.6g} (under the unperturbed costs)"),
        ("clamped costs", f"{problem.clamped_share:.3%}"),
        ("time", f"{values['seconds']:.2f} s"),
        ("files", ", ".join(outputs.files)),
    ]
    console.preview(lambda rows, columns: preview.colours(probability, rows, columns))
    console.result(values, lines)
