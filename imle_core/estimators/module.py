"""The module form of every layer, with train(), eval() and state_dict()."""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from imle_core.estimators import operators
from imle_core.estimators.layer import Layer, Loss

Result = TypeVar("Result")

_USED = 1000
"""Layers that may be waiting for the backward pass of compiled code."""


class LayerModule(nn.Module):
    """A layer as a module.

    In training mode it samples. In evaluation mode it gives the noise-free state, one for each instance, in the reduction
    that was chosen. Its ``state_dict`` has the state of the solver and the target where they are modules, and that of the
    generator, so that a run that goes on after loading draws what an uninterrupted one would have drawn.

    Args:
        layer: any estimator.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.estimator, self.solver, self.target = layer, layer.solver, layer.target
        self.number, self.order = operators.numbered(self), layer.order
        self._used: deque[Layer] = deque(maxlen=_USED)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.number, self.order = operators.numbered(self), self.estimator.order
        self._used = deque(maxlen=_USED)

    def extra_repr(self) -> str:
        """The solver, the target, the noise, and settings that differ from the usual ones."""
        return self.estimator.settings

    def forward(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver."""
        if torch.compiler.is_compiling():
            return operators.states(self, theta, args, kwargs)
        return self._layer(theta, *args, **kwargs)

    def estimate(self, theta: Tensor, loss: Loss, /, *args: Any, **kwargs: Any) -> Tensor:
        """Mean losses ``(B,)`` with this estimator's gradient; see :meth:`Layer.estimate`."""
        return self._layer.estimate(theta, loss, *args, **kwargs)

    @property
    def _layer(self) -> Layer:
        return self.estimator if self.training else self.estimator.noise_free()

    @property
    def form(self) -> tuple[int, str, bool]:
        """Samples of the next pass, the reduction, and whether there is noise at any temperature, for compiled code."""
        layer = self.estimator
        return layer.nb_samples if self.training else 1, layer.reduction, layer.noise is not None

    def in_pass(self, call: Callable[[Layer], Result]) -> Result:
        """``call(layer)`` with the layer of the next pass, which is kept for the backward pass of compiled code."""
        layer = self._layer
        if not self._used or self._used[-1] is not layer:
            self._used.append(layer)
        return call(layer)

    def get_extra_state(self) -> dict[str, Tensor]:
        """State of the generator, where there is one."""
        generator = self.estimator.generator
        return {} if generator is None else {"generator": generator.get_state()}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """Sets the generator to a saved state; generators of a layer without one are left alone."""
        if self.estimator.generator is not None and "generator" in state:
            self.estimator.generator.set_state(state["generator"].cpu())
