"""Forward passes in training, counted, and the layers that they had."""

from collections.abc import Callable

import torch
from torch.autograd.function import FunctionCtx

from imle_core.estimators.layer import Layer
from imle_core.estimators.replay import Recall, open_passes


class TrainingPasses(Recall[Layer]):
    """Number of forward passes in training, of those that gradients are wanted of.

    A pass under ``torch.no_grad()`` is none, nor is a pass inside of a backward pass, such as the recomputation of a
    checkpoint, which gets the layer of its first pass. The first pass of a checkpoint is one, also of a re-entrant one,
    which runs it without gradients.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counted = 0
        self._compiled = torch.zeros((), dtype=torch.int64, device="cpu")  # a number would be compiled anew for each value

    def __reduce__(self) -> tuple[type["TrainingPasses"], tuple[()], dict[str, int]]:
        return type(self), (), {"count": self.count}

    def __setstate__(self, state: dict[str, int]) -> None:
        self.count = state["count"]

    @property
    def count(self) -> int:
        """The number so far."""
        return self._counted + int(self._compiled)

    @count.setter
    def count(self, value: int) -> None:
        self._counted = value
        self._compiled.zero_()

    def pass_by(self) -> None:
        """Counts the present pass, if it is one in training."""
        if torch.compiler.is_compiling():
            if torch.is_grad_enabled() and not torch._C._are_functorch_transforms_active():  # which may not write
                self._compiled.add_(1)
        elif self.is_first:
            self._counted += 1

    @property
    def is_first(self) -> bool:
        """True of a pass in training, and of none that is recomputed."""
        if torch._C._current_graph_task_id() != -1:
            return False
        return torch.is_grad_enabled() or any(isinstance(known.call, FunctionCtx) for known in open_passes())

    def layer(self, make: Callable[[], Layer]) -> Layer:
        """The layer that ``make`` gives; in a recomputation, that of the first pass."""
        known = open_passes()
        layer = self.again(known)
        if layer is None:
            layer = make()
            if torch._C._current_graph_task_id() == -1:
                self.keep(known, layer)
        return layer
