"""Pairwise ranking: the truly best of a pool against the rest."""

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
class RankPair(PoolLoss):
    """``sum_g max(0, <theta, g - b>) / (K - 1)`` over a pool, of which b is the best in the true parameters.

    Hinges without a margin.

    Source: Mandi et al. 2022 (arXiv 2112.03609), section 4.2.
    """

    word: ClassVar[str] = "rank-pair"

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:  # noqa: ARG002
        """Losses ``(B,)``."""
        return losses.rank_pair(theta, self.truth(theta, supervision), self.members(theta))
