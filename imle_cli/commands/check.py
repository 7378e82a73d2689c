"""``imle check``: is a solver what the estimator takes it for?"""

import ast
import contextlib
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from imle_cli.built_in_solvers import BUILT_IN, Shape, make
from imle_cli.console import DataError, UsageError
from imle_cli.imported import imported, reason
from imle_cli.option_groups import Without
from imle_cli.options import ReportOptions, check_at_least

_Solver = Annotated[
    str,
    typer.Argument(metavar="MODULE:SOLVER", help=f"A function, an object or a class of a module, or {', '.join(BUILT_IN)}."),
]
_ShapeText = Annotated[
    str | None, typer.Option(metavar="N,...", help="Shape of an instance; by default 5,5, or one that suits our solver.")
]
_Arguments = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE", help="Argument of the class, or of the function that makes it, such as k=3; repeatable."
    ),
]
_PerInstance = Annotated[bool, typer.Option("--per-instance", help="The function takes one instance, without a batch.")]
_Example = Annotated[
    Path | None,
    typer.Option(metavar="FILE.npz", help="Save the counter-example of the first failure, or else of the first warning."),
]


def check(
    solver: _Solver,
    report: Annotated[ReportOptions, Without("device")],
    shape: _ShapeText = None,
    arg: _Arguments = None,
    per_instance: _PerInstance = False,
    sense: Annotated[Literal["max", "min"], typer.Option(help="Whether it is to maximise, or to minimise costs.")] = "max",
    low: Annotated[float | None, typer.Option(help="Smallest theta; by default that of the solver's domain, or -1.")] = None,
    high: Annotated[float | None, typer.Option(help="Largest theta; likewise, or 1.")] = None,
    instances: Annotated[int, typer.Option(help="How many instances to ask for.")] = 64,
    save: _Example = None,
) -> None:
    """Check whether a solver of batches maximises <z, theta> row by row, and what else makes gradients wrong or slow."""
    from imle_cli.console import Report
    from imle_cli.outputs import check_output

    began = time.perf_counter()
    check_at_least("--instances", instances, 2, "the usual number is 64")
    if save is not None:
        check_output("--save", save, (".npz",))
    sizes = BUILT_IN[solver].shape if shape is None and solver in BUILT_IN else _sizes(shape or "5,5")
    out = Report(as_json=report.json, quiet=report.quiet)
    with contextlib.redirect_stdout(sys.stderr):  # what a solver prints is no result
        checked = _load(solver, sizes, _arguments(arg or []), per_instance)
        from imle_core.doctor import CHECKS
        from imle_core.doctor import check as examine

        with out.progress("checks", len(CHECKS)) as observe:
            findings = examine(
                checked,
                sizes,
                low=low,
                high=high,
                sense=sense,
                nb_instances=instances,
                seed=report.seed,
                observe=observe,
            )
    values = {"solver": solver, "shape": list(sizes), "seconds": time.perf_counter() - began}
    _tell(values, findings, save, out)


def _tell(values: dict[str, Any], findings: Sequence[Any], save: Path | None, report: Any) -> None:
    failed = [finding.check for finding in findings if finding.verdict == "fail"]
    found = [{"check": some.check, "verdict": some.verdict, "detail": some.detail} for some in findings]
    rows = [list(finding.values()) for finding in found]
    report.table({**values, "findings": found, "failed": len(failed)}, ["check", "verdict", "detail"], rows, figures=[])
    if save is not None:
        report.note(_saved(save, findings))
    if failed:
        raise DataError(f"{values['solver']}: {len(failed)} of {len(findings)} checks failed; the first is {failed[0]}")


def _saved(path: Path, findings: Sequence[Any]) -> str:
    """Saves the most telling example, and says which."""
    for verdict in ("fail", "warn"):
        for finding in findings:
            if finding.verdict == verdict and finding.example:
                _save(path, finding.example)
                return f"{path}: {', '.join(finding.example)}, which show what {finding.check} says"
    return f"{path}: not written, since there is no counter-example"


def _sizes(text: str) -> Shape:
    if not re.fullmatch(r"\s*[1-9]\d{0,8}\s*(,\s*[1-9]\d{0,8}\s*)*", text):
        raise UsageError(f"--shape: got {text!r}; it must be whole numbers >= 1 between commas, such as 5,5")
    return tuple(int(part) for part in text.split(","))


def _arguments(texts: Sequence[str]) -> dict[str, Any]:
    arguments = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.isidentifier()):
            raise UsageError(f"--arg: got {text!r}; it must be NAME=VALUE, such as k=3")
        try:
            arguments[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):  # a word without quotes
            arguments[name] = value
    return arguments


def _load(name: str, shape: Shape, arguments: dict[str, Any], per_instance: bool) -> Any:
    """One of our solvers, or a solver by its place in a module that is installed or in the current folder."""
    if name in BUILT_IN:
        return _made(name, lambda **given: make(name, shape, given), arguments)
    found = imported("MODULE:SOLVER", name, f", or one of {', '.join(BUILT_IN)}")
    if isinstance(found, type) or arguments:
        found = _made(name, found, arguments)
    if not callable(found):
        raise DataError(f"{name}: got {type(found).__name__}, which cannot be called; name a function or an object like one")
    return _of_batches(found) if per_instance else found


def _made(name: str, maker: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return maker(**arguments)
    except Exception as error:  # whatever the class of a user may raise
        raise DataError(f"{name}: cannot be made ({reason(error)}); give its arguments with --arg NAME=VALUE") from error


def _of_batches(function: Callable[..., Any]) -> Any:
    from imle_core.solvers import BlackBox

    solver = BlackBox(function)
    if hasattr(function, "domain"):
        solver.domain = function.domain  # type: ignore[attr-defined]
    return solver


def _save(path: Path, example: dict[str, Any]) -> None:
    import numpy as np

    from imle_cli.outputs import replacing

    with replacing(path) as file:
        np.savez(file, **{name: tensor.detach().cpu().numpy() for name, tensor in example.items()})
