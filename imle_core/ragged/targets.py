"""Targets of rows of several sizes: each row gets the target parameters that it would get alone."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from imle_core import contracts
from imle_core.contracts import Target, declared
from imle_core.ragged.instances import Instances


def for_padded_rows(target: Target, instances: Instances) -> Target:
    """The target for padded rows: what it says it is, or asked for rows of one size at a time."""
    known = declared(target, "of_instances", ("params", "step_size"))
    if known is not None:
        of_instances: Target = known(instances)
        return of_instances
    return _BySize(target, instances)


class _BySize:
    """A target that is asked for rows of one size at a time, without padding; otherwise the target."""

    def __init__(self, target: Any, instances: Instances) -> None:
        self._target, self._instances = target, instances
        self.pure = contracts.is_pure(target, "params", "step_size", "observe")

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        return partial(self._steps, value) if name == "step_size" else value

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """Target parameters ``(N, n, *rest)``; padding stays."""
        moved = theta.clone()
        for size, rows in self._instances.rows_by_size(len(theta)).items():
            parameters = theta[rows, :size]
            given = self._target.params(parameters.clone(), dy[rows, :size])
            contracts.check_moved(given, parameters, f"{type(self._target).__name__}.params gave")
            moved[rows, :size] = given.to(moved)
        return moved

    def _steps(self, step_size: Any, theta: Tensor, dy: Tensor) -> Tensor | float:
        """Lambda of each row ``(N,)``, or a number where it is the same for all."""
        steps = {
            size: step_size(theta[rows, :size], dy[rows, :size])
            for size, rows in self._instances.rows_by_size(len(theta)).items()
        }
        numbers = list(steps.values())
        if all(not isinstance(number, Tensor) and number == numbers[0] for number in numbers):
            return numbers[0] if numbers else 1.0
        every = torch.zeros(len(theta), dtype=torch.promote_types(theta.dtype, torch.float32), device=theta.device)
        for size, rows in self._instances.rows_by_size(len(theta)).items():
            every[rows] = torch.as_tensor(steps[size]).to(every)
        return every
