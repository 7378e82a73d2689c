"""Further arguments of a solver, kept apart from those of whoever gave them."""

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from imle_core.contracts import Known

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


def copied(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """Further arguments of a solver, tensors and arrays in memory of their own, without gradients."""
    return tuple(map(own_copy, args)), {name: own_copy(value) for name, value in kwargs.items()}


def own_copy(value: Any) -> Any:
    """A tensor, an array or a known solution in memory of its own; anything else as it is."""
    if isinstance(value, Known):
        return replace(value, theta=value.theta.clone(), z=value.z.clone())
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value
