"""Axes of vmap in front of a batch."""

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import torch
from torch import Tensor

from imle_core import checks

Sizes: TypeAlias = tuple[int, ...]
"""Numbers of entries of axes of vmap, from the outermost inwards."""


def in_front(tensors: Sequence[Any], in_dims: Sequence[int | None], size: int) -> list[Any]:
    """Tensors whose first axis is the mapped one, of so many entries; None stays."""
    if size == 0:
        raise checks.ArgumentError("vmap", "an axis without entries", "a layer needs one or more", "leave the call out")
    return [
        None if tensor is None else tensor.expand(size, *tensor.shape) if axis is None else tensor.movedim(axis, 0)
        for tensor, axis in zip(tensors, in_dims, strict=True)
    ]


def folded(tensor: Tensor, axes: Sizes) -> Tensor:
    """``(*axes, B, ...)`` as ``(n * B, ...)``."""
    return tensor.flatten(0, len(axes)) if axes else tensor


def unfolded(tensor: Tensor, axes: Sizes) -> Tensor:
    """``(n * B, ...)`` as ``(*axes, B, ...)``."""
    return tensor.reshape(*axes, len(tensor) // prod(axes), *tensor.shape[1:]) if axes else tensor


def stacked(results: Sequence[Tensor], axes: Sizes) -> Tensor:
    """Results of all entries of the axes, in order, as ``(*axes, ...)``."""
    return torch.stack(list(results)).unflatten(0, axes) if axes else results[0]
