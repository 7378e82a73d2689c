"""``imle sample``: perturb-and-MAP samples, side by side."""

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


def sample(
    place: MapOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 16,
    out: Picture = None,
    save: Array = None,
) -> None:
    """Draw perturb-and-MAP samples of MAP as a sheet of small maps."""
    import numpy as np

    from imle_cli import figures
    from imle_cli.console import Report
    from imle_cli.outputs import Outputs
    from imle_cli.problem import read_problem, read_sampling
    from imle_core import stream_samples

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    problem = read_problem(place, choice, report.device)
    sampling = read_sampling(noise, problem, input_temp, samples, report.seed)
    outputs = Outputs(problem.picture(out, "sample"), save, problem.inputs)
    masks, done = np.empty((samples, *problem.costs.shape), dtype=np.uint8), 0
    with console.progress("sampling", samples) as advance:
        for states in stream_samples(problem.solver, problem.theta, sampling.law, **sampling.settings):
            masks[done : done + states.shape[1]] = states[0].cpu().numpy()
            done += states.shape[1]
            advance(done)
    title = f"{problem.title}: {sampling.title}"
    outputs.write(figures.encode(figures.sample_sheet(problem.costs, masks, title=title), outputs.format), masks)
    lengths = masks.sum(axis=(1, 2), dtype=np.int64)
    costs = np.array([problem.cost(mask) for mask in masks])
    values = problem.values | sampling.values
    values |= {
        "distinct": len({mask.tobytes() for mask in masks}),
        "lengths": lengths.tolist(),
        "costs": costs.tolist(),
        "clamped_share": problem.clamped_share,
        "seconds": time.perf_counter() - began,
        "files": outputs.files,
    }
    lines = [
        *problem.lines,
        sampling.line,
        ("samples", f"{samples}, {values['distinct']} distinct"),
        ("length", f"{lengths.min()} to {lengths.max()} tiles, mean {lengths.mean():.6g}"),
        ("cost", f"{costs.min():.6g} to {costs.max():.6g}, mean {costs.mean():.6g} (under the unperturbed costs)"),
        ("clamped costs", f"{problem.clamped_share:.3%}"),
        ("time", f"{values['seconds']:.2f} s"),
        ("files", ", ".join(outputs.files)),
    ]
    console.result(values, lines)
