"""The loss of a structured support vector machine: gold solutions must be the best by a margin."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from imle_core import checks
from imle_core.contracts import Parameters
from imle_core.estimators.fenchel_young import FenchelYoung
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.supervision import fitting


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class StructuredSVM(FenchelYoung):
    """``layer(theta, gold)`` is ``max_z [<theta, z> + margin * Hamming(z, gold)] - <theta, gold>``; gradient ``z - gold``.

    A loss rather than a layer, convex, and an upper bound on ``margin`` times the Hamming distance of the solution: it is 0
    once the gold solution beats every other one by ``margin`` for each entry in which they differ. The distance is linear in
    z, so that the solver finds the maximiser for ``theta + margin * (1 - 2 * gold)``, and the loss is the Fenchel-Young loss
    there, with a mean over samples where there is noise. Under ``sense="min"`` theta is a cost:
    ``<c, gold> - min_z [<c, z> - margin * Hamming(z, gold)]``.

    Source: Taskar, Guestrin, Koller 2003, "Max-margin Markov networks"; Tsochantaridis et al. 2005, margin rescaling.

    Args:
        margin: of each entry, >= 0; 0 for the structured perceptron.
    """

    margin: float = 1.0
    word: ClassVar[str] = "structured-svm"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_not_learned("margin", self.margin, "divide theta by it")
        checks.check_finite("margin", self.margin, "the usual value is 1")

    def __call__(self, theta: Parameters, /, gold: Parameters, *args: Any, **kwargs: Any) -> Tensor:
        """Losses ``(B,)`` of parameters (or costs) ``(B, *event)`` for gold solutions ``(*event)`` or ``(B, *event)``.

        Raises:
            ArgumentError: gold solutions of another shape; or as in a call of any layer.
            ArgumentTypeError: gold solutions that are no tensor.
        """
        if not isinstance(theta, Tensor):
            return super().__call__(theta, gold, *args, **kwargs)
        if theta.is_nested:
            return super().__call__(theta, gold, *args, **kwargs)
        checks.check_form(theta)
        y = fitting("gold", gold, theta)
        losses = super().__call__(theta + self.signed(self.margin * (1 - 2 * y)), y, *args, **kwargs)
        between = y * (1 - y)  # 0 for ones and zeros
        if self.instances is None:
            fractions = between.flatten(1 - theta.dim()).sum(dim=-1)
        else:
            fractions = self.over_entries(between.unsqueeze(1))[:, 0]
        return losses + 2 * self.margin * fractions
