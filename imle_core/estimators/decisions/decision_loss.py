"""The layer that every loss of decisions is: no samples, no noise, and a formula of ``imle_core.losses``."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor

from imle_core import checks
from imle_core.contracts import Parameters, declared, is_pure, solutions
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.compiling import operators
from imle_core.estimators.expectation import Loss
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Layer
from imle_core.estimators.supervision import LossName, Supervision, fitting, true_parameters
from imle_core.ragged import Instances


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class NoiseFree(Layer):
    """A layer that makes no use of noise and samples.

    Attributes:
        word: its name.
    """

    word: ClassVar[str]

    solves_at_once: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        others = [declared(self.solver, name) for name in ("offsets", "perturb_and_map")]
        object.__setattr__(self, "solves_at_once", is_pure(self.solver) and others == [None, None])

    def _of(self, instances: Instances) -> NoReturn:
        """Refused: sums over entries of instances of several sizes would go over padding, too."""
        raise checks.ArgumentTypeError(
            self.word,
            f"{len(instances)} instances, one after the other",
            "it takes instances of one size, (B, *event)",
            "call it for the instances of each size, or one by one",
        )

    def best(self, parameters: Tensor, arguments: Arguments) -> Tensor:
        """Solutions ``(B, *event)`` of parameters to be maximised, without a gradient.

        A pure solver of any instances is called at once: to ask what it declares takes as long as a small solve.
        """
        if self.solves_at_once and parameters.numel():
            rows, (args, kwargs) = parameters.detach(), arguments
            given = self.solver(-rows if self.takes_costs else rows, *args, **kwargs)
            return solutions(given, rows.shape, rows, pure=True)[0]
        with torch.no_grad():
            return self.states(parameters.detach().unsqueeze(1), None, 0.0, arguments)[:, 0]

    def perturbed(self, theta: Tensor, eps: Tensor | None, temperature: float) -> Tensor:  # noqa: ARG002
        """Theta as it is, ``(B, 1, *event)``."""
        return theta


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class DecisionLoss(NoiseFree):
    """A loss rather than a layer: ``layer.loss(theta, truth=..., gold=...)``, and ``layer(theta, ...)`` likewise.

    It makes no use of noise, of samples and their reduction. Under ``sense="min"`` theta and the truth are costs.

    Attributes:
        takes_walls: whether entries of theta may be infinite, which stay out of every solution or in all of them.
    """

    takes_walls: ClassVar[bool] = False

    @abstractmethod
    def values(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Losses ``(B,)`` for parameters to be maximised ``(B, *event)``, of which autograd takes the gradient."""

    def __call__(
        self,
        theta: Parameters,
        /,
        *args: Any,
        truth: Any = None,
        gold: Any = None,
        loss: LossName | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Losses ``(B,)``; see :meth:`.Layer.loss`."""
        return self.loss(theta, *args, truth=truth, gold=gold, loss=loss, **kwargs)

    def supervised(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Losses ``(B,)``, at which a graph of torch's compiler breaks."""
        if torch.compiler.is_compiling():
            losses: Tensor = operators.outside_of_compiled_code(self._supervised, theta, supervision, arguments)
            return losses
        return self._supervised(theta, supervision, arguments)

    def _supervised(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        supervision.refuse_loss(self.word)
        if torch._C._are_functorch_transforms_active():
            rule = f"{self.word} solves by what the numbers in it are"
            raise checks.ArgumentTypeError("theta", "a tensor under torch.func", rule, "use a batch, and backward()")
        if not checks.check_theta(theta) and not self.takes_walls:
            check_without_walls(theta, self.word)
        return self.values(self.signed(theta), supervision, arguments)

    def truth(self, theta: Tensor, supervision: Supervision, walls: Tensor | None = None) -> Tensor:
        """True parameters, to be maximised as theta is, ``(B, *event)``; 0 where theta has walls."""
        return self.signed(true_parameters(supervision.needed("truth", self.word), theta, walls))

    def gold(self, theta: Tensor, supervision: Supervision) -> Tensor:
        """Gold solutions of each instance, ``(B, *event)``."""
        return fitting("gold", supervision.needed("gold", self.word), theta).expand(theta.shape)

    def estimate(self, theta: Parameters, loss: Loss, /, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Refused: it is a loss of its own."""
        raise checks.ArgumentTypeError(
            self.word, "a loss", "it has a loss of its own and cannot take another", "call layer.loss(theta, ...)"
        )

    def sample_gradients(self, call: Backward) -> Tensor:
        """Never asked for: autograd differentiates the loss."""
        raise NotImplementedError


def check_without_walls(theta: Tensor, who: str) -> None:
    """Refuses infinite entries.

    Raises:
        ArgumentError: there are some.
    """
    if theta.isinf().any():
        rule = f"{who} multiplies them with solutions"
        raise checks.ArgumentError("theta", f"{int(theta.isinf().sum())} infinite entries", rule, "use large numbers")
