"""``imle solve``: the cheapest path, without noise."""

import time

from imle_cli.options import Array, MapOptions, Picture, ReportOptions, SolverOptions


def solve(place: MapOptions, choice: SolverOptions, report: ReportOptions, out: Picture = None, save: Array = None) -> None:
    """Find the cheapest path (or the N cheapest tiles) of MAP: its cost, its tiles, a picture."""
    import numpy as np

    from imle_cli import figures
    from imle_cli.console import Report
    from imle_cli.outputs import Outputs
    from imle_cli.problem import read_problem

    began = time.perf_counter()
    problem = read_problem(place, choice, report.device)
    outputs = Outputs(problem.picture(out, "solve"), save, problem.inputs)
    mask = problem.solve()
    path = problem.tiles(mask)
    tiles, cost = (np.argwhere(mask) if path is None else path).tolist(), problem.cost(mask)
    title = f"{problem.title}: {len(tiles)} tile{'s' if len(tiles) > 1 else ''}, cost {cost:.6g}"
    figure = figures.map_figure(problem.costs, mask, path, title=title)
    outputs.write(figures.encode(figure, outputs.format), mask)
    values = problem.values | {
        "cost": cost,
        "length": len(tiles),
        "tiles": tiles,
        "clamped_share": problem.clamped_share,
        "seconds": time.perf_counter() - began,
        "files": outputs.files,
    }
    lines = [
        *problem.lines,
        ("cost", f"{cost:.6g}"),
        ("tiles", f"{len(tiles)}: " + " ".join(f"{row},{column}" for row, column in tiles)),
        ("time", f"{values['seconds']:.2f} s"),
        ("files", ", ".join(outputs.files)),
    ]
    Report(as_json=report.json, quiet=report.quiet).result(values, lines)
