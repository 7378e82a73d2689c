"""Losses over a pool of solutions, which need no solver: gold solutions against the others, or orders of all.

Parameters are maximised. A pool is ``(K, *event)``, the same for all instances.
"""

import torch
from torch import Tensor

_LEAST = 1e-8
"""Least probability that a true order gives a solution, as the source's authors have it."""


def contrastive(theta: Tensor, gold: Tensor, pool: Tensor) -> Tensor:
    """``mean_g <theta, g - y>`` over the pool: noise-contrastive estimation. Its gradient ``mean_g g - y`` is constant.

    Theta grows without bound, so that only its direction means something.

    Args:
        theta: parameters, ``(B, *event)``.
        gold: gold solutions y, likewise.
        pool: solutions g, ``(K, *event)``, the gold ones among them or not.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Mulamba et al. 2021 (arXiv 2011.05354), equation 8.
    """
    return _gains(theta, gold, pool).mean(dim=1)


def contrastive_map(theta: Tensor, gold: Tensor, pool: Tensor) -> Tensor:
    """``max_g <theta, g - y>`` over the pool; it is >= 0 where y is in the pool. Its gradient is ``g* - y``.

    Args:
        theta: parameters, ``(B, *event)``.
        gold: gold solutions y, likewise.
        pool: solutions g, ``(K, *event)``.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Mulamba et al. 2021 (arXiv 2011.05354), equation 11.
    """
    return _gains(theta, gold, pool).amax(dim=1)


def rank_list(theta: Tensor, truth: Tensor, pool: Tensor) -> Tensor:
    """``-sum_g P_t(g) log P_theta(g)`` with ``P_x(g) = softmax_g <x, g>``: cross-entropy of the orders of a pool.

    Args:
        theta: parameters, ``(B, *event)``.
        truth: true parameters t, likewise.
        pool: solutions g, ``(K, *event)``.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Mandi et al. 2022 (arXiv 2112.03609), section 4.3.
    """
    wanted = _objectives(truth, pool).softmax(dim=1).clamp(min=_LEAST)
    return -(wanted * _objectives(theta, pool).log_softmax(dim=1)).sum(dim=1)


def rank_pair(theta: Tensor, truth: Tensor, pool: Tensor) -> Tensor:
    """``sum_g max(0, <theta, g - b>) / (K - 1)``, where b is the best of the pool in truth: hinges without a margin.

    Args:
        theta: parameters, ``(B, *event)``.
        truth: true parameters t, likewise.
        pool: solutions g, ``(K, *event)``.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Mandi et al. 2022 (arXiv 2112.03609), section 4.2.
    """
    scores = _objectives(theta, pool)
    best = scores.gather(1, _objectives(truth, pool).argmax(dim=1, keepdim=True))
    return torch.relu(scores - best).sum(dim=1) / max(len(pool) - 1, 1)


def rank_point(theta: Tensor, truth: Tensor, pool: Tensor) -> Tensor:
    """``mean_g <t - theta, g>^2``: a regression of the objectives of a pool.

    Args:
        theta: parameters, ``(B, *event)``.
        truth: true parameters t, likewise.
        pool: solutions g, ``(K, *event)``.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Mandi et al. 2022 (arXiv 2112.03609), section 4.1.
    """
    return _objectives(truth - theta, pool).square().mean(dim=1)


def _objectives(theta: Tensor, pool: Tensor) -> Tensor:
    """``<theta_b, g_k>``, ``(B, K)``."""
    return theta.flatten(1) @ pool.to(theta).flatten(1).T


def _gains(theta: Tensor, gold: Tensor, pool: Tensor) -> Tensor:
    """``<theta_b, g_k - y_b>``, ``(B, K)``."""
    own = (theta * gold).flatten(1).sum(dim=1, keepdim=True)
    return _objectives(theta, pool) - own
