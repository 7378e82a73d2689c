"""The solver under examination: how it is asked, with which instances, and the smallest example of what is wrong."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from imle_core.contracts import declared, is_ctrl_c, is_pure, kind_of, raised
from imle_core.doctor.example import Example, RefusedError, Search, Show, said
from imle_core.doctor.settings import Watch

Verdict = Literal["pass", "warn", "fail"]
ROUNDING = 1e-5
"""Relative error of sums in 32 bits."""

_SECONDS = 8.0  # that an examination may take, about
_SOLVES = 40  # of each instance in an examination, about
_LONG = 1.0  # seconds that one instance may take where several are asked for to learn what they take
_FEWEST = 4  # instances, however slow the solver
_ENTRIES = 2**20  # of all instances together


class Outcome(NamedTuple):
    """What a check found: verdict, the numbers and what to do, an example."""

    verdict: Verdict
    detail: str
    example: Example = {}  # noqa: RUF012 - never changed


class Subject:
    """A solver with instances to ask for.

    Half of the instances are uniform in ``[low, high]``, the others close to one of these, whose solutions are hard
    competitors. There are as few as a slow solver or large instances demand.

    Args:
        solver: as it was given.
        shape: event shape.
        low: smallest theta to ask for.
        high: largest.
        domain: smallest and largest theta that the solver says it takes, or None.
        count: how many instances are wanted.
        seed: of every random number.
        sign: 1 for a solver that is to maximise, -1 to minimise.
        observe: called each time before the solver is.

    Attributes:
        pure: whether it declares to be, so that nothing is copied for it.
        declared: the sense that it declares, or None.
        watch: what it changed of the settings of the process, which are put back after each call.
        theta: the instances, ``(N, *event)``.
        z: their solutions, once the first checks have found some.
        given: the solver's own tensor of them.
        refused: why there are none, if they have a wrong shape or are not finite.
        ties: instances with many equal entries, the first with all of them equal.
        single: whether it takes a batch of one instance, so far as is known.
        alone: whether instances are asked for one by one, after their batch was found to change their solutions.
        optimal: whether it was found to maximise, or minimise, as ``sign`` says.
        left_out: checks that would only repeat, or rest on, what failed.
        pace: seconds that an instance takes, where this is why there are fewer than wanted.
    """

    def __init__(
        self,
        solver: Callable[[Tensor], Tensor],
        shape: tuple[int, ...],
        low: float,
        high: float,
        domain: tuple[float, float] | None,
        count: int,
        seed: int,
        sign: int,
        observe: Callable[[], Any] = lambda: None,
    ) -> None:
        self.solver, self.shape, self.low, self.high = solver, shape, low, high
        self.domain, self.wanted, self.sign, self.observe = domain, count, sign, observe
        self.pure, self.declared, self.watch = is_pure(solver), declared_sense(solver), Watch()
        self.alone = self.optimal = False
        self.single = True
        self.left_out: set[str] = set()
        self.pace = 0.0
        self.refused: RefusedError | None = None
        self.generator = torch.Generator().manual_seed(seed)
        count = self._affordable(min(count, max(_FEWEST, _ENTRIES // math.prod(shape))))
        far = self.draw(count - count // 2)
        near = far[:1] + (high - low) / 20 * torch.randn(count // 2, *shape, generator=self.generator)
        self.theta = torch.cat([far, near.clamp(low, high)])
        middle, step = (low + high) / 2, (high - low) / 4
        levels = torch.randint(-1, 2, self.theta.shape, generator=self.generator) * step + middle
        self.ties = torch.cat([torch.full_like(self.theta[:1], middle), levels])
        self.given = self.z = torch.empty(0)

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
        if self.alone and len(theta) > 1:
            return torch.cat([self.ask(row[None], solver) for row in theta])
        return self.solve(theta.clone(), solver)

    def solve(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> Tensor:
        """Solutions for this very tensor, in memory that is not the solver's; errors as in :meth:`ask`."""
        return self.answer(theta, solver).detach().to("cpu", torch.float32, copy=True)

    def answer(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> Tensor:
        """The solver's own tensor for this very one; errors as in :meth:`ask`."""
        self.observe()
        shape = theta.shape  # before the solver, which may change it
        try:
            z = (solver or self.solver)(theta)
        except BaseException as error:  # whatever a solver may raise, SystemExit included
            if is_ctrl_c(error):
                raise
            remedy = "" if isinstance(error, Exception) else "it must give solutions; look for what ends the program"
            raise RefusedError(theta, type(error).__name__, raised(error), remedy) from error
        finally:
            self.watch.put_back()
        return _checked(z, theta, shape)

    def accepts(self, theta: Tensor, solver: Callable[[Tensor], Any] | None = None) -> bool:
        """Whether it gives solutions."""
        try:
            self.ask(theta, solver)
        except RefusedError:
            return False
        return True

    def refusal(self, error: RefusedError) -> tuple[str, Example]:
        """What happened, for which instances, and what to do; and these instances as an example."""

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
        other: Callable[[Tensor], Tensor],
        complaint: str,
        verdict: Verdict = "fail",
        theta: Tensor | None = None,
        tolerance: float = ROUNDING,
    ) -> Outcome:
        """Whether asked in another way it gives the same solutions.

        Args:
            other: the other way.
            complaint: what to say if not, and what to do.
            verdict: the verdict if not.
            theta: instances; those of the examination if None.
            tolerance: by how much entries may differ, relative to the largest.
        """

        def show(theta: Tensor) -> Example | None:
            z, others = self.ask(theta), other(theta)
            return {"theta": theta, "z": z, "other": others} if apart(z, others, tolerance).any() else None

        theta = self.theta if theta is None else theta
        found = show(theta)
        if found is None:
            return Outcome("pass", f"{len(theta)} instances alike")
        differ = apart(found["z"], found["other"], tolerance)
        first = int(differ.nonzero()[0])
        hints = [theta[start : start + size] for size in (1, 2, 3) for start in [max(0, first + 1 - size)]]
        example = self.smallest(theta, show, hints, distinct=True) or found
        return Outcome(
            verdict, f"{complaint} ({int(differ.sum())} of {len(theta)} instances differ){said(example)}", example
        )

    def _affordable(self, count: int) -> int:
        few = self.draw(8)
        try:
            self.ask(few[:1])  # the first call may compile
            one = _seconds(lambda: self.ask(few[:1]))
            if one < 1e-3:
                return count
            size = len(few) if one < _LONG else 2
            pace = _seconds(lambda: self.ask(few[:size])) / size
        except RefusedError:  # which the checks will tell
            return count
        fewer = max(_FEWEST, int(_SECONDS / (one + _SOLVES * pace)))
        if fewer >= count:
            return count
        self.pace = pace
        return fewer


def declared_sense(solver: Any) -> Literal["max", "min"] | None:
    """What a solver says that it does, by its attribute ``sense``."""
    sense = declared(solver, "sense")
    if not isinstance(sense, str):
        return None
    if sense not in ("max", "min"):
        raise ValueError(f"sense: the solver declares {sense!r}; it must be 'max' or 'min'; mend that attribute")
    return sense  # type: ignore[return-value]


def _checked(z: Any, theta: Tensor, shape: torch.Size) -> Tensor:
    """What the solver gave for theta of that shape, if it is a solution by its kind, shape and values."""
    if not isinstance(z, Tensor):
        remedy = f"return {_entry(z, shape)} alone" if isinstance(z, tuple) else "use torch.as_tensor"
        raise RefusedError(theta, "type", f"gave {kind_of(z)}", f"it must give a tensor; {remedy}")
    if z.layout != torch.strided or z.is_complex() or z.is_quantized or z.is_meta:
        what = "a sparse tensor" if z.layout != torch.strided else "a tensor of meta" if z.is_meta else f"{z.dtype}"
        raise RefusedError(theta, "type", f"gave {what}", "it must give a dense tensor of real numbers")
    if z.shape != shape:
        reason = f"gave shape {tuple(z.shape)} for {tuple(shape)}"
        raise RefusedError(theta, "shape", reason, "it must keep the shape, N in front")
    if not z.double().isfinite().all():  # narrow types lack the question
        raise RefusedError(theta, "values", "gave NaN or infinite entries", "a solution must be finite")
    return z


def _entry(given: tuple[Any, ...], shape: torch.Size) -> str:
    """The first entry that may be the solutions."""
    fit = (number for number, entry in enumerate(given, 1) if getattr(entry, "shape", None) == shape)
    return f"entry {next(fit, 1)}"


def _place(rows: Tensor, theta: Tensor) -> str:
    """Where the rows of an example are in the batch."""
    if len(rows) == len(theta):
        return ""
    same = (theta == rows[:1]).flatten(1).all(dim=1).nonzero()
    if len(rows) > 1 or not len(same):
        return f" for {len(rows)} of {len(theta)} instances together"
    return f" for instance {int(same[0])} of {len(theta)}"


def apart(z: Tensor, other: Tensor, tolerance: float = ROUNDING) -> Tensor:
    """Which rows differ by more than rounding."""
    size = z.flatten(1).abs().amax(dim=1, keepdim=True)
    return ((z - other).flatten(1).abs() > tolerance * size).any(dim=1)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
