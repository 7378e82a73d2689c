"""The module form of every layer, with train(), eval() and state_dict()."""

from typing import Any

from torch import Tensor, nn

from imle_core.estimators.layer import Layer, Loss


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

    def extra_repr(self) -> str:
        """The solver, the target, the noise, and settings that differ from the usual ones."""
        return self.estimator.settings

    def forward(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver."""
        return self._layer(theta, *args, **kwargs)

    def ragged(self, values: Tensor, offsets: Any, /, *args: Any, **kwargs: Any) -> Any:
        """States of instances of several sizes, ``(S, T, *rest)``; see :meth:`Layer.ragged`."""
        return self._layer.ragged(values, offsets, *args, **kwargs)

    def estimate_ragged(self, values: Tensor, offsets: Any, loss: Loss, /, *args: Any, **kwargs: Any) -> Tensor:
        """Mean losses ``(B,)`` of instances of several sizes; see :meth:`Layer.estimate_ragged`."""
        return self._layer.estimate_ragged(values, offsets, loss, *args, **kwargs)

    def estimate(self, theta: Tensor, loss: Loss, /, *args: Any, **kwargs: Any) -> Tensor:
        """Mean losses ``(B,)`` with this estimator's gradient; see :meth:`Layer.estimate`."""
        return self._layer.estimate(theta, loss, *args, **kwargs)

    @property
    def _layer(self) -> Layer:
        return self.estimator if self.training else self.estimator.noise_free()

    def get_extra_state(self) -> dict[str, Tensor]:
        """State of the generator, where there is one."""
        generator = self.estimator.generator
        return {} if generator is None else {"generator": generator.get_state()}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """Sets the generator to a saved state; generators of a layer without one are left alone."""
        if self.estimator.generator is not None and "generator" in state:
            self.estimator.generator.set_state(state["generator"].cpu())
