"""Several processes that train one network: which of them this is, and sums over all of them.

Without an initialised process group there is one process, and nothing is sent.
"""

from typing import Any

import torch
from torch import Tensor
from torch import distributed as group
from torch.autograd.function import once_differentiable


def rank() -> int:
    """Number of this process, from 0."""
    return group.get_rank() if _many() else 0


def size() -> int:
    """Number of processes."""
    return group.get_world_size() if _many() else 1


def summed(values: Tensor) -> Tensor:
    """Sums over all processes, entry by entry; differentiable, since every process's loss depends on every part."""
    return _Sum.apply(values) if size() > 1 else values  # type: ignore[no-untyped-call]


def gathered(value: Any) -> list[Any]:
    """The parts of all processes, in order, on each of them."""
    if size() == 1:
        return [value]
    values: list[Any] = [None] * size()
    group.all_gather_object(values, value)
    return values


def _many() -> bool:
    return group.is_available() and group.is_initialized()


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        total = values.clone(memory_format=torch.contiguous_format)
        group.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        total = gradient.clone(memory_format=torch.contiguous_format)
        group.all_reduce(total)
        return total
