"""SPO+: a convex bound of the regret of a decision."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from imle_core import losses
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.decision_loss import DecisionLoss
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.supervision import Supervision


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class SPOPlus(DecisionLoss):
    """``max_z <2 theta - t, z> - 2 <theta, y> + <t, y>`` for true parameters t and their solutions y; gradient 2 (z - y).

    One solve; one more where no gold solutions are given.

    Source: Elmachtoub and Grigas 2022, "Smart 'Predict, then Optimize'", definition 3.
    """

    word: ClassVar[str] = "spo-plus"
    takes_walls: ClassVar[bool] = True

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Losses ``(B,)``."""
        truth, walls = self.truth(theta, supervision), theta.isinf()
        if supervision.gold is None:
            gold = self.best(torch.where(walls, theta, truth), arguments)
        else:
            gold = self.gold(theta, supervision)
        inner = theta.masked_fill(walls, 0.0)
        z = self.best(torch.where(walls, theta, 2 * inner - truth), arguments)
        return losses.spo_plus(inner, truth, gold, z)
