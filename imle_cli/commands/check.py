"""``imle check``: is a solver what the estimator takes it for?"""

import ast
import contextlib
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.messages import DataError, UsageError
from imle_cli.options.checks import check_at_least
from imle_cli.options.groups import Without
from imle_cli.options.panels import MEASUREMENT, OUTPUT, PROBLEM
from imle_cli.options.report import ReportOptions
from imle_cli.options.values import completer
from imle_cli.problems.built_in_solvers import BUILT_IN, Shape
from imle_cli.problems.examination import Begun, Compiled, Compiling, Judgement, Loaded, Request, Sense, examine
from imle_cli.problems.own_process import EndedError, in_own_process

_Solver = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:SOLVER",
        autocompletion=completer([*BUILT_IN]),
        help=f"A function, object or class of a module or of a file (mine.py:solver); or {', '.join(BUILT_IN)}.",
    ),
]
_ShapeText = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE,...",
        rich_help_panel=PROBLEM,
        help="Shape of an instance; default: 5,5, or one that suits our solver.",
    ),
]
_Arguments = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        rich_help_panel=PROBLEM,
        help="Argument of the class, or of the function that makes it, such as k=3; repeatable.",
    ),
]
_PerInstance = Annotated[
    bool,
    typer.Option("--per-instance", rich_help_panel=PROBLEM, help="The function takes one instance, without a batch."),
]
_Sense = Annotated[
    Sense | None,
    typer.Option(
        metavar="max|min",
        rich_help_panel=PROBLEM,
        help="Whether it is to maximise, or to minimise costs; default: what it declares, or else max.",
    ),
]
_Low = Annotated[
    float | None,
    typer.Option(rich_help_panel=PROBLEM, help="Smallest theta; default: that of the solver's domain, or -1."),
]
_High = Annotated[
    float | None,
    typer.Option(rich_help_panel=PROBLEM, help="Largest theta; default: that of the solver's domain, or 1."),
]
_Instances = Annotated[
    int, typer.Option("-n", "--instances", min=2, rich_help_panel=MEASUREMENT, help="Number of random instances.")
]
_TimeLimit = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        rich_help_panel=MEASUREMENT,
        help="Longest time for one call of the solver, or for its import; then it is ended.",
    ),
]
_Example = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.npz",
        rich_help_panel=OUTPUT,
        help="Save the counter-example of the first failure, or else of the first warning.",
    ),
]

EXAMPLES = ("imle check mine.py:solver --per-instance", "imle check top-k --shape 10 --arg k=3")
_CRASH = "look for os._exit, and for crashes of native code, which python -X faulthandler shows"


def check(
    solver: _Solver,
    report: Annotated[ReportOptions, Without("device")],
    console: Report,
    shape: _ShapeText = None,
    arg: _Arguments = None,
    per_instance: _PerInstance = False,
    sense: _Sense = None,
    low: _Low = None,
    high: _High = None,
    instances: _Instances = 64,
    time_limit: _TimeLimit = 30.0,
    save: _Example = None,
) -> Result:
    """Check that a solver maximises, and what else spoils gradients.

    It must give the z that maximises <z, theta>, row by row of a batch. FAIL: gradients would be wrong. WARN: they are
    right, but slower or noisier.
    """
    from imle_cli.files.outputs import check_output

    console.begin()
    check_at_least("--instances", instances, 2, "the usual number is 64")
    check_at_least("--time-limit", time_limit, 0.1, "30 seconds are usual")
    for option, value in (("--low", low), ("--high", high)):
        if value is not None and math.isnan(value):
            raise UsageError(f"{option}: got nan; it must be a number; leave it out for the solver's domain")
    if low is not None and high is not None and low >= high:
        raise UsageError(f"--low: got {low:g}; it must be below --high {high:g}; leave both out for the solver's domain")
    if save is not None:
        check_output("--save", save, (".npz",))
    sizes = BUILT_IN[solver].shape if shape is None and solver in BUILT_IN else _sizes(shape or "5,5")
    settings = {"low": low, "high": high, "sense": sense, "nb_instances": instances, "seed": report.seed}
    request = Request(solver, sizes, _arguments(arg or []), per_instance, settings, examples=save is not None)
    findings = _examined(request, time_limit, console)
    notes = [] if save is None else [_saved(save, findings)]
    return _result({"solver": solver, "shape": list(sizes), "seconds": None}, findings, notes)


def _examined(request: Request, time_limit: float, console: Report) -> list[Judgement]:
    """Findings of an examination in a process of its own; if it ends before its time, that is the last of them."""
    checks, done, findings = list[str](), 0, list[Judgement]()
    messages = in_own_process(partial(examine, request), time_limit)
    with contextlib.ExitStack() as stack, contextlib.closing(messages), contextlib.ExitStack() as waits:
        observe: Callable[[int], None] = lambda _: None  # noqa: E731 - until there is something to observe
        try:
            for message in messages:
                if isinstance(message, Compiling):
                    waits.enter_context(console.compiling.waiting(message.subject))
                elif isinstance(message, Compiled):
                    waits.close()
                elif isinstance(message, Loaded):
                    checks = [*message.checks]
                    observe = stack.enter_context(console.progress("checks", len(checks)))
                elif isinstance(message, Begun):
                    done = message.done
                    observe(done)
                else:
                    findings.append(message)
        except EndedError as error:
            remedy = _late(request, findings) if "longer" in str(error) else _CRASH
            if not checks:
                raise DataError(f"{request.solver}: cannot be loaded: it {error}; {remedy}") from None
            findings.append(Judgement(checks[done], "fail", f"it {error}; {remedy}; what comes after it was not checked"))
    return findings


def _late(request: Request, findings: Sequence[Judgement]) -> str:
    """Advice for a solver that never came back."""
    more = "give more with --time-limit if it needs that"
    took_batch = findings or request.per_instance or request.solver in BUILT_IN
    return more if took_batch else f"{more}, and --per-instance if it takes one instance at a time"


def _result(values: dict[str, Any], findings: Sequence[Judgement], notes: Sequence[str]) -> Result:
    failed = [finding.check for finding in findings if finding.verdict == "fail"]
    records = [{"check": row.check, "verdict": row.verdict, "detail": _in_options(row.detail)} for row in findings]
    table = Table(["check", "verdict", "detail"], [list(record.values()) for record in records], [])
    failure = ""
    if failed:
        failure = f"{values['solver']}: {len(failed)} of {len(findings)} checks failed; the first is {failed[0]}"
    return Result({**values, "findings": records, "failed": len(failed)}, lambda _: table, notes=notes, failure=failure)


def _in_options(detail: str) -> str:
    """Advice of a finding, in words of the command."""
    detail = re.sub(r"give low=(\S+) and high=([^\s,]+)", r"give --low \1 --high \2", detail)
    detail = detail.replace("give low and high", "give --low and --high")
    return detail.replace("wrap it in BlackBox", "check it with --per-instance, and wrap it in BlackBox")


def _saved(path: Path, findings: Sequence[Judgement]) -> str:
    """Saves the most telling example, and says which."""
    import numpy as np

    from imle_cli.files.outputs import replacing

    for verdict in ("fail", "warn"):
        for finding in findings:
            if finding.verdict == verdict and finding.example:
                with replacing(path) as file:
                    np.savez(file, **finding.example)
                return f"{path}: {', '.join(finding.example)}, which show what {finding.check} says"
    return f"{path}: not written, since there is no counter-example"


def _sizes(text: str) -> Shape:
    if not re.fullmatch(r"\s*[1-9]\d{0,8}\s*(,\s*[1-9]\d{0,8}\s*)*", text):
        raise UsageError(f"--shape: got {text!r}; it must be whole numbers >= 1 between commas, such as 5,5")
    return tuple(int(size) for size in text.split(","))


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
