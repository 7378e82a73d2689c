"""The quadratic Fenchel-Young loss of regularised Frank-Wolfe."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from imle_core.estimators.arguments import Arguments
from imle_core.estimators.decisions.decision_loss import DecisionLoss
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.hulls.regularised import regularised
from imle_core.estimators.supervision import Supervision
from imle_core.losses import quadratic_fenchel_young


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class FrankWolfeFenchelYoung(DecisionLoss):
    """``a/2 (|y|^2 - |mu|^2) - <theta, y - mu>`` for gold solutions y and the state mu of :class:`.FrankWolfe`.

    It is >= 0, convex, and has the gradient ``mu - y``; a is the input noise temperature. At a = 0 it is the structured
    perceptron, ``max_z <theta, z> - <theta, y>``.

    Source: Blondel, Martins, Niculae 2020 (arXiv 1901.02324), definition 2; Dalle et al. 2022 (arXiv 2207.13513).
    """

    word: ClassVar[str] = "frank-wolfe-fenchel-young"

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Losses ``(B,)``."""
        gold = self.gold(theta, supervision)
        mu = regularised(self, theta, arguments, self.word).point.view(theta.shape).to(theta)
        return quadratic_fenchel_young(theta, gold, mu, self.input_temperature)
