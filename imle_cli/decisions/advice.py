"""Advice on a training on decisions: what went wrong, as far as its numbers tell, and what to do about it."""

from typing import Any

from imle_cli.options.deciding import DecisionOptions
from imle_core.decisions import LEARNERS, Decisions, usual_loss

_MOST_ZEROS = 0.9  # share of gradients, beyond which lambda is too small
_SMALL, _LARGE = 0.02, 50.0  # sizes of costs that settings for costs of size 1 do not suit


def advice(summary: dict[str, Any], learning: DecisionOptions, train: Decisions) -> list[str]:
    """Lines about known traps that this training has met; none if it has met none.

    Args:
        summary: of the run, with a row for each epoch.
        learning: its options.
        train: what it learned from.
    """
    name, size = learning.estimator, float(train.costs.abs().double().mean())
    if name not in LEARNERS:
        return []
    lines = []
    regret, least = summary["regret"], summary["baselines"]["least-squares"]
    if not _SMALL <= size <= _LARGE and regret > least:
        lines.append(
            f"note: costs are of size {size:.3g}; --lr, --input-temp and --beta are in their units: divide costs by that, "
            "or choose others"
        )
    zeros = summary["epochs"][-1]["zero_gradients"]
    if usual_loss(name) is not None and zeros > _MOST_ZEROS and regret > least:
        cause = "raise --beta or --input-temp"
        if learning.loss_reduction == "mean":
            cause = "--loss-reduction mean divides it by the batch; use sum"
        lines.append(f"note: {zeros:.0%} of the instances had a gradient of 0: lambda moves no decision; {cause}")
    return lines
