"""Check of what a solver makes of padding, with which instances of several sizes come to it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from imle_core.contracts import declared
from imle_core.doctor.example import RefusedError
from imle_core.doctor.subject import Outcome, Subject, apart

_FEW = 16  # instances


def check_padding(subject: Subject) -> Outcome:
    """Checks that a row with an entry less, padded as ``layer.ragged`` pads it, has the row's solution.

    It is a warning that it has another, since nobody would notice. Nothing is wrong with a solver that takes one size, or
    refuses infinite parameters: its layer says so where it is used. A ``solve_ragged``, which layers call in place of the
    solver, must give what the solver does.
    """
    solve_ragged = declared(subject.solver, "solve_ragged")
    if solve_ragged is not None:
        try:
            return _told_sizes(subject, solve_ragged)
        except RefusedError as error:
            reason = f"its solve_ragged, which layer.ragged calls, {error.reason}; mend or remove it"
            return Outcome("fail", reason, {"theta": error.theta.detach()})
    if declared(subject.solver, "takes_padding") is False:
        return Outcome("pass", "layer.ragged gives it rows of one size at a time, as it says (takes_padding)")
    size, never = subject.shape[0], -torch.inf * subject.sign
    if size < 2:
        return Outcome("pass", "instances of one entry, from which none can be left out")
    rows = subject.theta[:_FEW, : size - 1]
    try:
        alone = subject.ask(rows)
    except RefusedError:
        return Outcome("pass", f"it takes {size} entries alone; in layer.ragged all instances must have as many")
    padding = torch.full_like(subject.theta[:_FEW, :1], never)
    remedy = "with takes_padding = False it gets rows of one size at a time"
    try:
        z = subject.ask(torch.cat([rows, padding], dim=1))
    except RefusedError as error:
        return Outcome("pass", f"padded with {never:g}, as by layer.ragged, it {error.reason}; {remedy}")
    differ = apart(z[:, :-1], alone)
    if differ.any():
        first = int(differ.nonzero()[0])
        example = {"theta": rows[first, None], "z": alone[first, None], "other": z[first, None, :-1]}
        count = f"{int(differ.sum())} of {len(rows)} instances differ"
        return Outcome("warn", f"padded with {never:g}, as by layer.ragged, it gives others ({count}); {remedy}", example)
    if z[:, -1].any():
        return Outcome("pass", f"padded with {never:g}, as by layer.ragged, the same; what it gives for padding is left out")
    return Outcome("pass", f"padded with {never:g}, as by layer.ragged, the same, and no padding is chosen")


def _told_sizes(subject: Subject, solve_ragged: Callable[..., Any]) -> Outcome:
    """Outcome of telling it sizes: of rows as they are, and of rows of which every second has an entry less."""
    size, never = subject.shape[0], -torch.inf * subject.sign
    complaint = "its solve_ragged gives others, which layer.ragged calls in place of it; mend or remove it"

    def whole(theta: Tensor) -> Tensor:
        return subject.ask(theta, lambda rows: solve_ragged(rows, [size] * len(rows)))

    outcome = subject.compared(whole, complaint)
    passed = Outcome("pass", "layer.ragged tells it the sizes of its rows")
    if outcome.verdict != "pass" or size < 2 or subject.one_by_one:
        return passed if outcome.verdict == "pass" else outcome
    theta = subject.theta[:_FEW].clone()
    try:
        alone = subject.ask(theta[1::2, : size - 1])
        z = subject.ask(theta)
    except RefusedError:
        return passed  # it takes one size, or one number of rows
    theta[1::2, size - 1 :], z[1::2, : size - 1] = never, alone
    sizes = [size - row % 2 for row in range(len(theta))]
    given = subject.ask(theta, lambda rows: solve_ragged(rows, sizes))
    given[1::2, size - 1 :] = z[1::2, size - 1 :] = 0.0  # padding, which is left out
    differ = apart(given, z)
    if not differ.any():
        return passed
    first = int(differ.nonzero()[0])
    example = {"theta": theta[first, None], "z": z[first, None], "other": given[first, None]}
    return Outcome("fail", f"{complaint} ({int(differ.sum())} of {len(theta)} instances of two sizes differ)", example)
