"""Perturbation gradients: a difference quotient of the best objective along true parameters."""

from dataclasses import dataclass
from typing import ClassVar, get_args

from torch import Tensor

from imle_core import checks, contracts, losses
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.decisions.decision_loss import DecisionLoss
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.implicit_mle import Difference
from imle_core.estimators.row_steps import for_rows
from imle_core.estimators.supervision import Supervision, walls_of, with_walls


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class PerturbationGradient(DecisionLoss):
    """``[V(theta - sigma t) - V(theta)] / sigma`` for true parameters t, with ``V(x) = max_z <x, z>``.

    Its value estimates ``-<t, MAP(theta)>``, minus the true objective of the decision; its gradient is that of the two
    solutions, ``[MAP(theta - sigma t) - MAP(theta)] / sigma``. "central" looks to both sides,
    ``[V(theta - sigma t) - V(theta + sigma t)] / (2 sigma)``. Sigma is the target's step lambda; two solves, no gold.

    Source: Gupta and Huang 2024, "Decision-focused learning with directional gradients" (arXiv 2402.03256).

    Args:
        difference: "forward" for the first, "central" for both sides.
    """

    word: ClassVar[str] = "perturbation-gradient"
    takes_walls: ClassVar[bool] = True

    difference: Difference = "forward"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_name("difference", self.difference, get_args(Difference))
        checks.check_method("target_distribution", self.target, "step_size", "use TargetDistribution(), or give it one")

    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Losses ``(B,)``."""
        walls = walls_of(theta)
        truth, inner = self.truth(theta, supervision, walls), theta if walls is None else theta.masked_fill(walls, 0.0)
        given = contracts.step_size(self.target, inner.detach(), truth)
        sigma = for_rows(given, truth.unsqueeze(1))[:, 0].detach()
        if not (sigma > 0).all():
            rule = f"{self.word} divides by its step lambda"
            raise checks.ArgumentError("target_distribution", "a step of 0", rule, "use TargetDistribution(lambda_=0.1)")
        is_central = self.difference == "central"
        moved = (sigma * truth).to(theta)
        ahead, behind = inner + moved if is_central else inner, inner - moved
        contracts.check_finite_step(behind.detach())
        z_ahead, z_behind = (self.best(with_walls(theta, side, walls), arguments) for side in (ahead, behind))
        difference = losses.perturbation_gradient(ahead, z_ahead, behind, z_behind, 2.0 if is_central else 1.0)
        return (difference / sigma.flatten()).to(theta)
