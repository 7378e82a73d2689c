"""``imle bench``: what this machine does."""

import time

from imle_cli.options import ReportOptions


def bench(report: ReportOptions) -> None:
    """Measure solvers, noise, an estimator step and whole commands on this machine, as a table.

    Ratios compare the best of runs by turns within this one measurement.
    """
    import os
    import platform
    from dataclasses import asdict
    from importlib.metadata import version

    from imle_cli import benchmarks
    from imle_cli.console import Report
    from imle_cli.measurement import Row
    from imle_cli.sampling import find_device

    began = time.perf_counter()
    console = Report(as_json=report.json, quiet=report.quiet)
    device, measured = find_device(report.device), list[Row]()
    with console.progress("measuring", len(benchmarks.MEASUREMENTS)) as advance:
        for done, measurement in enumerate(benchmarks.MEASUREMENTS, 1):
            measured += measurement(device, report.seed)
            advance(done)
    values = {
        "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("imle", "torch", "numpy", "numba", "networkx")},
        "rows": [asdict(row) for row in measured],
        "seconds": time.perf_counter() - began,
    }
    cells = [
        (
            row.subject,
            row.means,
            f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}",
            row.unit,
            f"{row.ratio:.1f} x {row.reference}" if row.ratio else "",
        )
        for row in measured
    ]
    console.table(values, ["what", "with", "figure", "unit", "ratio"], cells, figures=["figure"])
