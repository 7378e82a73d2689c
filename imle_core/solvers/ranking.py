"""Ranks of scores, and the best of several."""

import torch
from torch import Tensor

from imle_core.solvers.promises import Maximiser


class Ranking(Maximiser):
    """``argmax_z <z, theta>`` over the orders of ``1, ..., n`` along the last axis: the largest score gets rank n.

    z is a vertex of the permutahedron. Of equal scores the earlier gets the larger rank, as :class:`TopK` takes it first.
    Any theta will do, infinite ones included. ``O(n log n)`` operations a row of scores, on theta's device.

    Raises:
        ValueError: when called, NaN, parameters without an axis to rank, or more scores than theta's type counts exactly.

    >>> Ranking()(torch.tensor([[0.5, 3.0, 0.5, -1.0]]))
    tensor([[3., 4., 2., 1.]])
    """

    def __repr__(self) -> str:
        return "Ranking()"

    def __call__(self, theta: Tensor) -> Tensor:
        """Ranks ``(N, *event)`` of scores ``(N, *event)``, in theta's type."""
        theta = theta.detach()
        if theta.dim() < 2:
            raise ValueError(f"theta: got shape {tuple(theta.shape)}; a ranking needs (N, *event); its last axis is ranked")
        _check_numbers(theta, "a ranking")
        count = theta.shape[-1]
        most = int(2 / torch.finfo(theta.dtype).eps)
        if count > most:
            raise ValueError(
                f"theta: got {count} scores in {theta.dtype}, which counts exactly to {most}; use theta.float()"
            )
        order = theta.argsort(dim=-1, descending=True, stable=True)
        ranks = torch.arange(count, 0, -1, dtype=theta.dtype, device=theta.device).expand_as(theta)
        return torch.empty_like(ranks, memory_format=torch.contiguous_format).scatter_(-1, order, ranks)


class ArgMax(Maximiser):
    """``argmax_z <z, theta>`` over z with exactly one 1 along the last axis: a product of categorical choices.

    Of equal scores the first is taken. With Gumbel noise, perturb-and-MAP samples ``softmax(theta / tau)`` along that axis.
    Any theta will do, as long as not all scores of a choice are -inf.

    Raises:
        ValueError: when called, NaN, parameters without an axis to choose along, or a choice of which all scores are -inf.

    >>> ArgMax()(torch.tensor([[[1.0, 2.0], [3.0, 3.0]]]))
    tensor([[[0., 1.],
             [1., 0.]]])
    """

    def __repr__(self) -> str:
        return "ArgMax()"

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks ``(N, *event)`` for scores ``(N, *event)``, in theta's type."""
        theta = theta.detach()
        if theta.dim() < 2 or theta.shape[-1] == 0:
            raise ValueError(
                f"theta: got shape {tuple(theta.shape)}; a choice needs (N, *event) and something to choose from"
            )
        _check_numbers(theta, "a choice")
        best = theta.amax(dim=-1, keepdim=True)
        if best.isneginf().any():
            row = int(best.isneginf().flatten(1).any(dim=1).nonzero()[0])
            raise ValueError(f"theta: instance {row} has a choice of which all scores are -inf; leave one open")
        equal = theta == best
        return (equal & (equal.cumsum(dim=-1) == 1)).to(theta.dtype)


def _check_numbers(theta: Tensor, what: str) -> None:
    if theta.isnan().any():
        raise ValueError(f"theta: got {int(theta.isnan().sum())} NaN; {what} needs numbers; use -inf for the last")
