"""A checkpoint, loaded into a training: one of another training is refused before it can do harm."""

from math import inf, isfinite
from typing import Any

import torch
from torch import Tensor

from imle_core.contracts import Trainable


def load(training: Trainable[Any], state: dict[str, Any]) -> None:
    """Lets a training that has made no step go to where another one stood.

    Raises:
        Exception: the state is that of another training; of what kind, depends on how they differ.
    """
    optimizer: torch.optim.Optimizer | None = getattr(training, "optimizer", None)
    before = [] if optimizer is None else [dict(group) for group in optimizer.param_groups]
    sums = dict(getattr(training, "sums", {}))
    training.load_state_dict(state)
    numbers = {"seconds": state["seconds"], **getattr(training, "sums", {})}
    if numbers.keys() != {"seconds", *sums} or not all(isinstance(x, float) and 0 <= x < inf for x in numbers.values()):
        raise ValueError(f"sums: got {numbers}")
    if optimizer is not None:
        for made, group in zip(before, optimizer.param_groups, strict=True):
            _check_settings(made, group)
            for parameter in group["params"]:
                _check_moments(parameter, optimizer.state.get(parameter, {}))


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
