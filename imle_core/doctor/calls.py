"""Checks of what a solver is as a function of batches: shape, values, type, rows, mates, layout, precision."""

import torch
from torch import Tensor

from imle_core.doctor.example import RefusedError
from imle_core.doctor.settings import seeded
from imle_core.doctor.subject import ROUNDING, Outcome, Subject, apart
from imle_core.solvers import BlackBox

_MORE = 4
_SINGLE = 8  # instances that a function of one instance has to take
_WRAP = "wrap it in BlackBox"
_GIVEN = {"type", "shape", "values"}
"""Refusals of what a solver gave."""
_SLIPS = {"AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "UnboundLocalError"}
"""Errors that no theta raises."""
_STARTS = {1: [1, 3, 6, 10, 15, 21, 28, 36, 45, 55], 2: [2, 5, 9, 14, 20, 27, 35, 44, 54]}
"""Starts of chunks of a batch that grow by one, from one instance or from two."""


def check_call(subject: Subject) -> Outcome:
    """Checks that it gives solutions at all; a wrong shape and what is not finite are for the checks that follow."""
    try:
        given = subject.answer(subject.theta.clone())
        z = subject.ask(subject.theta)
        further = subject.draw(_MORE * len(subject.theta))  # many, so that a rare refusal is told here, not by chance later
        for chunk in further.split(len(subject.theta) if subject.pace else len(further)):
            subject.answer(chunk)
    except RefusedError as error:
        if error.kind in ("shape", "values"):
            return Outcome("pass", _asked(subject), learned={"refused": error})
        text, example = subject.refusal(error)
        known = error.remedy or "; it must give" in error.reason  # as of a function of one instance
        hint = _takes_one(subject) or ("" if known else _where_it_works(subject, error.kind))
        return Outcome("fail", text + hint, example)
    return Outcome("pass", _asked(subject), learned={"given": given, "z": z})


def _asked(subject: Subject) -> str:
    count, text = len(subject.theta), f"theta from {subject.low:g} to {subject.high:g}"
    if count == subject.wanted:
        return f"{count} instances, {text}"
    reason = f"since one takes {1000 * subject.pace:.3g} ms" if subject.pace else "since they are large"
    return f"{count} instances in place of {subject.wanted}, {reason}; {text}"


def _where_it_works(subject: Subject, kind: str) -> str:
    """A hint if it is theta of one sign that it does not take, or none."""
    if kind in _SLIPS:
        return "; whatever theta is, so call the solver itself to see which line of it that is"
    if not subject.low < 0 < subject.high:
        return "; if that theta is outside its domain, give low and high, or a domain attribute"
    size = subject.high - subject.low
    for name, low, high in (("below 0", -size, -size / 100), ("above 0", size / 100, size)):
        if subject.accepts(subject.draw(8, low, high)):
            return f"; it takes theta {name}: if that is its domain, give low={low:g} and high={high:g}"
    return "; if that theta is outside its domain, give low and high, or a domain attribute"


def _takes_one(subject: Subject) -> str:
    """A hint if it is for one instance: it takes each of some, and few batches of two, if it may give arrays or lists."""
    if isinstance(subject.solver, BlackBox):
        return ""
    lenient, rows = BlackBox(subject.solver, repeats=False), subject.theta[:_SINGLE]
    if not all(subject.accepts(row[None], lenient) for row in rows):
        return _works_on_one(subject, rows)
    pairs = [subject.accepts(rows[first : first + 2][None], lenient) for first in range(0, len(rows), 2)]
    return f"; it takes one instance at a time: {_WRAP}" if 2 * sum(pairs) <= len(pairs) else ""


def _works_on_one(subject: Subject, rows: Tensor) -> str:
    """A hint if it raises for batches alone, and gives something for each of some instances, though no solution."""
    refusals = [_refused(subject, row) for row in rows]
    if any(refusal and refusal.kind not in _GIVEN for refusal in refusals):
        return ""
    reason = next((refusal.reason for refusal in refusals if refusal), "")
    what = f", for which it {reason}, so have it give a solution of shape {subject.shape}" if reason else ""
    return f"; it takes one instance at a time{what}: {_WRAP}"


def _refused(subject: Subject, row: Tensor) -> RefusedError | None:
    try:
        subject.answer(row.clone())
    except RefusedError as error:
        return error
    return None


def check_shape(subject: Subject) -> Outcome:
    """Checks that it keeps the shape."""
    if subject.refused is not None and subject.refused.kind == "shape":
        text, example = subject.refusal(subject.refused)
        return Outcome("fail", text + _takes_one(subject), example)
    return Outcome("pass", f"{tuple(subject.theta.shape)}")


def check_values(subject: Subject) -> Outcome:
    """Checks that the solutions are finite."""
    if subject.refused is not None:
        return Outcome("fail", *subject.refusal(subject.refused))
    z = subject.z
    binary = bool(((z == 0) | (z == 1)).all())
    return Outcome("pass", f"from {z.min():g} to {z.max():g}{', all 0 or 1' if binary else ''}")


def check_determinism(subject: Subject) -> Outcome:
    """Checks that it gives the same again, at once and after other instances, and leaves the source of noise alone."""
    again = subject.compared(subject.ask, "a second call gives others; take a fixed seed or tie rule inside it")
    if again.verdict != "pass":
        return again
    if subject.accepts(subject.ties):
        again = subject.compared(
            subject.ask, "on ties a second call gives others; take a fixed seed or tie rule inside it", theta=subject.ties
        )
        if again.verdict != "pass":
            return again

    def after_others(theta: Tensor) -> Tensor:
        subject.ask(subject.inside(subject.low + subject.high - theta))
        return subject.ask(theta)

    later = subject.compared(
        after_others, "after other instances it gives others: it keeps state from call to call, which it must not"
    )
    names = seeded(lambda: subject.ask(subject.theta[:2])) if later.verdict == "pass" else []
    if names:
        what = "noise is the same at each step" if "torch" in names else "what others draw repeats"
        text = f"it seeds the global generator of {' and '.join(names)}, so that {what}"
        return Outcome("warn", f"{text}; give it a generator of its own")
    return later


def check_type(subject: Subject) -> Outcome:
    """Checks that its type is theta's."""
    dtype = subject.given.dtype
    if dtype == subject.theta.dtype:
        return Outcome("pass", f"{dtype}")
    if dtype.is_floating_point:
        return Outcome("warn", f"gives {dtype} for {subject.theta.dtype}; imle() casts it, at a cost; use .to(theta)")
    return Outcome("warn", f"gives {dtype}; imle() casts it, but elsewhere it ends gradients; use .to(theta)")


def check_rows(subject: Subject) -> Outcome:
    """Checks that the solutions are the same one by one as in a batch."""

    def one_by_one(theta: Tensor) -> Tensor:
        return torch.cat([subject.ask(row[None]) for row in theta])

    try:
        alone = one_by_one(subject.theta)
    except RefusedError as error:
        text = f"in a batch of one instance it {error.reason}; it must take any number of instances"
        return Outcome("fail", text, {"theta": error.theta}, {"single": False})
    mixed = _mixed_up(subject.z, alone)
    outcome = subject.compared(
        one_by_one, mixed or "one by one it gives others than in a batch; look at what its instances share"
    )
    if outcome.verdict == "fail":
        hint = f"; if it is for one instance, {_WRAP}" if _same_without_batches(subject, alone) else ""
        detail = f"{outcome.detail}{hint}; from here on it is asked one by one"
        return outcome._replace(detail=detail, learned={"one_by_one": True, "z": alone}, spoils=True)
    return outcome


def _same_without_batches(subject: Subject, alone: Tensor) -> bool:
    try:
        z = subject.ask(subject.theta, BlackBox(subject.solver, repeats=False))
    except RefusedError:
        return False
    return not apart(z, alone).any()


def _mixed_up(z: Tensor, alone: Tensor) -> str:
    """Words for solutions that are right but in another order, or one for all; empty for others."""
    if torch.equal(z, alone):
        return ""
    kinds, counts = z.flatten(1).unique(dim=0, return_counts=True)
    right, right_counts = alone.flatten(1).unique(dim=0, return_counts=True)
    if torch.equal(kinds, right) and torch.equal(counts, right_counts):
        return "it mixes up the batch: it gives the same solutions one by one, but in another order; keep the rows in order"
    if len(kinds) == 1:
        return "all instances of a batch get one solution, one by one they get others; solve each row on its own"
    return ""


def check_mates(subject: Subject) -> Outcome:
    """Checks that the solutions are the same in other batches."""

    def between_copies(theta: Tensor) -> Tensor:
        return subject.ask(torch.stack([theta[:1].expand_as(theta), theta], dim=1).flatten(0, 1))[1::2]

    def in_growing_parts(theta: Tensor) -> Tensor:
        smallest = 1 if subject.single else 2
        batches = theta.tensor_split([start for start in _STARTS[smallest] if start <= len(theta) - smallest])
        return torch.cat([subject.ask(batch) for batch in batches])

    ways = {
        "in another order it gives others": lambda theta: subject.ask(theta.flip(0)).flip(0),
        "in batches of another size it gives others": in_growing_parts,
        "between copies of the first instance it gives others": between_copies,
    }
    for complaint, way in ways.items():
        outcome = subject.compared(way, f"{complaint}; an instance must not depend on its batch mates")
        if outcome.verdict != "pass" and not subject.single:
            return outcome._replace(spoils=True)  # nor are there solutions for one instance to go on with
        if outcome.verdict != "pass":
            detail = f"{outcome.detail}; from here on it is asked one by one"
            return outcome._replace(detail=detail, learned={"one_by_one": True})
    return Outcome("pass", f"in {len(ways)} other batches alike")


def check_layout(subject: Subject) -> Outcome:
    """Checks that it reads tensors that are not contiguous."""

    def spread(theta: Tensor) -> Tensor:
        return subject.solve(torch.stack([theta, -theta], dim=-1)[..., 0])

    if subject.one_by_one:
        return subject.compared(
            lambda theta: torch.cat([spread(row[None]) for row in theta]), "not contiguous, it gives others"
        )
    return subject.compared(
        spread, "for parameters that are not contiguous it gives others; read them through torch, or theta.contiguous()"
    )


def check_precision(subject: Subject) -> Outcome:
    """Checks that it takes other types, and the same numbers in them for the same."""
    for dtype, tolerance in ((torch.float64, ROUNDING), (torch.float16, 1e-2), (torch.bfloat16, 1e-1)):
        kind = str(dtype).removeprefix("torch.")

        def narrow(theta: Tensor, dtype: torch.dtype = dtype) -> Tensor:
            return subject.ask(theta.to(dtype))

        text = f"the same numbers in {kind} have other solutions"
        try:
            outcome = subject.compared(narrow, text, "warn", _rounded(subject, dtype), tolerance)
        except RefusedError as error:
            text = f"for {kind} it {error.reason}; use theta.float() inside"
            return Outcome("warn", text, {"theta": error.theta[:1].float()})
        if outcome.verdict != "pass":
            return outcome._replace(detail=f"{outcome.detail}; use theta.float() inside")
    return Outcome("pass", "float64, float16 and bfloat16, too")


def _rounded(subject: Subject, dtype: torch.dtype) -> Tensor:
    """The instances in numbers that a narrower type has, too, and none outside the domain."""
    rounded = subject.theta.to(dtype).float()
    middle = torch.tensor((subject.low + subject.high) / 2, dtype=dtype).float()
    return torch.where((rounded >= subject.low) & (rounded <= subject.high), rounded, middle)


def check_grad(subject: Subject) -> Outcome:
    """Checks that it takes a tensor that requires grad."""
    return subject.compared(
        lambda theta: subject.ask(theta.clone().requires_grad_()), "for a tensor that requires grad it gives others"
    )


def check_empty(subject: Subject) -> Outcome:
    """Checks that it takes a batch without instances."""
    try:
        z = subject.ask(subject.theta[:0])
    except RefusedError as error:
        return Outcome("warn", f"for no instances it {error.reason}; imle() then gives none, others may not")
    return Outcome("pass", f"no instances have shape {tuple(z.shape)}")
