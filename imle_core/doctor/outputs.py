"""Check of what a solver gives beside its solutions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from imle_core.contracts import Outputs, kind_of, raised, with_others
from imle_core.doctor.example import Example
from imle_core.doctor.subject import Outcome, Subject

_SHOWN = 4


def check_outputs(subject: Subject) -> Outcome:
    """Checks that it gives solutions alone, or each time as many further outputs, of which a layer can give copies."""
    few = subject.theta[: 1 if subject.single else 2]
    answers = [(theta, subject.asked(theta.clone())) for theta in (subject.theta, few, subject.theta)]
    theta, (z, outputs) = answers[0]
    example: Example = {"theta": few, "z": z[: len(few)].detach().float().cpu().clone()}
    for again, (_, others) in answers[1:]:
        if _count(others) != _count(outputs):
            text = f"for {len(theta)} instances it gives {_said(outputs)}, for {len(again)} {_said(others)}"
            return Outcome("fail", f"{text}; whoever unpacks them needs as many each time", example)
    if outputs is None:
        return Outcome("pass", "solutions alone")
    try:
        with_others(z, outputs)
    except Exception as error:
        what = f"it gives {_said(outputs)}, and a copy of them, which a layer makes, {raised(error)}"
        return Outcome("fail", f"{what}; give tensors, arrays or lists", example)
    text = f"{_said(outputs)}, which imle() gives after its states, copied and without a gradient"
    return Outcome("pass", f"{text}{_by_rows(outputs, len(theta))}")


def _count(outputs: Outputs | None) -> int:
    return -1 if outputs is None else len(outputs) - 1


def _said(outputs: Outputs | None) -> str:
    if outputs is None:
        return "solutions alone"
    others: Sequence[Any] = outputs[1:]
    if not others:
        return f"a {type(outputs).__name__} of solutions alone"
    kinds = ", ".join([*map(kind_of, others[:_SHOWN]), *(["..."] if len(others) > _SHOWN else [])])
    return f"{len(others)} further output{'s' if len(others) > 1 else ''} ({kinds})"


def _by_rows(outputs: Outputs, rows: int) -> str:
    """Words for which of them have an entry for each row."""
    fit = [number for number, value in enumerate(outputs) if number and _length(value) == rows]
    if not fit or rows == 1:
        return ""
    return f"; with one entry a row: {', '.join(f'number {number}' for number in fit)}"


def _length(value: Any) -> int | None:
    if isinstance(value, Tensor | np.ndarray):
        return len(value) if value.ndim else None
    return len(value) if isinstance(value, list | tuple) else None
