"""Check of what a solver makes of padding, with which instances of several sizes come to it."""

import torch

from imle_core.contracts import declared
from imle_core.doctor.example import RefusedError
from imle_core.doctor.subject import Outcome, Subject, apart

_FEW = 16  # instances


def check_padding(subject: Subject) -> Outcome:
    """Checks that a row with an entry less, padded as ``layer.ragged`` pads it, has the row's solution.

    It is a warning that it has another, since nobody would notice. Nothing is wrong with a solver that takes one size, or
    refuses infinite parameters: its layer says so where it is used.
    """
    if declared(subject.solver, "solve_ragged") is not None:
        return Outcome("pass", "layer.ragged tells it the sizes of its rows")
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
