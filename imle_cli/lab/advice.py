"""The gist of a comparison of estimators, in a sentence."""

import math
from collections.abc import Sequence

from imle_cli.lab.told import told, told_share
from imle_core.estimators import ESTIMATORS
from imle_core.lab import Cell, ratio

_TOLD_BIAS = 0.02  # above the least
_NAMED = 4  # of estimators that are alike


def named(cell: Cell) -> str:
    """An estimator with its settings."""
    step = "" if cell.lambda_ is None else f" with lambda {cell.lambda_:g}"
    return f"{cell.estimator}{step} at temperature {cell.temperature:g}"


def advice(best: Sequence[Cell], alike: Sequence[str], options: dict[str, str]) -> str:
    """The estimator to take, what is given up, and whether a better setting may lie outside what was tried.

    Args:
        best: the best cell of each estimator, the best of all first; at least one.
        alike: names of those that are not told apart from the first.
        options: what axes of the grid are called, by the names in ``Cell.edges``.
    """
    first = best[0]
    if math.isinf(first.cost):
        return "Take none: no gradient makes progress along the true one here; try other temperatures, or more --samples."
    known = told(first.accuracy.error)
    error = f"an error {known if known[0] in '<>' else f'of {known}'}" if first.accuracy.error else "no error at all,"
    calls = f"{first.calls:g} call{'' if first.calls == 1 else 's'} a step"
    smallest = f"the smallest error times solver calls here, {error} with {calls}."
    text = f"Take {named(first)}: it has {smallest}"
    if alike:
        names, instances = [first.estimator, *alike], len(first.by_instance)
        shown = names if len(names) <= _NAMED else [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} others"]
        count = f"{instances} instances" if instances > 1 else f"{first.repetitions} repetitions"
        text = f"Take {', '.join(shown[:-1])} or {shown[-1]}: not told apart by {count}. {named(first)} has {smallest}"
    text += f" Given up: {'; '.join(_given_up(best)) or 'nothing that was measured'}."
    return text + "".join(
        f" That is at the edge of {options[name]}: others beyond it may be better." for name in first.edges
    )


def _given_up(best: Sequence[Cell]) -> list[str]:
    first, losses = best[0], []
    entry, bias = ESTIMATORS[first.estimator], first.accuracy.bias
    straight = min(best, key=lambda cell: cell.accuracy.bias.high)
    if not entry.scaled:
        losses.append("the gradient's size, for which the step size must make up")
    elif bias.low > straight.accuracy.bias.high + _TOLD_BIAS:
        losses.append(
            f"a bias of {told_share(bias)} of the gradient, where {named(straight)} has "
            f"{told_share(straight.accuracy.bias)}{_dearer(straight, first)}"
        )
    cheap = min(best, key=lambda cell: (cell.calls, cell.cost))
    if cheap.calls < first.calls:
        losses.append(f"{first.calls:g} calls a step, where {cheap.estimator} makes {cheap.calls:g}")
    if entry.exact:
        losses.append(f"other problems, since it needs exact marginals{_instead(best, exact=True)}")
    if entry.needs == "loss values":
        losses.append(f"a layer among others, since it needs the loss itself{_instead(best, exact=False)}")
    return losses


def _instead(best: Sequence[Cell], exact: bool) -> str:
    """The best estimator that needs no exact marginals, or else no values of the loss."""
    for cell in best:
        entry = ESTIMATORS[cell.estimator]
        if not (entry.exact if exact else entry.needs == "loss values"):
            return f", without which {named(cell)} is the best{_dearer(cell, best[0])}"
    return ""


def _dearer(cell: Cell, first: Cell) -> str:
    """Errors at equal calls; nothing where there are none to compare."""
    if not first.accuracy.error or math.isinf(cell.cost):
        return ""
    times = ratio(cell.accuracy.error, first.accuracy.error)
    return f", with {told(times, cell.calls / first.calls)} times the error at equal calls"
