"""Automatic mixed precision of a forward pass, which a backward pass has again, wherever it is made.

Autograd goes back outside of ``torch.autocast`` as a rule, with each operation in the type that it had. A backward pass of a
layer calls the solver, whose products autocast would change: they are to be what they were.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

import torch
from torch import Tensor

Precision: TypeAlias = tuple[str, bool, torch.dtype]
"""A kind of device, whether autocast is on there, and its type."""

_AS_IT_IS = nullcontext()


def precision(tensor: Tensor) -> Precision:
    """The present one, on the tensor's device."""
    kind = tensor.device.type
    return kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)


def at(wanted: Precision) -> AbstractContextManager[object]:
    """Context in which autocast is as wanted."""
    kind, enabled, dtype = wanted
    if torch.is_autocast_enabled(kind) == enabled and (not enabled or torch.get_autocast_dtype(kind) == dtype):
        return _AS_IT_IS
    return torch.autocast(kind, dtype, enabled)
