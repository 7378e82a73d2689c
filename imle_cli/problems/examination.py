"""An examination of a solver by the doctor, told in messages, so that it may take place in another process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from imle_cli.messages import DataError
from imle_cli.problems.built_in_solvers import BUILT_IN, Shape, make
from imle_cli.problems.imported import imported, reason
from imle_cli.problems.own_process import Send

Sense: TypeAlias = Literal["max", "min"]
_BEAT = 0.5  # seconds after which a sign of life is due


@dataclass(frozen=True)
class Request:
    """A request for an examination.

    Attributes:
        solver: a solver of ours by name, or ``MODULE:NAME``.
        shape: event shape.
        arguments: those that make the solver.
        per_instance: whether it takes one instance.
        settings: keywords of :func:`imle_core.doctor.check`.
        examples: whether counter-examples are wanted.
    """

    solver: str
    shape: Shape
    arguments: dict[str, Any]
    per_instance: bool
    settings: dict[str, Any]
    examples: bool


@dataclass(frozen=True)
class Loaded:
    """The solver is there; the names of the checks."""

    checks: tuple[str, ...]


@dataclass(frozen=True)
class Begun:
    """So many checks are done, and another one is under way."""

    done: int


@dataclass(frozen=True)
class Compiling:
    """Kernels begin to be compiled, "noise" for instance."""

    subject: str


@dataclass(frozen=True)
class Compiled:
    """They have been."""


@dataclass(frozen=True)
class Judgement:
    """A finding; the example is of arrays."""

    check: str
    verdict: str
    detail: str
    example: dict[str, Any] = field(default_factory=dict)


def examine(request: Request, send: Send) -> None:
    """Sends what happens: something before the user's module is imported, and at least once before each call."""
    from imle_core.kernels import notice

    class Listener(notice.Silence):
        def begins(self, subject: str) -> None:
            send(Compiling(subject))

        def ends(self, seconds: float) -> None:  # noqa: ARG002 - whoever hears of it has a clock of its own
            send(Compiled())

    notice.tell(Listener())
    send(Begun(0))
    solver = _load(request)
    from imle_core.doctor import CHECKS, Finding, check

    send(Loaded(CHECKS))
    last, due = -1, 0.0

    def observe(done: int) -> None:
        nonlocal last, due
        if done != last or time.monotonic() > due:
            last, due = done, time.monotonic() + _BEAT
            send(Begun(done))

    def tell_finding(finding: Finding) -> None:
        example = {name: tensor.detach().cpu().numpy() for name, tensor in finding.example.items()}
        send(Judgement(finding.check, finding.verdict, finding.detail, example if request.examples else {}))

    check(solver, request.shape, observe=observe, tell=tell_finding, **request.settings)


def _load(request: Request) -> Any:
    """One of our solvers, or a solver by its place in a module or file."""
    name, arguments = request.solver, request.arguments
    if name in BUILT_IN:
        return _made(name, lambda **given: make(name, request.shape, given), arguments)
    solver = imported("MODULE:SOLVER", name, tuple(BUILT_IN))
    if isinstance(solver, type) or arguments:
        solver = _made(name, solver, arguments)
    if not callable(solver):
        raise DataError(
            f"{name}: got {type(solver).__name__}, which cannot be called; name a function or an object like one"
        )
    if not request.per_instance:
        return solver
    from imle_core.solvers import BlackBox

    return BlackBox(solver)


def _made(name: str, maker: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return maker(**arguments)
    except (Exception, SystemExit) as error:  # whatever the class of a user may raise
        raise DataError(f"{name}: cannot be made ({reason(error)}); give its arguments with --arg NAME=VALUE") from error
