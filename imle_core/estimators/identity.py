"""Identity with projection: straight-through, after taking out of the parameters what does not change the solution."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.contracts import Solved
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Arguments, Backward, Layer

Projection = Literal["none", "mean", "norm", "std"]


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class Identity(Layer):
    """``g_s = P'(theta)^T dy_s``: the solver gets ``P(theta) + tau_in eps_s`` and counts as the identity.

    P removes directions along which the solution stays as it is, so that no gradient is lost to them: "mean" subtracts the
    mean (solutions with a fixed number of ones), "norm" divides by the norm (any linear solver), "std" does both, "none"
    neither, which is straight-through. All of an instance is projected at once, its infinite entries aside. Noise adds to
    projected parameters, of norm 1 under "norm" and "std": choose the temperature for those.

    Source: Sahoo et al. 2023 (arXiv 2205.15213), sections 3.2 and 3.3.

    Args:
        projection: P.
    """

    projection: Projection = "std"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_name("projection", self.projection, get_args(Projection))

    def parameters(self, theta: Tensor) -> Tensor:
        """Projected parameters."""
        return self._projected(super().parameters(theta))

    def drawn(self, theta: Tensor, eps: Tensor | None, arguments: Arguments) -> Solved:
        """Samples for the projected parameters."""
        return super().drawn(self._projected(theta), eps, arguments)

    def sample_gradients(self, call: Backward) -> Tensor:
        """Upstream gradients times the transposed Jacobian of the projection, which all samples share."""
        parameters = call.theta[:, :1].detach().requires_grad_()
        with torch.enable_grad():
            projected = self._projected(parameters[:, 0]).unsqueeze(1)
        mean = call.dy.mean(dim=1, keepdim=True).masked_fill(parameters.isinf(), 0.0)
        (gradient,) = torch.autograd.grad(projected, parameters, mean)
        return gradient.expand_as(call.dy)

    def _projected(self, theta: Tensor) -> Tensor:
        """``P(theta)``, ``(B, *event)``."""
        if self.projection == "none":
            return theta.clone()
        rows = theta.flatten(1)
        passable = ~rows.isinf()
        count = passable.sum(dim=1, keepdim=True).clamp(min=1)
        values = torch.where(passable, rows, 0.0)
        if self.projection in ("mean", "std"):
            values = torch.where(passable, values - values.sum(dim=1, keepdim=True) / count, 0.0)
        if self.projection in ("norm", "std"):
            norm = torch.linalg.vector_norm(values, dim=1, keepdim=True)
            values = values / torch.where(norm > 0, norm, 1.0)  # all zeros stay zeros
        return torch.where(passable, values, rows).view_as(theta)
