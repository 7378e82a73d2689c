"""Losses that learn from true parameters t, through solutions of theta and t mixed.

Parameters are maximised. Of costs ``c`` with predictions ``p`` give ``theta = -p`` and ``t = -c``.
"""

import torch
from torch import Tensor

from imle_core.losses.solutions import product


def spo_plus(theta: Tensor, truth: Tensor, gold: Tensor, z: Tensor) -> Tensor:
    """``<2 theta - t, z - y>`` with ``z = MAP(2 theta - t)``: a convex bound of the regret.

    Its gradient in theta is ``2 (z - y)``; it is 0 where theta = t.

    Args:
        theta: predicted parameters, ``(B, *event)``.
        truth: true parameters t, likewise.
        gold: their solutions y, likewise.
        z: solutions of ``2 theta - t``, likewise; held fixed.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Elmachtoub and Grigas 2022, "Smart 'Predict, then Optimize'", definition 3.
    """
    return (torch.sub(truth, theta, alpha=2) * (gold - z.detach())).flatten(1).sum(dim=1)


def perturbation_gradient(ahead: Tensor, z_ahead: Tensor, behind: Tensor, z_behind: Tensor, step: float) -> Tensor:
    """``(<behind, z_behind> - <ahead, z_ahead>) / h``: a difference quotient of the best objective along true parameters.

    With ``ahead = theta``, ``behind = theta - sigma t`` and ``h = sigma`` it looks back; with ``ahead = theta + sigma t``
    and ``h = 2 sigma`` to both sides. Its value estimates ``-<t, MAP(theta)>``, minus the true objective of the decision,
    and its gradient is ``(z_behind - z_ahead) / h``.

    Args:
        ahead: parameters, ``(B, *event)``, a function of theta.
        z_ahead: their solutions, likewise; held fixed.
        behind: parameters on the other side, likewise.
        z_behind: their solutions, likewise; held fixed.
        step: distance h between both sides, > 0.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Gupta and Huang 2024, "Decision-focused learning with directional gradients".
    """
    sides = product(behind, z_behind.detach()) - product(ahead, z_ahead.detach())
    return sides.flatten(1).sum(dim=1) / step
