"""Nested tensors of torch in the jagged layout, as values and offsets, and made of these."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.ragged.instances import Instances


def values_and_offsets(theta: Tensor) -> tuple[Tensor, Tensor]:
    """Values ``(T, *rest)`` and offsets ``(B + 1,)`` of a nested tensor ``(B, j, *rest)``; gradients flow through it.

    Raises:
        ArgumentTypeError: another layout.
        ArgumentError: an axis of several sizes that is not the first of an instance.
    """
    jagged: Any = theta
    if theta.layout is not torch.jagged:
        got = f"a nested tensor of layout {theta.layout}"
        raise ArgumentTypeError("theta", got, "a layer takes the jagged layout", "use layout=torch.jagged")
    if jagged._ragged_idx != 1:
        raise ArgumentError(
            "theta",
            f"a nested tensor whose axis {jagged._ragged_idx} has several sizes",
            "that must be the first axis of an instance",
            "use theta.transpose(1, ...)",
        )
    if jagged.lengths() is not None:
        jagged = jagged.contiguous()
    return jagged.values(), jagged.offsets()


def as_nested(states: Tensor, instances: Instances, offsets: Tensor, reduction: str) -> Tensor:
    """States ``(S, T, *rest)``, or ``(T, *rest)`` under "mean", as a nested tensor of the shape that a layer gives.

    It is ``(B, j, *rest)`` under "mean", ``(B, S, j, *rest)`` under "stacked", and ``(B*S, j, *rest)`` under "none", in
    which row b*S + s is sample s of instance b.
    """
    jagged = torch.nested.nested_tensor_from_jagged
    if reduction == "mean":
        return jagged(states, offsets)
    if reduction == "stacked":
        return jagged(states, offsets, jagged_dim=2)
    if len(states) == 1:
        return jagged(states[0], offsets)
    return jagged(instances.rows_of_samples(states), _of_samples(offsets, len(states)))


_known: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
"""Offsets of samples, by those of instances and the number of samples."""


def _of_samples(offsets: Tensor, nb_samples: int) -> Tensor:
    """Offsets of so many samples of each instance, ``(B*S + 1,)``.

    They are the same tensor for the same offsets: by it torch knows that sizes are the same, where states of two layers are
    added up, or those of a recomputation are compared.
    """
    of_offsets: dict[int, Tensor] = _known.setdefault(offsets, {})
    if nb_samples not in of_offsets:
        sizes = offsets.diff().repeat_interleave(nb_samples)
        of_offsets[nb_samples] = torch.cat([offsets[:1], sizes.cumsum(0)])
    return of_offsets[nb_samples]
