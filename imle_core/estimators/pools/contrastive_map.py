"""Contrastive MAP: gold solutions against the best of a pool."""

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
class ContrastiveMAP(PoolLoss):
    """``max_g <theta, g - y>`` for gold solutions y over a pool; gradient ``g* - y``.

    It is >= 0 where y is in the pool.

    Source: Mulamba et al. 2021 (arXiv 2011.05354), equation 11.
    """

    word: ClassVar[str] = "contrastive-map"

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:  # noqa: ARG002
        """Losses ``(B,)``."""
        return losses.contrastive_map(theta, self.gold(theta, supervision), self.members(theta))
