"""Numbers in exact families: reading theta, a stand-in for -inf, choices at random."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import ArgumentError, is_whole, wrong_shape

Shape: TypeAlias = int | Sequence[int]

NEVER = -1e300
"""Stands for -inf inside recursions: a difference of infinities is NaN, and so is every gradient through one."""

_LARGEST = 1e250


def event_shape(event: Shape) -> tuple[int, ...]:
    """An event as a tuple of sizes; a number is a vector of that length.

    Raises:
        ArgumentError: no axes, or a size that is no whole number >= 1.
    """
    sizes = (event,) if isinstance(event, (int, np.integer)) else tuple(event)
    if not sizes or not all(is_whole(size, 1) for size in sizes):
        raise ArgumentError("event", repr(event), "sizes must be whole numbers >= 1", "give the shape of one instance")
    return tuple(int(size) for size in sizes)


def wide_parameters(theta: Tensor, event: tuple[int, ...], what: str) -> Tensor:
    """Theta in float64 with :data:`NEVER` for -inf, which then gets gradient 0.

    Args:
        theta: parameters, ``(N, *event)``.
        event: shape of an instance.
        what: the family, for an error.

    Raises:
        ArgumentError: another shape, NaN, +inf, or finite entries of which sums might overflow.
    """
    if theta.dim() != len(event) + 1 or theta.shape[1:] != event:
        raise wrong_shape(
            "theta", theta, f"{what} needs (N, {', '.join(map(str, event))})", "use theta.unsqueeze(0) for one instance"
        )
    wide = theta.to(torch.float64)
    seen = wide.detach()
    if not (seen < torch.inf).all():
        nan, infinite = int(seen.isnan().sum()), int(seen.isposinf().sum())
        raise ArgumentError("theta", f"{nan} NaN and {infinite} inf", "parameters must be finite", "use -inf for never")
    closed = seen.isneginf()
    if (huge := seen[(seen.abs() > _LARGEST) & ~closed]).numel():
        raise ArgumentError(
            "theta",
            f"{float(huge[0]):g}",
            "sums over entries must stay finite",
            f"keep entries within {_LARGEST:g}, or use -inf for never",
        )
    return wide.masked_fill(closed, NEVER) if closed.any() else wide


def log_sum_exp(scores: Tensor, dim: int) -> Tensor:
    """``log sum exp`` along a dimension, of which the gradient is a softmax that sums to 1 however large the scores are.

    That of ``torch.logsumexp``, ``exp(scores - result)``, is as wrong as the result is rounded; errors of all steps of a
    recursion would multiply.
    """
    best = scores.detach().amax(dim=dim, keepdim=True)
    return (scores - best).exp().sum(dim=dim).log() + best.squeeze(dim)


def choose(scores: Tensor, generator: torch.Generator | None) -> Tensor:
    """Indices ``(...)`` drawn with probability ``softmax(scores)`` along the last axis, by Gumbel's maximum."""
    # Differences to the best stay exact where scores are so large that they would swallow the noise.
    best = scores.amax(dim=-1, keepdim=True)
    return (scores - best).add_(gumbel(scores, generator)).argmax(dim=-1)


def gumbel(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard Gumbel noise, finite, in the shape of a tensor."""
    waits = torch.empty_like(like, memory_format=torch.contiguous_format).exponential_(generator=generator)
    return waits.clamp_(min=torch.finfo(like.dtype).tiny).log_().neg_()


def flips(odds: Tensor, generator: torch.Generator | None) -> Tensor:
    """Independent events, True for those that happen; ``odds`` are the logarithms of their odds."""
    return torch.empty_like(odds).uniform_(generator=generator) < odds.sigmoid()
