"""The problem of a folder of decisions: our solver of its ``problem.json``, or the user's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from imle_cli.errors import DataError, UsageError
from imle_cli.files.decisions import PROBLEM, check_folder, read_problem, splits_in
from imle_cli.files.sources import SourceError
from imle_cli.options.deciding import OwnProblemOptions
from imle_cli.problems.imported import imported, reason
from imle_core.contracts import Sense, Solver


def problem_of(folder: Path, own: OwnProblemOptions) -> tuple[Solver, Sense]:
    """The solver, and whether costs are paid or gained.

    Raises:
        SourceError: no such folder; a folder without ``problem.json`` where no solver is named; or as ``read_problem``.
        UsageError: a solver is named beside ``problem.json``.
        DataError: the named solver cannot be imported or called.
    """
    check_folder(folder)
    has_problem = (folder / PROBLEM).exists()
    if own.solver is None or own.sense is None:
        if not has_problem:
            if not splits_in(folder):
                raise SourceError(folder, "holds no data set of decisions; imle data shortest-path makes one")
            text = f"has no {PROBLEM}; name the solver with --solver MODULE:SOLVER, and --sense min or max"
            raise SourceError(folder, text)
        return read_problem(folder)
    if has_problem:
        raise UsageError(
            f"--solver: got {own.solver}, but {folder / PROBLEM} names a solver; leave it out, or remove that file"
        )
    return _own_solver(own.solver), own.sense


def _own_solver(name: str) -> Callable[..., Any]:
    value = imported("--solver", name)
    if isinstance(value, type):
        try:
            value = value()
        except (Exception, SystemExit) as error:  # whatever the class of a user may raise
            text = f"cannot be made without arguments ({reason(error)}); name an object of it"
            raise DataError(f"{name}: {text}") from error
    if not callable(value):
        got = f"got {type(value).__name__}, which cannot be called"
        raise DataError(f"{name}: {got}; name a function or an object like one")
    return value  # type: ignore[no-any-return]
