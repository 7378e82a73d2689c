"""What a comparison of estimators amounts to, in a sentence."""

import math
from collections.abc import Sequence

from imle_core.alternatives import ESTIMATORS
from imle_core.lab import Cell

_TOLD_BIAS = 0.02  # above the least
_NOISIEST, _LEAST_ERROR = 30.0, 0.01


def named(cell: Cell) -> str:
    """An estimator with its settings."""
    step = "" if cell.lambda_ is None else f" with lambda {cell.lambda_:g}"
    return f"{cell.estimator}{step} at temperature {cell.temperature:g}"


def advice(best: Sequence[Cell], lambdas: Sequence[float], temperatures: Sequence[float]) -> str:
    """Which estimator to take, what is given up, and whether a better setting may lie outside what was tried.

    Args:
        best: the best cell of each estimator, the best of all first; at least one.
        lambdas: those that were tried, rising.
        temperatures: likewise.
    """
    first = best[0]
    if math.isinf(first.cost):
        return "Take none: no gradient makes progress along the true one here; try other temperatures, or more --samples."
    error = f"an error of {first.accuracy.error:.2g}" if first.accuracy.error else "no error at all,"
    calls = f"{first.calls:g} call{'' if first.calls == 1 else 's'} a step"
    text = f"Take {named(first)}: it has the smallest error times solver calls here, {error} with {calls}. Given up: "
    text += f"{'; '.join(_given_up(best)) or 'nothing that was measured'}."
    for option, value, tried in (("--temps", first.temperature, temperatures), ("--lambdas", first.lambda_, lambdas)):
        if value is not None and len(tried) > 1 and value in (tried[0], tried[-1]):
            end = "smallest" if value == tried[0] else "largest"
            text += f" That is the {end} of {option}: {'smaller' if end == 'smallest' else 'larger'} ones may be better."
    return text


def _given_up(best: Sequence[Cell]) -> list[str]:
    first, found = best[0], []
    entry = ESTIMATORS[first.estimator]
    # With far more noise than that, a small bias has not been seen.
    seen = [cell for cell in best if cell.accuracy.error <= _NOISIEST * max(first.accuracy.error, _LEAST_ERROR)]
    straight = min(seen, key=lambda cell: cell.accuracy.bias)
    if not entry.scaled:
        found.append("the gradient's size, for which the step size must make up")
    elif first.accuracy.bias > straight.accuracy.bias + _TOLD_BIAS:
        found.append(
            f"a bias of {first.accuracy.bias:.0%} of the gradient, where {named(straight)} has {straight.accuracy.bias:.0%}"
            f"{_dearer(straight, first)}"
        )
    cheap = min(best, key=lambda cell: (cell.calls, cell.cost))
    if cheap.calls < first.calls:
        found.append(f"{first.calls:g} calls a step, where {cheap.estimator} makes {cheap.calls:g}")
    if entry.exact:
        found.append(f"other problems, since it needs exact marginals{_instead(best, exact=True)}")
    if entry.needs == "loss values":
        found.append(f"a layer among others, since it needs the loss itself{_instead(best, exact=False)}")
    return found


def _instead(best: Sequence[Cell], exact: bool) -> str:
    """The best estimator that needs no exact marginals, or else no values of the loss."""
    for cell in best:
        entry = ESTIMATORS[cell.estimator]
        if not (entry.exact if exact else entry.needs == "loss values"):
            return f", without which {named(cell)} is the best{_dearer(cell, best[0])}"
    return ""


def _dearer(cell: Cell, first: Cell) -> str:
    ratio = cell.cost / first.cost if first.cost else math.inf
    return f", with {ratio:.2g} times the error at equal calls" if math.isfinite(ratio) else ""
