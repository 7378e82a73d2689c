"""The solver under examination: calls of it, facts learned so far, and the smallest example of what is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypedDict

import torch
from torch import Tensor

from imle_core.checks import ArgumentError
from imle_core.contracts import Outputs, declared, is_ctrl_c, is_pure, kind_of, raised, solutions_in
from imle_core.doctor.example import Example, RefusedError, Search, Show, said
from imle_core.doctor.settings import Watch

Verdict = Literal["pass", "warn", "fail"]
ROUNDING = 1e-5
"""Relative error of sums in 32 bits."""

_NONE = torch.empty(0)


class Learned(TypedDict, total=False):
    """Facts about a solver that a check has learned, for the checks after it: fields of :class:`Subject` with new values."""

    given: Tensor
    z: Tensor
    refused: RefusedError
    single: bool
    one_by_one: bool
    optimal: bool
    sign: int


class Outcome(NamedTuple):
    """The result of a check.

    Attributes:
        verdict: "pass", "warn" or "fail".
        detail: the numbers, and what to do.
        example: a counter-example.
        learned: facts for the checks after it.
        spoils: whether the checks that need this one would mean nothing now, or say the same again.
    """

    verdict: Verdict
    detail: str
    example: Example = {}  # noqa: RUF012 - never changed
    learned: Learned = {}  # noqa: RUF012 - likewise
    spoils: bool = False


@dataclass(frozen=True, eq=False)
class Subject:
    """A solver, instances to ask for, and what checks have learned so far; nothing changes it.

    Attributes:
        solver: as it was given.
        shape: event shape.
        low: smallest theta to ask for.
        high: largest.
        domain: smallest and largest theta that the solver says it takes, or None.
        sign: 1 for a solver that maximises, -1 for one that minimises: as is wanted at first, then as "maximiser" has seen.
        generator: source of every random number.
        observe: called each time before the solver is.
        watch: settings of the process that the solver changed, which are put back after each call.
        theta: the instances, ``(N, *event)``.
        ties: instances with many equal entries, the first with all of them equal.
        wanted: how many instances were wanted.
        pace: seconds that an instance takes, where this is why there are fewer than wanted.
        given: the solver's own tensor of their solutions, learned by "call".
        z: their solutions, learned by "call", and by "rows" where it asks one by one.
        refused: why there are none if they have a wrong shape or are not finite, learned by "call".
        single: whether it takes a batch of one instance; "rows" may learn that it does not.
        one_by_one: whether it is asked for one instance at a time, once "rows" or "mates" has seen that batches change
            solutions.
        optimal: whether "maximiser" has seen that it does what ``sign`` says.
    """

    solver: Callable[[Tensor], Any]
    shape: tuple[int, ...]
    low: float
    high: float
    domain: tuple[float, float] | None
    sign: int
    generator: torch.Generator
    observe: Callable[[], Any] = lambda: None
    watch: Watch = field(default_factory=Watch)
    theta: Tensor = _NONE
    ties: Tensor = _NONE
    wanted: int = 0
    pace: float = 0.0
    given: Tensor = _NONE
    z: Tensor = _NONE
    refused: RefusedError | None = None
    single: bool = True
    one_by_one: bool = False
    optimal: bool = False

    @property
    def pure(self) -> bool:
        """True where the solver declares to be pure, so that nothing is copied for it."""
        return is_pure(self.solver)

    @property
    def declared(self) -> Literal["max", "min"] | None:
        """The sense that the solver declares, or None."""
        return declared_sense(self.solver)

    def draw(self, count: int, low: float | None = None, high: float | None = None) -> Tensor:
        """Instances that are uniform between two bounds."""
        low, high = self.low if low is None else low, self.high if high is None else high
        return (torch.rand(count, *self.shape, generator=self.generator) * (high - low) + low).clamp(low, high)

    def inside(self, theta: Tensor) -> Tensor:
        """Theta within the domain, or within what is asked for where none was declared; only rounding should leave it."""
        low, high = self.domain or (self.low, self.high)
        return theta.clamp(low, high)

    def ask(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> Tensor:
        """Solutions in float32.

        Raises:
            RefusedError: there are none.
        """
        if self.one_by_one and len(theta) > 1:
            return torch.cat([self.ask(row[None], solver) for row in theta])
        return self.solve(theta.clone(), solver)

    def solve(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> Tensor:
        """Solutions for this very tensor, in memory that is not the solver's; errors as in :meth:`ask`."""
        return self.answer(theta, solver).detach().to("cpu", torch.float32, copy=True)

    def answer(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> Tensor:
        """The solver's own tensor for this very one; errors as in :meth:`ask`."""
        return self.asked(theta, solver)[0]

    def asked(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> tuple[Tensor, Outputs | None]:
        """The same tensor, and the solver's answer ``(z, *others)`` where that has further outputs."""
        self.observe()
        shape = theta.shape  # before the solver, which may change it
        try:
            given = (solver or self.solver)(theta)
        except BaseException as error:  # any that a solver may raise, SystemExit included
            if is_ctrl_c(error):
                raise
            remedy = "" if isinstance(error, Exception) else "it must give solutions; look for what ends the program"
            raise RefusedError(theta, type(error).__name__, raised(error), remedy) from error
        finally:
            self.watch.put_back()
        return _checked(given, theta, shape)

    def accepts(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> bool:
        """True where it gives solutions."""
        try:
            self.ask(theta, solver)
        except RefusedError:
            return False
        return True

    def refusal(self, error: RefusedError) -> tuple[str, Example]:
        """Words for a refusal, its instances and a remedy; and these instances as an example."""

        def show(theta: Tensor) -> Example | None:
            try:
                self.answer(theta.clone())
            except RefusedError as again:
                return {"theta": theta} if again.kind == error.kind else None
            return None

        theta = error.theta.detach()
        remedy = f"; {error.remedy}" if error.remedy else ""
        if all(self.smallest(rows, show, plain=False) for rows in (theta[:1], theta[-1:])):
            return f"{error.reason}{remedy}", {"theta": theta[:1]}
        example = self.smallest(theta, show, plain=False) or {"theta": theta}
        return f"{error.reason}{_place(example['theta'], theta)}{remedy}", example

    def smallest(
        self,
        theta: Tensor,
        show: Show,
        hints: Sequence[Tensor] = (),
        bounds: tuple[float, float] | None = None,
        plain: bool = True,
        distinct: bool = False,
    ) -> Example:
        """An example with few rows, round numbers and many zeros, as far as a bounded search finds one; or an empty one.

        Args:
            theta: a batch that has an example.
            show: asks for a batch.
            hints: smaller batches to try first.
            bounds: smallest and largest entry that it may have; those of the instances if None.
            plain: whether entries may be changed.
            distinct: whether entries that differ must go on to do so, where ties would hide what is wrong.
        """
        search = Search(theta, show)
        if not any(search.accepts(hint) for hint in hints) and not search.accepts(theta):
            return {}
        search.drop_rows()
        if plain:
            low, high = bounds or (self.low, self.high)
            search.round(low, high, distinct)
            if not distinct:
                search.fill(min(max(0.0, low), high))
        return search.example

    def compared(
        self,
        way: Callable[[Tensor], Tensor],
        complaint: str,
        verdict: Verdict = "fail",
        theta: Tensor | None = None,
        tolerance: float = ROUNDING,
    ) -> Outcome:
        """Outcome of asking in another way, which should give the same solutions.

        Args:
            way: the other way.
            complaint: what to say if not, and what to do.
            verdict: the verdict if not.
            theta: instances; those of the examination if None.
            tolerance: by how much entries may differ, relative to the largest.
        """

        def show(theta: Tensor) -> Example | None:
            z, answers = self.ask(theta), way(theta)
            return {"theta": theta, "z": z, "other": answers} if apart(z, answers, tolerance).any() else None

        theta = self.theta if theta is None else theta
        shown = show(theta)
        if shown is None:
            return Outcome("pass", f"{len(theta)} instances alike")
        differ = apart(shown["z"], shown["other"], tolerance)
        first = int(differ.nonzero()[0])
        hints = [theta[start : start + size] for size in (1, 2, 3) for start in [max(0, first + 1 - size)]]
        example = self.smallest(theta, show, hints, distinct=True) or shown
        return Outcome(
            verdict, f"{complaint} ({int(differ.sum())} of {len(theta)} instances differ){said(example)}", example
        )


def declared_sense(solver: Any) -> Literal["max", "min"] | None:
    """Sense that a solver declares by its attribute ``sense``."""
    sense = declared(solver, "sense")
    if not isinstance(sense, str):
        return None
    if sense not in ("max", "min"):
        raise ArgumentError("sense", repr(sense), "it must be 'max' or 'min'", "mend that attribute", "the solver declares")
    return sense  # type: ignore[return-value]


def _checked(given: Any, theta: Tensor, shape: torch.Size) -> tuple[Tensor, Outputs | None]:
    """Solutions that the solver gave for theta of that shape, checked for their kind, shape and values, and its answer."""
    several = isinstance(given, tuple | list) and len(given) > 0
    z, outputs = solutions_in(given) if several else (given, None)
    if not isinstance(z, Tensor):
        raise RefusedError(theta, "type", f"gave {kind_of(given)}", f"it must give a tensor; {_remedy(given, shape)}")
    if z.layout != torch.strided or z.is_complex() or z.is_quantized or z.is_meta:
        what = "a sparse tensor" if z.layout != torch.strided else "a tensor of meta" if z.is_meta else f"{z.dtype}"
        raise RefusedError(theta, "type", f"gave {what}", "it must give a dense tensor of real numbers")
    if z.shape != shape:
        reason = f"gave shape {tuple(z.shape)} for {tuple(shape)}"
        first = _first_fit(given, shape) if several else ""
        raise RefusedError(theta, "shape", reason, f"it must keep the shape, N in front{first and '; '}{first}")
    if not z.double().isfinite().all():  # narrow types lack the question
        raise RefusedError(theta, "values", "gave NaN or infinite entries", "a solution must be finite")
    return z, outputs


def _remedy(given: Any, shape: torch.Size) -> str:
    """Advice on an answer without a tensor where solutions should be."""
    if isinstance(given, tuple) and not given:
        return "end it with return z"
    return (_first_fit(given, shape) if isinstance(given, tuple | list) else "") or "use torch.as_tensor"


def _first_fit(given: tuple[Any, ...] | list[Any], shape: torch.Size) -> str:
    """Advice to put solutions first where another entry has their shape."""
    fit = (number for number, entry in enumerate(given, 1) if getattr(entry, "shape", None) == shape)
    number = next(fit, None)
    return "" if number is None else f"put entry {number} first, the solutions"


def _place(rows: Tensor, theta: Tensor) -> str:
    """Words for where the rows of an example are in the batch."""
    if len(rows) == len(theta):
        return ""
    same = (theta == rows[:1]).flatten(1).all(dim=1).nonzero()
    if len(rows) > 1 or not len(same):
        return f" for {len(rows)} of {len(theta)} instances together"
    return f" for instance {int(same[0])} of {len(theta)}"


def apart(z: Tensor, reference: Tensor, tolerance: float = ROUNDING) -> Tensor:
    """Rows that differ by more than rounding, ``(N,)`` bool."""
    size = z.flatten(1).abs().amax(dim=1, keepdim=True)
    return ((z - reference).flatten(1).abs() > tolerance * size).any(dim=1)
