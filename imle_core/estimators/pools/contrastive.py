"""Noise-contrastive estimation: gold solutions against the mean of a pool."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from imle_core import losses
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.pools.pool_loss import PoolLoss
from imle_core.estimators.supervision import Supervision


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class Contrastive(PoolLoss):
    """``mean_g <theta, g - y>`` for gold solutions y over a pool; gradient ``mean_g g - y``, which is constant.

    Theta grows without bound, so that only its direction means something.

    Source: Mulamba et al. 2021 (arXiv 2011.05354), equation 8.
    """

    word: ClassVar[str] = "contrastive"

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:  # noqa: ARG002
        """Losses ``(B,)``."""
        return losses.contrastive(theta, self.gold(theta, supervision), self.members(theta))
