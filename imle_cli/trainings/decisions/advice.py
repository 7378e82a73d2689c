"""Advice on a training on decisions: what went wrong, as far as its numbers tell, and what to do about it."""

from typing import Any

from imle_cli.options.deciding import DecisionOptions
from imle_core.decisions import LEARNERS, Decisions, usual_loss

_MOST_ZEROS = 0.9  # share of gradients, beyond which lambda is too small
_MEAN_STEP = 0.5  # of the largest, on a cosine


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
    steps = learning.epochs * -(-len(train) // (learning.batch * summary["processes"]))
    reach = learning.lr * steps * (_MEAN_STEP if learning.schedule == "cosine" else 1.0)
    if reach < size and regret > least:
        lines.append(
            f"note: {steps} steps of at most {learning.lr:g} take a weight no further than {reach:.2g}, and costs are of "
            f"size {size:.3g}; raise --lr or --epochs"
        )
    zeros = summary["epochs"][-1]["zero_gradients"]
    if usual_loss(name) is not None and zeros > _MOST_ZEROS and regret > least:
        cause = "raise --beta or --input-temp"
        if learning.loss_reduction == "mean":
            cause = "--loss-reduction mean divides it by the batch; use sum"
        lines.append(f"note: {zeros:.0%} of the instances had a gradient of 0: lambda moves no decision; {cause}")
    return lines
