"""Identity with projection: straight-through, after taking out of the parameters what does not change the solution."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.contracts import Solved
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Layer
from imle_core.estimators.supervision import LossName, walls_of, with_walls

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

    usual_loss: ClassVar[LossName] = "squared"

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
        theta = call.theta[:, 0]
        walls = walls_of(theta)
        gradient = _without(self.over_samples(call.dy), walls)
        if self.projection in ("norm", "std"):
            centred = self._centred(theta, walls) if self.projection == "std" else _without(theta, walls)
            unit, norm = self._unit(centred)
            gradient = (gradient - unit * self._of_rows(self._products(unit, gradient), theta)) / norm
        if self.projection in ("mean", "std"):
            gradient = self._centred(gradient, walls)
        return gradient.unsqueeze(1).expand_as(call.dy)

    def _projected(self, theta: Tensor) -> Tensor:
        """``P(theta)``, ``(B, *event)``; infinite entries stay."""
        walls = walls_of(theta)
        values = self._centred(theta, walls) if self.projection in ("mean", "std") else _without(theta, walls)
        if self.projection in ("norm", "std"):
            values, _ = self._unit(values)
        return with_walls(theta, values, walls)

    def _centred(self, values: Tensor, walls: Tensor | None) -> Tensor:
        """Entries less their mean, and 0 where there are walls, ``(B, *event)``."""
        if walls is None:
            return values - self._of_rows(self._totals(values) / values.shape[1:].numel(), values)
        count = (~walls).flatten(1).sum(dim=1).clamp(min=1)
        mean = self._totals(_without(values, walls)) / count
        return _without(values - self._of_rows(mean, values), walls)

    def _unit(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Values over their norm, and the norm, 1 where it is 0, so that all zeros stay zeros."""
        wide = values.to(torch.promote_types(values.dtype, torch.float32))  # float16 holds no square above 65504
        norm = self._of_rows(self._products(wide, wide).sqrt().to(values), values)
        norm = torch.where(norm > 0, norm, 1.0)
        return values / norm, norm

    def _totals(self, values: Tensor) -> Tensor:
        """Sums over the entries of instances ``(B, *event)``, ``(B,)``."""
        return self.over_entries(values.unsqueeze(1))[:, 0]

    def _products(self, values: Tensor, others: Tensor) -> Tensor:
        """Inner products of the entries of instances ``(B, *event)``, ``(B,)``."""
        return self.inner_products(values.unsqueeze(1), others.unsqueeze(1))[:, 0]

    @staticmethod
    def _of_rows(numbers: Tensor, like: Tensor) -> Tensor:
        return numbers.view(-1, *[1] * (like.dim() - 1))


def _without(values: Tensor, walls: Tensor | None) -> Tensor:
    """Values ``(B, *event)``, 0 where there are walls."""
    return values if walls is None else values.masked_fill(walls, 0.0)
