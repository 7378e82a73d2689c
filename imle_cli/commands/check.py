"""``imle check``: is a solver what the estimator takes it for?"""

import re
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import DataError, UsageError
from imle_cli.options import ReportOptions, Without, check_at_least

_OURS = {
    "acyclic-path": "imle_core.solvers:AcyclicGridPath",
    "argmax": "imle_core.solvers:ArgMax",
    "assignment": "imle_core.solvers:Assignment",
    "dijkstra": "imle_core.solvers:GridPath",
    "ranking": "imle_core.solvers:Ranking",
}


def check(
    solver: Annotated[
        str, typer.Argument(metavar="MODULE:SOLVER", help=f"A function or object of a module, or {', '.join(_OURS)}.")
    ],
    report: Annotated[ReportOptions, Without("device")],
    shape: Annotated[str, typer.Option(metavar="N,...", help="Shape of an instance.")] = "5,5",
    low: Annotated[float | None, typer.Option(help="Smallest theta; by default that of the solver's domain, or -1.")] = None,
    high: Annotated[float | None, typer.Option(help="Largest theta; likewise, or 1.")] = None,
    instances: Annotated[int, typer.Option(help="How many instances to ask for.")] = 64,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Save the counter-example of the first failure.")
    ] = None,
) -> None:
    """Check whether a solver of batches maximises <z, theta> row by row, and what else makes gradients wrong or slow."""
    from imle_cli.console import Report
    from imle_cli.outputs import check_output
    from imle_core.doctor import check as examine

    began = time.perf_counter()
    check_at_least("--instances", instances, 2, "the usual number is 64")
    if save is not None:
        check_output("--save", save, (".npz",))
    sizes = _sizes(shape)
    findings = examine(_load(solver), sizes, low=low, high=high, nb_instances=instances, seed=report.seed)
    failed = [finding for finding in findings if finding.verdict == "fail"]
    if save is not None and any(finding.example for finding in failed):
        _save(save, next(finding.example for finding in failed if finding.example))
    values = {
        "solver": solver,
        "shape": sizes,
        "findings": [{"check": some.check, "verdict": some.verdict, "detail": some.detail} for some in findings],
        "failed": len(failed),
        "seconds": time.perf_counter() - began,
    }
    rows = [(finding.check, finding.verdict, finding.detail) for finding in findings]
    Report(as_json=report.json, quiet=report.quiet).table(values, ["check", "verdict", "detail"], rows, figures=[])
    if failed:
        raise DataError(f"{solver}: {len(failed)} of {len(findings)} checks failed; the first is {failed[0].check}")


def _sizes(text: str) -> list[int]:
    if not re.fullmatch(r"\s*[1-9]\d{0,8}\s*(,\s*[1-9]\d{0,8}\s*)*", text):
        raise UsageError(f"--shape: got {text!r}; it must be whole numbers >= 1 between commas, such as 5,5")
    return [int(part) for part in text.split(",")]


def _load(name: str) -> Any:
    """A solver by its place in a module that is installed or in the current folder, or one of ours."""
    module, colon, path = _OURS.get(name, name).partition(":")
    if not (colon and module and path):
        raise UsageError(f"MODULE:SOLVER: got {name!r}; it must be module:name, or one of {', '.join(_OURS)}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
        solver = found() if isinstance(found, type) else found
    except Exception as error:  # whatever the module of a user may raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(f"{name}: cannot be imported ({reason}); --debug shows where") from error
    finally:
        sys.path.remove(str(Path.cwd()))
    if not callable(solver):
        raise DataError(
            f"{name}: got {type(solver).__name__}, which cannot be called; name a function or an object like one"
        )
    return solver


def _save(path: Path, example: dict[str, Any]) -> None:
    import numpy as np

    from imle_cli.outputs import replacing

    with replacing(path) as file:
        np.savez(file, **{name: tensor.detach().cpu().numpy() for name, tensor in example.items()})
