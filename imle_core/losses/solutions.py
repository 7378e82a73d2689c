"""Losses between solutions and gold solutions."""

import torch
from torch import Tensor

from imle_core.checks import are_hidden, sum_is_finite, wrong_shape


def hamming(z: Tensor, gold: Tensor) -> Tensor:
    """``sum_i z_i (1 - y_i) + (1 - z_i) y_i``: for 0/1 solutions the number of entries that differ.

    Linear in z, so that its gradient is ``1 - 2 y`` for any z. Sum the result over rows before ``backward()``: a mean over
    rows would divide the estimator's step lambda by their number.

    Args:
        z: solutions, ``(N, *event)``.
        gold: gold solutions y, ``(*event)`` or ``(N, *event)``.

    Returns:
        One loss for each row, ``(N,)``.

    Raises:
        ArgumentError: gold solutions of another shape.

    >>> import torch
    >>> hamming(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([1.0, 1.0, 0.0]))
    tensor([2.])
    """
    gold = checked_gold(z, gold)
    return (gold + z * (1 - 2 * gold)).flatten(1).sum(dim=1)


def fenchel_young(perturbed: Tensor, z: Tensor, theta: Tensor, gold: Tensor) -> Tensor:
    """``mean_s <theta + tau eps_s, z_s> - <theta, y>`` with ``z_s = MAP(theta + tau eps_s)``.

    The perturbed Fenchel-Young loss. It estimates ``E[max_z <theta + tau eps, z>] - <theta, y>``, which is convex in theta.
    Its gradient is ``mean_s z_s - y`` (Danskin: a maximiser may be held fixed). Infinite entries of theta, which stay out
    of every solution or in all of them, count as 0.

    Args:
        perturbed: ``theta + tau eps_s``, ``(B, S, *event)``; gradients flow to theta through it.
        z: their solutions ``z_s``, ``(B, S, *event)``; held fixed.
        theta: parameters, ``(B, *event)``.
        gold: gold solutions y, ``(*event)`` or ``(B, *event)``.

    Returns:
        One loss for each instance, ``(B,)``.

    Raises:
        ArgumentError: gold solutions of another shape.

    Source: Berthet et al. 2020 (arXiv 2002.08676), section 4; Blondel, Martins, Niculae 2020.

    >>> import torch
    >>> theta, z = torch.tensor([[2.0, 1.0]]), torch.tensor([[[1.0, 0.0]]])
    >>> fenchel_young(theta[:, None], z, theta, torch.tensor([0.0, 1.0]))
    tensor([1.])
    """
    gold = checked_gold(theta, gold)
    best = product(perturbed, z.detach()).flatten(2).sum(dim=2).mean(dim=1)
    return best - product(theta, gold).flatten(1).sum(dim=1)


def checked_gold(rows: Tensor, gold: Tensor) -> Tensor:
    """Gold solutions, one for each row or one for all, since torch might compare others all with all."""
    event = rows.shape[1:]
    if gold.shape not in (event, rows.shape, (1, *event)):
        raise wrong_shape(
            "gold",
            gold,
            "it must be (*event) or (N, *event)",
            "of B golds for S samples each take gold.repeat_interleave(S, dim=0)",
            f" for solutions of shape {tuple(rows.shape)}",
        )
    if not torch.compiler.is_compiling() and gold.is_inference():
        return gold.clone()  # autograd saves none of inference mode
    return gold


def product(theta: Tensor, z: Tensor) -> Tensor:
    """``theta * z``, where infinite entries of theta count as 0."""
    return finite(theta) * z


def finite(theta: Tensor) -> Tensor:
    """Theta with 0 in place of its infinite entries; itself if it has none."""
    if not are_hidden() and sum_is_finite(theta.detach()):
        return theta
    return torch.where(theta.isinf(), 0.0, theta)
