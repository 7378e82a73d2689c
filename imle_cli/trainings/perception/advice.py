"""Advice on a training on images: what went wrong, as far as its numbers tell, and what to do about it."""

from typing import Any

import numpy as np

from imle_cli.options.learning import PerceptionOptions
from imle_cli.runs.perception import Views
from imle_core.estimators import ESTIMATORS

_MOST_ZEROS, _SOLVED = 0.9, 0.9  # shares: of gradients, beyond which lambda is too small; of maps, when all is well
_COLLAPSED = 1e-2


def advice(summary: dict[str, Any], learning: PerceptionOptions, views: Views) -> list[str]:
    """Lines about known traps that this training has met; none if it has met none.

    Args:
        summary: of the run, with a row for each epoch.
        learning: its options.
        views: costs that the network predicted on the way.
    """
    lines: list[str] = []
    rows, costs = summary["epochs"], views.costs[-1]
    if learning.estimator not in ESTIMATORS:
        return lines
    entry, zeros = ESTIMATORS[learning.estimator], rows[-1]["zero_gradients"]
    if zeros > _MOST_ZEROS and rows[-1]["optimal"] < _SOLVED:
        cause = "raise --beta or --input-temp"
        if entry.adaptive:
            cause = "it grows a little in each step; train for more --epochs"
        elif learning.loss_reduction == "mean":
            cause = "--loss-reduction mean divides it by the batch; use sum"
        lines.append(f"note: {zeros:.0%} of the maps had a gradient of 0: lambda moves no path; {cause}")
    if learning.loss == "hamming" and entry.usual_loss == "squared":
        lines.append(
            f"note: {learning.estimator} hands the loss gradient on, which the linear Hamming loss has the same for every "
            "path; use --loss squared"
        )
    on_gold = costs[views.gold > 0]
    if entry.uses_step and learning.alpha > 0 and learning.beta > on_gold.max():
        lines.append(
            f"note: lambda {learning.beta:g} is above every predicted cost on the gold paths (at most {on_gold.max():.3g}): "
            "the target is the gold path itself, as in the Fenchel-Young loss; lower --beta for a local target"
        )
    if np.median(costs) < _COLLAPSED:
        lines.append(
            f"note: predicted costs have shrunk to {np.median(costs):.2g} in the median, which no path forbids; noise keeps "
            "them apart: raise --input-temp"
        )
    return lines
