"""``imle sample``: perturb-and-MAP samples, side by side."""

import math

from imle_cli.console import Report, Result, time_and_files
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputOptions, InputTemperature, NoiseOptions, Samples, SolverOptions
from imle_cli.options.report import Array, Picture, ReportOptions


def sample(
    place: InputOptions,
    choice: SolverOptions,
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    input_temp: InputTemperature = 1.0,
    samples: Samples = 16,
    out: Picture = None,
    save: Array = None,
) -> Result:
    """Draw perturb-and-MAP samples of a map, a graph or a table, as a sheet of small pictures."""
    import numpy as np

    from imle_cli.figures import canvas
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.noise import read_sampling
    from imle_cli.problems.reading import read_problem
    from imle_core import stream_samples

    console.begin()
    problem = read_problem(place, choice, report.device, given.names)
    sampling = read_sampling(noise, problem.default_k, input_temp, samples, report.seed)
    outputs = Outputs(problem.picture(out, "sample"), save, problem.inputs)
    masks, done = np.empty((samples, *problem.theta.shape[1:]), dtype=np.uint8), 0
    with console.progress("sampling", samples) as advance:
        for states in stream_samples(problem.solver, problem.theta, sampling.law, **sampling.settings):
            masks[done : done + states.shape[1]] = states[0].cpu().numpy()
            done += states.shape[1]
            advance(done)
    picture = canvas.encode(problem.draw_samples(masks, f"{problem.title}: {sampling.title}"), outputs.format)
    named = {f"sample_{number}": mask for number, mask in enumerate(masks, 1)}
    outputs.write(picture, masks, lambda: problem.table(named))
    sizes = masks.reshape(samples, -1).sum(axis=1, dtype=np.int64)
    words, totals = problem.words, np.array([problem.total(mask) for mask in masks])
    values = problem.values | sampling.values
    values |= {
        "distinct": len({mask.tobytes() for mask in masks}),
        f"{words.extent}s": sizes.tolist(),
        f"{words.measure}s": [total if math.isfinite(total) else None for total in totals.tolist()],
        "clamped_share": problem.clamped_share,
    }
    spread = f"{totals.min():.6g} to {totals.max():.6g}, mean {totals.mean():.6g}"
    lines = [
        *problem.lines,
        sampling.line,
        ("samples", f"{samples}, {values['distinct']} distinct"),
        (words.extent, f"{sizes.min()} to {sizes.max()} {words.things}, mean {sizes.mean():.6g}"),
        (words.measure, f"{spread} (under the unperturbed {words.numbers})"),
        *problem.clamped_lines,
    ]
    return Result(values, lambda ended: [*lines, *time_and_files(ended)], outputs.files)
