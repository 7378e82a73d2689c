"""What a comparison of estimators amounts to, in a sentence."""

from collections.abc import Sequence

from imle_core.alternatives import ESTIMATORS
from imle_core.lab import Cell

_TOLD_BIAS = 0.02  # above the least
_NOISIEST, _LEAST_ERROR = 30.0, 0.01
_UNSCALED = ("straight-through", "identity")


def named(cell: Cell) -> str:
    """An estimator with its settings."""
    step = "" if cell.lambda_ is None else f" with lambda {cell.lambda_:g}"
    return f"{cell.estimator}{step} at temperature {cell.temperature:g}"


def advice(best: Sequence[Cell]) -> str:
    """Which estimator to take, and what is given up.

    Args:
        best: the best cell of each estimator, the best of all first; at least one.
    """
    first, given_up = best[0], "; ".join(_given_up(best)) or "nothing that was measured"
    return (
        f"Take {named(first)}: it has the smallest error per solver call here, {first.accuracy.error:.2g} with "
        f"{first.calls:g} call{'' if first.calls == 1 else 's'} a step. Given up: {given_up}."
    )


def _given_up(best: Sequence[Cell]) -> list[str]:
    first, found = best[0], []
    if first.estimator in _UNSCALED:
        found.append("the gradient's size, for which the step size must make up")
    # With far more noise than that, a small bias has not been seen.
    seen = [cell for cell in best if cell.accuracy.error <= _NOISIEST * max(first.accuracy.error, _LEAST_ERROR)]
    straight = min(seen, key=lambda cell: cell.accuracy.bias)
    if first.estimator not in _UNSCALED and first.accuracy.bias > straight.accuracy.bias + _TOLD_BIAS:
        found.append(
            f"a bias of {first.accuracy.bias:.0%} of the gradient, where {named(straight)} has {straight.accuracy.bias:.0%} "
            f"and {straight.cost / first.cost:.2g} times the error"
        )
    cheap = min(best, key=lambda cell: (cell.calls, cell.cost))
    if cheap.calls < first.calls:
        found.append(f"{first.calls:g} calls a step, where {cheap.estimator} makes {cheap.calls:g}")
    if ESTIMATORS[first.estimator].exact:
        found.append(f"other problems, since it needs exact marginals{_instead(best, exact=True)}")
    if ESTIMATORS[first.estimator].needs == "loss values":
        found.append(f"a layer among others, since it needs the loss itself{_instead(best, exact=False)}")
    return found


def _instead(best: Sequence[Cell], exact: bool) -> str:
    """The best estimator that needs no exact marginals, or else no values of the loss."""
    for cell in best:
        entry = ESTIMATORS[cell.estimator]
        if not (entry.exact if exact else entry.needs == "loss values"):
            return f", without which {named(cell)} is the best with {cell.cost / best[0].cost:.2g} times the error"
    return ""
