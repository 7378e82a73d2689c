"""Listwise ranking: the true order of a pool as a distribution."""

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
class RankList(PoolLoss):
    """``-sum_g P_t(g) log P_theta(g)`` for true parameters t over a pool, with ``P_x(g) = softmax_g <x, g>``.

    Cross-entropy of the orders of the pool.

    Source: Mandi et al. 2022 (arXiv 2112.03609), section 4.3.
    """

    word: ClassVar[str] = "rank-list"

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:  # noqa: ARG002
        """Losses ``(B,)``."""
        return losses.rank_list(theta, self.truth(theta, supervision), self.members(theta))
