"""Pointwise ranking: a regression of the objectives of a pool."""

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
class RankPoint(PoolLoss):
    """``mean_g <t - theta, g>^2`` for true parameters t over a pool.

    Source: Mandi et al. 2022 (arXiv 2112.03609), section 4.1.
    """

    word: ClassVar[str] = "rank-point"

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:  # noqa: ARG002
        """Losses ``(B,)``."""
        return losses.rank_point(theta, self.truth(theta, supervision), self.members(theta))
