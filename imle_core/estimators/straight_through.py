"""Straight-through: the solver counts as the identity in the backward pass."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Layer
from imle_core.estimators.supervision import LossName


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class StraightThrough(Layer):
    """``g_s = dy_s``: forward the sampled solution, backward as if it were its parameters.

    It needs no second solve, no target and no density. Its direction is often useful, its size is arbitrary: the Jacobian
    of the mean solution, which the others estimate, is replaced by the identity.

    Source: Bengio, Leonard, Courville 2013 (arXiv 1308.3432); for solvers Sahoo et al. 2023 (arXiv 2205.15213).
    """

    usual_loss: ClassVar[LossName] = "squared"

    def sample_gradients(self, call: Backward) -> Tensor:
        """The upstream gradients themselves."""
        return call.dy
