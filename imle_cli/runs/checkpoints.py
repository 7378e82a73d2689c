"""A checkpoint, loaded into a training: one of another training is refused before it can do harm."""

from math import inf, isfinite
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from imle_core.contracts import Trainable


@runtime_checkable
class Optimized(Protocol):
    """A training with an optimiser, whose settings a checkpoint must not change."""

    optimizer: torch.optim.Optimizer


@runtime_checkable
class Summing(Protocol):
    """A training that adds up numbers over an epoch, none of them negative."""

    sums: dict[str, float]


def load(training: Trainable[Any], state: dict[str, Any]) -> None:
    """Lets a training that has made no step go to where another one stood.

    Raises:
        Exception: the state is that of another training; of what kind, depends on how they differ.
    """
    before = [dict(group) for group in training.optimizer.param_groups] if isinstance(training, Optimized) else []
    sums = set(training.sums) if isinstance(training, Summing) else set()
    training.load_state_dict(state)
    numbers = {"seconds": state["seconds"], **(training.sums if isinstance(training, Summing) else {})}
    if numbers.keys() != {"seconds", *sums} or not all(isinstance(x, float) and 0 <= x < inf for x in numbers.values()):
        raise ValueError(f"sums: got {numbers}")
    if isinstance(training, Optimized):
        for made, group in zip(before, training.optimizer.param_groups, strict=True):
            _check_settings(made, group)
            for parameter in group["params"]:
                _check_moments(parameter, training.optimizer.state.get(parameter, {}))


def _check_settings(before: dict[str, Any], group: dict[str, Any]) -> None:
    """Those of a group must be what they were, but for the step, which a schedule changes."""
    if not (isinstance(group["lr"], float) and isfinite(group["lr"])):
        raise ValueError(f"lr: got {group['lr']}")
    for name in set(before) & set(group) - {"params", "lr"}:
        if group[name] != before[name]:
            raise ValueError(f"{name}: got {group[name]}")


def _check_moments(parameter: Tensor, moments: dict[str, Any]) -> None:
    shapes = {"step": torch.Size(), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
    if moments and {name: getattr(value, "shape", None) for name, value in moments.items()} != shapes:
        raise ValueError(f"moments: got {list(moments)}")
