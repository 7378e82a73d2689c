"""Ranks of scores, and the best of several."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_numbers, wrong_shape
from imle_core.solvers.binding import normals_at, sums_along
from imle_core.solvers.rows import numbers


class Ranking:
    """``argmax_z <z, theta>`` over the orders of ``1, ..., n`` along the last axis: the largest score gets rank n.

    z is a vertex of the permutahedron. Of equal scores the earlier gets the larger rank, as :class:`TopK` takes it first.
    Any theta will do, infinite ones included. ``O(n log n)`` operations a row of scores, on theta's device.

    Raises:
        ArgumentError: when called, NaN, parameters without an axis to rank, or more scores than theta's type counts exactly.

    >>> Ranking()(torch.tensor([[0.5, 3.0, 0.5, -1.0]]))
    tensor([[3., 4., 2., 1.]])
    """

    pure, sense, takes_padding = True, "max", False

    def __repr__(self) -> str:
        return "Ranking()"

    def __call__(self, theta: Tensor) -> Tensor:
        """Ranks ``(N, *event)`` of scores ``(N, *event)``, in theta's type."""
        scores = numbers(theta)
        if scores.dim() < 2:
            raise wrong_shape("theta", theta, "a ranking needs (N, *event)", "its last axis is ranked")
        _check_numbers(scores, "a ranking")
        count, largest = scores.shape[-1], _counts_to(theta.dtype)
        if count > largest:
            raise ArgumentError(
                "theta", f"{count} scores in {theta.dtype}", f"it counts exactly to {largest}", "use theta.float()"
            )
        order = scores.add(0.0).argsort(dim=-1, descending=True, stable=True)  # adding 0.0 makes -0.0 the 0.0 that it equals
        ranks = torch.arange(count, 0, -1, dtype=scores.dtype, device=scores.device).expand_as(scores)
        ranked = torch.empty_like(ranks, memory_format=torch.contiguous_format).scatter_(-1, order, ranks)
        return ranked.to(theta.dtype)


class ArgMax:
    """``argmax_z <z, theta>`` over z with exactly one 1 along the last axis: a product of categorical choices.

    Of equal scores the first is taken. With Gumbel noise, perturb-and-MAP samples ``softmax(theta / tau)`` along that axis.
    Any theta will do, as long as not all scores of a choice are -inf.

    Raises:
        ArgumentError: when called, NaN, parameters without an axis to choose along, or a choice of which all scores are
            -inf.

    >>> ArgMax()(torch.tensor([[[1.0, 2.0], [3.0, 3.0]]]))
    tensor([[[0., 1.],
             [1., 0.]]])
    """

    pure, sense, takes_padding = True, "max", False

    def __repr__(self) -> str:
        return "ArgMax()"

    def typical_ones(self, event: Sequence[int]) -> float:
        """Number of choices of an instance: the size of all axes but the last."""
        return math.prod(event[:-1])

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at masks ``(B, *event)``, as :class:`imle_core.contracts.BindingSolver` says: sums of choices, 0 and 1."""
        check_numbers(gold, "gold")
        event = tuple(gold.shape[1:])
        return normals_at(gold, math.prod(event), sums_along(event, -1))

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, *event)`` for scores ``(N, *event)``, in theta's type."""
        scores = numbers(theta)
        if scores.dim() < 2 or scores.shape[-1] == 0:
            raise wrong_shape(
                "theta", theta, "a choice needs (N, *event) and something to choose from", "give an axis of scores"
            )
        _check_numbers(scores, "a choice")
        best = scores.amax(dim=-1, keepdim=True)
        if best.isneginf().any():
            row = int(best.isneginf().flatten(1).any(dim=1).nonzero()[0])
            raise ArgumentError(
                "theta", f"only -inf for a choice of instance {row}", "a choice needs one score above", "leave one open"
            )
        equal = scores == best
        return (equal & (equal.cumsum(dim=-1) == 1)).to(theta.dtype)


def _counts_to(dtype: torch.dtype) -> int:
    """The last of the whole numbers 0, 1, ... that a type holds exactly."""
    if dtype.is_floating_point:
        return int(2 / torch.finfo(dtype).eps)
    return 1 if dtype == torch.bool else torch.iinfo(dtype).max


def _check_numbers(scores: Tensor, what: str) -> None:
    if scores.isnan().any():
        raise ArgumentError("theta", f"{int(scores.isnan().sum())} NaN", f"{what} needs numbers", "use -inf for the last")
