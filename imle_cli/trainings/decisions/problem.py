"""The problem of a folder of decisions: our solver of its ``problem.json``, or the user's."""

from pathlib import Path
from typing import Any

from imle_cli.files.decisions import PROBLEM, check_folder, read_problem, splits_in
from imle_cli.files.sources import SourceError
from imle_cli.messages import DataError, UsageError
from imle_cli.options.deciding import OwnProblemOptions
from imle_cli.problems.imported import imported, reason
from imle_core.checks import ArgumentError, in_short
from imle_core.contracts import Sense, Solver, declared
from imle_core.solvers import InfeasibleError

_DECLARED = ("sense", "pure", "domain", "takes_padding", "typical_ones", "normals")


class OwnSolver:
    """A user's solver, which declares what that one does, and whose errors name it.

    Args:
        name: as the user gave it, MODULE:SOLVER.
        solver: found under that name.

    Raises:
        DataError: when called, the solver raises anything but a refusal of its arguments, or ends the program.
    """

    def __init__(self, name: str, solver: Solver) -> None:
        self._name, self._solver = name, solver
        for member in _DECLARED:
            value = declared(solver, member)
            if value is not None:
                setattr(self, member, value)

    def __repr__(self) -> str:
        return in_short(self._solver)

    def __call__(self, theta: Any) -> Any:
        """Its answer."""
        try:
            return self._solver(theta)
        except (ArgumentError, InfeasibleError):
            raise
        except (Exception, SystemExit) as error:  # whatever the code of a user may raise
            raise DataError(f"{self._name}: raised {reason(error)}; imle check finds out more") from error


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
            text = f"has no {PROBLEM}; imle decide takes a solver with --solver MODULE:SOLVER, and --sense min or max"
            raise SourceError(folder, text)
        return read_problem(folder)
    if has_problem:
        raise UsageError(
            f"--solver: got {own.solver}, but {folder / PROBLEM} names a solver; leave it out, or remove that file"
        )
    return _own_solver(own.solver), own.sense


def _own_solver(name: str) -> Solver:
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
    return value if type(value).__module__.startswith("imle_core.") else OwnSolver(name, value)
