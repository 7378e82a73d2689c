"""SPO+: a convex bound of the regret of a decision."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from imle_core import losses
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.decisions.decision_loss import DecisionLoss
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.supervision import Supervision, walls_of, with_walls


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class SPOPlus(DecisionLoss):
    """``max_z <2 theta - t, z - y>`` for true parameters t and their solutions y; gradient ``2 (z - y)``.

    One solve; one more where no gold solutions are given.

    Source: Elmachtoub and Grigas 2022, "Smart 'Predict, then Optimize'", definition 3.
    """

    word: ClassVar[str] = "spo-plus"
    takes_walls: ClassVar[bool] = True

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Losses ``(B,)``."""
        walls = walls_of(theta)
        truth, inner = self.truth(theta, supervision, walls), theta if walls is None else theta.masked_fill(walls, 0.0)
        if supervision.gold is None:
            gold = self.best(with_walls(theta, truth, walls), arguments)
        else:
            gold = self.gold(theta, supervision)
        mixed = torch.lerp(truth, inner.detach(), 2.0)  # 2 theta - t
        z = self.best(with_walls(theta, mixed, walls), arguments)
        return losses.spo_plus(inner, truth, gold, z)
