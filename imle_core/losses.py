"""Losses between solutions and gold solutions."""

from torch import Tensor


def hamming(z: Tensor, gold: Tensor) -> Tensor:
    """``sum_i z_i (1 - y_i) + (1 - z_i) y_i``: for 0/1 solutions the number of entries that differ.

    Linear in z, so that its gradient is ``1 - 2 y`` for any z. Sum the result over rows before ``backward()``: a mean over
    rows would divide the estimator's step lambda by their number.

    Args:
        z: solutions, ``(N, *event)``.
        gold: gold solutions y, ``(*event)`` or ``(N, *event)``.

    Returns:
        One loss for each row, ``(N,)``.

    >>> import torch
    >>> hamming(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([1.0, 1.0, 0.0]))
    tensor([2.])
    """
    return (gold + z * (1 - 2 * gold)).flatten(1).sum(dim=1)
